"""How far the simulation is: a bar on a terminal, nothing elsewhere, and the figures at the end."""

import resource
from typing import Any, TextIO

from gateway.model.instant import Instant, to_rfc3339
from sekisho.bar import Bar
from simulators.calendar import ZONE
from simulators.drive import Outlet, Tally
from simulators.scenario import Scenario

_INTERVAL_S = 10.0


class Progress(Bar):
    """A line that moves with the town, and sentences beside it."""

    def __init__(self, screen: TextIO, *, quiet: bool, intervals: bool = False) -> None:
        """`intervals`: where there is no terminal, say every ten seconds whether the rate is held."""
        super().__init__(screen, quiet=quiet)
        self._screen = None if quiet else screen
        self._intervals = intervals and not screen.isatty()
        self._said_s = 0.0
        self._said = (0, 0)

    def show(
        self, tally: Tally, outlet: Outlet, wall_s: float, start: Instant, until: Instant | None
    ) -> None:
        """Move the line."""
        self._interval(tally, outlet, wall_s)
        rate = tally.uplinks / wall_s if wall_s > 0 else 0.0
        figures = f"{tally.uplinks:,} uplinks  {rate:,.0f}/s"
        if tally.rate.wanted:
            figures += f" of {tally.rate.wanted / max(wall_s, 1.0):,.0f}/s wanted"
        if outlet.sent != outlet.acked:
            figures += f"  {outlet.sent - outlet.acked} in flight"
        self.move(
            tally.town - start,
            None if until is None else until - start,
            f"{to_rfc3339(tally.town, ZONE)[11:16]} town time",
            figures,
        )

    def tried(self, tries: int, allowed: int, smallest: int) -> None:
        """Move the line of a search: checks run so far, and the smallest part that fails."""
        self.move(tries, allowed, "", f"try {tries:,}  smallest {smallest:,} uplinks")

    def say(self, text: str) -> None:
        """A line of its own, beside the result."""
        if self._screen is not None:
            print(text, file=self._screen, flush=True)

    def _interval(self, tally: Tally, outlet: Outlet, wall_s: float) -> None:
        """What was wanted and held since the last time, if that is long enough ago."""
        rate, passed = tally.rate, wall_s - self._said_s
        if not self._intervals or passed < _INTERVAL_S or not rate.wanted:
            return
        wanted, held = rate.wanted - self._said[0], rate.held - self._said[1]
        self._said_s, self._said = wall_s, (rate.wanted, rate.held)
        self.say(
            f"{wall_s:>6.0f} s  {wanted / passed:,.0f}/s wanted  {held / passed:,.0f}/s held  worst second "
            f"{rate.worst:.2f}  {outlet.sent - outlet.acked:,} in flight"
        )


def summary(
    tally: Tally, outlet: Outlet, wall_s: float, scenario: Scenario, to: str
) -> dict[str, Any]:
    """Every figure of a finished run, as `--json` prints it."""
    return {
        "seed": scenario.seed,
        "children": scenario.children,
        "devices": len(scenario.fleet()),
        "fictional": True,
        "to": _without_password(to),
        "start_us": scenario.start,
        "end_us": tally.town,
        "sent": outlet.sent,
        "acked": outlet.acked,
        "refused": {f"0x{code:02X}": n for code, n in getattr(outlet, "refused", {}).items()},
        "wall_s": round(wall_s, 3),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "kinds": {
            kind: {
                "uplinks": n,
                "harmed": {h: m for (k, h), m in sorted(tally.harms.items()) if k == kind},
            }
            for kind, n in sorted(tally.kinds.items())
        },
    }


def _without_password(to: str) -> str:
    head, at, tail = to.rpartition("@")
    if not at:
        return to
    return f"{head.split('://')[0]}://{tail}"
