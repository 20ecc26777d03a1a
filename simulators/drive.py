"""Lets the town run: uplinks in town time, into the ledger, then out through an outlet."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from gateway.model.instant import Instant
from simulators.ledger import Ledger
from simulators.pace import Pace
from simulators.scenario import Scenario
from simulators.uplink import SimUplink

_BREATHE_EVERY = 256


class Outlet(Protocol):
    """A way out of the town."""

    sent: int
    acked: int

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
    """

    town: Instant
    kinds: dict[str, int] = field(default_factory=dict)
    harms: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def uplinks(self) -> int:
        """All of them."""
        return sum(self.kinds.values())

    def count(self, uplink: SimUplink) -> None:
        """Add one."""
        self.town = uplink.sent
        self.kinds[uplink.kind] = self.kinds.get(uplink.kind, 0) + 1
        if uplink.harm is not None:
            key = (uplink.kind, uplink.harm)
            self.harms[key] = self.harms.get(key, 0) + 1


async def drive(
    scenario: Scenario,
    outlet: Outlet,
    pace: Pace,
    until: Instant | None,
    ledger: Ledger | None,
    stop: asyncio.Event,
    show: Callable[[Tally], None],
) -> Tally:
    """Run until town time `until` or until `stop` is set, then wait until everything has arrived.

    `show` is called now and then with the tally, and once at the end. Every uplink stands in the
    ledger before it is handed to the outlet.
    """
    tally = Tally(scenario.start)
    for number, uplink in enumerate(scenario.uplinks(until), 1):
        await pace.wait(uplink.sent, stop)
        if stop.is_set():
            break
        if ledger is not None:
            ledger.write(uplink)
        tally.count(uplink)
        await outlet.send(uplink)
        if number % _BREATHE_EVERY == 0:
            if ledger is not None:
                ledger.flush()
            show(tally)
            await pace.breathe()
    if ledger is not None:
        ledger.flush()
    await outlet.drain()
    show(tally)
    return tally
