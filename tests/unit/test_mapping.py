"""A declared codec takes what somebody else's decoder made, whatever that is."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.devices.catalog import catalog
from gateway.devices.codecs import document_of
from gateway.devices.mapping import Mapped, Source
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.identity import DeviceId
from gateway.model.reason import Reason

GAUGE = Device(DeviceId("g-1"), "river_gauge", "w", 0, attributes={"datum_m": 4.0})
STAGE = Mapped(
    "mine", "river_gauge", {"stage_m": Source(("a", "b"), 0.5, 1.0, refuse=(20, "none"))}
)


def stage(value: Any, mapped: Mapped = STAGE) -> float:
    document, _, _ = document_of(
        catalog()["river_gauge"], mapped.said({"a": {"b": value}}), GAUGE, 1
    )
    found: float = document.stage_m
    return found


@pytest.mark.parametrize("value", [2, 2.0, "2", " 2.00 ", "2e0"])
def test_a_number_is_a_number_however_it_is_written(value: Any) -> None:
    assert stage(value) == 2.0


@pytest.mark.parametrize("value", [20, 20.0, "20", "none"])
def test_the_maker_s_words_for_no_value_are_out_of_range(value: Any) -> None:
    with pytest.raises(PayloadError) as refusal:
        stage(value)
    assert refusal.value.reason is Reason.OUT_OF_RANGE


@pytest.mark.parametrize(
    "value", ["1_0", "nan", "inf", "0x10", "٣", "2 m", "", [2], {"c": 2}, True]
)
def test_what_is_no_number_is_not_taken_for_one(value: Any) -> None:
    with pytest.raises(PayloadError):
        stage(value)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.integers(300, 600).map(lambda n: 10**n),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
WORDS = Mapped("mine", "river_gauge", {"stage_m": Source(("a", "b"), words={"low": 1.0, "1": 2.0})})


@example(10**400, STAGE)
@example(10**400, WORDS)
@given(JSON, st.sampled_from([STAGE, WORDS]))
def test_no_value_makes_a_codec_fail_otherwise_than_by_refusing(value: Any, mapped: Mapped) -> None:
    """A law: whatever an object holds, there is a number within the limits, or a refusal with a field's name."""
    try:
        assert -10 <= stage(value, mapped) <= 30
    except PayloadError as refusal:
        assert refusal.detail  # noqa: PT017 no value must be refused, but any may
