"""Downlinks on their way to forwarders, and what became of them."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count

from gateway.lorawan.air_law import Clause
from gateway.lorawan.merging import Merged
from gateway.lorawan.reception import RX1, Downlink
from gateway.lorawan.rules import SubBand
from gateway.lorawan.transmitters import Booking, Transmitters

Went = Callable[[str | None], None]
"""Told what became of a downlink: None for sent, else why not."""


def _nobody_minds(_fault: str | None) -> None:
    """A device that hears nothing asks again."""


class Outbox:
    """All of one network.

    Args:
        rules: of its region.

    Attributes:
        became: what became of downlinks, by name.
        transmitters: what each forwarder may still send.
    """

    def __init__(self, rules: Sequence[SubBand]) -> None:
        self._numbers = count(1)
        self._out: dict[int, tuple[str, Booking, Went]] = {}
        self.became: Counter[str] = Counter()
        self.transmitters = Transmitters(rules)

    def number(self) -> int:
        """Of the next downlink."""
        return next(self._numbers)

    def send(self, what: str, sending: Downlink, merged: Merged, went: Went = _nobody_minds) -> None:  # fmt: skip
        """By the best forwarder that may send in RX1; else by the best one that may in RX2.

        RX2 is one slow channel that all devices share, and its forwarder is deaf there for longest.

        Args:
            went: told once what became of it.
        """
        fault = "nobody heard it"
        heard = merged.receptions
        for reception, in_rx1 in (
            *((one, True) for one in heard),
            *((one, False) for one in heard),
        ):
            booking = self.transmitters.book(sending, reception, in_rx1=in_rx1)
            if isinstance(booking, Clause):
                fault = str(booking)
                continue
            self._out[sending.number] = what, booking, went
            refused = reception.way.send(booking.downlink)
            if refused is None:
                return
            del self._out[sending.number]
            booking.used(None)
            fault = refused
        self.fail(what, fault)
        went(fault)

    def fail(self, what: str, fault: str) -> None:
        """One of these has no way out."""
        self.became[f"{what} not sent: {fault}"] += 1

    def sent(self, number: int, fault: str | None, window: int = RX1) -> None:
        """What became of a downlink: sent in this window, or the forwarder's own word why not."""
        out = self._out.pop(number, None)
        if out is None:
            return
        what, booking, went = out
        booking.used(window if fault is None else None)
        if fault is None:
            self.became[f"{what} sent"] += 1
        else:
            self.fail(what, fault)
        went(fault)
