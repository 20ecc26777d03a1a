"""What `sekisho privacy what-if` says of the rule sets that it compared."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sekisho import screen
from sekisho.exposure import Exposure, Guess
from sekisho.ways import Way
from sekisho.what_if import Kept, Place, Street, Use
from sekisho.what_if_numbers import Period


class Told(NamedTuple):
    """What is said of one rule set, named by its digest."""

    kept: Kept
    guesses: Sequence[Guess]
    use: Use
    exposure: Exposure
    ruleset: str


class Tried(NamedTuple):
    """The ways, what is known of the ground that they lie on, and how they are named."""

    ways: list[Way]
    dwellings: Sequence[Place]
    streets: Sequence[Street]
    title: str


Counted = Mapping[str, Sequence[Period]]
"""Rule set → what its lanes that count would tell."""


def figures(tried: Tried, told: Sequence[Told], counted: Counted) -> dict[str, Any]:
    """Every figure that the text has, and why fixes are hidden."""
    return {
        "of": tried.title,
        "trips": told[0].use.trips if told else None,
        "fixes_on_trips": told[0].use.fixes if told else None,
        "numbers": [
            {"rule_set": name, **one._asdict()}
            for name, periods in counted.items()
            for one in periods
        ],
        "rule_sets": [
            {
                "name": one.kept.name,
                "ruleset": one.ruleset,
                "rows": sum(map(len, one.kept.rows)),
                "rows_per_trip": round(one.use.rows_per_trip, 2),
                "points_percent": round(one.use.points_percent, 1),
                "streets_percent": round(one.use.streets_percent, 1),
                "homes_found_percent": round(one.exposure.found_percent, 1),
                "by_chance_percent": _rounded(one.exposure.chance_percent, 1),
                "guess_off_m": _rounded(one.exposure.away_m, 0),
                "fewest_dwellings": one.exposure.fewest,
                "hidden": one.kept.hidden,
            }
            for one in told
        ],
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def show(tried: Tried, told: Sequence[Told], counted: Counted) -> None:
    """Print them as tables."""
    if told:
        _show_rows(tried, figures(tried, told, counted))
    else:
        print(f"{tried.title}\n")
    periods = [(name, one) for name, found in counted.items() for one in found]
    if periods:
        _show_numbers(periods)


def _show_numbers(periods: Sequence[tuple[str, Period]]) -> None:
    screen.table(
        ("rule set", "lane", "unit", "period", "counted", "told", "told %", "least told", "none below"),
        [
            (name, one.lane, one.unit, one.period if one.whole else f"{one.period} so far", one.counted, one.told,
             round(100 * one.told / one.counted, 1) if one.counted else None, one.least or "none", one.k)
            for name, one in periods
        ],
    )  # fmt: skip
    print(
        "\ncounted: units (by slice, where the lane has slices) in which some household walked behind the guard. told: those "
        "of which a\nnumber may leave. All households are taken to have agreed; which places are facilities is not known here."
    )


def _show_rows(tried: Tried, said: dict[str, Any]) -> None:
    on_them = screen.count(said["fixes_on_trips"], "fix", "fixes")
    print(
        f"{tried.title}: {screen.count(said['trips'], 'trip')}, {on_them} on {'it' if said['trips'] == 1 else 'them'}\n"
    )
    screen.table(
        ("rule set", "rows/trip", "points %", "streets %", "homes found %", "by chance %", "guess off m", "fewest dwellings"),
        [
            (one["name"], one["rows_per_trip"], one["points_percent"], one["streets_percent"], one["homes_found_percent"],
             one["by_chance_percent"], one["guess_off_m"], one["fewest_dwellings"])
            for one in said["rule_sets"]
        ],
    )  # fmt: skip
    print(
        "\npoints: of the fixes on ways from one stay to the next, those that are kept. streets: of those walked, those of "
        "which a\nrow is kept. homes found: within 50 m of the best guess of somebody who knows the rules and sees where ways "
        "end; whoever\nuses streets, gaps and other sources may do better. by chance: blind guesses among the dwellings of the "
        "zone; where\nthat is more, it is what counts."
    )
    for one in said["rule_sets"]:
        hidden = " · ".join(f"{reason} {n:,}" for reason, n in list(one["hidden"].items())[:4])
        print(f"  {one['name']}: hidden {hidden or 'nothing'}")
