"""What a running gateway remembers of the last knocks and faults, in memory alone, for `sekisho doctor`.

Nothing of it is ever written anywhere (decisions 3). Of people's devices it keeps the day they were heard,
and more only where nobody is real.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from gateway.model.identity import DeviceId
from gateway.model.instant import SECOND, Instant
from gateway.model.observation import Observation
from gateway.model.reason import Fate, Reason

Seen: TypeAlias = tuple[Instant, Instant | None, Reason | Fate | Sequence[Observation] | None]
"""When, the device's own time, and the mask's word; None for what is not to be remembered."""

Heard: TypeAlias = Sequence[Any]
"""Forwarder, RSSI in dBm, SNR in dB, and whatever else a reception has."""

_STRANGERS = 20
_LONGEST = 120
_SPOKEN = 4096
"""Credentials whose last connection is remembered; the oldest goes."""


class Knock(NamedTuple):
    """Somebody was turned away.

    Attributes:
        at: when.
        user: the user name given; None where none was.
        topic: the topic that leads nowhere; None where the connection itself was refused.
        why: MQTT's name of the refusal, or a `Reason` value.
        turn: a number that grows with every knock and every arrival: in simulated time many share an instant.
    """

    at: Instant
    user: str | None
    topic: str | None
    why: str
    turn: int


class Fault(NamedTuple):
    """The last uplink of a device that was rejected.

    Attributes:
        at: when.
        reason: a `Reason` value.
        where: the field or the rule, never the input.
        like: the one other kind that would have taken the payload; None where none or several would.
    """

    at: Instant
    reason: str
    where: str
    like: str | None


@dataclass(slots=True)
class Roof:
    """What is remembered of a forwarder.

    Attributes:
        said: when it said anything last, by our clock; None for never.
        back: when it last kept the way back open; None for never, or for a line that ended.
        frames, harmed, elsewhere: frames that it heard, those whose CRC was wrong, those on a channel or at a data
            rate that the region does not have.
        ahead_us: how far its clock was ahead of ours; None where it never said.
    """

    said: Instant | None = None
    back: Instant | None = None
    frames: int = 0
    harmed: int = 0
    elsewhere: int = 0
    ahead_us: int | None = None


class Recent:
    """The memory; bounded by the number of registered devices and a few dozen lines.

    Attributes:
        exact: whether what becomes of people's uplinks may be remembered: where nobody is real.
        seen: each device's last uplink that could be decoded.
        faults: each device's last one that could not, or was out of range.
        connected: when each credential connected last.
        radio: who heard the last forwarded uplink of each thing of the city, read when somebody asks; never
            of people's devices, because who hears a tracker says where it is.
        roofs: forwarders that are listed, by EUI, once they spoke.
    """

    def __init__(self, exact: bool = False) -> None:
        self.exact = exact
        self.knocks: deque[Knock] = deque(maxlen=_STRANGERS)
        self.seen: dict[DeviceId, Seen] = {}
        self.faults: dict[DeviceId, Fault] = {}
        self.connected: dict[str, Instant] = {}
        self.radio: dict[DeviceId, Callable[[], Sequence[Heard]]] = {}
        self.roofs: defaultdict[str, Roof] = defaultdict(Roof)
        self._came: dict[str, int] = {}  # credential → the turn in which it came in last
        self._turn = 0

    def turned_away(
        self, at: Instant, user: str | None, why: str, topic: str | None = None
    ) -> None:
        """Somebody was refused; the same refusal again only renews its time."""
        self._turn += 1
        knock = Knock(at, _short(user), _short(topic), why, self._turn)
        before = next((k for k in self.knocks if k[1:-1] == knock[1:-1]), None)
        if before is not None:
            self.knocks.remove(before)
        self.knocks.append(knock)

    def came_in(self, at: Instant, user: str) -> None:
        """A credential has connected."""
        self.connected.pop(user, None)
        self.connected[user] = at
        self._turn += 1
        self._came[user] = self._turn
        if len(self.connected) > _SPOKEN:
            oldest = next(iter(self.connected))
            del self.connected[oldest], self._came[oldest]

    def rejected(
        self, device: DeviceId, at: Instant, reason: str, where: str, like: Callable[[], str | None]
    ) -> None:
        """An uplink of `device` was the input's fault; `like` is asked at most once a second of a device."""
        before = self.faults.get(device)
        if before is not None and before[1:3] == (reason, where) and at - before.at < SECOND:
            return
        self.faults[device] = Fault(at, reason, where, like())

    def answer(self, quiet: Collection[str] = ()) -> dict[str, Any]:
        """Who was turned away, who came in, and who was turned away after having come in.

        Args:
            quiet: credentials of whose connections no time is said, because it would stand beside a
                row, or beside none.
        """
        came = self.connected
        refused = [knock for knock in self.knocks if knock.topic is None and knock.user is not None]
        return {
            "exact": self.exact,
            "knocks": [knock._asdict() for knock in self.knocks],
            "connected": {user: None if user in quiet else at for user, at in came.items()},
            "shut_out": sorted(
                {str(k.user) for k in refused if k.turn > self._came.get(str(k.user), 0)}
            ),
        }

    def of_device(self, device: DeviceId, day_began: Instant, coarse: bool) -> dict[str, Any]:
        """What is remembered of one device.

        Args:
            day_began: local midnight.
            coarse: say no more than whether it was heard today.
        """
        at, device_time, verdict = self.seen.get(device, (None, None, None))
        if coarse:
            return {"heard_today": at is not None and at >= day_began}
        fault = self.faults.get(device)
        fate, reason = _fate(verdict)
        return {
            "heard": at,
            "device_time": device_time,
            "fate": fate,
            "reason": reason,
            "fault": None if fault is None else fault._asdict(),
            "radio": [list(heard[:3]) for heard in self.radio.get(device, tuple)()],
        }


def _fate(verdict: Reason | Fate | Sequence[Observation] | None) -> tuple[str | None, str]:
    """Words for what the mask said; rows that the store had already count as stored."""
    if verdict is None:
        return None, ""
    if isinstance(verdict, Reason):
        return Fate.SUPPRESSED.value, verdict.value
    if isinstance(verdict, Fate):
        return verdict.value, ""
    return (Fate.STORED if verdict else Fate.COUNTED).value, ""


def _short(text: str | None) -> str | None:
    """Text of somebody unknown, cut, and without what a terminal would obey."""
    if text is None:
        return None
    return "".join(c if c.isprintable() else "?" for c in text[:_LONGEST])
