"""What `sekisho doctor lorawan` may know of forwarders and devices (decisions 2, 3).

Where people are real, a count of frames or the moment of one would stand beside a row or beside none: of forwarders it is said
whether they are there and whether they hear anything, and of people's devices nothing.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from gateway.devices.catalog import catalog
from gateway.lorawan.refusals import Refused
from gateway.lorawan.session import Session
from gateway.lorawan.troubles import Trouble
from gateway.lorawan.unserved import Unserved
from gateway.model.device import Directory
from gateway.model.identity import DeviceId
from gateway.model.instant import HOUR, MINUTE, Instant
from gateway.recent import Recent, Roof
from gateway.wire.lorawan.identifiers import Eui

_SILENT = 5 * MINUTE
"""After which a forwarder counts as gone: each says something every half minute."""

_OF_SESSIONS = frozenset(
    {
        *(Refused.WRONG_KEY, Refused.REVERSED_KEY, Refused.REPLAYED, Refused.COUNTER_RESET),
        *(Refused.COUNTERS_UNKNOWN, Refused.REVOKED),
    }
)
_JOINS = "join-accept "
_STEP = 5
_ENOUGH = 100
"""Frames from which a share says something, and nothing of a single one."""


def are_real(recent: Recent, directory: Directory, devices: Iterable[DeviceId]) -> bool:
    """Whether people's devices may be among those that speak: then a number that grows by one would tell of an uplink of theirs
    what a row beside it, or none, makes of it.
    """
    kinds = catalog()
    for name in devices:
        known = directory.devices.get(name)
        kind = None if known is None else kinds.get(known.kind)
        if kind is None or kind.personal:
            return not recent.exact
    return False


def counts(known: Mapping[str, int], *, people: bool) -> dict[str, int]:
    """What became of downlinks, or which clauses refused them: how often, or where people are real from a hundred on, and the
    power of ten alone.
    """
    if not people:
        return dict(known)
    return {what: 10 ** (len(str(many)) - 1) for what, many in known.items() if many >= _ENOUGH}


def joins(known: Mapping[str, int]) -> dict[str, int]:
    """Of answers to joins all is said: no mask stands behind them."""
    return {what: many for what, many in known.items() if what.startswith(_JOINS)}


class Hourly:
    """What is told anew once an hour: what moved with a frame would tell when that frame came."""

    def __init__(self) -> None:
        self._hour: Instant | None = None
        self._told: dict[str, Any] = {}

    def told(self, now: Instant, fresh: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The same all through an hour."""
        if self._hour != now // HOUR:
            self._hour, self._told = now // HOUR, fresh()
        return self._told


def refusals(known: Mapping[Refused, int], *, people: bool) -> tuple[dict[str, int], dict[str, int]]:  # fmt: skip
    """Why frames came to nothing: of nobody's sessions, which may be told at once; and of those that some device may have sent."""
    slow = _OF_SESSIONS if people else frozenset()
    return (
        {why.value: many for why, many in known.items() if why not in slow},
        {why.value: many for why, many in known.items() if why in slow},
    )


def shares(recent: Recent, listed: Collection[Eui]) -> dict[str, dict[str, int | None]]:
    """Of what each forwarder hears, how much is harmed, and how much lies on no channel of the region."""
    return {str(eui): _shares(recent.roofs.get(str(eui), Roof()), recent.exact) for eui in listed}


def _shares(roof: Roof, exact: bool) -> dict[str, int | None]:
    all_frames = roof.frames + roof.harmed
    step = 1 if exact else _STEP
    harmed = roof.harmed * 100 // all_frames // step * step if all_frames >= _ENOUGH else None
    elsewhere = (
        roof.elsewhere * 100 // roof.frames // step * step
        if roof.frames >= _ENOUGH or (exact and roof.frames)
        else None
    )
    return {"harmed_percent": harmed, "elsewhere_percent": elsewhere}


def roofs(recent: Recent, listed: Collection[Eui], now: Instant) -> list[dict[str, Any]]:
    """Every forwarder that may speak: whether it does, and whether it hears anything."""
    return [
        {"eui": str(eui), **_roof(recent.roofs.get(str(eui), Roof()), now, recent.exact)}
        for eui in listed
    ]


def _roof(roof: Roof, now: Instant, exact: bool) -> dict[str, Any]:
    return {
        "seen": roof.said is not None,
        "there": _late(roof.said, now),
        "reachable": _late(roof.back, now),
        "hears": roof.frames > 0,
        "ahead_s": None if roof.ahead_us is None else round(roof.ahead_us / 1e6),
        **({"frames": roof.frames, "harmed": roof.harmed, "said": roof.said} if exact else {}),
    }


def _late(at: Instant | None, now: Instant) -> bool:
    return at is not None and now - at < _SILENT


def course(
    recent: Recent, directory: Directory, device: str, session: Session | None
) -> dict[str, Any] | None:
    """How a device is set, as far as that is known: of things of the city alone where people are real."""
    known = directory.devices.get(DeviceId(device))
    if known is None or session is None or session.course is None:
        return None
    kind = catalog().get(known.kind)
    if not recent.exact and (kind is None or kind.personal):
        return None
    course = session.course
    asked = None if course.asked is None else course.asked[1]._asdict()
    return {
        **course.now._asdict(),
        "asked": asked,
        "heard": len(course.heard),
        "top": course.top,
        "weakest": course.weakest,
        "over": course.over,
        "rests": course.rests,
    }


def unserved(
    recent: Recent, directory: Directory, known: Mapping[DeviceId, Unserved]
) -> list[dict[str, str]]:
    """Devices that asked for what is not done here: things of the city alone where people are real."""
    kinds = catalog()
    return [
        {"device": name, "what": what.value}
        for name, what in sorted(known.items())
        if (device := directory.devices.get(name)) is not None
        and (recent.exact or ((kind := kinds.get(device.kind)) and not kind.personal))
    ]


def troubles(
    recent: Recent, directory: Directory, known: Mapping[DeviceId, Trouble]
) -> list[dict[str, Any]]:
    """What went wrong with devices, the latest first: things of the city alone where people are real."""
    kinds = catalog()
    told = []
    for name, trouble in sorted(known.items(), key=lambda one: -one[1].at):
        device = directory.devices.get(name)
        if device is None or device.kind not in kinds:
            continue
        if recent.exact or not kinds[device.kind].personal:
            why = None if trouble.why is None else trouble.why.value
            told.append({"device": name, "why": why, "at": trouble.at, "joins": trouble.joins})
    return told
