"""`sekisho simulate`: a fictional town whose devices send the same bytes as hardware would."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gateway.model.errors import Refusal
from sekisho import enrolment, fault_menu, place
from sekisho.journey import decide, wish
from sekisho.kinds_in_force import know
from sekisho.progress import Progress
from sekisho.travel import enrolled, report, travel

_TOWN, _WAY_OUT, _FILES = "Town", "Way out", "Files and registries"
_SHRINK = "The shortest scenario that fails"


def simulate(
    seed: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_TOWN, help="Of every die: same seed, same bytes. Default: 7."
        ),
    ] = None,
    children: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_TOWN,
            min=0,
            max=100_000,
            help="How many children carry a tracker. Default: 50.",
        ),
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_TOWN,
            min=1,
            max=200_000,
            metavar="N",
            help="A large fleet instead of one town: so many devices, district by district. Each district "
            "is a town of its own: 50 trackers (--children), 33 readers, 20 things of the city, all at "
            "their kind's rate: 20,000 devices send about 180 uplinks a second at pace 1.",
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_WAY_OUT,
            metavar="URL",
            help="mqtt://host:port, mqtts://host:port, file:PATH or file:- (standard output). "
            "Default: file:uplinks-SEED.jsonl, or the door of the gateway that --follow names.",
        ),
    ] = None,
    pace: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_WAY_OUT,
            min=0,
            help="Town seconds per second; 0 = as fast as possible. "
            "Default: 0 to a file, 60 over MQTT, 1 with --devices or with --follow of a gateway on real "
            "time.",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_TOWN,
            metavar="TIME",
            help="Town time of the beginning. Default: 2026-05-12T07:00:00+09:00.",
        ),
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(
            "--for",
            rich_help_panel=_TOWN,
            metavar="DURATION",
            help="Town time to simulate, as 90min, 24h or 7d. Default: 24h to a file, else no end.",
        ),
    ] = None,
    report_every: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_TOWN,
            min=1,
            help="Seconds between two reports of a tracker. Default: 60.",
        ),
    ] = None,
    harm: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_TOWN,
            min=0,
            max=1,
            help="Share of uplinks harmed on purpose in the usual ways: sent twice, damaged, out of "
            "range, or from an unknown device; 0 = none. Default: 0.004.",
        ),
    ] = None,
    extra: Annotated[
        list[str],
        typer.Option(
            "--extra",
            rich_help_panel=_TOWN,
            metavar="KIND=N",
            help="So many devices of a declared kind, as snow_gauge=3. The kind is known from the "
            "state directory of --register or --follow, or from --kinds.",
        ),
    ] = [],  # noqa: B006 - typer reads it, nobody writes it
    kinds: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_TOWN,
            metavar="DIR",
            help="Folder of files that declare kinds, as config/kinds.",
        ),
    ] = None,
    faults: Annotated[
        str | None,
        typer.Option(rich_help_panel=_TOWN, metavar="NAME=RATE,…", help=fault_menu.HELP),
    ] = None,
    scenario: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_TOWN,
            metavar="FILE",
            help="Read these from a file, as config/scenarios/small_town.yaml; options win.",
        ),
    ] = None,
    ledger: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_FILES, metavar="FILE", help="Write ground truth here, as JSON lines."
        ),
    ] = None,
    register: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_FILES,
            metavar="STATE",
            help="Put devices, homes, consents and a token into this state directory (SIM only).",
        ),
    ] = None,
    devices_out: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_FILES,
            metavar="FILE",
            help="Write the fleet as JSON, for any other system.",
        ),
    ] = None,
    follow: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_WAY_OUT,
            metavar="STATE",
            help="Live on the clock of the gateway that runs on this directory; where that is simulated, "
            "in lock-step: its clock moves on when everything sent before is acknowledged.",
        ),
    ] = None,
    connections: Annotated[
        int,
        typer.Option(
            rich_help_panel=_WAY_OUT,
            min=1,
            max=200_000,
            help="MQTT connections; each device always speaks on the same one.",
        ),
    ] = 1,
    qos: Annotated[
        int, typer.Option(rich_help_panel=_WAY_OUT, min=0, max=1, help="MQTT quality of service.")
    ] = 1,
    step: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_WAY_OUT,
            metavar="DURATION",
            help="With --follow of simulated time: how far the gateway's clock moves at once. Rows are "
            "the same at every pace, not at every step. Default: 10s.",
        ),
    ] = None,
    user: Annotated[
        str | None, typer.Option(rich_help_panel=_WAY_OUT, help="MQTT user name.")
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_WAY_OUT, metavar="FILE", help="Its password: the first line of a file."
        ),
    ] = None,
    cafile: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_WAY_OUT, metavar="FILE", help="PEM file of the CA behind mqtts://."
        ),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_FILES, metavar="DIR", help="Keys root, where it is not the usual one."
        ),
    ] = None,
    shrink: Annotated[
        bool,
        typer.Option(
            "--shrink",
            rich_help_panel=_SHRINK,
            help="Send nothing: find the shortest scenario for which --check still fails, and write it to "
            "--out.",
        ),
    ] = False,
    check: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_SHRINK,
            metavar="COMMAND",
            help="Shell command that ends with another code than 0 where the uplinks show what you look "
            "for. It finds them in {uplinks} and the ledger in {ledger}, or in SEKISHO_UPLINKS and "
            "SEKISHO_LEDGER.",
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            rich_help_panel=_SHRINK,
            metavar="FILE",
            help="Scenario file; --scenario sends it again.",
        ),
    ] = Path("shrunk.yaml"),
    tries: Annotated[
        int, typer.Option(rich_help_panel=_SHRINK, min=1, help="Run the check so often at most.")
    ] = 1000,
    force: Annotated[
        bool, typer.Option("--force", help="Let --to replace a file that is there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Summary as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No summary, errors only.")] = False,
) -> None:
    """Simulate a fictional town: children, buses, a river, animals at the forest's edge.

    Streets, homes and people are invented; bus stops and timetable are Toyama's.

    \b
    sekisho simulate --seed 7                       one day into uplinks-7.jsonl
    sekisho simulate --register DIR --follow DIR    into the gateway that runs on DIR
    sekisho simulate --to mqtt://HOST               into any broker
    sekisho simulate --shrink --for 2h --faults all=0.01 --check './check.sh {uplinks}'
    sekisho simulate --devices 20000 --connections 200 --pace 1 --to mqtt://HOST
    """  # noqa: D301 - \b keeps the lines of the examples apart
    if kinds is not None and not kinds.is_dir():
        raise Refusal(f"--kinds {kinds}: there is no such folder.", 2)
    for folder in (kinds, register and register / "kinds", follow and follow / "kinds"):
        if folder is not None:
            know(folder)
    journey = decide(
        wish(
            scenario,
            faults,
            extra,
            seed=seed,
            children=children,
            report_every_s=report_every,
            harm=harm,
            devices=devices,
        ),
        *(to, pace, start, duration, follow, user, password_file, cafile, register, step),
    )
    if shrink:
        from sekisho.shrink import search

        search(journey, check, out, tries, as_json=as_json, quiet=quiet)
        return
    journey = replace(journey, connections=connections, qos=qos)
    place.refuse_to_replace("--to", journey.file, force=force)
    if devices_out is not None:
        fleet = journey.scenario.fleet()
        enrolment.write_devices(fleet, journey.scenario.start, devices_out)
    if register is not None:
        journey = enrolled(journey, register, keys, user)
    screen = sys.stderr if journey.to == "file:-" else sys.stdout
    progress = Progress(sys.stderr, quiet=quiet, intervals=devices is not None)
    figures = asyncio.run(travel(journey, ledger, progress))
    if register is not None:
        figures["token_file"] = str(enrolment.token_file_of(register))
    if ledger is not None:
        figures["ledger"] = str(ledger)
    report(figures, screen, as_json=as_json, quiet=quiet)
    if figures["sent"] != figures["acked"]:
        raise typer.Exit(1)
