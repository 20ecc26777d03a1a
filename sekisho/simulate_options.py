"""What `sekisho simulate` may be told."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from sekisho import fault_menu

_TOWN, _WAY_OUT, _FILES = "Town", "Way out", "Files and registries"
_SHRINK = "The shortest scenario that fails"


class TownName(StrEnum):
    """`simulators.town.TOWNS`, for the command line."""

    SMALL = "small"
    DISTRICT = "district"
    VILLAGE = "village"


Town: TypeAlias = Annotated[
    TownName | None,
    typer.Option(
        rich_help_panel=_TOWN,
        help="Which town, all of them fictional: one beside real bus stops, a dense school district "
        "(2 × 2 km, 6,400 dwellings), a village of scattered farms. Default: small.",
    ),
]
Seed: TypeAlias = Annotated[
    int | None,
    typer.Option(rich_help_panel=_TOWN, help="Of every die: same seed, same bytes. Default: 7."),
]
Children: TypeAlias = Annotated[
    int | None,
    typer.Option(
        rich_help_panel=_TOWN,
        min=0,
        max=100_000,
        help="How many children carry a tracker. Default: 50.",
    ),
]
Devices: TypeAlias = Annotated[
    int | None,
    typer.Option(
        rich_help_panel=_TOWN,
        min=1,
        max=200_000,
        metavar="N",
        help="A large fleet instead of one town: so many devices, ward by ward. Each ward "
        "is a town of its own: 50 trackers (--children), 33 readers, 20 things of the city, all at "
        "their kind's rate: 20,000 devices send about 180 uplinks a second at pace 1.",
    ),
]
To: TypeAlias = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=_WAY_OUT,
        metavar="URL",
        help="mqtt://host:port, mqtts://host:port, file:PATH or file:- (standard output). "
        "Default: file:uplinks-SEED.jsonl, or the door of the gateway that --follow names.",
    ),
]
Pace: TypeAlias = Annotated[
    float | None,
    typer.Option(
        rich_help_panel=_WAY_OUT,
        min=0,
        help="Town seconds per second; 0 = as fast as possible. "
        "Default: 0 to a file, 60 over MQTT, 1 with --devices or with --follow of a gateway on real "
        "time.",
    ),
]
Start: TypeAlias = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=_TOWN,
        metavar="TIME",
        help="Town time of the beginning. Default: 2026-05-12T07:00:00+09:00.",
    ),
]
Duration: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--for",
        rich_help_panel=_TOWN,
        metavar="DURATION",
        help="Town time to simulate, as 90min, 24h or 7d. Default: 24h to a file, else no end.",
    ),
]
ReportEvery: TypeAlias = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=_TOWN,
        metavar="DURATION",
        help="Between two reports of a tracker, as 90s or 10min; a bare number is seconds, 1 at least. Default: 60s.",
    ),
]
Harm: TypeAlias = Annotated[
    float | None,
    typer.Option(
        rich_help_panel=_TOWN,
        min=0,
        max=1,
        help="Share of uplinks harmed on purpose in the usual ways: sent twice, damaged, out of "
        "range, or from an unknown device; 0 = none. Default: 0.004.",
    ),
]
Extra: TypeAlias = Annotated[
    list[str],
    typer.Option(
        "--extra",
        rich_help_panel=_TOWN,
        metavar="KIND=N",
        help="So many devices of a declared kind, as snow_gauge=3. The kind is known from the "
        "state directory of --register or --follow, or from --kinds.",
    ),
]
Kinds: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        rich_help_panel=_TOWN,
        metavar="DIR",
        help="Folder of files that declare kinds, as config/kinds.",
    ),
]
Faults: TypeAlias = Annotated[
    str | None,
    typer.Option(rich_help_panel=_TOWN, metavar="NAME=RATE,…", help=fault_menu.HELP),
]
Scenario: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        rich_help_panel=_TOWN,
        metavar="FILE",
        help="Read these from a file, as config/scenarios/small_town.yaml; options win.",
    ),
]
Ledger: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        rich_help_panel=_FILES, metavar="FILE", help="Write ground truth here, as JSON lines."
    ),
]
Register: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        rich_help_panel=_FILES,
        metavar="STATE",
        help="Put devices, homes, consents and a token into this state directory (SIM only).",
    ),
]
DevicesOut: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        rich_help_panel=_FILES,
        metavar="FILE",
        help="Write the fleet as JSON, for any other system.",
    ),
]
GroundOut: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        rich_help_panel=_FILES,
        metavar="DIR",
        help="Send nothing: write the town's dwellings.csv and roads.geojson, of which sekisho privacy "
        "partition build makes zones.",
    ),
]
Follow: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        rich_help_panel=_WAY_OUT,
        metavar="STATE",
        help="Live on the clock of the gateway that runs on this directory; where that is simulated, "
        "in lock-step: its clock moves on when everything sent before is acknowledged.",
    ),
]
Connections: TypeAlias = Annotated[
    int,
    typer.Option(
        rich_help_panel=_WAY_OUT,
        min=1,
        max=200_000,
        help="MQTT connections; each device always speaks on the same one.",
    ),
]
Qos: TypeAlias = Annotated[
    int, typer.Option(rich_help_panel=_WAY_OUT, min=0, max=1, help="MQTT quality of service.")
]
Step: TypeAlias = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=_WAY_OUT,
        metavar="DURATION",
        help="With --follow of simulated time: how far the gateway's clock moves at once. Rows are "
        "the same at every pace, not at every step. Default: 10s.",
    ),
]
Keys: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        rich_help_panel=_FILES, metavar="DIR", help="Keys root, where it is not the usual one."
    ),
]
Shrink: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--shrink",
        rich_help_panel=_SHRINK,
        help="Send nothing: find the shortest scenario for which --check still fails, and write it to "
        "--out.",
    ),
]
Check: TypeAlias = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=_SHRINK,
        metavar="COMMAND",
        help="Shell command that ends with another code than 0 where the uplinks show what you look "
        "for. It finds them in {uplinks} and the ledger in {ledger}, or in SEKISHO_UPLINKS and "
        "SEKISHO_LEDGER.",
    ),
]
Out: TypeAlias = Annotated[
    Path,
    typer.Option(
        rich_help_panel=_SHRINK,
        metavar="FILE",
        help="Scenario file; --scenario sends it again.",
    ),
]
Tries: TypeAlias = Annotated[
    int, typer.Option(rich_help_panel=_SHRINK, min=1, help="Run the check so often at most.")
]
Force: TypeAlias = Annotated[
    bool, typer.Option("--force", help="Let --to replace a file that is there.")
]
