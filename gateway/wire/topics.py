"""Sekisho's own topics: `sekisho/v1/<device>/up` (JSON) and `…/up/bin` (compact binary)."""

from gateway.model.identity import DeviceId, is_name

_PREFIX = "sekisho/v1/"


def uplink_topics(device: DeviceId) -> tuple[bytes, bytes]:
    """The topics on which a device speaks: JSON, compact binary."""
    return f"{_PREFIX}{device}/up".encode(), f"{_PREFIX}{device}/up/bin".encode()


def device_of(topic: str) -> DeviceId | None:
    """Whose uplink topic this is; None if it is nobody's."""
    if not topic.startswith(_PREFIX):
        return None
    name, _, rest = topic[len(_PREFIX) :].partition("/")
    return DeviceId(name) if rest in ("up", "up/bin") and is_name(name) else None
