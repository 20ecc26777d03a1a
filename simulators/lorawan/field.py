"""The town's air in real time: what nodes send reaches forwarders, and what forwarders send reaches nodes in their windows."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from gateway.lorawan.airtime import airtime_us
from gateway.lorawan.plan import DataRate, Plan
from gateway.wire.lorawan.frames import Data, FrameError, JoinAccept, parse
from simulators.lorawan.air import NOISE_DBM, SENSITIVITY_DBM, Air, Fate, Frame
from simulators.lorawan.book import CHANNEL_BUSY, Book
from simulators.lorawan.forwarder import Forwarder, Hearing, Order, Signal
from simulators.lorawan.links import FADING_DB, FORWARDER_GAIN_DB, Links

_WINDOW_US = 20_000
"""A node listens so long before and behind the moment at which a window opens."""

UNHEARD, REFUSED = "nobody listened", "refused by the node"
"""Fates of a downlink that came in no window of anybody, and of one of which its device could make nothing."""

_REMEMBERED = 4096
_SNR_MOST_DB = 12.0


class Sent(NamedTuple):
    """An uplink frame that is over.

    Attributes:
        number: of the frame.
        end_us: when it ended.
        heard: whether any forwarder heard it.
    """

    number: int
    end_us: int
    heard: bool


@dataclass(slots=True, eq=False)
class Ear:
    """A node that listens after a frame of its own.

    Attributes:
        windows: name ("RX1", "RX2") → when it opens, frequency, data rate.
        hears: makes sense of bytes that came so many dB above the noise; whether they were meant for it.
        in_window: the name of the window in which it was answered; None so far.
    """

    node: str
    number: int
    windows: Mapping[str, tuple[int, int, DataRate]]
    hears: Callable[[bytes, float], bool]
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    in_window: str | None = None

    def window(self, begin_us: int, freq_hz: int, rate: DataRate) -> str | None:
        """The window that a downlink falls into."""
        for name, (open_us, freq, dr) in self.windows.items():
            if (freq, dr) == (freq_hz, rate) and abs(begin_us - open_us) <= _WINDOW_US:
                return name
        return None


class _Meant(NamedTuple):
    """An uplink that somebody heard; `addr` is its DevAddr as sent, None of a join-request."""

    node: str
    number: int
    addr: bytes | None


class _Strength:
    """How strongly one frame arrives at a listener, by its better antenna; the same whenever it is asked again."""

    def __init__(self, draw: Callable[[str], list[float]]) -> None:
        self._draw = draw
        self._of: dict[str, list[float]] = {}

    def __call__(self, listener: str) -> float:
        return max(self.antennas(listener))

    def antennas(self, listener: str) -> list[float]:
        """At each of them."""
        found = self._of.get(listener)
        if found is None:
            found = self._of[listener] = self._draw(listener)
        return found


class Field:
    """Nodes and forwarders on one map.

    Args:
        links: between all of them, by name.
        dice: of fading.
    """

    def __init__(self, plan: Plan, links: Links, book: Book, dice: Random) -> None:
        self._plan = plan
        self._links = links
        self._book = book
        self._dice = dice
        self._began_s = asyncio.get_running_loop().time()
        self._forwarders: dict[str, Forwarder] = {}
        self._air = Air(())
        self._ears: set[Ear] = set()
        self._meant: dict[int, list[_Meant]] = {}  # by the end of an uplink
        self._frames = 0

    def now_us(self) -> int:
        """Microseconds since the beginning."""
        return round((asyncio.get_running_loop().time() - self._began_s) * 1e6)

    def place(self, forwarders: Mapping[str, Forwarder]) -> None:
        """These forwarders hear and send."""
        self._forwarders = dict(forwarders)
        self._air = Air(forwarders)

    def number(self) -> int:
        """A number for the next frame."""
        self._frames += 1
        return self._frames

    def busy(self, listener: str, freq_hz: int, rate: DataRate) -> str:
        """The law by which one must be silent that hears somebody else on this channel just now; "" when it is free."""
        rule = self._plan.rule(freq_hz, rate)
        if rule is None or not rule.sense_us:
            return ""
        now = self.now_us()
        heard = self._air.is_busy(listener, freq_hz, now - rule.sense_us, now)
        return rule.law if heard else ""

    async def send(self, number: int, phy: bytes, freq_hz: int, rate: DataRate, eirp_dbm: float, who: Mapping[str, Any], first: Callable[[], None]) -> Sent:  # fmt: skip
        """Send an uplink; returns when it has ended.

        Args:
            who: device, sort and so on, for the ledger.
            first: called when somebody heard it, before anybody is told.
        """
        begin = self.now_us()
        node = who["device"]
        strength = self._strength(node, eirp_dbm)
        frame = Frame(begin, airtime_us(len(phy), rate), freq_hz, rate, strength, node)
        self._air.begin(frame)
        await asyncio.sleep(frame.air_us / 1e6)
        fates = self._air.fates(frame)
        signals = {
            name: _signals(strength.antennas(name), rate)
            for name, fate in fates.items()
            if fate is Fate.HEARD
        }
        twice = [name for name, heard in signals.items() if len(heard) > 1]
        broken = {
            name: _signals(strength.antennas(name), rate)
            for name, fate in fates.items()
            if fate is Fate.COLLIDED and self._air.is_told_of(frame, name)
        }
        who = {"frame": number, **who, "mic": phy[-4:].hex()}
        self._book.frame(who, frame, fates, twice, broken)
        if signals:
            first()
            addr = phy[1:5] if who["sort"] == "data" else None
            self._meant.setdefault(frame.end_us, []).append(_Meant(node, number, addr))
            while len(self._meant) > _REMEMBERED:
                del self._meant[next(iter(self._meant))]
        for name, heard in signals.items():
            told = Hearing(number, phy, frame.end_us, freq_hz, rate, heard)
            self._forwarders[name].push(told)
        for name, heard in broken.items():
            rest = _broken(phy, self._dice)
            told = Hearing(number, rest, frame.end_us, freq_hz, rate, heard, whole=False)
            self._forwarders[name].push(told)
        return Sent(number, frame.end_us, bool(signals))

    async def listen(self, ear: Ear) -> None:
        """Listen until something came that was meant for it, or its last window is over."""
        opens, _, rate = max(ear.windows.values())
        longest = airtime_us(64, rate, crc=False) + _WINDOW_US
        self._ears.add(ear)
        left_s = (opens + longest - self.now_us()) / 1e6
        try:
            async with asyncio.timeout(left_s):
                await ear.answered.wait()
        except TimeoutError:
            pass
        finally:
            self._ears.discard(ear)

    def take(self, forwarder: str, order: Order, fault: str) -> str:
        """A forwarder is asked to send; see `simulators.lorawan.forwarder.Take`."""
        air_us = airtime_us(len(order.phy), order.rate, crc=False)
        end_us = order.begin_us + air_us
        if not fault and self._air.is_sending(forwarder, order.begin_us, end_us):
            fault = "COLLISION_PACKET"
        line = self._about(forwarder, order)
        if fault:
            self._book.downlink({**line, "fate": fault})
            return fault
        strength = self._strength(forwarder, order.power_dbm + FORWARDER_GAIN_DB)
        frame = Frame(order.begin_us, air_us, order.freq_hz, order.rate, strength, forwarder)
        self._air.send(forwarder, frame)
        after_s = (order.begin_us - self.now_us()) / 1e6
        asyncio.get_running_loop().call_later(max(after_s, 0), self._leave, frame, order, line)
        return ""

    def _strength(self, sender: str, eirp_dbm: float) -> "_Strength":
        """How strongly one frame arrives wherever somebody asks."""

        def draw(listener: str) -> list[float]:
            forwarder = self._forwarders.get(listener)
            gain, antennas = (
                (0.0, 1) if forwarder is None else (FORWARDER_GAIN_DB, forwarder.antennas)
            )
            plain = eirp_dbm + gain - self._links.loss_db(sender, listener)
            return [plain + self._dice.gauss(0.0, FADING_DB) for _ in range(antennas)]

        return _Strength(draw)

    def _leave(self, frame: Frame, order: Order, line: dict[str, Any]) -> None:
        """The moment of a downlink has come: it goes out unless the forwarder hears somebody else.

        By then a UDP forwarder has long said that it would (`lora_pkt_fwd.c` of packet_forwarder 4.0.1: TX_ACK as it queues).
        """
        clause = self.busy(frame.sender, frame.freq_hz, frame.rate)
        order.told(not clause)
        if clause:
            self._air.withdraw(frame.sender, frame)
            self._book.downlink({**line, "fate": CHANNEL_BUSY, "clause": clause})
            return
        after_s = (frame.end_us - self.now_us()) / 1e6
        asyncio.get_running_loop().call_later(max(after_s, 0), self._land, frame, order, line)

    def _land(self, frame: Frame, order: Order, line: dict[str, Any]) -> None:
        """A downlink has been sent: whoever listened in that window may have heard it."""
        reached = UNHEARD
        window = None
        for ear in list(self._ears):
            name = ear.window(frame.begin_us, frame.freq_hz, frame.rate)
            if name is None:
                continue
            fate = self._air.reaches(frame, ear.node)
            meant = ear.number == line["answers"]
            if meant:
                reached, window = fate.value, name
            snr_db = min(_SNR_MOST_DB, frame.strength(ear.node) - NOISE_DBM)
            if fate is Fate.HEARD and ear.hears(order.phy, snr_db):
                ear.in_window = name
                ear.answered.set()
            elif meant and fate is Fate.HEARD:
                reached = REFUSED
        self._book.downlink({**line, "window": window, "fate": reached})

    def _about(self, forwarder: str, order: Order) -> dict[str, Any]:
        """What the ledger says of a downlink: which frame it answers, and whose counter it has."""
        try:
            frame = parse(order.phy)
        except FrameError:
            frame = None
        meant = self._whose(order.begin_us, frame)
        line: dict[str, Any] = {
            "downlink": forwarder,
            "at": order.begin_us,
            "answers": None if meant is None else meant.number,
            "to": None if meant is None else meant.node,
        }
        if isinstance(frame, Data):
            return {
                **line,
                "sort": "data",
                "session": str(frame.dev_addr),
                "f_cnt": frame.f_cnt,
                "mic": frame.mic.hex(),
            }
        return {**line, "sort": "join" if isinstance(frame, JoinAccept) else "other"}

    def _whose(self, begin_us: int, frame: object) -> "_Meant | None":
        """The uplink that a downlink answers: by its end, to the microsecond, and whose it was."""
        addr = frame.dev_addr.wire if isinstance(frame, Data) else None
        for delay_s in (1, 2, 5, 6):
            for meant in self._meant.get(begin_us - delay_s * 1_000_000, ()):
                if meant.addr == addr:
                    return meant
        return None


def _signals(powers: Sequence[float], rate: DataRate) -> tuple[Signal, ...]:
    """What each antenna tells of a frame that it can demodulate."""
    return tuple(
        Signal(antenna, power, min(_SNR_MOST_DB, power - NOISE_DBM))
        for antenna, power in enumerate(powers)
        if power >= SENSITIVITY_DBM[rate.sf]
    )


def _broken(phy: bytes, dice: Random) -> bytes:
    """What is left of a frame that something stronger fell into: its end is noise."""
    begin = dice.randrange(len(phy))
    return phy[:begin] + dice.randbytes(len(phy) - begin)
