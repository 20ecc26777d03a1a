"""The rule language as it is written: one class a rule, every name with its meaning. Strict, as all settings are."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from gateway.settings.forms import Name, Strict, fault
from gateway.settings.rule_forms import Sha256, duration, length, speed


def says(text: str, **limits: Any) -> Any:
    """What a setting means, for the table of the docs and for editors."""
    return Field(description=text, **limits)


_REPLACED = ("radius", "household_radius", "widen", "anchor_radius")


def _by_zone_alone(given: object) -> object:
    if isinstance(given, Mapping):
        for name in _REPLACED:
            if name in given:
                raise fault(
                    f"{name} would make the output depend on the household, and two homes of one zone could be told "
                    "apart. Leave it out; buffer widens the zone for everybody alike."
                )
    return given


class ValidateFile(Strict):
    """Fixes that are not believed. Not finite, (0, 0), or outside the service area they never are."""

    accuracy_m: Annotated[
        float | None,
        length("1 m", "1 km"),
        says("refuse fixes that know less"),
        Field(alias="accuracy"),
    ] = None
    age_us: Annotated[
        int | None,
        duration("1 s", "7 d"),
        says("refuse fixes that arrive later"),
        Field(alias="age"),
    ] = None
    speed_m_s: Annotated[
        float | None,
        speed("1 km/h", "200 km/h"),
        says("refuse fixes that nobody walked to"),
        Field(alias="speed"),
    ] = None


class StripFile(Strict):
    """What may go on; everything else is dropped before the first write."""

    allow: Annotated[
        list[Literal["cell", "place", "time_bin", "leg_class", "battery_class", "pseudonym"]],
        says("the only fields that may go on", min_length=1),
    ]


class ReopenRuleFile(Strict):
    """When a closed tracker opens again."""

    fixes: Annotated[
        int, says("consecutive good fixes beyond the buffer, 3 or more", ge=1, le=60)
    ] = 3
    net_m: Annotated[
        float,
        length("0 m", "10 km"),
        says("way between first and last of them, 150 m or more"),
        Field(alias="net"),
    ] = 150.0
    far_m: Annotated[
        float | None,
        length("0 m", "10 km"),
        says("or all of them this much farther out, 300 m or more"),
        Field(alias="far"),
    ] = None


class _Watched(Strict):
    buffer_m: Annotated[
        float,
        length("0 m", "10 km"),
        says("how much beyond it nothing is shown, 50 m or more"),
        Field(alias="buffer"),
    ]
    accuracy_limit_m: Annotated[
        float,
        length("1 m", "1 km"),
        says("fixes that know less are not used; up to 100 m, and of a zone up to buffer"),
        Field(alias="accuracy_limit"),
    ] = 50.0
    default_accuracy_m: Annotated[
        float,
        length("1 m", "1 km"),
        says("where the device does not say, 5 m or more"),
        Field(alias="default_accuracy"),
    ] = 10.0
    reopen: Annotated[ReopenRuleFile, says("when a closed tracker opens again")] = ReopenRuleFile()
    gap_us: Annotated[
        int,
        duration("1 min", "24 h"),
        says("silence after which a tracker counts as closed, 2 h or less"),
        Field(alias="gap"),
    ] = 1_800_000_000
    label: Annotated[Literal["near-home"] | None, says("what may be said instead of a place")] = (
        None
    )


class CircleRuleFile(_Watched):
    """Nothing within a radius of home: the floor, and no more."""

    kind: Literal["circle"]
    anchor: Annotated[Literal["home"], says("what the circle is round")]
    radius_m: Annotated[
        float,
        length("1 m", "10 km"),
        says("how far nothing is shown, 50 m or more"),
        Field(alias="radius"),
    ]
    buffer_m: Annotated[
        float,
        length("0 m", "10 km"),
        says("how much farther a tracker opens again"),
        Field(alias="buffer"),
    ] = 20.0


class ZoneRuleFile(_Watched):
    """Nothing in the household's zone of a public partition, nor within a buffer round it."""

    kind: Literal["zone"]
    anchor: Annotated[Literal["household"], says("whose zone it is")]
    partition: Annotated[Name, says("the public file, by its name")]
    pin: Annotated[Sha256, says("its digest, as its last line names it")]
    fallback: Annotated[
        Literal["drop_all"], says("what becomes of a household in no zone: nothing is kept")
    ] = "drop_all"


class StayFile(Strict):
    """Nothing near where a tracker stays for long: grandparents, a clinic, a friend."""

    kind: Literal["stay"]
    least_us: Annotated[
        int, duration("5 min", "12 h"), says("how long is long"), Field(alias="at_least")
    ]
    radius_m: Annotated[
        float, length("10 m", "1 km"), says("how near is near"), Field(alias="within")
    ] = 100.0


class MinVisibleFixesFile(Strict):
    """A run of few shown fixes is not shown: a single one points home."""

    kind: Literal["min_visible_fixes"]
    n: Annotated[int, says("the shortest run that is shown", ge=2, le=60)]


CellSize: TypeAlias = Literal["1 km", "500 m", "250 m", "125 m"]


class MeshFile(Strict):
    """A place becomes its JIS X 0410 mesh cell."""

    kind: Literal["mesh"]
    cell: Annotated[CellSize, says("about how wide")]


class TimeFloorFile(Strict):
    """A time becomes the beginning of its step."""

    kind: Literal["time_floor"]
    step_us: Annotated[
        int, duration("1 min", "24 h"), says("how long a step is"), Field(alias="step")
    ]


class DensityClassFile(Strict):
    """One class of density."""

    from_per_km2: Annotated[
        int,
        says("dwellings a square kilometre from which on", ge=0, le=100_000),
        Field(alias="from"),
    ]
    cell: Annotated[CellSize, says("about how wide its cells are")]


def _falling(given: list[DensityClassFile]) -> list[DensityClassFile]:
    begins = [one.from_per_km2 for one in given]
    if begins != sorted(set(begins), reverse=True):
        raise fault("the densest class comes first, and each begins below the one before it.")
    return given


class DensityClassesFile(Strict):
    """Cells by how densely people live; where it is thinner than all classes, nothing is kept."""

    kind: Literal["density_classes"]
    classes: Annotated[
        list[DensityClassFile],
        AfterValidator(_falling),
        says("the densest first", min_length=1),
    ]
    fallback: Annotated[Literal["drop_all"], says("what becomes of the rest")] = "drop_all"


class DelayFile(Strict):
    """Nothing is shown before it is this old."""

    kind: Literal["delay"]
    least_us: Annotated[int, duration("0 s", "24 h"), says("how old"), Field(alias="at_least")]


class LaplaceFile(Strict):
    """A place moves by planar Laplace noise, drawn once and remembered."""

    kind: Literal["laplace"]
    mean_m: Annotated[
        float, length("10 m", "5 km"), says("how far on average"), Field(alias="mean")
    ]
    memo: Annotated[
        Literal["epoch"] | None,
        says("how long one draw is remembered; without it noise is averaged away"),
    ] = None


class PseudonymiseFile(Strict):
    """Rows of one child share a keyed name."""

    period: Annotated[Literal["file", "day"], says("how long the name stays the same")]


SuppressFile: TypeAlias = Annotated[
    CircleRuleFile | Annotated[ZoneRuleFile, BeforeValidator(_by_zone_alone)] | StayFile,
    Field(discriminator="kind"),
]
GeneraliseFile: TypeAlias = Annotated[
    MeshFile | TimeFloorFile | DensityClassesFile | DelayFile, Field(discriminator="kind")
]
