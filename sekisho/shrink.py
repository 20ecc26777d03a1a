"""`sekisho simulate --shrink`: the shortest scenario for which a check still fails."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from gateway.model.errors import Refusal
from gateway.model.instant import SECOND, Instant
from sekisho import scenario_text
from sekisho.journey import Journey
from sekisho.progress import Progress
from sekisho.scenario_file import read_scenario
from sekisho.spans import span
from simulators.faults import rates
from simulators.ledger import Ledger
from simulators.outlets.file import log_line
from simulators.scenario import Scenario
from simulators.selection import numbered, sender
from simulators.shrinking import minimal, stretch
from simulators.uplink import SimUplink

Named = tuple[str, SimUplink]
_NOT_RUN = (126, 127)
"""Exit codes of a shell that could not run the command at all."""


class _EnoughError(Exception):
    """As many tries as were allowed."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What was found.

    Attributes:
        before, after: uplinks of the whole scenario, and of the smallest that fails.
        devices: that send them.
        lasts: town time from the first to the last of them, microseconds.
        tries: how often the check ran.
        finished: False where there were not enough tries to be sure that it is the smallest.
    """

    before: int
    after: int
    devices: int
    lasts: Instant
    tries: int
    finished: bool

    def sentence(self) -> str:
        """For a reader."""
        end = "" if self.finished else "; stopped there: allow more --tries"
        return (
            f"{self.before:,} uplinks → {self.after:,}; {self.devices} "
            f"device{'' if self.devices == 1 else 's'}; {span(self.lasts)}; {self.tries} tries{end}"
        )


def search(
    journey: Journey, check: str | None, out: Path, tries: int, *, as_json: bool, quiet: bool
) -> None:
    """Shrink what a journey would send, and print what was found.

    Raises:
        Refusal: there is no check or no end, or the check passes on everything.
    """
    if check is None or journey.until is None:
        raise Refusal(
            "--shrink needs the --check that fails, and an end: sekisho simulate --shrink --for 2h --check "
            "'./check.sh {uplinks}'.",
            2,
        )
    with Progress(sys.stderr, quiet=quiet) as progress:
        found = shrink(journey.scenario, journey.until, check, out, tries, progress)
    if as_json:
        print(json.dumps({**asdict(found), "scenario": str(out)}))
    elif not quiet:
        print(f"{found.sentence()}\n  again: sekisho simulate --scenario {out}")


def shrink(
    scenario: Scenario, until: Instant, check: str, out: Path, tries: int, progress: Progress
) -> Shrunk:
    """Find the smallest part of the scenario that fails, and write it as a scenario file.

    Args:
        check: a shell command that ends with anything but 0 where the uplinks show what is looked for; it
            finds them in {uplinks} and {ledger}, or in SEKISHO_UPLINKS and SEKISHO_LEDGER.

    Raises:
        Refusal: the whole scenario passes, or the command cannot be run.
    """
    with TemporaryDirectory(prefix="sekisho-shrink-") as folder:
        trial = _Trial(Path(folder), check, tries, progress)
        whole = list(numbered(scenario.uplinks(until)))
        if not trial.fails(scenario, whole):
            raise Refusal(
                f"The check passes on all {len(whole):,} uplinks of this scenario, so there is nothing to "
                "shrink. It must end with another code than 0 where they show what you look for."
            )
        finished = True
        try:
            trial.without_faults(scenario, until)
            for smaller in (_devices, stretch, minimal):
                kept = trial.best
                smaller(kept[1], lambda part, of=kept[0]: trial.fails(of, part))  # type: ignore[misc]
        except _EnoughError:
            finished = False
        smallest = _only(*trial.best)
        out.write_text(scenario_text.written(smallest), encoding="utf-8")
        found = [uplink for _, uplink in trial.best[1]]
        again = list(read_scenario(out).uplinks())
        if again != found:
            raise Refusal(f"{out} does not send the same uplinks again; please report it.")
    lasts = found[-1].sent - found[0].sent
    return Shrunk(
        len(whole), len(found), len({sender(u) for u in found}), lasts, trial.tries, finished
    )


class _Trial:
    """Runs the check, counts, and remembers the smallest part that failed."""

    def __init__(self, folder: Path, check: str, allowed: int, progress: Progress) -> None:
        uplinks, ledger = folder / "uplinks.jsonl", folder / "ledger.jsonl"
        self._files = (uplinks, ledger)
        self._command = check.replace("{uplinks}", shlex.quote(str(uplinks)))
        self._command = self._command.replace("{ledger}", shlex.quote(str(ledger)))
        self._variables = {"SEKISHO_UPLINKS": str(uplinks), "SEKISHO_LEDGER": str(ledger)}
        self._allowed = allowed
        self._progress = progress
        self.tries = 0
        self.best: tuple[Scenario, list[Named]] = (Scenario(), [])

    def fails(self, scenario: Scenario, part: Sequence[Named]) -> bool:
        """Whether the check fails on this part of a scenario."""
        if self.tries >= self._allowed:
            raise _EnoughError
        self.tries += 1
        self._write(scenario, [uplink for _, uplink in part])
        done = subprocess.run(  # noqa: S602 - the caller's own command
            self._command,
            shell=True,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **self._variables},
        )
        if done.returncode in _NOT_RUN:
            raise Refusal(f"The check cannot be run: {self._command}. Try it in a shell.", 2)
        failed = done.returncode != 0
        if failed and part:
            self.best = (scenario, list(part))
        self._progress.tried(self.tries, self._allowed, len(self.best[1]))
        return failed and bool(part)

    def _write(self, scenario: Scenario, uplinks: list[SimUplink]) -> None:
        log, ledger = self._files
        encode = msgspec.json.Encoder().encode
        with log.open("wb") as file:
            file.writelines(encode(log_line(u)) + b"\n" for u in uplinks if not u.lost)
        with Ledger(ledger, scenario.ledger_header(), scenario.fleet()) as book:
            for uplink in uplinks:
                book.write(uplink)

    def without_faults(self, scenario: Scenario, until: Instant) -> None:
        """Turn off all faults, else one after the other; what is left is in `best`."""
        left = rates(scenario.harm, scenario.faults)
        if not left or self._fails_anew(replace(scenario, harm=0.0, faults={}), until):
            return
        for name in list(left):
            fewer = {other: rate for other, rate in left.items() if other != name}
            if self._fails_anew(replace(scenario, harm=0.0, faults=fewer), until):
                left = fewer

    def _fails_anew(self, scenario: Scenario, until: Instant) -> bool:
        return self.fails(scenario, list(numbered(scenario.uplinks(until))))


def _devices(items: list[Named], fails: Callable[[list[Named]], bool]) -> list[Named]:
    """As few devices as possible."""
    senders = list(dict.fromkeys(sender(uplink) for _, uplink in items))

    def of(some: list[str]) -> list[Named]:
        wanted = set(some)
        return [item for item in items if sender(item[1]) in wanted]

    return of(minimal(senders, lambda some: fails(of(some))))


def _only(scenario: Scenario, part: list[Named]) -> Scenario:
    """The scenario that sends just this part."""
    first, last = part[0][1].sent, part[-1][1].sent
    return replace(
        scenario,
        only=tuple(name for name, _ in part),
        begins=first - first % SECOND,
        ends=last - last % SECOND + SECOND,
    )
