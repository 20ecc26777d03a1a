"""Lets the town run: uplinks in town time, into the ledger, then out through an outlet.

Either each at its moment, or in lock-step with a gateway that lives in town time (`Step`): there, all
uplinks of one stretch of a fixed grid leave together at its end, the gateway's clock is moved to that end
before, and nothing moves on until all of them are acknowledged. What is stored is then the same however
fast it goes, because nothing of it depends on wall time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, groupby, islice
from typing import NamedTuple, Protocol

from gateway.model.instant import Instant
from simulators.ledger import Ledger
from simulators.pace import Pace
from simulators.rate import Rate
from simulators.scenario import Scenario
from simulators.uplink import SimUplink

_BREATHE_EVERY = 256


class Outlet(Protocol):
    """A way out of the town."""

    @property
    def sent(self) -> int:
        """Uplinks handed over by `send`."""
        ...

    @property
    def acked(self) -> int:
        """Of those, arrived."""
        ...

    async def send(self, uplink: SimUplink) -> None:
        """Take one uplink; may wait while too many are unacknowledged."""
        ...

    async def drain(self) -> None:
        """Return when everything sent has arrived."""
        ...

    async def close(self) -> None: ...


@dataclass(slots=True)
class Tally:
    """What was sent so far.

    Attributes:
        kinds: kind → uplinks.
        harms: (kind, harm) → uplinks harmed on purpose.
        town: town time reached.
        rate: whether uplinks left when they were due.
    """

    town: Instant
    rate: Rate = field(default_factory=Rate)
    kinds: dict[str, int] = field(default_factory=dict)
    harms: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def uplinks(self) -> int:
        """All of them."""
        return sum(self.kinds.values())

    def count(self, uplink: SimUplink) -> None:
        """Add one."""
        self.town = uplink.sent
        self.kinds[uplink.kind] = self.kinds.get(uplink.kind, 0) + (not uplink.lost)
        if uplink.harm is not None:
            key = (uplink.kind, uplink.harm)
            self.harms[key] = self.harms.get(key, 0) + 1


class Step(NamedTuple):
    """Lock-step with a gateway.

    Attributes:
        length: of one stretch of the grid, microseconds of town time; the grid begins in 1970.
        advance: moves the gateway's clock, and returns when it shows that time.
    """

    length: Instant
    advance: Callable[[Instant], Awaitable[None]]


def arrival(sent: Instant, length: Instant) -> Instant:
    """When an uplink arrives at a gateway in lock-step: at the end of its stretch of the grid."""
    return sent - sent % length + length


async def drive(
    scenario: Scenario,
    outlet: Outlet,
    pace: Pace,
    until: Instant | None,
    ledger: Ledger | None,
    stop: asyncio.Event,
    show: Callable[[Tally], None],
    step: Step | None = None,
) -> Tally:
    """Run until town time `until` or until `stop` is set, then wait until everything has arrived.

    `show` is called now and then with the tally, and once at the end. Every uplink stands in the
    ledger before it is handed to the outlet.

    Args:
        step: of a gateway that goes in lock-step; None: each uplink leaves at its moment.
    """
    way = _Way(outlet, pace, ledger, stop, show, Tally(scenario.start))
    if step is None:
        await _freely(scenario.uplinks(until), way, len(scenario.fleet()))
    else:
        await _in_step(scenario.uplinks(until), way, step)
        if until is not None and not stop.is_set():
            await step.advance(arrival(until - 1, step.length))
    way.look()
    await outlet.drain()
    show(way.tally)
    return way.tally


@dataclass(frozen=True, slots=True)
class _Way:
    """What uplinks meet on their way out."""

    outlet: Outlet
    pace: Pace
    ledger: Ledger | None
    stop: asyncio.Event
    show: Callable[[Tally], None]
    tally: Tally

    async def hand_over(self, uplink: SimUplink) -> None:
        if self.ledger is not None:
            self.ledger.write(uplink)
            self.ledger.flush()  # a kill of this process must not take lines from uplinks that left
        self.tally.count(uplink)
        if not uplink.lost:
            await self.outlet.send(uplink)

    def note(self, due: Instant) -> None:
        """An uplink left that was due at that town time."""
        if not self.pace.never_waits:
            left = self.pace.elapsed_s
            self.tally.rate.note(left + self.pace.due_in(due), left)

    def look(self) -> None:
        self.show(self.tally)


async def _freely(uplinks: Iterator[SimUplink], way: _Way, warm: int) -> None:
    pace = way.pace
    first: list[SimUplink] = []
    for uplink in islice(uplinks, 0 if pace.never_waits else warm):
        first.append(uplink)
        if len(first) % _BREATHE_EVERY == 0:
            await pace.breathe()
    pace.begin()
    for number, uplink in enumerate(chain(first, uplinks), 1):
        await pace.wait(uplink.sent, way.stop)
        if way.stop.is_set():
            break
        await way.hand_over(uplink)
        way.note(uplink.sent)
        if number % _BREATHE_EVERY == 0:
            way.look()
            await way.pace.breathe()


async def _in_step(uplinks: Iterable[SimUplink], way: _Way, step: Step) -> None:
    stretches = _stretches(uplinks, step.length)
    stretch = next(stretches, None)
    way.pace.begin()
    while stretch is not None:
        end, together = stretch
        await way.pace.wait(end, way.stop)
        if way.stop.is_set():
            break
        await step.advance(end)
        for uplink in together:
            await way.hand_over(uplink)
            way.note(end)
        way.look()
        await way.pace.breathe()
        stretch = next(stretches, None)  # made while the gateway is at work
        await way.outlet.drain()


def _stretches(
    uplinks: Iterable[SimUplink], length: Instant
) -> Iterator[tuple[Instant, list[SimUplink]]]:
    """Uplinks by stretches of the grid, each with its end; stretches in which nobody speaks are left out."""
    for end, group in groupby(uplinks, lambda uplink: arrival(uplink.sent, length)):
        yield end, list(group)
