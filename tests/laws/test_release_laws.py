"""Releases of twenty invented towns, by the shipped rules: no number below k, and little to be had from two of them."""

from collections.abc import Sequence

import pytest

from benchmarks.releases import TOWNS, Figures, figures, means

_DAYS = 3


@pytest.fixture(scope="module")
def towns() -> Sequence[dict[str, Figures]]:
    """Every town's lanes; `python -m benchmarks.releases` prints the same of more days."""
    return [figures(seed, _DAYS) for seed in range(TOWNS)]


pytestmark = pytest.mark.timeout(300)


@pytest.mark.channel("C38")
@pytest.mark.parametrize("lane", ["analysis", "open"])
def test_no_told_cell_had_fewer_than_k(towns: Sequence[dict[str, Figures]], lane: str) -> None:
    """Counted by real counters, held against the households that truly were there; and something is told."""
    for town in towns:
        assert town[lane].below_k == 0
        assert 0.2 * town[lane].cells < town[lane].told < town[lane].cells


@pytest.mark.channel("C37")
@pytest.mark.parametrize("lane", ["analysis", "open"])
def test_who_leaves_is_hardly_found_by_the_next_release(
    towns: Sequence[dict[str, Figures]], lane: str
) -> None:
    """At most two points more of the leaver's cells than of a child's that stayed."""
    assert means([town[lane] for town in towns]).following <= 2.0


@pytest.mark.channel("C37")
@pytest.mark.parametrize("lane", ["analysis", "open"])
def test_a_second_release_would_give_a_leaver_away(
    towns: Sequence[dict[str, Figures]], lane: str
) -> None:
    """More than half of its cells from numbers as they are, at most two per cent from `k or more`: the attack works."""
    found = means([town[lane] for town in towns])

    assert found.raw > 50.0
    assert found.at_least_k <= 2.0
