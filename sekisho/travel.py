"""What `sekisho simulate` does once everything is decided: open the way out, send, report."""

import asyncio
import json
import signal
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from gateway.model.errors import Refusal
from gateway.model.instant import to_rfc3339
from sekisho import destination, enrolment
from sekisho.journey import Journey
from sekisho.progress import Progress, summary
from simulators.calendar import ZONE
from simulators.drive import Outlet, Tally, drive
from simulators.ledger import Ledger
from simulators.outlets.endpoint import Endpoint
from simulators.outlets.file import FileOutlet
from simulators.outlets.fleet import FleetOutlet
from simulators.outlets.mqtt import MqttOutlet
from simulators.pace import Pace
from simulators.streams import stream

_STEP_WINDOW = 4096
"""In lock-step everybody waits for the whole stretch, so it may be under way at once."""

_HELD = 0.99
"""Of the uplinks due, the share that must leave in time for a rate to be held."""


async def travel(journey: Journey, ledger: Path | None, progress: Progress) -> dict[str, Any]:
    """Send everything; SIGINT and SIGTERM end it early, and what was sent is still awaited."""
    scenario = journey.scenario
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if scenario.devices is not None:
        progress.say(f"Inventing {scenario.devices:,} devices and their day")
    outlet = await _open(journey)
    book = nullcontext() if ledger is None else _open_ledger(ledger, journey)
    pace = Pace(scenario.start, journey.pace)

    def show(tally: Tally) -> None:
        progress.show(tally, outlet, pace.elapsed_s, scenario.start, journey.until)

    try:
        with book as written, progress:
            tally = await drive(
                scenario, outlet, pace, journey.until, written, stop, show, journey.step
            )
    finally:
        await outlet.close()
    figures = summary(tally, outlet, pace.elapsed_s, scenario, journey.to)
    if journey.pace:
        figures["rate"] = tally.rate.figures()
    return figures


def enrolled(journey: Journey, register: Path, keys: Path | None, user: str | None) -> Journey:
    """The journey with the credential that its fleet was given, unless it has one of its own."""
    token = enrolment.enrol(journey.scenario.fleet(), register, keys)
    enrolment.write_private(enrolment.token_file_of(register), token + "\n")
    if journey.password is not None or user not in (None, enrolment.CREDENTIAL):
        return journey
    return replace(journey, user=enrolment.CREDENTIAL, password=token.encode(), just_issued=True)


async def _open(journey: Journey) -> Outlet:
    if journey.to.startswith("file:"):
        return FileOutlet(journey.to.removeprefix("file:"))
    end = destination.endpoint(
        journey.to, journey.user, journey.password, journey.cafile, journey.scenario.seed
    )
    window = end.window if journey.step is None else _STEP_WINDOW
    end = replace(end, just_issued=journey.just_issued, window=window, qos=journey.qos)
    outlet: MqttOutlet | FleetOutlet = _one(journey, end, "reconnect")
    if journey.connections > 1:
        names = (f"{end.client_id}-{n}" for n in range(1, journey.connections + 1))
        outlet = FleetOutlet([_one(journey, replace(end, client_id=name), name) for name in names])
    try:
        await outlet.open()
    except BaseException:
        await outlet.close()
        raise
    return outlet


def _one(journey: Journey, end: Endpoint, name: str) -> MqttOutlet:
    return MqttOutlet(end, stream(journey.scenario.seed, "outlet", name))


def _open_ledger(path: Path, journey: Journey) -> Ledger:
    scenario, step = journey.scenario, journey.step
    try:
        head = scenario.ledger_header(0 if step is None else step.length)
        return Ledger(path, head, scenario.fleet())
    except OSError as error:
        raise Refusal(
            f"The ledger {path} cannot be written ({error.strerror}). Name another --ledger."
        ) from error


def report(figures: dict[str, Any], screen: TextIO, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        print(json.dumps(figures, ensure_ascii=False), file=screen)
        return
    if quiet:
        return
    begin, end = (to_rfc3339(figures[key], ZONE)[:16] for key in ("start_us", "end_us"))
    print(
        f"A fictional town, seed {figures['seed']}, {figures['devices']:,} devices, "
        f"{begin} to {end} town time → {figures['to']}",
        file=screen,
    )
    width = max(map(len, figures["kinds"]), default=0)
    for kind, row in figures["kinds"].items():
        harmed = ", ".join(f"{name} {n:,}" for name, n in row["harmed"].items())
        print(
            f"  {kind:<{width}}{row['uplinks']:>10,}  {'harmed: ' + harmed if harmed else ''}".rstrip(),
            file=screen,
        )
    if figures["to"].startswith("file:"):
        print(f"{figures['sent']:,} written, {figures['wall_s']:.1f} s", file=screen)
    else:
        print(
            f"{figures['sent']:,} sent = {figures['acked']:,} acknowledged + "
            f"{figures['sent'] - figures['acked']:,} in flight, {figures['wall_s']:.1f} s",
            file=screen,
        )
    if figures["refused"]:
        _say_refused(figures, screen)
    if "rate" in figures:
        _say_rate(figures, screen)
    for key, words in (("ledger", "ledger"), ("token_file", "token of the fleet")):
        if key in figures:
            print(f"  {words}: {figures[key]}", file=screen)


def _say_refused(figures: dict[str, Any], screen: TextIO) -> None:
    refused: dict[str, int] = figures["refused"]
    reasons = ", ".join(f"{code} {n:,}" for code, n in refused.items())
    print(f"  refused: {sum(refused.values()):,} of the acknowledged ({reasons})", file=screen)
    harmed = sum(n for row in figures["kinds"].values() for n in row["harmed"].values())
    if sum(refused.values()) > harmed:
        print(
            "More were refused than were harmed on purpose. 0x87: the receiver does not know these devices, or "
            "not for this user (--register STATE puts them into a gateway's directory).",
            file=sys.stderr,
        )


def _say_rate(figures: dict[str, Any], screen: TextIO) -> None:
    rate = figures["rate"]
    print(
        f"{rate['wanted_per_s']:,.0f}/s wanted, {rate['held_per_s']:,.0f}/s held, worst second "
        f"{rate['worst_second']:.2f}, latest {rate['latest_s']:.1f} s late, {figures['rss_mb']} MB",
        file=screen,
    )
    if rate["held_per_s"] < _HELD * rate["wanted_per_s"]:
        print(
            "This rate was not held: uplinks left more than a second after they were due. Lower --pace or "
            "--devices, give more --connections or a longer --step, or take a faster receiver.",
            file=sys.stderr,
        )
