"""Laws of decoding: hostile input is refused in one way only, and a document survives its own form."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.devices.decode import binary_decoder, json_decoder, to_binary, to_json
from gateway.devices.kind import DeviceKind, Field, Sensitivity
from gateway.devices.packing import Packing, Slot
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.identity import DeviceId
from tests.fakes.declared import DECLARED
from tests.fakes.readings import KINDS as SHIPPED

KINDS = {**SHIPPED, **DECLARED}
EACH_KIND = pytest.mark.parametrize("kind", [pytest.param(k, id=n) for n, k in KINDS.items()])
HEAD = bytes.fromhex("01 69800000 00000007")
FAR = st.sampled_from([1e308, -1e308, 10**20, -(10**20), 2**63, -1, 0, -0.0, 1e-320])


def device_of(kind: DeviceKind) -> Device:
    attributes: dict[str, str | float | bool] = {
        "mount": "stop",
        "stop": "12_1",
        "datum_m": 4.2,
        "model": "m",
    }
    return Device(DeviceId("d-1"), kind.name, "16201", 0, attributes=attributes)


def refuses_or_decodes(decode: Any, payload: bytes, kind: DeviceKind) -> None:
    """A PayloadError or a document whose numbers a database can hold; anything else fails."""
    try:
        document, device_time, counter = decode(payload, device_of(kind))
    except PayloadError:
        return
    assert device_time is None or -(2**62) < device_time < 2**62
    assert counter is None or 0 <= counter < 2**32
    if kind.row is not None:
        for value in kind.row(document, device_of(kind)):
            assert not isinstance(value, int) or -(2**63) <= value < 2**63
            assert not isinstance(value, float) or abs(value) < 1e7


@EACH_KIND
@settings(max_examples=150)
@given(noise=st.binary(max_size=80))
def test_bytes_of_any_sort_are_decoded_or_refused(kind: DeviceKind, noise: bytes) -> None:
    refuses_or_decodes(binary_decoder(kind), noise, kind)
    refuses_or_decodes(binary_decoder(kind), HEAD + noise, kind)
    refuses_or_decodes(json_decoder(kind), noise, kind)


@EACH_KIND
@settings(max_examples=100)
@given(data=st.data())
def test_bytes_of_the_right_length_are_decoded_or_refused(kind: DeviceKind, data: Any) -> None:
    example = data.draw(
        st.sampled_from([e for e in kind.examples if not e.is_json and not e.rejected])
    )
    size = len(bytes.fromhex(example.payload))
    noise = data.draw(st.binary(min_size=size, max_size=size))
    if data.draw(st.booleans()):  # the first byte often says what follows
        noise = bytes.fromhex(example.payload)[:1] + noise[1:]
    refuses_or_decodes(binary_decoder(kind), HEAD + noise, kind)


def json_like(names: list[str]) -> st.SearchStrategy[Any]:
    leaf = (
        st.none() | st.booleans() | FAR | st.integers() | st.text(max_size=20)
        | st.floats(allow_nan=True, allow_infinity=True)
    )  # fmt: skip
    tree = st.recursive(
        leaf,
        lambda inner: (
            st.lists(inner, max_size=5)
            | st.dictionaries(
                st.sampled_from([*names, "epc", "antenna", "rssi_dbm"]), inner, max_size=5
            )
        ),
        max_leaves=12,
    )
    return st.dictionaries(st.sampled_from([*names, "t", "seq", "x"]), tree, max_size=8)


@EACH_KIND
@settings(max_examples=150)
@given(data=st.data())
def test_json_of_any_sort_is_decoded_or_refused(kind: DeviceKind, data: Any) -> None:
    names = list(kind.document.__struct_fields__)
    said = data.draw(json_like(names))
    refuses_or_decodes(json_decoder(kind), json.dumps(said).encode(), kind)


@pytest.mark.parametrize("depth", [500, 100_000])
def test_no_depth_of_nesting_is_too_deep(depth: int) -> None:
    for kind in KINDS.values():
        for payload in (b"[" * depth, b'{"x":' * depth, b'{"reads":' + b"[" * depth):
            refuses_or_decodes(json_decoder(kind), payload, kind)


@EACH_KIND
@settings(max_examples=150)
@given(data=st.data())
def test_a_refusal_never_quotes_what_was_sent(kind: DeviceKind, data: Any) -> None:
    secret = "36.69530417"
    name = data.draw(st.sampled_from(list(kind.document.__struct_fields__)))
    said = data.draw(st.sampled_from([f'"{secret}"', secret, f"[{secret}]", f'{{"{secret}": 1}}']))
    spoken = ""
    try:
        json_decoder(kind)(f'{{"{name}": {said}}}'.encode(), device_of(kind))
    except PayloadError as refusal:
        spoken = f"{refusal} {refusal!r} {refusal.__cause__!r} {refusal.detail}"
    assert secret not in spoken


# -- decode ∘ encode ------------------------------------------------------------------------------


def share() -> st.SearchStrategy[float]:
    return st.floats(0, 1)


def box() -> st.SearchStrategy[Any]:
    whole = st.tuples(share(), share(), share(), share())
    return whole.map(lambda b: (b[0], b[1], b[2] * (1 - b[0]), b[3] * (1 - b[1])))


DOCUMENTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "child_tracker": st.fixed_dictionaries(
        {"button": st.booleans()},
        optional={"accuracy_m": st.floats(0, 254), "battery_pct": st.floats(0, 100)},
    ).flatmap(
        lambda rest: st.just(rest)
        | st.tuples(st.floats(-90, 90), st.floats(-180, 180)).map(
            lambda place: {**rest, "lat": place[0], "lon": place[1]}
        )
    ),
    "bus_stop_reader": st.fixed_dictionaries(
        {
            "reads": st.lists(
                st.fixed_dictionaries(
                    {
                        "epc": st.binary(min_size=12, max_size=12).map(lambda b: b.hex().upper()),
                        "antenna": st.integers(1, 8),
                        "rssi_dbm": st.integers(-120, 0),
                    }
                ),
                max_size=9,
            )
        }
    ),
    "wildlife_camera": st.fixed_dictionaries(
        {
            "species": st.sampled_from(["bear", "human", "unknown", "cat"]),
            "count": st.integers(0, 50),
            "confidence": share(),
        },
        optional={"box": box(), "image": st.integers(1, 2**32 - 1).map(str)},
    ),
    "river_gauge": st.fixed_dictionaries(
        {"stage_m": st.floats(-10, 30)},
        optional={"temperature_c": st.floats(-40, 60), "battery_v": st.floats(0, 5.08)},
    ),
    "bicycle_parking_counter": st.fixed_dictionaries(
        {
            "direction": st.sampled_from(["in", "out", "turned_back"]),
            "passer": st.sampled_from(["bicycle", "person", "unknown"]),
        },
        optional={"shaded_s": st.floats(0.08, 30), "battery_v": st.floats(0, 5.08)},
    )
    | st.fixed_dictionaries(
        {"in_count": st.integers(0, 20_000), "out_count": st.integers(0, 20_000)},
        optional={
            "interval_s": st.integers(1, 43_200),
            "blocked": st.booleans(),
            "battery_v": st.floats(0, 5.08),
        },
    ),
    "service_counter": st.fixed_dictionaries(
        {"waiting": st.integers(0, 999), "open_desks": st.integers(0, 99)},
        optional={"last_called": st.integers(0, 9999)},
    ),
    "people_flow_counter": st.fixed_dictionaries(
        {
            "towards_count": st.integers(0, 20_000),
            "away_count": st.integers(0, 20_000),
            "interval_s": st.integers(60, 43_200),
        },
        optional={"battery_v": st.floats(0, 5.08)},
    ),
    "weather_station": st.fixed_dictionaries(
        {"temperature_c": st.floats(-80, 60)},
        optional={
            "humidity_pct": st.floats(0, 100),
            "pressure_hpa": st.floats(500, 1080),
            "wind_m_s": st.floats(0, 75),
            "gust_m_s": st.floats(75, 150),
            "wind_from_deg": st.floats(0, 360),
            "rain_mm": st.floats(0, 500),
            "rain_mm_h": st.floats(0, 2000),
            "solar_w_m2": st.floats(0, 1600),
        },
    ),
}  # fmt: skip

DOCUMENTS["snow_gauge"] = st.fixed_dictionaries(
    {"depth_cm": st.floats(0, 600)},
    optional={"air_c": st.floats(-40, 60), "echo": st.integers(0, 100)},
)
DOCUMENTS["every_sort"] = st.fixed_dictionaries(
    {"small": st.floats(-300, 300), "large": st.integers(0, 4 * 10**9)},
    optional={
        "tiny": st.floats(-1, 1.5),
        "medium": st.integers(0, 16 * 10**6),
        "signed": st.floats(-2e6, 2e6),
        "real": st.floats(-100, 100, width=32),
    },
)

STEPS = {
    "depth_cm": 0.1, "air_c": 0.1, "tiny": 0.5, "small": 0.1, "signed": 0.001,
    "lat": 1e-7, "lon": 1e-7, "accuracy_m": 1.0, "battery_pct": 0.5, "confidence": 0.005,
    "box": 1 / 255, "stage_m": 0.001, "temperature_c": 0.01, "battery_v": 0.02, "shaded_s": 0.001,
    "humidity_pct": 0.5, "pressure_hpa": 0.1, "wind_m_s": 0.1, "gust_m_s": 0.1, "wind_from_deg": 1.0,
    "rain_mm": 0.1, "rain_mm_h": 0.1, "solar_w_m2": 1.0,
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
@settings(max_examples=150)
@given(data=st.data())
def test_a_document_survives_its_forms(name: str, data: Any) -> None:
    kind = KINDS[name]
    said = data.draw(DOCUMENTS[name])
    document = msgspec.convert(said, kind.document)
    device = device_of(kind)

    assert json_decoder(kind)(to_json(document), device)[0] == document
    again = binary_decoder(kind)(to_binary(kind, document), device)[0]
    for field in kind.document.__struct_fields__:
        before, after = getattr(document, field), getattr(again, field)
        if field not in STEPS or before is None:  # what was not said is not made up
            assert after == before, field
        else:
            step = pytest.approx(before, abs=STEPS[field] * 1.000001, rel=0)
            assert after == step, field


@given(volts=st.floats(allow_nan=True, allow_infinity=True).filter(lambda v: not 0 <= v <= 5.08))
def test_a_voltage_that_has_no_byte_is_refused_and_not_called_unknown(volts: float) -> None:
    """5.1 V would be 255 steps of 20 mV, and 255 says that nobody knows."""
    kind = KINDS["river_gauge"]
    made: Any = kind.document
    with pytest.raises(PayloadError):
        kind.pack(made(stage_m=1.0, battery_v=volts))


@given(tenths=st.integers(-999_999, 999_999), power=st.integers(0, 5))
def test_both_limits_of_a_real_can_be_reached_in_four_bytes(tenths: int, power: int) -> None:
    """4.3 comes out as 4.3, not as 4.30000019 beyond its own limit, and 0.1 not below it."""
    limit = tenths / 10**power
    for low, high in ((limit - 1, limit), (limit, limit + 1)):
        field = Field("real", "", "", low, high, "", Sensitivity.PUBLIC)
        packing = Packing("kind", (Slot("real", "f32"),), (field,))
        assert packing.unpack(packing.pack({"real": limit})) == {"real": limit}
