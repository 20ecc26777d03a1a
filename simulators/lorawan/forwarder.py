"""A forwarder between the air and the gateway, whatever it speaks to its network.

It hands over what it hears, and takes what the network wants to be sent, at a moment of the one clock of the simulation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple, Protocol

from gateway.lorawan.plan import DataRate
from gateway.model.instant import Instant
from gateway.wire.lorawan.identifiers import Eui
from simulators.lorawan.backhaul import Backhaul
from simulators.lorawan.book import Book


class Signal(NamedTuple):
    """How one antenna heard a frame."""

    antenna: int
    rssi_dbm: float
    snr_db: float


class Hearing(NamedTuple):
    """A frame as this forwarder heard it, and when it had ended.

    Attributes:
        number: of the frame, for the ledger.
        signals: of each antenna that heard it, one at least.
        whole: its CRC is right; else `phy` is what was left of it.
    """

    number: int
    phy: bytes
    end_us: int
    freq_hz: int
    rate: DataRate
    signals: tuple[Signal, ...]
    whole: bool = True


class Order(NamedTuple):
    """A downlink that a forwarder was asked to send, and at which moment of the common clock.

    Attributes:
        told: called at that moment: whether it goes out, or a carrier of somebody else is in the way.
    """

    phy: bytes
    begin_us: int
    freq_hz: int
    rate: DataRate
    power_dbm: float
    told: Callable[[bool], None]


Take = Callable[[str, Order, str], str]
"""(name of the forwarder, downlink, its own word why not or "") → "" once it is in the air, or the word why not."""


class Site(NamedTuple):
    """What a forwarder has around it.

    Attributes:
        now_us: the clock that all of the simulation shares.
        utc: what this forwarder believes the time is; None where it does not know.
        antennas: 1 or 2.
        dice: where its counter stands.
    """

    now_us: Callable[[], int]
    utc: Callable[[], Instant | None]
    take: Take
    backhaul: Backhaul
    book: Book
    antennas: int
    dice: Random


@dataclass(slots=True)
class Counts:
    """What a forwarder did, as its `stat` tells."""

    pushed: int = 0
    acked: int = 0
    asked: int = 0
    refused: int = 0
    sent: int = 0


class Forwarder(Protocol):
    """One forwarder, placed on the map under the text of its EUI."""

    eui: Eui
    counts: Counts
    antennas: int

    async def open(self) -> None:
        """Be there for the gateway, or keep trying to."""

    async def close(self) -> None:
        """Be gone."""

    def push(self, heard: Hearing) -> None:
        """Hand over what was heard."""
