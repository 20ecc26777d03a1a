"""Back through one station, by the concentrator's time of one uplink."""

from typing import Protocol

from gateway.clock import Clock
from gateway.lorawan.reception import Downlink
from gateway.transports.basics_station.limits import StationLimits
from gateway.transports.basics_station.setup import Setup
from gateway.wire.lorawan.identifiers import Eui
from gateway.wire.station.frames import UpInfo

_AHEAD_S = 0.1
"""A downlink must reach its station so long before it is to be sent."""

_LONGEST_DELAY_S = 15


class Sender(Protocol):
    """A line that a station speaks on."""

    def transmit(self, downlink: Downlink, info: UpInfo, windows: tuple[int, int], until_s: float) -> str | None:  # fmt: skip
        """Hand a downlink over; why not, in words."""
        ...


class Place(Protocol):
    """What a way knows of its door."""

    @property
    def setup(self) -> Setup: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def limits(self) -> StationLimits: ...
    def line(self, eui: Eui, /) -> Sender | None: ...


class StationWay:
    """Satisfies `gateway.lorawan.reception.Way`; a station that came back meanwhile still knows that time."""

    __slots__ = ("_eui", "_heard_s", "_info", "_place")

    station = True

    def __init__(self, place: Place, eui: Eui, info: UpInfo, heard_s: float) -> None:
        self._place = place
        self._eui = eui
        self._info = info
        self._heard_s = heard_s

    def send(self, downlink: Downlink) -> str | None:
        """The station takes RX1 if it still can, else RX2."""
        place = self._place
        line = place.line(self._eui)
        if line is None:
            return "its forwarder is not connected"
        if downlink.delay_s % 1 or not 1 <= downlink.delay_s <= _LONGEST_DELAY_S:
            return "a station counts delays in whole seconds, 1 to 15"
        rx2_s = self._heard_s + downlink.delay_s + 1
        last_s = rx2_s if downlink.second else rx2_s - 1
        if place.clock.monotonic() > last_s - _AHEAD_S:
            return "too late for its windows"
        rx1 = place.setup.number(downlink.rx1_rate)
        rx2 = place.setup.number(downlink.rx2_rate)
        if rx1 is None or rx2 is None:
            return "a data rate of no such region"
        return line.transmit(downlink, self._info, (rx1, rx2), rx2_s + place.limits.patience_s)
