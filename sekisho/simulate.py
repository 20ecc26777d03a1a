"""`sekisho simulate`: a fictional town whose devices send the same bytes as hardware would."""

import asyncio
import json
import re
import signal
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from gateway.clock import SystemClock
from gateway.model.errors import Refusal
from gateway.model.instant import HOUR, SECOND, Instant, parse_rfc3339, to_rfc3339
from sekisho import destination, enrolment
from sekisho.progress import Progress, summary
from simulators.calendar import ZONE
from simulators.drive import Outlet, Tally, drive
from simulators.ledger import Ledger
from simulators.outlets.file import FileOutlet
from simulators.outlets.mqtt import MqttOutlet
from simulators.pace import Pace
from simulators.scenario import DEFAULT_START, Scenario
from simulators.streams import stream

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_MQTT_PACE = 60.0


@dataclass(frozen=True, slots=True)
class _Journey:
    """Everything decided before the first uplink leaves."""

    scenario: Scenario
    to: str
    pace: float
    until: Instant | None
    user: str | None
    password: bytes | None
    cafile: Path | None


def simulate(
    seed: Annotated[int, typer.Option(help="Of every die. Same seed, same bytes.")] = 7,
    children: Annotated[
        int, typer.Option(min=0, max=100_000, help="How many children carry a tracker.")
    ] = 50,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="mqtt://host:port, mqtts://host:port, file:PATH or file:- (standard output). "
            "Default: file:uplinks-SEED.jsonl, or the door of the gateway that --follow names.",
        ),
    ] = None,
    pace: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Town seconds per second; 0 = as fast as possible. "
            "Default: 0 to a file, 60 over MQTT, the gateway's own with --follow.",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Town time of the beginning. Default: 2026-05-12T07:00:00+09:00."
        ),
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="DURATION",
            help="Town time to simulate, as 90m, 24h or 7d. Default: 24h to a file, else no end.",
        ),
    ] = None,
    report_every: Annotated[
        float, typer.Option(min=1, help="Seconds between two reports of a tracker.")
    ] = 60.0,
    harm: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Share of uplinks harmed on purpose: sent twice, damaged, out of range, or from "
            "an unknown device. 0 = none.",
        ),
    ] = 0.004,
    ledger: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write ground truth here, as JSON lines."),
    ] = None,
    register: Annotated[
        Path | None,
        typer.Option(
            metavar="STATE",
            help="Put devices, homes, consents and a token into this state directory (SIM only).",
        ),
    ] = None,
    devices_out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the fleet as JSON, for any other system."),
    ] = None,
    follow: Annotated[
        Path | None,
        typer.Option(
            metavar="STATE", help="Live on the clock of the gateway that runs on this directory."
        ),
    ] = None,
    user: Annotated[str | None, typer.Option(help="MQTT user name.")] = None,
    password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its password: the first line of a file.")
    ] = None,
    cafile: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PEM file of the CA behind mqtts://.")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keys root, where it is not the usual one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Summary as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No summary, errors only.")] = False,
) -> None:
    """Simulate a fictional town: children, buses, a river and animals at the forest's edge.

    Streets, homes and people are invented; the bus stops and the timetable are Toyama's. Devices
    send what hardware would send, over MQTT or into a file:

      sekisho simulate --seed 7                                  one day into uplinks-7.jsonl
      sekisho simulate --register STATE --to mqtt://127.0.0.1:1883 --ledger truth.jsonl
      sekisho simulate --follow STATE                            into the gateway that runs there
    """
    journey = _decide(
        Scenario(seed, children, DEFAULT_START, report_every, harm),
        *(to, pace, start, duration, follow, user, password_file, cafile, register),
    )
    fleet = journey.scenario.fleet()
    token = None
    if devices_out is not None:
        enrolment.write_devices(fleet, journey.scenario.start, devices_out)
    if register is not None:
        token = enrolment.enrol(fleet, register, keys)
        enrolment.write_private(enrolment.token_file_of(register), token + "\n")
    if token is not None and journey.password is None and user in (None, enrolment.CREDENTIAL):
        journey = _with(journey, enrolment.CREDENTIAL, token.encode())
    screen = sys.stderr if journey.to == "file:-" else sys.stdout
    figures = asyncio.run(_travel(journey, ledger, Progress(sys.stderr, quiet=quiet)))
    if register is not None:
        figures["token_file"] = str(enrolment.token_file_of(register))
    if ledger is not None:
        figures["ledger"] = str(ledger)
    _report(figures, screen, as_json=as_json, quiet=quiet)
    if figures["sent"] != figures["acked"]:
        raise typer.Exit(1)


def _with(journey: _Journey, user: str, password: bytes) -> _Journey:
    return _Journey(
        journey.scenario, journey.to, journey.pace, journey.until, user, password, journey.cafile
    )


def _decide(
    wish: Scenario,
    to: str | None,
    pace: float | None,
    start: str | None,
    duration: str | None,
    follow: Path | None,
    user: str | None,
    password_file: Path | None,
    cafile: Path | None,
    register: Path | None,
) -> _Journey:
    """Options and what follows from them.

    Raises:
        Refusal: they contradict each other or cannot be understood.
    """
    begin = wish.start if start is None else _moment(start)
    ca = cafile
    if follow is not None:
        if start is not None:
            raise Refusal("--start and --follow both set the clock. Give one of them.", 2)
        gateway = destination.follow(follow, SystemClock())
        begin = gateway.now
        pace = gateway.pace if pace is None else pace
        if to is None and gateway.door is None:
            raise Refusal(f"The gateway on {follow} has no open MQTT door. Give --to.")
        to = to or gateway.door
        ca = ca or (None if gateway.ca is None else Path(gateway.ca))
    to = to or f"file:uplinks-{wish.seed}.jsonl"
    is_file = to.startswith("file:")
    if not is_file and not to.startswith(("mqtt://", "mqtts://")):
        raise Refusal(
            f"--to {to}: uplinks go to mqtt://host:port, mqtts://host:port or file:PATH.", 2
        )
    if pace is None:
        pace = 0.0 if is_file else _MQTT_PACE
    length = _length(duration) if duration else (24 * HOUR if is_file else None)
    state = follow or register
    if not is_file and register is None:
        user, password = destination.password_of(password_file, state, user)
    else:
        user, password = destination.password_of(password_file, None, user)
    scenario = Scenario(wish.seed, wish.children, begin, wish.report_every_s, wish.harm)
    until = None if length is None else begin + length
    return _Journey(scenario, to, pace, until, user, password, ca)


def _moment(text: str) -> Instant:
    try:
        return parse_rfc3339(text)
    except ValueError:
        raise Refusal(
            f"--start {text}: a time with its offset is needed, as 2026-05-12T07:00:00+09:00.", 2
        ) from None


def _length(text: str) -> Instant:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if not found or float(found[1]) <= 0:
        raise Refusal(f"--for {text}: a number and one of s m h d is needed, as 90m or 24h.", 2)
    return round(float(found[1]) * _UNITS[found[2]]) * SECOND


async def _travel(journey: _Journey, ledger: Path | None, progress: Progress) -> dict[str, Any]:
    """Send everything; SIGINT and SIGTERM end it early, and what was sent is still awaited."""
    scenario = journey.scenario
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    outlet = await _open(journey)
    book = nullcontext() if ledger is None else _open_ledger(ledger, scenario)
    pace = Pace(scenario.start, journey.pace)

    def show(tally: Tally) -> None:
        progress.show(tally, outlet, pace.elapsed_s, scenario.start, journey.until)

    try:
        with book as written, progress:
            tally = await drive(scenario, outlet, pace, journey.until, written, stop, show)
    finally:
        await outlet.close()
    return summary(tally, outlet, pace.elapsed_s, scenario, journey.to)


async def _open(journey: _Journey) -> Outlet:
    if journey.to.startswith("file:"):
        return FileOutlet(journey.to.removeprefix("file:"))
    end = destination.endpoint(
        journey.to, journey.user, journey.password, journey.cafile, journey.scenario.seed
    )
    outlet = MqttOutlet(end, stream(journey.scenario.seed, "outlet", "reconnect"))
    try:
        await outlet.open()
    except BaseException:
        await outlet.close()
        raise
    return outlet


def _open_ledger(path: Path, scenario: Scenario) -> Ledger:
    try:
        return Ledger(path, scenario.ledger_header(), scenario.fleet())
    except OSError as error:
        raise Refusal(
            f"The ledger {path} cannot be written ({error.strerror}). Name another --ledger."
        ) from error


def _report(figures: dict[str, Any], screen: TextIO, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        print(json.dumps(figures, ensure_ascii=False), file=screen)
        return
    if quiet:
        return
    begin, end = (to_rfc3339(figures[key], ZONE)[:16] for key in ("start_us", "end_us"))
    print(
        f"A fictional town, seed {figures['seed']}, {figures['children']} children, "
        f"{begin} to {end} town time → {figures['to']}",
        file=screen,
    )
    for kind, row in figures["kinds"].items():
        harmed = ", ".join(f"{name} {n:,}" for name, n in row["harmed"].items())
        print(
            f"  {kind:<17}{row['uplinks']:>10,}  {'harmed: ' + harmed if harmed else ''}".rstrip(),
            file=screen,
        )
    print(
        f"{figures['sent']:,} sent = {figures['acked']:,} acknowledged + "
        f"{figures['sent'] - figures['acked']:,} in flight, {figures['wall_s']:.1f} s",
        file=screen,
    )
    for key, words in (("ledger", "ledger"), ("token_file", "token of the fleet")):
        if key in figures:
            print(f"  {words}: {figures[key]}", file=screen)
