"""What `sekisho simulate --lorawan` may be told besides."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from sekisho import fault_menu

_LORAWAN = "Nodes by LoRaWAN instead of the town"

Lorawan: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--lorawan",
        rich_help_panel=_LORAWAN,
        metavar="N",
        min=1,
        max=10_000,
        help="So many nodes, of five kinds of the city, that join and speak LoRaWAN through simulated "
        "forwarders, to a gateway's door, at pace 1. --report-every, --for, --register, --follow, "
        "--ledger and --seed mean the same as for the town; --to is udp://HOST:PORT, or of Basics Station "
        "ws://HOST:PORT or wss://HOST:PORT (--cafile, and --user and --password-file for a token); with --register "
        "alone the nodes are registered and send nothing. --faults has a menu of its own: "
        f"{fault_menu.AIR_HELP}",
    ),
]
Forwarders: TypeAlias = Annotated[
    int | None,
    typer.Option(
        rich_help_panel=_LORAWAN,
        metavar="M",
        min=1,
        max=2_000,
        help="Forwarders. Default: those of this seed that the gateway of --follow lists, else 4.",
    ),
]
Region: TypeAlias = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=_LORAWAN,
        help="As in lorawan.region of the gateway. Default: what the gateway of --follow has, else AS923-1.",
    ),
]
Confirmed: TypeAlias = Annotated[
    float,
    typer.Option(
        rich_help_panel=_LORAWAN,
        min=0,
        max=1,
        help="Share of uplinks that want an acknowledgement.",
    ),
]
SwitchedOn: TypeAlias = Annotated[
    str,
    typer.Option(
        "--switched-on-within",
        rich_help_panel=_LORAWAN,
        metavar="DURATION",
        help="All nodes are switched on within this time.",
    ),
]
Uplinks: TypeAlias = Annotated[
    int | None,
    typer.Option(
        rich_help_panel=_LORAWAN,
        metavar="N",
        min=1,
        help="End when every node has sent so many, if --for does not end it before.",
    ),
]
BatteryCharge: TypeAlias = Annotated[
    float,
    typer.Option(
        "--battery",
        rich_help_panel=_LORAWAN,
        metavar="SHARE",
        min=0,
        max=1,
        help="Charge of the nodes' batteries at the beginning; 1 lasts years, 0.000002 some uplinks.",
    ),
]
AdrAckLimit: TypeAlias = Annotated[
    int,
    typer.Option(
        rich_help_panel=_LORAWAN,
        metavar="N",
        min=2,
        max=32_768,
        help="Uplinks without any answer after which a node asks for one; after half as many more it does something "
        "about it, step by step.",
    ),
]
Over: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--over",
        rich_help_panel=_LORAWAN,
        metavar="udp|station",
        help="What forwarders speak: Semtech's UDP, or LoRa Basics Station's protocol. Default: what --to says, "
        "or the gateway that --follow names has a door for.",
    ),
]
Client: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--client",
        rich_help_panel=_LORAWAN,
        metavar="FILE",
        help="PEM file with the client certificate of stations and its key, instead of a token.",
    ),
]
Settings: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--settings",
        rich_help_panel=_LORAWAN,
        help="Print what the gateway's configuration needs for these forwarders, and send nothing.",
    ),
]
