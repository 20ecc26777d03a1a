"""What becomes of frames that share the air, antenna by antenna; pure, in microseconds of one clock.

A frame is heard where it is strong enough for its spreading factor, where nothing as strong overlaps it, where the
receiver does not send meanwhile, and where one of eight demodulators is free. Overlapping counts from five symbols
before the end of the preamble on: what ended before does no harm. Of the same channel and spreading factor the stronger
one survives by 6 dB (capture), and by less none; another spreading factor is in the way when it is 16 dB stronger.
Who listens before it sends hears a carrier from −80 dBm on, of any spreading factor and in either direction; that is
forty decibels above what a forwarder still understands, so only neighbours keep out of each other's way.
Figures: SX1301 datasheet (sensitivity, demodulators); Bor and others, "Do LoRa low-power wide-area networks scale?", 2016.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from gateway.lorawan.plan import DataRate

SENSITIVITY_DBM = {7: -123.0, 8: -126.0, 9: -129.0, 10: -132.0, 11: -134.5, 12: -137.0}
NOISE_DBM = -117.0
DEMODULATORS = 8
CAPTURE_DB = 6.0
ISOLATION_DB = 16.0
CARRIER_DBM = -80.0
_PREAMBLE, _ENOUGH = 8, 5
_HEADER_ENDS = 20.25
"""Symbols until a header has been read: the preamble's 8, 4.25 of synchronisation, and the first block of 8."""
_KEPT_US = 10_000_000


class Fate(Enum):
    """What became of a frame, at one antenna or as a whole; in the order in which the whole is named."""

    HEARD = "heard"
    COLLIDED = "collided"
    DEAF = "deaf"
    BUSY = "no demodulator free"
    WEAK = "below sensitivity"


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One transmission.

    Attributes:
        strength: antenna → how strongly it arrives there, dBm.
        sender: whose it is; nobody hears a carrier of its own.
    """

    begin_us: int
    air_us: int
    freq_hz: int
    rate: DataRate
    strength: Callable[[str], float]
    sender: str = ""

    @property
    def end_us(self) -> int:
        return self.begin_us + self.air_us

    @property
    def counts_from_us(self) -> int:
        """From here on nothing else may be as strong."""
        return self.begin_us + (_PREAMBLE - _ENOUGH) * self._symbol_us

    @property
    def header_read_us(self) -> int:
        """From here on a receiver knows that a frame comes, and how long it is."""
        return self.begin_us + round(_HEADER_ENDS * self._symbol_us)

    @property
    def _symbol_us(self) -> int:
        return (1_000_000 << self.rate.sf) // self.rate.bw_hz


def is_strong(frame: Frame, antenna: str) -> bool:
    """Whether a frame can be demodulated there at all."""
    return frame.strength(antenna) >= SENSITIVITY_DBM[frame.rate.sf]


def survives(frame: Frame, antenna: str, others: Iterable[Frame]) -> bool:
    """Whether a frame outlives everything else that is on its channel."""
    return next(_stronger(frame, antenna, others), None) is None


def _stronger(frame: Frame, antenna: str, others: Iterable[Frame]) -> Iterator[Frame]:
    """What a frame does not outlive there."""
    power = frame.strength(antenna)
    for other in others:
        if other is frame or other.freq_hz != frame.freq_hz:
            continue
        if other.end_us <= frame.counts_from_us or other.begin_us >= frame.end_us:
            continue
        need_db = CAPTURE_DB if other.rate == frame.rate else -ISOLATION_DB
        if power - other.strength(antenna) < need_db:
            yield other


def whole(fates: Mapping[str, Fate]) -> Fate:
    """Of all antennas: heard if one heard it, else the nearest miss."""
    found = set(fates.values())
    return next((fate for fate in Fate if fate in found), Fate.WEAK)


class Air:
    """Uplinks and the forwarders that may hear them.

    A frame is judged when it has ended: by then everything that overlaps it has begun.

    Args:
        antennas: names of the forwarders.
    """

    def __init__(self, antennas: Iterable[str]) -> None:
        self._antennas = tuple(antennas)
        self._up: list[Frame] = []
        self._down: list[Frame] = []
        self._sending: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)

    def begin(self, frame: Frame) -> None:
        """An uplink begins."""
        self._up = [one for one in self._up if one.end_us > frame.begin_us - _KEPT_US]
        self._up.append(frame)

    def send(self, antenna: str, frame: Frame) -> None:
        """A forwarder will send: it hears nothing meanwhile."""
        oldest = frame.begin_us - _KEPT_US
        self._down = [one for one in self._down if one.end_us > oldest]
        self._down.append(frame)
        kept = [span for span in self._sending[antenna] if span[1] > oldest]
        self._sending[antenna] = [*kept, (frame.begin_us, frame.end_us)]

    def withdraw(self, antenna: str, frame: Frame) -> None:
        """A forwarder does not send after all what it was to send."""
        self._down.remove(frame)
        self._sending[antenna].remove((frame.begin_us, frame.end_us))

    def is_busy(self, listener: str, freq_hz: int, begin_us: int, end_us: int) -> bool:
        """Whether somebody who listens between these moments hears a carrier of anybody else."""
        return any(
            one.begin_us < end_us
            and begin_us < one.end_us
            and one.freq_hz == freq_hz
            and one.sender != listener
            and one.strength(listener) >= CARRIER_DBM
            for one in (*self._up, *self._down)
        )

    def is_sending(self, antenna: str, begin_us: int, end_us: int) -> bool:
        """Whether a forwarder sends at any moment between."""
        return any(
            begin < end_us and begin_us < end for begin, end in self._sending.get(antenna, ())
        )

    def fates(self, frame: Frame, near: Iterable[str] | None = None) -> dict[str, Fate]:
        """What became of an uplink, once it has ended.

        Args:
            near: the forwarders that are asked for; all of them if None.
        """
        beside = self._beside(frame)
        antennas = self._antennas if near is None else near
        return {antenna: self._fate(frame, antenna, beside) for antenna in antennas}

    def is_told_of(self, frame: Frame, antenna: str) -> bool:
        """Whether an uplink that collided there is told of with a wrong CRC: its header had been read when that began.

        Whatever destroys preamble or header leaves nothing to tell of.
        """
        harm = _stronger(frame, antenna, self._beside(frame))
        return all(other.begin_us >= frame.header_read_us for other in harm)

    def _beside(self, frame: Frame) -> list[Frame]:
        return [
            other
            for other in self._up
            if other.begin_us < frame.end_us and frame.begin_us < other.end_us
        ]

    def reaches(self, frame: Frame, antenna: str) -> Fate:
        """What became of a downlink at a device that listens: uplinks are sent upside down and not in its way."""
        if not is_strong(frame, antenna):
            return Fate.WEAK
        return Fate.HEARD if survives(frame, antenna, self._down) else Fate.COLLIDED

    def _fate(self, frame: Frame, antenna: str, beside: Sequence[Frame]) -> Fate:
        if not is_strong(frame, antenna):
            return Fate.WEAK
        if self.is_sending(antenna, frame.begin_us, frame.end_us):
            return Fate.DEAF
        if not survives(frame, antenna, beside):
            return Fate.COLLIDED
        locked = (
            other
            for other in beside
            if other.begin_us < frame.begin_us and is_strong(other, antenna)
        )
        return Fate.BUSY if sum(1 for _ in locked) >= DEMODULATORS else Fate.HEARD
