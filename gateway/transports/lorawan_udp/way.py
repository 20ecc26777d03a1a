"""Back through one packet forwarder, by the concentrator's time of one uplink."""

from collections.abc import Callable
from math import floor
from typing import Protocol

from gateway.lorawan.forwarder import Forwarder
from gateway.lorawan.plan import DataRate
from gateway.lorawan.reception import RX1, RX2, Downlink
from gateway.wire.gwmp.datagrams import Transmission
from gateway.wire.lorawan.identifiers import Eui

_AHEAD_S = 0.1
"""A downlink must reach its forwarder so long before it is to be sent."""

_LATE = "too late for its windows"


class Outlet(Protocol):
    """What a way knows of its door."""

    def monotonic(self) -> float:
        """The clock that receptions were heard by."""
        ...

    def transmit(
        self,
        number: int,
        eui: Eui,
        window: int,
        txpk: Transmission,
        again: Callable[[], str | None] | None,
    ) -> str | None:
        """Send a PULL_RESP; why not, in words."""
        ...


class UdpWay:
    """Satisfies `gateway.lorawan.reception.Way`."""

    __slots__ = ("_door", "_forwarder", "_heard_s", "_tmst")

    station = False

    def __init__(self, door: Outlet, forwarder: Forwarder, tmst: int, heard_s: float) -> None:
        self._door = door
        self._forwarder = forwarder
        self._tmst = tmst
        self._heard_s = heard_s

    def send(self, downlink: Downlink) -> str | None:
        """By RX1, or by RX2 where that is too late or the forwarder refuses it."""
        if not downlink.first:
            return self._second(downlink)
        fault = self._in(RX1, downlink, downlink.delay_s, downlink.rx1_freq_hz, downlink.rx1_rate)
        return self._second(downlink) if fault == _LATE and downlink.second else fault

    def _second(self, downlink: Downlink) -> str | None:
        return self._in(
            RX2, downlink, downlink.delay_s + 1, downlink.rx2_freq_hz, downlink.rx2_rate
        )

    def _in(
        self, window: int, downlink: Downlink, delay_s: float, freq_hz: int, rate: DataRate
    ) -> str | None:
        door = self._door
        if door.monotonic() > self._heard_s + delay_s - _AHEAD_S:
            return _LATE
        txpk = Transmission(
            downlink.phy,
            self._tmst + round(delay_s * 1e6),
            freq_hz,
            floor(downlink.eirp_dbm - self._forwarder.gain_db),
            str(rate),
        )
        more = window == RX1 and downlink.second
        again = (lambda: self._second(downlink)) if more else None
        return door.transmit(downlink.number, self._forwarder.eui, window, txpk, again)
