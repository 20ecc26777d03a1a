"""One frame as one antenna of one forwarder heard it, and the way back to that forwarder."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gateway.lorawan.plan import DataRate
from gateway.model.instant import Instant
from gateway.wire.lorawan.identifiers import Eui

RX1, RX2 = 1, 2
"""The two windows in which a device of class A listens after an uplink."""

UNTOLD = "the forwarder told of no transmission"
"""The one fault behind which a downlink may have been sent after all."""

Told = Callable[[int, str | None, int], None]
"""What became of a downlink: its number; None for sent, else why not; the window."""


@dataclass(frozen=True, slots=True)
class Downlink:
    """What a forwarder is asked to send; RX1 if that is still possible, else RX2.

    Attributes:
        number: by which the door tells what became of it.
        dev_eui: for whom; Basics Station wants to know.
        phy: the whole frame.
        rx1_freq_hz, rx1_rate, rx2_freq_hz, rx2_rate: where the device listens.
        delay_s: from the end of the uplink to RX1; RX2 opens a second later.
        eirp_dbm: what may leave the antenna.
        first, second: which of the two windows the law permits.
    """

    number: int
    dev_eui: Eui
    phy: bytes
    rx1_freq_hz: int
    rx1_rate: DataRate
    rx2_freq_hz: int
    rx2_rate: DataRate
    delay_s: float
    eirp_dbm: float
    first: bool = True
    second: bool = True

    def __repr__(self) -> str:
        return f"<downlink {self.number}>"


class Way(Protocol):
    """The way back for one reception: its forwarder, and the concentrator's time of it."""

    @property
    def station(self) -> bool:
        """Whether that is a LoRa Basics Station, which keeps channels to a share of its own."""
        ...

    def send(self, downlink: Downlink) -> str | None:
        """Hand a downlink to the forwarder; None, or why that is too late or impossible, in words.

        Only windows that the downlink permits are used. What became of it comes later, over the door: it tells by the
        downlink's number what went wrong, and which window it was.
        """
        ...


class Reception(NamedTuple):
    """One hearing.

    Attributes:
        phy: the frame's bytes.
        forwarder: who heard it.
        antenna: of that forwarder.
        freq_hz, rate: as it was heard.
        rssi_dbm, snr_db: how well; None where the forwarder does not measure that.
        at: our clock when it reached us.
        heard_s: the monotonic clock then.
        way: back to the device.
    """

    phy: bytes
    forwarder: Eui
    antenna: int
    freq_hz: int
    rate: DataRate
    rssi_dbm: float
    snr_db: float | None
    at: Instant
    heard_s: float
    way: Way

    def __repr__(self) -> str:
        return "<reception>"

    @property
    def worth(self) -> tuple[float, float]:
        """Orders receptions of one frame: by signal to noise, then by strength."""
        return (-99.0 if self.snr_db is None else self.snr_db, self.rssi_dbm)
