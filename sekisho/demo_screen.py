"""What the demo shows: how to join in, progress, and the summary with its reconciliation."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from gateway.model.instant import DAY, Instant, to_rfc3339
from gateway.model.reason import Fate
from gateway.statedir import StateDir
from sekisho import account, screen
from sekisho.reconciliation import Reconciliation
from simulators.calendar import ZONE

_PLAIN_EVERY_S = 10.0


class DemoScreen:
    """Speaks to a terminal in place, and line by line to anything else."""

    def __init__(
        self,
        seed: int,
        pace: float,
        children: int,
        folder: Path,
        *,
        quiet: bool,
        days: int | None = None,
    ) -> None:
        self._console = Console(highlight=False)
        self._quiet = quiet
        self._live: Live | None = None
        self._first_row_s: float | None = None
        self._last_plain_s = 0.0
        self._folder = folder
        tempo = f"{pace:g}× faster than life" if days is None else f"{days} days as fast as they go"
        self._days = days
        self._begin: Instant = 0
        self._title = (
            f"Sekisho demo · a fictional town, seed {seed}, {children} children, {tempo} · state in "
            f"{folder}/state (SIM)"
        )

    def opened(self, running: Mapping[str, Any], token: str, gauge: str, user: str) -> None:
        """The doors are open: say where, and how to send something of one's own."""
        self._begin = running["clock"]["start_us"]
        door = running["doors"]["mqtt"]
        self._say(self._title)
        self._say(
            f"  door  mqtt://{door['host']}:{door['port']}   TLS {door['tls_port']}   "
            f"token in {self._folder}/pilot.token"
        )
        self._say("  try   (in a second terminal)")
        self._say(
            f"mosquitto_pub -h {door['host']} -p {door['tls_port']} --cafile {self._folder}/ca.pem "
            f"-u {user} -P {token} -t sekisho/v1/{gauge}/up -q 1 -V 5 "
            '-m \'{"seq":1,"distance_m":2.41}\''
        )
        self._say(f"  look  {screen.command()} tail --state {self._folder}/state\n")

    def progress(
        self,
        answer: Mapping[str, Any],
        town: Instant,
        elapsed_s: float,
        of_s: float,
        since_start_s: float,
    ) -> None:
        """One look at the running gateway."""
        terms = answer["terms"]
        handed = sum(term["count"] for term in terms)
        stored = sum(term["count"] for term in terms if term["fate"] == Fate.STORED)
        if stored and self._first_row_s is None:
            self._first_row_s = since_start_s
            self._say(f"  first row on disk after {since_start_s:.1f} s")
        if self._quiet:
            return
        moment = to_rfc3339(town, ZONE)[:16].replace("T", " ")
        bar = _bar(elapsed_s, of_s)
        if self._days is not None:
            bar = _bar(town - self._begin, self._days * DAY)
        line = (
            f"  {moment if self._days else moment[11:]} town time  {bar}  "
            f"{handed:>7,} uplinks  {stored:>7,} stored  {handed / max(elapsed_s, 0.1):>5,.0f}/s"
        )
        if self._console.is_terminal:
            if self._live is None:
                self._live = Live(console=self._console, auto_refresh=False, transient=True)
                self._live.start()
            self._live.update(Text(line), refresh=True)
        elif elapsed_s - self._last_plain_s >= _PLAIN_EVERY_S:
            self._last_plain_s = elapsed_s
            self._say(line)

    def interrupted(self) -> None:
        self._say("  stopping: the town finishes what it has sent")

    def stop(self) -> None:
        """Leave the line that moves."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def summary(
        self,
        result: Reconciliation,
        answer: Mapping[str, Any],
        state: StateDir,
        seconds: tuple[float, float],
    ) -> None:
        """The conservation law per kind and by reason, the reconciliation, and where the rows are.

        Args:
            answer: the gateway's last word: its terms, and what was in flight.
            seconds: how long the town and the gateway took, and how long the reconciliation.
        """
        in_flight: int = answer["in_flight"]
        if self._quiet:
            figures = {
                **account.as_json(result, in_flight),
                "ways": result.ways,
                "rows_per_way": round(result.rows_per_way, 1),
                "first_row_s": self._first_row_s,
                "ran_s": round(seconds[0], 1),
                "reconciled_s": round(seconds[1], 1),
                "state": str(state.path),
            }
            print(json.dumps(figures))
            return
        print()
        account.show(result, in_flight)
        print(
            f"  ways        {result.ways:,} of children who take part, {result.rows_per_way:.1f} rows of each"
        )
        own = sum(term["count"] for term in answer["terms"] if term["origin"] == "own")
        if own:
            print(f"  yours       {screen.count(own, 'uplink')} of your own, not counted above")
        print(f"  database    {state.city_db} and {state.personal_dir}/ (SQLite)")
        print(f"  open it     {screen.command()} query river --state {self._folder}/state")
        if self._first_row_s is not None:
            print(f"  speed       first row on disk {self._first_row_s:.1f} s after the start")
        if self._days is not None:
            print(
                f"  time        {self._days} days in {seconds[0]:.0f} s, reconciled in {seconds[1]:.0f} s"
            )

    def _say(self, text: str) -> None:
        if not self._quiet:
            print(text, file=sys.stdout, flush=True)


def _bar(done: float, of: float, width: int = 24) -> str:
    """A bar, or for a demo without end a sign that it lives."""
    if not of:
        return "until Ctrl-C".center(width)
    full = min(width, int(width * done / of))
    return "▉" * full + "·" * (width - full)
