"""A tried way as one page that needs nothing else: two plans in metres, in colours that print.

Hidden and shown differ by shape as well as by colour, so that the page can be read in grey, and by those
who see fewer colours (palette: Okabe and Ito, "Color Universal Design", 2008).
"""

import math
from collections.abc import Callable, Sequence
from html import escape

from gateway.privacy.mesh import Bounds
from gateway.privacy.policy import Policy
from sekisho import screen, track
from sekisho.trial import Mark, Trial

_SHOWN, _INSIDE, _WAITING, _OTHER = "#0072B2", "#D55E00", "#B8860B", "#666666"
_INK, _PALE = "#222222", "#DDDDDD"
_SIDE = 560
"""Edge of a plan in the page's units."""
_DEGREE_M = 111_320.0
_NEAR = 6.0
_INSIDE_WORDS = {"inside the home radius", "inside the household's zone"}
_ZONES = (
    "Everybody in this zone gets the same mask. Which zone it is, a way that ends at its rim may tell; and cells "
    "that nobody else walks are this child's."
)
"""The second plan reaches this many radii round the home, and 300 m at least."""

Place = tuple[float, float]
"""East and north of the home, in metres."""


def page(tried: Trial, name: str) -> str:
    """The HTML page.

    Args:
        name: of the recording, for the heading.
    """
    policy = tried.policy
    at = _plane(tried.home)
    near = max(300.0, _NEAR * policy.home_radius_m, 1.2 * _reach(tried, at))
    points = [at(m.point.lat, m.point.lon) for m in tried.marks]
    east, north = zip(*points, (0.0, 0.0), strict=True)
    whole = 0.53 * max(max(east) - min(east), max(north) - min(north), 2 * near)
    middle = ((max(east) + min(east)) / 2, (max(north) + min(north)) / 2)
    hidden = "".join(
        f"<tr><td>{_key(reason)}</td><td>{escape(reason)}</td><td class=n>{count:,}</td></tr>"
        for reason, count in tried.hidden.items()
    )
    fixes = len(tried.marks)
    nearest = tried.nearest_shown_m
    return _PAGE.format(
        title=escape(name),
        ink=_INK,
        side=_SIDE,
        fixes=screen.count(fixes, "fix", "fixes"),
        minutes=f"{tried.minutes:.0f}",
        length=f"{tried.length_m / 1000:.1f}",
        hides=escape(tried.hides),
        key=_zone_key(policy) if policy.zoned else _circle_key(policy),
        whole=_plan(tried, at, middle, whole, "the whole way"),
        near=_plan(tried, at, (0.0, 0.0), near, "round the home"),
        rows=f"<tr><td>{_key(None)}</td><td>shown: {escape(tried.says)}</td>"
        f"<td class=n>{tried.shown:,}</td></tr>{hidden}",
        percent=f"{100 * tried.shown / fixes:.1f}",
        nearest="nothing is shown" if nearest is None else f"{nearest:.0f} m from the home",
        careful=escape(_ZONES if policy.zoned else " ".join(track.CAREFUL.split()[1:])),
    )


def _circle_key(policy: Policy) -> str:
    return (
        f"Filled circle: the home radius. Dashed: with the margin for an accuracy of {policy.default_accuracy_m:g} m, inside "
        f"which nothing is ever shown. Dotted: the buffer, beyond which {policy.reopen_fixes} good fixes in a row, and a way "
        "of their own, open the track again."
    )


def _zone_key(policy: Policy) -> str:
    return (
        f"Dark: the zone of the home. Pale: {policy.buffer_m:g} m round it, inside which nothing is ever shown, and beyond which "
        f"{policy.reopen_fixes} good fixes in a row, and a way of their own, open the track again. Squares: what rows say of place; "
        "the dots in them no row has."
    )


def _cells(tried: Trial) -> list[Bounds]:
    """Of the home's zone; none where it has none."""
    zoned = tried.policy.zoned
    if zoned is None or tried.zone is None:
        return []
    mesh = zoned.partition.mesh
    return [mesh.bounds(cell) for cell in sorted(zoned.partition.zones[tried.zone].cells)]


def _reach(tried: Trial, at: Callable[[float, float], Place]) -> float:
    """How far the zone and its buffer reach from the home, in metres."""
    corners = [at(lat, lon) for c in _cells(tried) for lat in (c.south, c.north) for lon in (c.west, c.east)]  # fmt: skip
    return max((math.hypot(*one) + tried.policy.buffer_m for one in corners), default=0.0)


def _circles(policy: Policy, x: float, y: float, unit: float) -> str:
    margin = policy.home_radius_m + 2 * policy.default_accuracy_m
    return "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{metres * unit:.1f}" fill="{fill}" stroke="{_INK}" '
        f'stroke-width="1" stroke-dasharray="{dash}"/>'
        for metres, fill, dash in (
            (margin + policy.buffer_m, "none", "1 4"),
            (margin, "none", "5 4"),
            (policy.home_radius_m, "#F4D9C6", "none"),
        )
    )


def _zone(cells: str, buffer: float) -> str:
    """The zone over its buffer: a broad pen of round joins draws all that lies so near."""
    return (
        f'<path d="{cells}" fill="#FBEFE6" stroke="#FBEFE6" stroke-width="{2 * buffer:.1f}" stroke-linejoin="round"/>'
        f'<path d="{cells}" fill="#F4D9C6"/>'
    )


def _plane(home: tuple[float, float]) -> Callable[[float, float], Place]:
    """Degrees → metres east and north of home; good enough for a picture of some kilometres.

    East is the short way round, also over the 180th meridian.
    """
    lat0, lon0 = home
    wide = _DEGREE_M * math.cos(math.radians(lat0))
    return lambda lat, lon: (((lon - lon0 + 180) % 360 - 180) * wide, (lat - lat0) * _DEGREE_M)


def _plan(
    tried: Trial, at: Callable[[float, float], Place], middle: Place, reach: float, title: str
) -> str:
    """One square plan: way, circles, marks, scale. `reach` is half its edge in metres."""
    unit = _SIDE / 2 / reach

    def spot(place: Place) -> Place:
        x = _SIDE / 2 + (place[0] - middle[0]) * unit
        return x, _SIDE / 2 - (place[1] - middle[1]) * unit

    def box(cell: Bounds) -> str:
        """A cell as a path."""
        (left, top), (right, bottom) = spot(at(cell.north, cell.west)), spot(at(cell.south, cell.east))  # fmt: skip
        return f"M{left:.1f} {top:.1f}H{right:.1f}V{bottom:.1f}H{left:.1f}Z"

    way = " ".join("{:.1f},{:.1f}".format(*spot(at(m.point.lat, m.point.lon))) for m in tried.marks)
    marks = "".join(_mark(m, spot(_where(m, at))) for m in _hidden_first(tried.marks))
    x, y = spot((0.0, 0.0))
    hides = _circles(tried.policy, x, y, unit)
    if tried.policy.zoned is not None:
        hides = _zone("".join(box(cell) for cell in _cells(tried)), tried.policy.buffer_m * unit)
    said = "".join(sorted({box(mark.cell) for mark in tried.marks if mark.cell is not None}))
    home = f'<path d="M{x:.1f} {y - 7:.1f}l7 7h-2v6h-10v-6h-2z" fill="{_INK}"/>'
    return (
        f'<svg viewBox="0 0 {_SIDE} {_SIDE}" role="img" aria-label="{title}">'
        f'<rect width="{_SIDE}" height="{_SIDE}" fill="white" stroke="{_PALE}"/>{hides}'
        f'<path d="{said}" fill="{_SHOWN}" fill-opacity="0.13" stroke="{_SHOWN}" stroke-opacity="0.4"/>'
        f'<polyline points="{way}" fill="none" stroke="{_PALE}" stroke-width="2"/>{marks}{home}'
        f'<text x="10" y="22" class="t">{title}</text>{_scale(reach)}</svg>'
    )


def _hidden_first(marks: Sequence[Mark]) -> list[Mark]:
    """What is shown is drawn last, so that no hidden fix covers it."""
    return sorted(marks, key=lambda mark: mark.why is None)


def _where(mark: Mark, at: Callable[[float, float], Place]) -> Place:
    """A fix of which a row says a place, there; any other where it was recorded, also where a cell is said."""
    says = mark.says_a_place and mark.cell is None
    return at(mark.lat, mark.lon) if says else at(mark.point.lat, mark.point.lon)


def _mark(mark: Mark, spot: Place) -> str:
    x, y = spot
    if not (-9 < x < _SIDE + 9 and -9 < y < _SIDE + 9):
        return ""
    return _shape(mark.why, x, y)


def _shape(why: str | None, x: float, y: float) -> str:
    """A dot for shown, a cross for inside, a triangle for not yet reopened, a square for the rest."""
    if why is None:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_SHOWN}"/>'
    if why in _INSIDE_WORDS:
        d = f"M{x - 4:.1f} {y - 4:.1f}l8 8m-8 0l8-8"
        return f'<path d="{d}" stroke="{_INSIDE}" stroke-width="2"/>'
    if why == "not yet reopened":
        d = f"M{x:.1f} {y - 5:.1f}l5 9h-10z"
        return f'<path d="{d}" fill="none" stroke="{_WAITING}" stroke-width="1.8"/>'
    d = f"M{x - 3.5:.1f} {y - 3.5:.1f}h7v7h-7z"
    return f'<path d="{d}" fill="none" stroke="{_OTHER}" stroke-width="1.8"/>'


def _key(why: str | None) -> str:
    return f'<svg width="16" height="16">{_shape(why, 8, 8)}</svg>'


def _scale(reach: float) -> str:
    """A bar of a round number of metres, about a quarter of the plan."""
    power = 10.0 ** math.floor(math.log10(reach / 2))
    metres = max(step * power for step in (1, 2, 5) if step * power <= reach / 2)
    length = metres * _SIDE / 2 / reach
    label = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    y = _SIDE - 14
    return (
        f'<path d="M12 {y - 5}v5h{length:.1f}v-5" fill="none" stroke="{_INK}"/>'
        f'<text x="{18 + length:.1f}" y="{y}" class="s">{label}</text>'
    )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}: hidden and shown</title>
<style>
 @page {{ size: A4 landscape; margin: 12mm }}
 body {{ font: 15px/1.45 system-ui, sans-serif; color: {ink}; background: white; margin: 24px auto;
        max-width: 1180px; padding: 0 16px; -webkit-print-color-adjust: exact; print-color-adjust: exact }}
 h1 {{ font-size: 22px; margin: 0 }} p {{ margin: 6px 0 }}
 .plans {{ display: flex; gap: 20px; margin: 14px 0 }} .plans svg {{ flex: 1; min-width: 0 }}
 svg .t {{ font: bold 15px system-ui, sans-serif }} svg .s {{ font: 13px system-ui, sans-serif }}
 svg text {{ paint-order: stroke; stroke: white; stroke-width: 5px; fill: {ink} }}
 table {{ border-collapse: collapse }} td {{ padding: 1px 10px 1px 0; vertical-align: middle }}
 .n {{ text-align: right; font-variant-numeric: tabular-nums }}
 .below {{ display: flex; gap: 48px; align-items: flex-start }} .below > div {{ max-width: 560px }}
</style></head><body>
<h1>{title}: what the mask hides, and what it shows</h1>
<p>{fixes}, {minutes} min, {length} km · {hides} · shown {percent} % ·
nearest place shown: {nearest}</p>
<div class="plans">{whole}{near}</div>
<div class="below"><table>{rows}</table>
<div><p>{key}</p>
<p><b>Careful.</b> {careful}</p>
<p><b>Keep this page to yourself:</b> unlike any row, it shows the exact way and the home.</p></div></div>
</body></html>
"""
