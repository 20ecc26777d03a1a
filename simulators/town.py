"""The fictional towns: invented streets, dwellings, schools and parks.

Nothing here is a real street or home (decisions 22); only the bus stops of the town that is simulated unless another is
named, and the outline of the municipality that all lie in, are real.
"""

from dataclasses import dataclass
from functools import cache

from simulators import layout
from simulators.layout import Dwelling, Plan, Plane
from simulators.streets import Point, Streets, distance

MUNICIPALITY = "16201"
"""Toyama City, whose outline holds all towns."""

SMALL = "small"
_PLANS = {
    plan.name: plan
    for plan in (
        Plan(
            name=SMALL,
            corner=(36.7330, 137.2025),
            middle_lat=36.741,
            columns=14,
            rows=10,
            spacing_m=195.0,
            jitter_m=38.0,
            closed=0.12,
            frontage_m=6.9,
            families_m=(700.0, 1250.0),
            stops=True,
            school=(0.47, 0.46),
            parks=((0.2, 0.25), (0.78, 0.3), (0.3, 0.8), (0.72, 0.75)),
        ),
        Plan(
            name="district",
            corner=(36.6600, 137.1500),
            middle_lat=36.669,
            columns=17,
            rows=17,
            spacing_m=124.0,
            jitter_m=26.0,
            closed=0.12,
            frontage_m=9.2,
            families_m=(300.0, 900.0),
            stops=False,
            school=(0.48, 0.46),
            parks=((0.22, 0.25), (0.76, 0.3), (0.3, 0.78), (0.7, 0.74)),
        ),
        Plan(
            name="village",
            corner=(36.5700, 137.1800),
            middle_lat=36.583,
            columns=9,
            rows=8,
            spacing_m=420.0,
            jitter_m=80.0,
            closed=0.16,
            frontage_m=47.0,
            families_m=(700.0, 1700.0),
            stops=False,
            school=(0.44, 0.43),
            parks=((0.25, 0.3), (0.7, 0.65)),
        ),
    )
}
TOWNS = tuple(_PLANS)
"""The names of all towns."""


@dataclass(frozen=True, slots=True, eq=False)
class Town:
    """Where everybody lives and goes.

    Attributes:
        name: as `TOWNS` has it.
        plane: its metres and degrees.
        streets: the street graph.
        dwellings: all homes, in a fixed order that says nothing about the place.
        family_homes: those among them in which families with trackers live.
        school: the crossing of its gate; `school_yard` where the children sit.
        parks: crossings beside which children play.
    """

    name: str
    plane: Plane
    streets: Streets
    dwellings: tuple[Dwelling, ...]
    family_homes: tuple[Dwelling, ...]
    school: int
    school_yard: Point
    parks: tuple[int, ...]

    def __repr__(self) -> str:
        return f"<fictional town {self.name}>"


@cache
def town(name: str = SMALL) -> Town:
    """A town, laid out from its own dice.

    Raises:
        KeyError: no town has this name.
    """
    plan = _PLANS[name]
    plane = Plane(plan.corner, plan.middle_lat)
    streets = layout.streets(plan, plane)
    school = streets.nearest(plan.point(plan.school))
    gate = streets.nodes[school]
    yard = Point(gate.x + 14.0, gate.y + 10.0)
    dwellings = layout.dwellings(plan, streets, yard)
    nearest_m, farthest_m = plan.families_m
    homes = tuple(one for one in dwellings if nearest_m <= distance(one.house, yard) <= farthest_m)
    parks = tuple(streets.nearest(plan.point(place)) for place in plan.parks)
    return Town(name, plane, streets, dwellings, homes, school, yard, parks)
