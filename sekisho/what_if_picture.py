"""Rule sets side by side as one picture: what each keeps of the same ways, and which homes can be guessed from it.

What is found and what is not differ by shape as well as by colour (palette: Okabe and Ito, "Color Universal Design", 2008).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from html import escape
from math import cos, log, radians

from gateway.privacy.mesh import MESHES
from gateway.privacy.partition import Partition
from sekisho.exposure import Exposure, Guess
from sekisho.ways import Way
from sekisho.what_if import Kept, Place, Street, Use

_SIDE, _EDGE, _TEXT = 620.0, 20.0, 104.0
_ROWS, _FOUND, _HOME, _STREET, _ZONE = "#0072B2", "#D55E00", "#333333", "#D8D8D8", "#8A6FB0"
_DEGREE_M = 111_320.0
_DOT_M = 14.0
_ROOM_M = 60.0
_BY_DIGITS = {mesh.digits: mesh for mesh in MESHES.values()}

Spot = Callable[[float, float], tuple[float, float]]
"""Degrees → where in the panel."""


def picture(
    ways: Sequence[Way],
    streets: Sequence[Street],
    told: Sequence[tuple[Kept, Sequence[Guess], Use, Exposure]],
    title: str,
) -> str:
    """The SVG: one panel for each rule set, all of the same ground."""
    spot, unit = _ground(ways)
    width = len(told) * (_SIDE + _EDGE) + _EDGE
    height = _SIDE + _TEXT + 2.5 * _EDGE
    panels = "".join(
        f'<g transform="translate({_EDGE + number * (_SIDE + _EDGE):.0f} {2 * _EDGE:.0f})">'
        f"{_panel(ways, streets, spot, unit, *one)}</g>"
        for number, one in enumerate(told)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="15" fill="#222222">'
        f'<clipPath id="plan"><rect width="{_SIDE:.0f}" height="{_SIDE:.0f}"/></clipPath>'
        f'<rect width="100%" height="100%" fill="white"/>'
        f'<text x="{_EDGE:.0f}" y="{1.4 * _EDGE:.0f}" font-weight="bold">{escape(title)}</text>{panels}</svg>\n'
    )


def _ground(ways: Sequence[Way]) -> tuple[Spot, float]:
    """Where places go, and how many units a metre has."""
    places = [way.home for way in ways]
    places += [(f.lat, f.lon) for way in ways for f in way.fixes
               if f.trip is not None and f.lat is not None and f.lon is not None]  # fmt: skip
    lats, lons = ([place[axis] for place in places] for axis in (0, 1))
    lat, lon = (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2
    narrow = cos(radians(lat))
    reach = max(max(lats) - min(lats), (max(lons) - min(lons)) * narrow) * _DEGREE_M + 2 * _ROOM_M
    unit = _SIDE / reach

    def spot(at: float, along: float) -> tuple[float, float]:
        x = _SIDE / 2 + (along - lon) * narrow * _DEGREE_M * unit
        return x, _SIDE / 2 - (at - lat) * _DEGREE_M * unit

    return spot, unit


def _panel(
    ways: Sequence[Way],
    streets: Sequence[Street],
    spot: Spot,
    unit: float,
    kept: Kept,
    guesses: Sequence[Guess],
    use: Use,
    exposure: Exposure,
) -> str:
    zoned = kept.policy.zoned
    zones = "" if zoned is None else _borders(zoned.partition, ways, spot)
    homes = "".join(
        _home(spot(*way.home), found=guess.found)
        for way, guess in sorted(zip(ways, guesses, strict=True), key=lambda pair: pair[1].found)
    )
    chance = (
        "" if exposure.chance_percent is None else f" (by chance {exposure.chance_percent:.0f} %)"
    )
    words = (
        f"{use.points_percent:.0f} % of the points, {use.rows_per_trip:.1f} rows a trip, {use.streets_percent:.0f} % of the streets",
        f"homes guessed to within 50 m: {exposure.found_percent:.0f} %{chance}",
    )
    said = "".join(
        f'<text y="{_SIDE + 48 + 22 * number:.0f}">{escape(line)}</text>'
        for number, line in enumerate(words)
    )
    return (
        f'<g clip-path="url(#plan)"><path d="{_lines(streets, spot)}" stroke="{_STREET}" fill="none"/>'
        f'<path d="{zones}" stroke="{_ZONE}" stroke-dasharray="4 3" fill="none"/>'
        f'<g fill="{_ROWS}">{_rows(kept, spot, unit)}</g>{homes}</g>'
        f'<rect width="{_SIDE:.0f}" height="{_SIDE:.0f}" fill="none" stroke="#888888"/>'
        f'<text y="{_SIDE + 24:.0f}" font-weight="bold" font-size="18">{escape(kept.name)}</text>{said}{_key(zoned is not None)}'
    )


def _lines(streets: Sequence[Street], spot: Spot) -> str:
    return "".join(
        "M{:.1f} {:.1f}L{:.1f} {:.1f}".format(*spot(*start), *spot(*end)) for start, end in streets
    )


def _rows(kept: Kept, spot: Spot, unit: float) -> str:
    """Cells as squares, places as dots on a fine grid; darker where there are more."""
    cells: Counter[str] = Counter()
    dots: Counter[tuple[int, int]] = Counter()
    side = max(_DOT_M * unit, 2.5)
    for rows in kept.rows:
        for row in rows:
            if row.cell is not None:
                cells[row.cell] += 1
            elif row.lat is not None and row.lon is not None:
                x, y = spot(row.lat, row.lon)
                dots[int(x // side), int(y // side)] += 1
    drawn = []
    most = max(cells.values(), default=1)
    for code, count in sorted(cells.items()):
        mesh = _BY_DIGITS[len(code)]
        south, west, north, east = mesh.bounds(mesh.of_code(code))
        (left, top), (right, bottom) = spot(north, west), spot(south, east)
        drawn.append(_square(left, top, right - left, bottom - top, _shade(count, most)))
    most = max(dots.values(), default=1)
    for (column, row_), count in sorted(dots.items()):
        drawn.append(_square(column * side, row_ * side, side, side, _shade(count, most)))
    return "".join(drawn)


def _square(x: float, y: float, width: float, height: float, shade: float) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" opacity="{shade:.2f}"/>'


def _shade(count: int, most: int) -> float:
    return 0.25 + 0.6 * (log(count + 1) / log(most + 1))


def _borders(partition: Partition, ways: Sequence[Way], spot: Spot) -> str:
    """The lines between zones in which somebody lives and all others."""
    mesh = partition.mesh
    of = {cell: name for name, zone in partition.zones.items() for cell in zone.cells}
    lived = {zone for way in ways if (zone := partition.zone_of(*way.home)) is not None}
    drawn = []
    for cell in sorted(cell for zone in lived for cell in partition.zones[zone].cells):
        south, west, north, east = mesh.bounds(cell)
        up, along = (north - south) / 2, (east - west) / 2
        lat, lon = south + up, west + along
        sides: tuple[tuple[Place, Place, Place], ...] = (
            ((lat + 2 * up, lon), (north, west), (north, east)),
            ((lat - 2 * up, lon), (south, west), (south, east)),
            ((lat, lon - 2 * along), (south, west), (north, west)),
            ((lat, lon + 2 * along), (south, east), (north, east)),
        )
        for beside, start, end in sides:
            if of.get(mesh.cell(*beside)) != of[cell]:
                drawn.append("M{:.1f} {:.1f}L{:.1f} {:.1f}".format(*spot(*start), *spot(*end)))
    return "".join(drawn)


def _home(at: tuple[float, float], *, found: bool) -> str:
    x, y = at
    if found:
        d = f"M{x - 5:.1f} {y - 5:.1f}l10 10m-10 0l10-10"
        return f'<path d="{d}" stroke="{_FOUND}" stroke-width="2.6"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" fill="white" stroke="{_HOME}" stroke-width="1.4"/>'


def _key(zoned: bool) -> str:
    y = _SIDE + 48 + 44
    parts = [
        _square(0, y - 11, 12, 12, 0.7).replace("<rect", f'<rect fill="{_ROWS}"'),
        f'<text x="20" y="{y:.0f}">kept rows</text>',
        _home((126, y - 5), found=True),
        f'<text x="138" y="{y:.0f}">home that was guessed</text>',
        _home((334, y - 5), found=False),
        f'<text x="345" y="{y:.0f}">home that was not</text>',
    ]
    if zoned:
        parts.append(f'<path d="M492 {y - 5:.0f}h22" stroke="{_ZONE}" stroke-dasharray="4 3"/>')
        parts.append(f'<text x="520" y="{y:.0f}">their zones</text>')
    return "".join(parts)
