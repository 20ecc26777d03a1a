"""The command that sends one uplink as a device, ready to be pasted."""

import json
import shlex
from collections.abc import Collection

from gateway.devices.catalog import catalog
from gateway.model.instant import SECOND, Instant, to_datetime
from sekisho.place import Place, running

_MUTE = "no gateway runs on this directory; start it with sekisho run"


def publish(
    here: Place,
    who: tuple[str, str | None],
    device: str,
    kind: str,
    has: Collection[str],
    now: Instant,
) -> str:
    """A mosquitto_pub line for the first door of the gateway that runs there, else for the one that
    the configuration will open; why there is none, where it names no port.

    Args:
        who: user name and token, where it is known.
        has: names of the device's attributes.
    """
    body = _document(kind, has, now)
    for door in (running(here.state).get("doors") or _configured(here)).values():
        if door.get("port"):
            return _line(["-p", str(door["port"])], door, who, device, body)
        if door.get("tls_port"):
            tls = ["-p", str(door["tls_port"])]
            tls += ["--cafile", str(door["ca"])] if door.get("ca") else ["--tls-use-os-certs"]
            return _line(tls, door, who, device, body)
    return _MUTE


def _configured(here: Place) -> dict[str, dict[str, object]]:
    """The doors that the configuration will open on ports of its own."""
    if here.settings is None:
        return {}
    return {
        door.name: {
            "host": door.bind,
            "port": door.port,
            "tls_port": None if door.tls is None else door.tls.port,
        }
        for door in here.settings.doors
    }


def _line(
    port: list[str],
    door: dict[str, object],
    who: tuple[str, str | None],
    device: str,
    body: str,
) -> str:
    user, token = who
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(str(door["host"]), str(door["host"]))  # noqa: S104
    words = ["mosquitto_pub", "-h", host, *port, "-u", user, "-P", token or "TOKEN"]
    words += ["-V", "5", "-q", "1", "-t", f"sekisho/v1/{device}/up", "-m", body]
    return shlex.join(words)


def _document(kind: str, has: Collection[str], now: Instant) -> str:
    """The kind's first JSON example that a device with such attributes may send, observed at the
    next whole second: never before registration.
    """
    good = [e for e in catalog()[kind].examples if e.is_json and e.values is not None]
    example = next((e for e in good if set(e.attributes) <= set(has)), good[0])
    at = to_datetime(now + SECOND - 1).isoformat(timespec="seconds").replace("+00:00", "Z")
    return json.dumps({"t": at, "seq": 1, **json.loads(example.payload)}, separators=(",", ":"))
