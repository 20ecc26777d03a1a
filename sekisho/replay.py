"""`sekisho replay`: what came once comes again, through the very pipeline that `sekisho run` uses."""

import math
from pathlib import Path
from typing import Annotated

import typer

from gateway.app.cores import forbid_cores
from gateway.model.errors import Refusal
from sekisho import replay_order, rerun, sending
from sekisho.place import Config, Json, Keys, Quiet
from sekisho.replay_order import Order

_AS, _HOW, _TO = "What it is", "How it goes", "To another system"


def replay(
    *,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A recording, packed by gzip or not: a document a line, or what mosquitto_sub -v "
            "printed (--format); a table as CSV (--columns); or a way as GPX or NMEA (--home).",
        ),
    ],
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            show_default=False,
            rich_help_panel=_AS,
            help="Which network server wrote it: chirpstack_v4, things_stack_v3 ... (docs/formats.md). "
            "Devices, codecs and rules are the configuration's.",
        ),
    ] = None,
    home: Annotated[
        str | None,
        typer.Option(
            metavar="LAT,LON",
            show_default=False,
            rich_help_panel=_AS,
            help="Of a recorded way: the home that is to stay hidden, in degrees.",
        ),
    ] = None,
    as_: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="KIND",
            rich_help_panel=_AS,
            help="What recorded it: of a way child_tracker, of a table a thing of the city.",
        ),
    ] = rerun.KIND,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD=COLUMN,…",
            show_default=False,
            rich_help_panel=_AS,
            help="Of a table (CSV): which column fills which field; t is the time, and device, if one "
            "column says it, the device: t=time,stage_m=level,device=station.",
        ),
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            show_default=False,
            rich_help_panel=_AS,
            help="The same as a declared codec (config/codecs), with scales and the maker's words.",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICE",
            show_default=False,
            rich_help_panel=_AS,
            help="Of a table without a column that says it: whose readings they are.",
        ),
    ] = None,
    encoding: Annotated[
        str, typer.Option(rich_help_panel=_AS, help="Of a table: utf-8-sig, cp932 ...")
    ] = "utf-8-sig",
    radius: Annotated[
        float | None,
        typer.Option(
            metavar="METRES",
            rich_help_panel=_AS,
            help="Home radius, no smaller than the configured one (else 50), which is the default.",
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="mqtt://HOST:PORT",
            show_default=False,
            rich_help_panel=_TO,
            help="Send it to this broker at QoS 1 instead of storing it; mqtts:// too.",
        ),
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option(
            metavar="TOPIC",
            show_default=False,
            rich_help_panel=_TO,
            help="Publish there; {dev_eui} and {event} are the document's, with --format. Default: the "
            "topic that the line begins with.",
        ),
    ] = None,
    user: Annotated[
        str | None, typer.Option(show_default=False, rich_help_panel=_TO, help="MQTT user name.")
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            rich_help_panel=_TO,
            help="Its password: the first line of a file.",
        ),
    ] = None,
    follow: Annotated[
        Path | None,
        typer.Option(
            metavar="STATE",
            show_default=False,
            rich_help_panel=_TO,
            help="Move the simulated clock of the gateway that runs on this directory, behind the broker: "
            "a step at a time, once all that was sent before is settled there.",
        ),
    ] = None,
    step: Annotated[
        str,
        typer.Option(metavar="DURATION", rich_help_panel=_TO, help="With --follow: such a step."),
    ] = "1h",
    cafile: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            rich_help_panel=_TO,
            help="PEM file of the CA behind mqtts://.",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="DIR",
            rich_help_panel=_HOW,
            help="State directory, made if it is not there; only one marked REPLAY is taken. "
            "Default: .replay/<name of the file>, a new one for each home.",
        ),
    ] = None,
    keys: Keys = None,
    config: Config = None,
    pace: Annotated[
        str,
        typer.Option(
            metavar="at-once|recorded|FACTOR",
            rich_help_panel=_HOW,
            help="How fast; 60 is an hour a minute.",
        ),
    ] = "at-once",
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Send a recording through the gateway, and tell what it keeps, what it hides and what it refuses.

    Rows go to a state directory of their own, by the recording's own clock. Replayed again, everything
    is there already; a replay that was cut off goes on so.
    """
    forbid_cores()
    order = Order(file, state, keys, config, _pace(pace), json_, quiet)
    if to is not None:
        login = sending.Login(user, password_file, cafile)
        replay_order.send(order, format_, topic, to, login, follow, step)
    elif format_ is not None:
        if home is not None or radius is not None:
            raise Refusal(
                "--home and --radius are for recorded ways; --format is not.", exit_code=2
            )
        replay_order.forwarded(order, format_)
    elif columns is not None or codec is not None:
        replay_order.table(order, as_, columns, codec, device, encoding)
    else:
        replay_order.way(order, as_, home, radius)


def _pace(text: str) -> float | None:
    if text == "at-once":
        return None
    try:
        speed = 1.0 if text == "recorded" else float(text)
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        raise Refusal("--pace takes at-once, recorded, or a factor such as 60.", exit_code=2)
    return speed
