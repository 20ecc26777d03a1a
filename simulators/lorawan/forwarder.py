"""A forwarder between the air and the gateway, whatever it speaks to its network.

It hands over what it hears, and takes what the network wants to be sent, at a moment of the one clock of the simulation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gateway.lorawan.plan import DataRate
from gateway.wire.lorawan.identifiers import Eui


class Hearing(NamedTuple):
    """A frame as this forwarder heard it, and when it had ended."""

    phy: bytes
    end_us: int
    freq_hz: int
    rate: DataRate
    rssi_dbm: float
    snr_db: float


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

    async def open(self) -> None:
        """Be there for the gateway, or keep trying to."""

    async def close(self) -> None:
        """Be gone."""

    def push(self, heard: Hearing) -> None:
        """Hand over what was heard."""
