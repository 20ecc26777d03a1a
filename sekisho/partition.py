"""`sekisho privacy partition`: zones of the public mesh, made of counts, looked at, asked about."""

import datetime as dt
import json as text
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from gateway.model.errors import Refusal
from gateway.model.identity import is_name
from gateway.model.quantity import LENGTH, parse
from gateway.privacy.mesh import MESHES, NOWHERE, Mesh
from gateway.privacy.partition import Partition, Shield
from gateway.privacy.zoning import CHECKS, Survey, Zoning, build
from gateway.registry.rules import NAMES
from gateway.settings.partition import PartitionFile, read_partition, render
from gateway.statedir import write_durably
from sekisho import ground, place, screen, track
from sekisho.place import Json, Quiet

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")

_WIDEST_BUFFER_M = 5000.0
_UNCHECKED = {
    "buildings": "five buildings in each zone",
    "discs": "no 50 m with half of a zone's dwellings",
    "entries": "two roads into each zone",
    "gates": "dwellings enough behind each gate",
}


class Level(StrEnum):
    """Levels of the mesh that zones are made of."""

    HALF = "500m"
    QUARTER = "250m"
    EIGHTH = "125m"


Cells = Annotated[
    list[Path] | None,
    typer.Option("--cells", metavar="FILE", help="e-Stat's text of mesh statistics; repeatable."),
]
Dwellings = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="Points: GeoJSON, or CSV with lat, lon and perhaps dwellings; repeatable.",
    ),
]
RoadFile = Annotated[
    list[Path] | None,
    typer.Option("--roads", metavar="FILE", help="Roads: GeoJSON LineStrings; repeatable."),
]
K = Annotated[int, typer.Option("--k", min=2, help="The least dwellings of a zone.")]
KGate = Annotated[
    int,
    typer.Option("--k-gate", min=1, help="The least dwellings on the roads behind one gate."),
]


@app.callback()
def partition() -> None:
    """Make and look at the zones that children's homes hide in."""


@app.command("build")
def build_(
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the partition goes.")],
    date: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The day the counts are of.")],
    cells: Cells = None,
    dwellings: Dwellings = None,
    roads: RoadFile = None,
    level: Annotated[Level, typer.Option(help="Width of the cells.")] = Level.QUARTER,
    k: K = 100,
    k_gate: KGate = 10,
    id: Annotated[  # noqa: A002 the word that rules use
        str | None, typer.Option(metavar="NAME", help="Default: jis250m-k100-2026 and the like.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Who counted. Default: the names of the files."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Let --out replace a file that is there.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Merge cells of the public mesh until each zone hides enough dwellings, and write them down.

    The same files and options give the same bytes. The file holds no count of any cell.
    """
    target = place.replaceable("--out", out, force=force)
    day = to_date("--date", date)
    name = id or f"jis{level}-k{k}-{day[:4]}"
    if not is_name(name):
        raise Refusal(f"--id {name}: {NAMES}.", exit_code=2)
    mesh = MESHES[level]
    survey = ground.survey(mesh, cells or [], dwellings or [], roads or [])
    zoning = build(survey, k, k_gate)
    files = [*(cells or []), *(dwellings or []), *(roads or [])]
    content = render(
        zoning,
        name=name,
        mesh=mesh,
        k=k,
        k_gate=k_gate,
        source=source or ", ".join(path.name for path in files),
        day=day,
        checked=survey.checks(),
    )
    try:
        write_durably(target, content, 0o644)
    except OSError as error:
        raise Refusal(f"{out} cannot be written: {error.strerror}. Choose another --out.") from None
    said = _outcome(survey, zoning) | {"pin": _proven(target)}
    if json:
        screen.document(said | {"file": str(out)})
    elif not quiet:
        _tell(said, out)


def to_date(option: str, given: str) -> str:
    """The day that an option takes.

    Raises:
        Refusal: it is none.
    """
    try:
        return dt.date.fromisoformat(given).isoformat()
    except ValueError:
        raise Refusal(
            f"{option} {given}: a day of the calendar is needed, as 2026-04-01.", exit_code=2
        ) from None


def _proven(target: Path) -> str:
    """The digest that rule sets pin, of a file read back as a gateway will; one that cannot be read does not stay."""
    try:
        head, _ = read_partition(target)
    except Refusal:
        target.unlink()
        raise
    return head.sha256


def _outcome(survey: Survey, zoning: Zoning) -> dict[str, Any]:
    sizes = sorted(zone.dwellings for zone in zoning.zones)
    return {
        "zones": len(sizes),
        "cells": sum(len(zone.cells) for zone in zoning.zones),
        "dwellings": sum(sizes),
        "smallest": sizes[0] if sizes else None,
        "median": round(median(sizes)) if sizes else None,
        "cells_without_zone": len(zoning.without),
        "dwellings_without_zone": sum(survey.dwellings.get(cell, 0) for cell in zoning.without),
        "not_checked": [check for check in CHECKS if check not in survey.checks()],
    }


def _tell(said: dict[str, Any], out: Path) -> None:
    screen.facts(
        [
            ("zones", f"{said['zones']:,} of {screen.count(said['cells'], 'cell')}"),
            ("dwellings", f"{said['dwellings']:,} in zones; smallest zone {said['smallest'] or 0:,}, median {said['median'] or 0:,}"),
            ("file", out),
            ("pin", said["pin"]),
        ]
    )  # fmt: skip
    if lost := said["cells_without_zone"]:
        screen.warn(
            f"NO ZONE for {screen.count(lost, 'cell')} with {screen.count(said['dwellings_without_zone'], 'dwelling')}: no "
            "neighbours to merge with are left. Nothing of children who live there may be kept under a zone rule. "
            "A wider --level may help; sekisho privacy suggest compares them."
        )
    for check in said["not_checked"]:
        screen.warn(f"not checked: {_UNCHECKED[check]}, for the files do not say.")


@app.command("show")
def show(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A partition.")],
    at: Annotated[
        str | None, typer.Option(metavar="LAT,LON", help="Ask about one place, in degrees.")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="With --at: of a child who lives there.")
    ] = None,
    buffer: Annotated[str, typer.Option(metavar="LENGTH", help="With --at and --zone.")] = "100 m",
    geojson: Annotated[
        bool, typer.Option("--geojson", help="Print the zones as GeoJSON, for a map.")
    ] = False,
    json: Json = False,
) -> None:
    """Show the zones of a partition, or what it does with one place. An edited file is refused."""
    head, found = read_partition(file)
    if at is not None:
        answer = _ask(found, at, zone, buffer)
        screen.document(answer) if json else screen.facts(answer.items())
    elif geojson:
        print(text.dumps(_features(found), separators=(",", ":")))
    else:
        _show(head, found, as_json=json)


def _ask(found: Partition, at: str, zone: str | None, buffer: str) -> dict[str, Any]:
    """What a partition says of a place."""
    lat, lon = track.degrees("--at", at)
    if found.mesh.cell(lat, lon) == NOWHERE:
        raise Refusal("--at lies outside the mesh of Japan: latitude comes first.", exit_code=2)
    answer: dict[str, Any] = {"zone of this place": found.zone_of(lat, lon) or "none"}
    if zone is None:
        return answer
    if zone not in found.zones:
        raise Refusal(f"{found.id} has no zone {zone}.", exit_code=2)
    try:
        metres = parse(buffer, LENGTH)
    except ValueError as error:
        raise Refusal(f"--buffer: {error}", exit_code=2) from None
    if not 0 <= metres <= _WIDEST_BUFFER_M:
        raise Refusal("--buffer takes 0 m to 5 km.", exit_code=2)
    hidden = Shield(found, zone, metres).hides(lat, lon)
    return answer | {
        f"metres to {zone}": round(found.distance_m(lat, lon, zone), 1),
        f"hidden for {zone}": "yes" if hidden else "no",
    }


def _show(head: PartitionFile, found: Partition, *, as_json: bool) -> None:
    rows = [(name, len(one.cells), one.dwellings) for name, one in found.zones.items()]
    if as_json:
        zones = [{"zone": name, "cells": cells, "dwellings": has} for name, cells, has in rows]
        facts = head.model_dump(by_alias=True, exclude={"zones", "without"})
        screen.document(facts | {"zones": zones, "cells_without_zone": len(found.without)})
        return
    print(f"{found.id}: {head.level} cells, k {head.k}, k per gate {head.k_gate}, of {head.date} ({head.source})")  # fmt: skip
    print(f"not checked: {', '.join(head.not_checked) or 'nothing'}")
    screen.table(("zone", "cells", "dwellings"), rows)
    print(f"cells without zone: {len(found.without):,}")


def _features(found: Partition) -> dict[str, Any]:
    features = [
        {
            "type": "Feature",
            "properties": {"zone": name, "dwellings": zone.dwellings},
            "geometry": {"type": "MultiPolygon", "coordinates": _rings(found.mesh, zone.cells)},
        }
        for name, zone in found.zones.items()
    ]
    return {"type": "FeatureCollection", "features": features}


def _rings(mesh: Mesh, cells: frozenset[int]) -> list[list[list[tuple[float, float]]]]:
    rings = []
    for south, west, north, east in (mesh.bounds(cell) for cell in sorted(cells)):
        corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
        rings.append([[(round(lon, 8), round(lat, 8)) for lon, lat in corners]])
    return rings
