"""Downlinks on their way to forwarders, and what became of them."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import NamedTuple, TypeAlias

from gateway.lorawan.air_law import Clause
from gateway.lorawan.merging import Merged
from gateway.lorawan.misses import Misses
from gateway.lorawan.reception import RX1, UNTOLD, Downlink, Reception, Way
from gateway.lorawan.rules import SubBand
from gateway.lorawan.transmitters import Booking, Transmitters
from gateway.pipeline.notebook import Notebook

Went = Callable[[str | None], None]
"""Told what became of a downlink: None for sent, else why not."""


_Ways: TypeAlias = Iterator[tuple[Reception, bool]]
"""Receptions that are not tried yet, and whether in RX1 alone."""


def _nobody_minds(_fault: str | None) -> None:
    """A device that hears nothing asks again."""


class _Errand(NamedTuple):
    """A downlink on its way.

    Attributes:
        what: as it is counted.
        answers: the uplink's bytes.
        went: told once what became of it.
    """

    what: str
    answers: bytes
    went: Went


class Outbox:
    """All of one network.

    Args:
        rules: of its region.
        notebook: writes down what forwarders may send before they are asked to.
        boot: of this machine.
        misses: uplinks that have no answer, by their frames.

    Attributes:
        became: what became of downlinks, by name.
        transmitters: what each forwarder may still send.
    """

    def __init__(self, rules: Sequence[SubBand], notebook: Notebook, boot: bytes = b"", misses: Misses | None = None) -> None:  # fmt: skip
        self._numbers = count(1)
        self._out: dict[int, tuple[_Errand, Booking]] = {}
        self.misses = misses or Misses()
        self.became: Counter[str] = Counter()
        self.transmitters = Transmitters(rules, boot)
        self._notebook = notebook

    def number(self) -> int:
        """Of the next downlink."""
        return next(self._numbers)

    def send(self, what: str, sending: Downlink, merged: Merged, went: Went = _nobody_minds) -> None:  # fmt: skip
        """By the best forwarder that may send in RX1; else by the best one that may in RX2.

        RX2 is one slow channel that all devices share, and its forwarder is deaf there for longest. Who heard the same bytes
        elsewhere heard another try, told of late: the windows of this one are not behind that.

        Args:
            went: told once what became of it.
        """
        best = merged.best
        heard = [one for one in merged.receptions if (one.freq_hz, one.rate) == (best.freq_hz, best.rate)]  # fmt: skip
        ways = iter((*((one, True) for one in heard), *((one, False) for one in heard)))
        self._try(_Errand(what, merged.best.phy, went), sending, ways, "nobody heard it")

    def _try(self, errand: _Errand, sending: Downlink, ways: _Ways, fault: str) -> None:
        """The next forwarder that takes it; it waits where its airtime is to be written down first."""
        for reception, in_rx1 in ways:
            booking = self.transmitters.book(sending, reception, in_rx1=in_rx1)
            if isinstance(booking, Clause):
                fault = str(booking)
                continue
            if not booking.law.covered:
                record, upto = booking.law.record(reception.heard_s)
                kept = partial(self._kept, errand, booking, reception.way, ways, upto)
                self._notebook.keep_air(booking.forwarder, record, kept)
                return
            refused = self._leave(errand, booking, reception.way)
            if refused is None:
                return
            fault = refused
        self._failed(errand, fault)

    def _kept(self, errand: _Errand, booking: Booking, way: Way, ways: _Ways, upto: dict[int, int], written: bool) -> None:  # fmt: skip
        refused: str | None = "its airtime could not be written down"
        if written:
            booking.law.kept(upto)
            refused = self._leave(errand, booking, way)
        else:
            booking.used(None)
        if refused is not None:
            self._try(errand, booking.sending, ways, refused)

    def _leave(self, errand: _Errand, booking: Booking, way: Way) -> str | None:
        """Hand it to the forwarder; why not, where that is refused."""
        number = booking.downlink.number
        self._out[number] = errand, booking
        refused = way.send(booking.downlink)
        if refused is not None:
            del self._out[number]
            booking.used(None)
        return refused

    def fail(self, what: str, fault: str, answers: bytes) -> None:
        """One of these has no way out.

        Args:
            answers: the uplink's bytes.
        """
        name = f"{what} not sent: {fault}"
        self.became[name] += 1
        self.misses.name(answers, name)

    def _failed(self, errand: _Errand, fault: str) -> None:
        self.fail(errand.what, fault, errand.answers)
        errand.went(fault)

    def sent(self, number: int, fault: str | None, window: int = RX1) -> None:
        """What became of a downlink: sent in this window, or the forwarder's own word why not."""
        out = self._out.pop(number, None)
        if out is None:
            return
        errand, booking = out
        if fault is None:
            booking.used(window)
        elif fault == UNTOLD:
            booking.unknown(window)
        else:
            booking.used(None)
        if fault is None:
            self.became[f"{errand.what} sent"] += 1
            errand.went(None)
        else:
            self._failed(errand, fault)
