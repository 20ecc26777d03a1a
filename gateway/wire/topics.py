"""Sekisho's own topics: `sekisho/v1/<device>/up` (JSON), `…/up/bin` (compact binary), `…/command`."""

from gateway.model.identity import DeviceId, is_name

OWN = "sekisho"
"""The format of our own topics and payloads, beside those of `gateway.wire.envelopes.formats`."""
_PREFIX = "sekisho/v1/"


def uplink_topics(device: DeviceId) -> tuple[bytes, bytes]:
    """The topics on which a device speaks: JSON, compact binary."""
    return f"{_PREFIX}{device}/up".encode(), f"{_PREFIX}{device}/up/bin".encode()


def command_topic(device: DeviceId) -> str:
    """The topic on which a device hears commands."""
    return f"{_PREFIX}{device}/command"


def device_of(topic: str) -> DeviceId | None:
    """Whose uplink topic this is; None if it is nobody's."""
    if not topic.startswith(_PREFIX):
        return None
    name, _, rest = topic[len(_PREFIX) :].partition("/")
    return DeviceId(name) if rest in ("up", "up/bin") and is_name(name) else None


def commanded(text: str) -> DeviceId | None:
    """Whose command topic this filter is; None if it is nobody's, or more than one."""
    name, _, rest = text.removeprefix(_PREFIX).partition("/")
    is_ours = text.startswith(_PREFIX) and rest == "command" and is_name(name)
    return DeviceId(name) if is_ours else None
