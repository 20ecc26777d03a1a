"""`sekisho simulate`: a fictional town whose devices send the same bytes as hardware would."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import typer

from gateway.model.errors import Refusal
from sekisho import enrolment, fault_menu, place
from sekisho import simulate_air_options as air
from sekisho import simulate_options as given
from sekisho.destination import CaFile, PasswordFile, User
from sekisho.journey import decide, pause_s, wish
from sekisho.kinds_in_force import know
from sekisho.place import Json, Quiet
from sekisho.progress import Progress
from sekisho.simulate_fitting import require_fitting
from sekisho.travel import enrolled, report, travel


def simulate(  # noqa: C901 - each of its ways out is one step
    ctx: typer.Context,
    town: given.Town = None,
    seed: given.Seed = None,
    children: given.Children = None,
    devices: given.Devices = None,
    to: given.To = None,
    pace: given.Pace = None,
    start: given.Start = None,
    duration: given.Duration = None,
    report_every: given.ReportEvery = None,
    harm: given.Harm = None,
    extra: given.Extra = [],  # noqa: B006 - typer reads it, nobody writes it
    kinds: given.Kinds = None,
    faults: given.Faults = None,
    scenario: given.Scenario = None,
    ledger: given.Ledger = None,
    register: given.Register = None,
    devices_out: given.DevicesOut = None,
    ground_out: given.GroundOut = None,
    follow: given.Follow = None,
    connections: given.Connections = 1,
    qos: given.Qos = 1,
    step: given.Step = None,
    user: User = None,
    password_file: PasswordFile = None,
    cafile: CaFile = None,
    keys: given.Keys = None,
    shrink: given.Shrink = False,
    check: given.Check = None,
    out: given.Out = Path("shrunk.yaml"),
    tries: given.Tries = 1000,
    force: given.Force = False,
    lorawan: air.Lorawan = None,
    forwarders: air.Forwarders = None,
    region: air.Region = None,
    confirmed: air.Confirmed = 0.2,
    switched_on: air.SwitchedOn = "10s",
    uplinks: air.Uplinks = None,
    over: air.Over = None,
    client: air.Client = None,
    battery: air.BatteryCharge = 1.0,
    adr_ack_limit: air.AdrAckLimit = 64,
    settings: air.Settings = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Simulate a fictional town: children, buses, a river, animals at the forest's edge.

    Streets, homes and people are invented; bus stops and timetable are Toyama's.

    \b
    sekisho simulate --seed 7                       one day into uplinks-7.jsonl
    sekisho simulate --register DIR --follow DIR    into the gateway that runs on DIR
    sekisho simulate --to mqtt://HOST               into any broker
    sekisho simulate --shrink --for 2h --faults all=0.01 --check './check.sh {uplinks}'
    sekisho simulate --devices 20000 --connections 200 --pace 1 --to mqtt://HOST
    sekisho simulate --lorawan 30 --register DIR --follow DIR --for 10min
    """  # noqa: D301 - \b keeps the lines of the examples apart
    require_fitting(ctx, lorawan=lorawan is not None)
    every_s = None if report_every is None else pause_s("--report-every", report_every)
    if lorawan is not None:
        from sekisho.simulate_lorawan import Asked, carry_out

        asked = Asked(
            seed=7 if seed is None else seed,
            nodes=lorawan,
            forwarders=forwarders,
            region=region,
            every_s=every_s or 60.0,
            confirmed=confirmed,
            switched_on=switched_on,
            to=to,
            over=over,
            user=user,
            password_file=password_file,
            cafile=cafile,
            client=client,
            faults={} if faults is None else fault_menu.read_air(faults),
            follow=follow,
            register=register,
            keys=keys,
            ledger=ledger,
            duration=duration,
            uplinks=uplinks,
            battery=battery,
            adr_ack_limit=adr_ack_limit,
        )
        carry_out(asked, only_settings=settings, as_json=as_json, quiet=quiet)
        return
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
            report_every_s=every_s,
            harm=harm,
            devices=devices,
            town=None if town is None else town.value,
        ),
        *(to, pace, start, duration, follow, user, password_file, cafile, register, step),
    )
    if ground_out is not None:
        from sekisho.ground_files import write_ground

        write_ground(journey.scenario.ground, ground_out, as_json=as_json, quiet=quiet)
        return
    if shrink:
        from sekisho.shrink import search

        search(journey, check, out, tries, as_json=as_json, quiet=quiet)
        return
    journey = replace(journey, connections=connections, qos=qos)
    place.refuse_to_replace("--to", journey.file, force=force)
    if devices_out is not None:
        fleet = journey.scenario.fleet()
        target = place.replaceable("--devices-out", devices_out, force=True)
        enrolment.write_devices(fleet, journey.scenario.start, target)
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
