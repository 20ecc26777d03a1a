"""What the demo shows: how to join in, progress, and the summary with its reconciliation."""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from gateway.model.instant import Instant, to_rfc3339
from gateway.model.reason import Fate
from gateway.statedir import StateDir
from sekisho import screen
from sekisho.reconcile import UNKNOWN, Reconciliation, fates
from simulators.calendar import ZONE

_PLAIN_EVERY_S = 10.0


class DemoScreen:
    """Speaks to a terminal in place, and line by line to anything else."""

    def __init__(self, seed: int, pace: float, children: int, folder: Path, quiet: bool) -> None:
        self._console = Console(highlight=False)
        self._quiet = quiet
        self._live: Live | None = None
        self._first_row_s: float | None = None
        self._last_plain_s = 0.0
        self._folder = folder
        self._title = (
            f"Sekisho demo · a fictional town, seed {seed}, {children} children, {pace:g}× faster "
            f"than life · state in {folder}/state (SIM)"
        )

    def opened(self, running: Mapping[str, Any], token: str, gauge: str, user: str) -> None:
        """The doors are open: say where, and how to send something of one's own."""
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
        line = (
            f"  {to_rfc3339(town, ZONE)[11:16]} town time  {_bar(elapsed_s, of_s)}  "
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

    def summary(self, result: Reconciliation, answer: Mapping[str, Any], state: StateDir) -> None:
        """The conservation law per kind and by reason, the reconciliation, and where the rows are.

        Args:
            answer: the gateway's last word: its terms, and what was in flight.
        """
        in_flight: int = answer["in_flight"]
        if self._quiet:
            print(json.dumps(self._as_json(result, in_flight, state)))
            return
        kinds = sorted({key[0] for key in result.counted})
        print()
        screen.table(
            ("", "handed over", *(fate.value for fate in Fate), "in flight"),
            [*(_line(result, kind) for kind in kinds), _total(result, in_flight)],
        )
        for fate in (Fate.SUPPRESSED, Fate.REJECTED):
            for kind in kinds:
                reasons = _reasons(result, kind, fate)
                if reasons:
                    print(f"  {fate.value:<11} {_name(kind)}: {reasons}")
        if not result.unexplained and any(key[1] == Fate.REJECTED for key in result.counted):
            print("              (every rejection is one that the simulator harmed on purpose)")
        self._say_ledger(result)
        own = sum(term["count"] for term in answer["terms"] if term["origin"] == "own")
        if own:
            print(f"  yours       {screen.count(own, 'uplink')} of your own, not counted above")
        print(f"  database    {state.city_db} and {state.personal_dir}/ (SQLite)")
        print(f"  open it     {screen.command()} query river --state {self._folder}/state")
        if self._first_row_s is not None:
            print(f"  speed       first row on disk {self._first_row_s:.1f} s after the start")

    def _say_ledger(self, result: Reconciliation) -> None:
        totals = Counter[str]()
        for (_kind, fate, _reason), count in result.counted.items():
            totals[fate] += count
        said = " + ".join(f"{count:,} {fate}" for fate, count in totals.most_common())
        mark = "✓" if result.unexplained == 0 else "✗"
        print(
            f"  ledger      {result.sent:,} sent = {said}     {result.unexplained} unexplained {mark}"
        )
        if result.unexplained:
            for name, less, more in (
                ("expected, not so", result.expected, result.counted),
                ("so, not expected", result.counted, result.expected),
            ):
                for key, count in (less - more).items():
                    print(f"    {name}: {count:,} {' · '.join(filter(None, key))}")
            for name, rows in (("rows missing", result.missing), ("rows too many", result.surplus)):
                for kind, count in rows.items():
                    print(f"    {name}: {count:,} {kind}")

    def _as_json(self, result: Reconciliation, in_flight: int, state: StateDir) -> dict[str, Any]:
        return {
            "sent": result.sent,
            "unexplained": result.unexplained,
            "in_flight": in_flight,
            "first_row_s": self._first_row_s,
            "terms": [
                {"kind": kind, "fate": fate, "reason": reason, "count": count}
                for (kind, fate, reason), count in sorted(result.counted.items())
            ],
            "rows_missing": dict(result.missing),
            "rows_too_many": dict(result.surplus),
            "state": str(state.path),
        }

    def _say(self, text: str) -> None:
        if not self._quiet:
            print(text, file=sys.stdout, flush=True)


def _line(result: Reconciliation, kind: str) -> tuple[Any, ...]:
    """One kind's line of the conservation law; in flight is known for all together only."""
    terms = fates(result.counted, kind)
    return (_name(kind), sum(terms.values()), *terms.values(), None)


def _total(result: Reconciliation, in_flight: int) -> tuple[Any, ...]:
    totals = dict.fromkeys(Fate, 0)
    for (_kind, fate, _reason), count in result.counted.items():
        totals[Fate(fate)] += count
    return ("all", sum(totals.values()) + in_flight, *totals.values(), in_flight)


def _reasons(result: Reconciliation, kind: str, fate: Fate) -> str:
    reasons = Counter(
        {key[2]: count for key, count in result.counted.items() if key[:2] == (kind, fate)}
    )
    return " · ".join(f"{reason} {count:,}" for reason, count in reasons.most_common())


def _name(kind: str) -> str:
    return "(unknown senders)" if kind == UNKNOWN else kind


def _bar(done: float, of: float, width: int = 24) -> str:
    """A bar, or for a demo without end a sign that it lives."""
    if not of:
        return "until Ctrl-C".center(width)
    full = min(width, int(width * done / of))
    return "▉" * full + "·" * (width - full)
