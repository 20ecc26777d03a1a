"""Kinds that are declared in YAML: the shipped example, and one with every sort of slot."""

from pathlib import Path

from gateway.devices.declared import Declaration, build
from gateway.devices.kind import DeviceKind, Example, Field, Motion, Sensitivity
from gateway.devices.packing import Slot
from gateway.settings.kinds import read_kind

CONFIG = Path(__file__).parents[2] / "config"


def _shipped() -> DeviceKind:
    kind, complaints = read_kind(CONFIG / "kinds" / "snow_gauge.yaml")
    assert kind is not None, complaints
    return kind


def _field(name: str, low: float, high: float, *, required: bool = True) -> Field:
    return Field(name, "a number", "1", low, high, "", Sensitivity.PUBLIC, required)


EVERY_SORT = build(
    Declaration(
        name="every_sort",
        summary="One field of every width.",
        f_port=41,
        fields=(
            _field("tiny", -1.0, 1.5, required=False),
            _field("small", -300.0, 300.0),
            _field("medium", 0.0, 16_000_000.0, required=False),
            _field("large", 0.0, 4_000_000_000.0),
            _field("signed", -2_000_000.0, 2_000_000.0, required=False),
            _field("real", -100.0, 100.0, required=False),
            Field("hidden", "never kept", "", 0, 9, "", Sensitivity.SECRET, required=False),
        ),
        slots=(
            Slot("tiny", "i8", 0.5, none=-128),
            Slot("small", "i16", 0.1),
            Slot("medium", "u24", none=0xFF_FFFF),
            Slot("large", "u32"),
            Slot("signed", "i32", 0.001, 10.0, none=-(2**31)),
            Slot("real", "f32"),
        ),
        whole=frozenset({"medium", "large", "hidden"}),
        attributes={"height_m": "m"},
        examples=(
            Example(
                "in JSON",
                '{"tiny": -0.5, "small": 12.3, "medium": 7, "large": 8, "signed": 9.999, "hidden": 3}',
                {"tiny": -0.5, "small": 12.3, "medium": 7, "large": 8, "signed": 9.999, "real": None},
            ),
            # -1 = ff, 123 = 007b, 7, 8, -1 = (9.999 - 10) / 0.001, 1.5 = 3fc00000
            Example(
                "in bytes",
                "ff 007b 000007 00000008 ffffffff 3fc00000",
                {"tiny": -0.5, "small": 12.3, "medium": 7, "large": 8, "signed": 9.999, "real": 1.5},
            ),
            Example(
                "not measured",
                "80 007b ffffff 00000008 80000000 7fc00000",
                {"tiny": None, "small": 12.3, "medium": None, "signed": None, "real": None},
            ),
            Example("no number at all", "ff 007b 000007 00000008 ffffffff 7f800000", rejected="out of range"),
            Example("half of one", '{"small": 1, "large": 0.5}', rejected="undecodable"),
            Example("a byte short", "ff 007b 000007 00000008 ffffffff 3fc000", rejected="undecodable"),
        ),
        every_s=60.0,
        motions={"small": Motion("walk", 0.0, 400.0)},
    )
)  # fmt: skip

DECLARED: dict[str, DeviceKind] = {kind.name: kind for kind in (_shipped(), EVERY_SORT)}
