"""What `sekisho init` may be told instead of being asked."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

_PLACE, _DOOR, _RULES = "Place", "Door", "Rules"

Folder: TypeAlias = Annotated[
    Path, typer.Argument(metavar="DIR", help="Where it shall lie. Default: here.")
]
Area: TypeAlias = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=_PLACE,
        metavar="CODE|FILE|S,W,N,E",
        help="Where it serves: a shipped municipality (16201), a GeoJSON file, or a box in degrees.",
    ),
]
Owner: TypeAlias = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=_PLACE,
        metavar="CODE",
        help="Municipality of its devices, five digits. Default: that of --area.",
    ),
]
Timezone: TypeAlias = Annotated[
    str | None, typer.Option(rich_help_panel=_PLACE, help="Default: Asia/Tokyo.")
]
State: TypeAlias = Annotated[
    Path | None,
    typer.Option(rich_help_panel=_PLACE, metavar="DIR", help="Default: state/ in DIR."),
]
Keys: TypeAlias = Annotated[
    Path | None,
    typer.Option(rich_help_panel=_PLACE, metavar="DIR", help="Default: keys/ in DIR."),
]
Mark: TypeAlias = Annotated[
    str,
    typer.Option(
        rich_help_panel=_PLACE,
        metavar="SIM|REPLAY|none",
        help="What the directory is for; it can never be changed. none: the real thing.",
    ),
]
Bind: TypeAlias = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=_DOOR,
        metavar="ADDRESS",
        help="127.0.0.1: this machine alone (default). 0.0.0.0: the world, then with TLS.",
    ),
]
Port: TypeAlias = Annotated[
    int | None,
    typer.Option(
        rich_help_panel=_DOOR,
        min=0,
        max=65535,
        help="Plain MQTT; 0 closes it. Default: 1883, none where the world may come.",
    ),
]
Tls: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--tls/--no-tls",
        rich_help_panel=_DOOR,
        help="Open port 8883 with a certificate of its own. Default: where the world may come.",
    ),
]
Host: TypeAlias = Annotated[
    list[str],
    typer.Option(
        rich_help_panel=_DOOR,
        metavar="NAME",
        help="Name or address by which devices reach it, for the certificate; again for more.",
    ),
]
Radius: TypeAlias = Annotated[
    str, typer.Option(rich_help_panel=_RULES, help="Home radius, with its unit.")
]
Retain: TypeAlias = Annotated[
    str, typer.Option(rich_help_panel=_RULES, help="How long rows about people stay.")
]
Purpose: TypeAlias = Annotated[
    str, typer.Option(rich_help_panel=_RULES, help="What they are kept for.")
]
User: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Who runs the service. Default: you."),
]
Yes: TypeAlias = Annotated[
    bool, typer.Option("--yes", "-y", help="Ask nothing: options and defaults.")
]
