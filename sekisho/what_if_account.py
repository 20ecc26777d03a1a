"""What `sekisho privacy what-if` says of the rule sets that it compared."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sekisho import screen
from sekisho.exposure import Exposure, Guess
from sekisho.ways import Way
from sekisho.what_if import Kept, Place, Street, Use


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


def figures(tried: Tried, told: Sequence[Told]) -> dict[str, Any]:
    """Every figure that the text has, and why fixes are hidden."""
    return {
        "of": tried.title,
        "trips": told[0].use.trips,
        "fixes_on_trips": told[0].use.fixes,
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


def show(tried: Tried, told: Sequence[Told]) -> None:
    """Print them as a table."""
    said = figures(tried, told)
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
