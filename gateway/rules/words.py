"""A rule set in plain words: each rule, and what a reader of a lane learns about one child at most."""

from collections.abc import Iterator, Mapping

from gateway.rules.counts import USUAL_CAP, Classes, Count, KSuppress, Round, Seal
from gateway.rules.learned import Field, Limit, fields, step_us, unhidden
from gateway.rules.masks import (
    Circle,
    Delay,
    DensityClasses,
    Laplace,
    Mesh,
    MinVisibleFixes,
    Pseudonymise,
    Stay,
    Strip,
    TimeFloor,
    Validate,
    Zone,
)
from gateway.rules.model import Lane, Rule, Write

_UNITS = (("d", 86_400_000_000), ("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000))
UNIT = {
    "road_edge": "piece of street",
    "mesh_250": "cell of 250 m",
    "mesh_500": "cell of 500 m",
    "stop": "stop",
}
"""What is counted in, in words."""
_SLICE = {"weekday_type": "kind of day", "hour": "hour"}


def span(micros: int) -> str:
    """Microseconds in the largest unit that shows them whole: `20 d`."""
    for unit, size in _UNITS:
        if micros and micros % size == 0:
            return f"{micros // size} {unit}"
    return f"{micros / 1_000_000:g} s"


def stay(lane: Lane) -> str:
    """How long anything of a lane stays."""
    if lane.retain_us is None:
        return "for ever"
    return span(lane.retain_us) if lane.retain_us else "not at all"


def where(lane: Lane) -> str:
    """Where a lane applies, by dwellings/km² of a household's zone; "" is everywhere."""
    when = lane.when
    if when is None:
        return ""
    least, below = when.density_from, when.density_below
    parts = [f"from {least}" if least else "", f"below {below}" if below else ""]
    return f"where dwellings/km² are {' and '.join(part for part in parts if part)}"


def sentence(rule: Rule | None) -> str:
    """What one rule does; None is the stage without settings, the removal of duplicates."""
    if rule is None:
        return "an uplink seen before goes no further"
    for said in (_hides(rule), _coarsens(rule), _counts(rule)):
        if said:
            return said
    assert isinstance(rule, Write)
    return {
        "rows": "one row a fix",
        "counts": "one number a unit and slice",
        "nothing": "nothing: shown from memory, and gone",
    }[rule.form]


def _hides(rule: Rule) -> str:
    if isinstance(rule, Circle | Zone):
        where = (
            f"within {rule.radius_m:g} m of home"
            if isinstance(rule, Circle)
            else f"in the household's zone of {rule.partition}, nor within {rule.buffer_m:g} m of it"
        )
        far = "" if rule.reopen.far_m is None else f" or {rule.reopen.far_m:g} m farther out"
        opens = (
            f"opens after {rule.reopen.fixes} good fixes and {rule.reopen.net_m:g} m of way{far}"
        )
        label = f'; "{rule.label}" may be said' if rule.label else ""
        return f"nothing {where}; {opens}{label}"
    if isinstance(rule, Stay):
        return (
            f"nothing within {rule.radius_m:g} m of where it stays {span(rule.least_us)} or longer"
        )
    if isinstance(rule, MinVisibleFixes):
        return f"no run of fewer than {rule.n} fixes"
    if isinstance(rule, Strip):
        return f"only {', '.join(rule.allow)} go on"
    if isinstance(rule, Validate):
        limits = [
            f"knows less than {rule.accuracy_m:g} m" if rule.accuracy_m else "",
            f"comes later than {span(rule.age_us)}" if rule.age_us else "",
            f"is faster than {rule.speed_m_s * 3.6:g} km/h" if rule.speed_m_s else "",
        ]
        return "no fix that " + " or ".join(limit for limit in limits if limit)
    return ""


def _coarsens(rule: Rule) -> str:
    said = ""
    if isinstance(rule, Mesh):
        said = f"a place is a mesh cell of about {rule.cell_m} m"
    elif isinstance(rule, TimeFloor):
        said = f"a time is the beginning of its {span(rule.step_us)}"
    elif isinstance(rule, DensityClasses):
        classes = [
            f"about {one.cell_m} m from {one.from_per_km2} dwellings/km²" for one in rule.classes
        ]
        said = f"a place is a mesh cell of {', '.join(classes)}; where it is thinner, nothing"
    elif isinstance(rule, Delay):
        said = f"nothing younger than {span(rule.least_us)}" if rule.least_us else "shown at once"
    elif isinstance(rule, Laplace):
        said = f"a place moves by about {rule.mean_m:g} m, drawn once for each place and epoch"
    elif isinstance(rule, Pseudonymise):
        said = f"rows of one child share a name for one {rule.period}"
    return said


def _counts(rule: Rule) -> str:
    if isinstance(rule, Count):
        by = "".join(f" and {_SLICE[one]}" for one in rule.slices)
        cap = f", in {rule.cap or USUAL_CAP} of them at most"
        return f"each {rule.distinct} counts once a {UNIT[rule.unit]}{by} in a {rule.period.replace('_', ' ')}{cap}"
    if isinstance(rule, KSuppress):
        others = ", nor what would give it away" if rule.complementary else ""
        return f"no number below {rule.k}{others}"
    if isinstance(rule, Round):
        top = f", {rule.top} from {rule.top} on" if rule.top else ""
        return f"numbers are multiples of {rule.base}{top}"
    if isinstance(rule, Classes):
        return f"numbers are classes that begin at {', '.join(map(str, rule.bounds))}"
    return "sealed to the guardian's own device" if isinstance(rule, Seal) else ""


FIELD: Mapping[Field, str] = {
    "time_bin": "a time",
    "cell": "a cell of the mesh",
    "place": "a place",
    "leg_class": "which leg of the way",
    "battery_class": "the battery in four classes",
    "pseudonym": "a pseudonym",
}
"""What a row may say, in words."""
LIMIT: Mapping[Limit, str] = {
    "centre": "ways begin and end on a circle, and its centre, the home, can be worked out from few of them",
    "street": "exact points beyond the zone show by which street a child leaves it; a mesh would not",
    "part_of_town": "in which part of town a child lives, where its ways end",
    "pseudonym": "a pseudonym hides nobody: ways to one school are alike from day to day",
    "stays": "other places where a child stays, grandparents or a clinic, are shown",
    "visits": "shorter visits elsewhere: they are part of the way",
    "home": "home is shown",
}
"""What is not hidden, in words."""


def at_most(lane: Lane) -> str:
    """What a reader of the lane learns about one child at most."""
    if lane.count:
        k = min((rule.k for rule in lane.protect if isinstance(rule, KSuppress)), default=1)
        return f"that it may be one of {k} or more who were counted; nothing about it alone"
    hidden = " and ".join(_hidden(lane)) or "nowhere"
    name = lane.pseudonymise
    beside = [FIELD[one] for one in fields(lane) if one in ("leg_class", "battery_class")]
    with_ = f", with {' and '.join(beside)}" if beside else ""
    linked = "" if name is None else f", linked to its other rows of the {name.period}"
    whose = "of this reader's own child" if lane.audience == "guardian:own" else "of one child"
    return (
        f"each place {whose} as {_place(lane)}, at {_moment(lane)}{with_}{linked}; hidden: {hidden}"
    )


def limits(lane: Lane) -> Iterator[str]:
    """What a lane does not hide, although its rules might be thought to."""
    return (LIMIT[one] for one in unhidden(lane))


def _hidden(lane: Lane) -> Iterator[str]:
    for rule in lane.suppress:
        if isinstance(rule, Circle):
            yield f"{rule.radius_m:g} m round home"
        elif isinstance(rule, Zone):
            yield f"its zone and {rule.buffer_m:g} m round it"
        else:
            yield f"{rule.radius_m:g} m round long stays"


def _place(lane: Lane) -> str:
    for rule in lane.generalise:
        if isinstance(rule, Mesh):
            return f"a cell of about {rule.cell_m} m{_moved(lane)}"
        if isinstance(rule, DensityClasses):
            return (
                f"a cell of about {min(one.cell_m for one in rule.classes)} m or more{_moved(lane)}"
            )
    return f"a point to 1 m{_moved(lane)}"


def _moved(lane: Lane) -> str:
    return "".join(f" moved by about {noise.mean_m:g} m" for noise in lane.perturb)


def _moment(lane: Lane) -> str:
    return "the moment" if lane.write.form == "nothing" else f"steps of {span(step_us(lane))}"
