"""Quantities are read with their unit, and wrong units are answered with the right value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.quantity import DURATION, LENGTH, SIZE, Dimension, parse, whole


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("50 m", LENGTH, 50.0),
        ("0.975m", LENGTH, 0.975),
        ("-15 cm", LENGTH, -0.15),
        ("4 ms", DURATION, 0.004),
        ("28 d", DURATION, 2_419_200.0),
        ("64 KiB", SIZE, 65_536.0),
    ],
)
def test_reads(text: str, dimension: Dimension, value: float) -> None:
    """A number with a unit comes out in the SI unit."""
    assert parse(text, dimension) == value


@pytest.mark.parametrize(
    ("text", "dimension", "sentence"),
    [
        (
            "3.2 ft",
            LENGTH,
            "3.2 ft is not a unit of length here: write metres, for example 0.975 m.",
        ),
        ("10 yd", LENGTH, "for example 9.144 m."),
        ("5 mn", DURATION, "5 mn is not a unit of time here"),
        ("2 weeks", DURATION, "for example 14 d."),
        ("90 secs", DURATION, "for example 90 s."),
        ("64 KB", SIZE, "for example 64000 B."),
        ("50", LENGTH, "the unit is missing: write metres, for example 50 m."),
        ("fifty metres", LENGTH, "a length is a number and a unit, for example 50 m."),
    ],
)
def test_wrong_units_are_answered_with_the_right_value(
    text: str, dimension: Dimension, sentence: str
) -> None:
    """Where the unit is known, the sentence holds the converted value."""
    with pytest.raises(ValueError, match=r"here|missing|number") as caught:
        parse(text, dimension)

    assert sentence in str(caught.value)


@given(st.text(), st.sampled_from([LENGTH, DURATION, SIZE]))
def test_any_text_is_a_quantity_or_a_sentence(text: str, dimension: Dimension) -> None:
    """No text raises anything but a ValueError that ends like a sentence."""
    try:
        parse(text, dimension)
    except ValueError as error:
        assert str(error).endswith(".")  # noqa: PT017 - most texts raise, some do not


@given(st.integers(-(10**6), 10**6), st.sampled_from(sorted(LENGTH.units)))
def test_lengths_scale(number: int, unit: str) -> None:
    """A length is its number times its unit."""
    assert parse(f"{number} {unit}", LENGTH) == pytest.approx(number * LENGTH.units[unit])


def test_sizes_are_whole() -> None:
    """Half a byte is no size."""
    with pytest.raises(ValueError, match="not a whole number of B"):
        whole("0.5 B", SIZE)
