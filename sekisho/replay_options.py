"""What `sekisho replay` may be told."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

_AS, _HOW, _TO = "What it is", "How it goes", "To another system"

File: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="A recording, packed by gzip or not: a document a line, or what mosquitto_sub -v "
        "printed, or a capture of MQTT as tcpdump wrote it (--format); a table as CSV (--columns); or a way "
        "as GPX or NMEA (--home).",
    ),
]
Format: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        show_default=False,
        rich_help_panel=_AS,
        help="Which network server wrote it: chirpstack_v4, things_stack_v3 ... (docs/formats.md); "
        "sekisho: our own topics, as mosquitto_sub -F '%I %t %x' or simulate --to file: wrote them. "
        "Devices, codecs and rules are the configuration's.",
    ),
]
Home: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="LAT,LON",
        show_default=False,
        rich_help_panel=_AS,
        help="Of a recorded way: the home that is to stay hidden, in degrees.",
    ),
]
As: TypeAlias = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="KIND",
        rich_help_panel=_AS,
        help="What recorded it: of a way child_tracker, of a table a thing of the city.",
    ),
]
Columns: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="FIELD=COLUMN,…",
        show_default=False,
        rich_help_panel=_AS,
        help="Of a table (CSV): which column fills which field; t is the time, and device, if one "
        "column says it, the device: t=time,stage_m=level,device=station.",
    ),
]
Codec: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        show_default=False,
        rich_help_panel=_AS,
        help="The same as a declared codec (config/codecs), with scales and the maker's words.",
    ),
]
Device: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="DEVICE",
        show_default=False,
        rich_help_panel=_AS,
        help="Of a table without a column that says it: whose readings they are.",
    ),
]
Encoding: TypeAlias = Annotated[
    str, typer.Option(rich_help_panel=_AS, help="Of a table: utf-8-sig, cp932 ...")
]
Radius: TypeAlias = Annotated[
    float | None,
    typer.Option(
        metavar="METRES",
        rich_help_panel=_AS,
        help="Home radius, no smaller than the configured one (else 50), which is the default.",
    ),
]
To: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="mqtt://HOST:PORT",
        show_default=False,
        rich_help_panel=_TO,
        help="Send it to this broker at QoS 1 instead of storing it; mqtts:// too.",
    ),
]
Topic: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="TOPIC",
        show_default=False,
        rich_help_panel=_TO,
        help="Publish there; {dev_eui} and {event} are the document's, with --format. Default: the "
        "topic that the line begins with.",
    ),
]
Follow: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="STATE",
        show_default=False,
        rich_help_panel=_TO,
        help="Move the simulated clock of the gateway that runs on this directory, behind the broker: "
        "a step at a time, once all that was sent before is settled there.",
    ),
]
Step: TypeAlias = Annotated[
    str,
    typer.Option(metavar="DURATION", rich_help_panel=_TO, help="With --follow: such a step."),
]
State: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="DIR",
        rich_help_panel=_HOW,
        help="State directory, made if it is not there; only one marked REPLAY is taken. "
        "Default: .replay/<name of the file>, a new one for each home.",
    ),
]
Pace: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="at-once|recorded|FACTOR",
        rich_help_panel=_HOW,
        help="How fast; 60 is an hour a minute.",
    ),
]
