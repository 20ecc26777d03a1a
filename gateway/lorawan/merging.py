"""Many receptions, one frame: what several forwarders (or two antennas of one) heard within a window.

The window opens with the first reception and is counted on the clock that is handed in. The order of arrival
plays no part in what comes out. A copy that comes a little later adds to radio health and to nothing else. The same
bytes later than that are a retransmission, which has to be answered again (or a backhaul that came back: nobody can
tell, and the counter decides what is new).
"""

from collections import OrderedDict
from typing import NamedTuple

from gateway.lorawan.reception import Reception

LATE_S = 1.5
"""How long after the first reception copies are late ones: a device that got no answer does not send again before its
second window, two seconds after the uplink (LoRaWAN 1.0.4 §3.3, §3.4)."""

_MOST = 100_000


class Merged(NamedTuple):
    """One frame and everybody who heard it.

    Attributes:
        best: the reception that the downlink goes back by.
        receptions: all within the window, best first.
    """

    best: Reception
    receptions: tuple[Reception, ...]

    def by_forwarder(self) -> list[tuple[str, float, float | None]]:
        """Forwarder, RSSI in dBm and SNR in dB of each one's best reception, best first."""
        found: dict[str, tuple[str, float, float | None]] = {}
        for one in self.receptions:
            eui = str(one.forwarder)
            found.setdefault(eui, (eui, one.rssi_dbm, one.snr_db))
        return list(found.values())


class Merging:
    """Collects receptions by frame.

    Args:
        window_s: from the first reception on.
    """

    def __init__(self, window_s: float = 0.2) -> None:
        self._window_s = window_s
        self._open: OrderedDict[bytes, list[Reception]] = OrderedDict()
        self._closed: OrderedDict[bytes, float] = OrderedDict()
        self.late = 0

    @property
    def next_s(self) -> float | None:
        """When the oldest window closes, on the monotonic clock; None while none is open."""
        for receptions in self._open.values():
            return receptions[0].heard_s + self._window_s
        return None

    def add(self, reception: Reception) -> bool:
        """Take a reception; False for a copy that came too late to count."""
        phy = reception.phy
        receptions = self._open.get(phy)
        if receptions is not None:
            receptions.append(reception)
            return True
        opened_s = self._closed.get(phy)
        if opened_s is not None and reception.heard_s - opened_s < LATE_S:
            self.late += 1
            return False
        self._open[phy] = [reception]
        return True

    def due(self, now_s: float) -> list[Merged]:
        """The frames whose window has closed, oldest first."""
        found: list[Merged] = []
        while self._open:
            phy, receptions = next(iter(self._open.items()))
            if receptions[0].heard_s + self._window_s > now_s:
                break
            del self._open[phy]
            self._closed[phy] = receptions[0].heard_s
            ordered = sorted(receptions, key=_rank)
            found.append(Merged(ordered[0], tuple(ordered)))
        self._forget(now_s)
        return found

    def _forget(self, now_s: float) -> None:
        while self._closed:
            phy, opened_s = next(iter(self._closed.items()))
            if now_s - opened_s < LATE_S and len(self._closed) <= _MOST:
                return
            del self._closed[phy]


def _rank(reception: Reception) -> tuple[float, float, bytes, int]:
    """Best first, and the same whatever the order of arrival."""
    snr, rssi = reception.worth
    return (-snr, -rssi, bytes(reception.forwarder), reception.antenna)
