"""`sekisho privacy suggest`: which level of the mesh hides enough dwellings behind the least ground."""

import shlex
from math import pi
from statistics import median
from typing import Annotated, Any

import typer

from gateway.clock import SystemClock
from gateway.model.errors import Refusal
from gateway.model.instant import local_day
from gateway.model.quantity import LENGTH, parse
from gateway.privacy.mesh import MESHES, Mesh
from gateway.privacy.partition import scales
from gateway.privacy.zoning import Survey, Zoning, build
from sekisho import ground, screen
from sekisho.partition import Cells, Dwellings, K, KGate, Level, RoadFile
from sekisho.place import Json, zone_of

_FEW = 1.0  # percent of the dwellings may be without zone before a level is passed over


def suggest(
    *,
    cells: Cells = None,
    dwellings: Dwellings = None,
    roads: RoadFile = None,
    k: K = 100,
    k_gate: KGate = 10,
    buffer: Annotated[
        str, typer.Option(metavar="LENGTH", help="What is hidden round a zone, too.")
    ] = "100 m",
    json: Json = False,
) -> None:
    """Compare the levels of the mesh for one k: which hides the least ground, and whom it leaves without a zone.

    Levels finer than the counts are left out.
    """
    try:
        metres = parse(buffer, LENGTH)
    except ValueError as error:
        raise Refusal(f"--buffer: {error}", exit_code=2) from None
    rows = []
    refused: Refusal | None = None
    for level in (Level.EIGHTH, Level.QUARTER, Level.HALF):
        mesh = MESHES[level]
        try:
            survey = ground.survey(mesh, cells or [], dwellings or [], roads or [])
        except Refusal as refusal:
            refused = refusal
            continue
        rows.append(_row(mesh, survey, build(survey, k, k_gate), metres))
    if not rows:
        assert refused is not None
        raise refused
    best = _best(rows)
    if json:
        screen.document({"levels": rows, "suggested": best and best["level"]})
        return
    screen.table(
        ("level", "zones", "smallest", "median", "hidden ha", "without zone", "%", ""),
        [
            (row["level"], row["zones"], row["smallest"], row["median"], row["hidden_ha"],
             row["dwellings_without_zone"], round(_share(row), 1), "suggested" if row is best else "")
            for row in rows
        ],
    )  # fmt: skip
    if best is None:
        print(f"No level makes a zone of {k} dwellings: with these counts keep nothing, or ask for a smaller --k.")  # fmt: skip
        return
    print(
        f"smallest, median: dwellings of a zone · hidden: median zone and its buffer of {metres:g} m, about"
    )
    if _share(best) > _FEW:
        print(
            f"None leaves under {_FEW:g} % of the dwellings without a zone; the least is {_share(best):.1f} %. Of children who "
            "live there nothing may be kept under a zone rule."
        )
    today = local_day(SystemClock().now(), zone_of(None)).isoformat()
    words = ["--level", str(best["level"]), "--k", str(k), "--k-gate", str(k_gate), "--date", today]
    for option, files in (("--cells", cells), ("--dwellings", dwellings), ("--roads", roads)):
        words += [word for file in files or () for word in (option, str(file))]
    print(f"  next     sekisho privacy partition build {shlex.join(words)} --out zones.yaml")
    print("           --date is the day that the counts are of: change it where that is not today")


def _row(mesh: Mesh, survey: Survey, zoning: Zoning, buffer_m: float) -> dict[str, Any]:
    sizes = [zone.dwellings for zone in zoning.zones]
    hidden = [_hidden_ha(mesh, zone.cells, buffer_m) for zone in zoning.zones]
    return {
        "level": mesh.name,
        "zones": len(sizes),
        "smallest": min(sizes, default=None),
        "median": round(median(sizes)) if sizes else None,
        "hidden_ha": round(median(hidden), 1) if hidden else None,
        "dwellings": sum(survey.dwellings.values()),
        "dwellings_without_zone": sum(survey.dwellings.get(cell, 0) for cell in zoning.without),
    }


def _best(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The least hidden ground among levels that leave few without a zone; if none does, the fewest left."""
    able = [row for row in rows if row["zones"]]
    kind = [row for row in able if _share(row) <= _FEW]
    if kind:
        return min(kind, key=lambda row: row["hidden_ha"])
    return min(able, key=lambda row: row["dwellings_without_zone"], default=None)


def _share(row: dict[str, Any]) -> float:
    """Percent of the dwellings that are without a zone."""
    return 100 * row["dwellings_without_zone"] / row["dwellings"] if row["dwellings"] else 0.0


def _hidden_ha(mesh: Mesh, cells: frozenset[int], buffer_m: float) -> float:
    """A zone's ground and a strip along its rim, with one round of corners; in hectares."""
    south, west, north, east = mesh.bounds(min(cells))
    up, along = scales(south)
    height, width = (north - south) * up, (east - west) * along
    rim = 0.0
    for cell in cells:
        for beside in set(mesh.neighbours(cell)) - cells:
            rim += height if abs(beside - cell) == 1 else width
    ground_m2 = len(cells) * height * width + rim * buffer_m + pi * buffer_m**2
    return ground_m2 / 10_000
