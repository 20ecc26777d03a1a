"""Laws of counting: what is told of numbers never falls below k, and nothing depends on the order of arrival."""

from collections import Counter, defaultdict
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.counting.presences import RANKS, Presences
from gateway.counting.protect import Told, protect
from gateway.rules.counts import Classes, KSuppress, Protect, Round

CELLS = st.dictionaries(
    st.tuples(st.integers(1, 9), st.integers(0, 5)), st.integers(1, 40), max_size=40
)
KS = st.integers(2, 12)
ENDS = st.frozensets(st.integers(1, 9), max_size=4)


def k_suppress(k: int, *, complementary: bool = True, leaf: bool = True, one: bool = True) -> KSuppress:  # fmt: skip
    return KSuppress(k, complementary, "drop" if leaf else "keep", "drop" if one else "keep")


SHAPES = st.sampled_from([Round(5, 50), Round(5, None), Round(3, 9), Round(10, 5)]) | st.builds(
    lambda first, steps: Classes(tuple(first + sum(steps[:n]) for n in range(len(steps) + 1))),
    st.integers(12, 15),
    st.lists(st.integers(1, 9), max_size=3),
)


@given(CELLS, KS, SHAPES, ENDS, ENDS)
def test_no_number_below_k_is_told_and_none_looks_like_one(
    cells: Mapping[tuple[int, int], int],
    k: int,
    shape: Protect,
    ends: frozenset[int],
    hidden: frozenset[int],
) -> None:
    """Neither the cell nor the words for it, whatever it is rounded to."""
    told = protect(cells, [k_suppress(k), shape], ends, hidden)

    assert all(cells[cell] >= k for cell in told)
    assert all(one.least >= k for one in told.values())
    assert not {unit for unit, _ in told} & hidden


@pytest.mark.channel("C38")
@given(CELLS, KS)
def test_along_every_line_what_is_hidden_cannot_be_worked_out(
    cells: Mapping[tuple[int, int], int], k: int
) -> None:
    """Beside told numbers either nothing is hidden, or several that make k together."""
    told = protect(cells, [k_suppress(k)])
    lines: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for cell in cells:
        lines["unit", cell[0]].append(cell)
        lines["slice", cell[1]].append(cell)

    for line in lines.values():
        away = [cells[cell] for cell in line if cell not in told]
        assert len(away) == len(line) or not away or (len(away) > 1 and sum(away) >= k)


@given(CELLS, KS, ENDS, ENDS, st.booleans(), st.booleans())
def test_a_further_protection_tells_no_more(
    cells: Mapping[tuple[int, int], int],
    k: int,
    ends: frozenset[int],
    hidden: frozenset[int],
    leaf: bool,
    one: bool,
) -> None:
    """Every protection takes away, and changes nothing of what it leaves."""
    bare = protect(cells, [k_suppress(k, complementary=False, leaf=False, one=False)])
    more = protect(cells, [k_suppress(k, leaf=leaf, one=one)], ends, hidden)
    stricter = protect(cells, [k_suppress(k + 1, complementary=False, leaf=False, one=False)])

    assert more.items() <= bare.items()
    assert stricter.items() <= bare.items()


@pytest.mark.channel("C31")
@given(CELLS, KS, ENDS)
def test_a_dead_end_that_few_walk_at_some_hour_is_told_at_none(
    cells: Mapping[tuple[int, int], int], k: int, ends: frozenset[int]
) -> None:
    told = protect(cells, [k_suppress(k)], ends)
    few = {unit for (unit, _), number in cells.items() if number <= k}

    assert not {unit for unit, _ in told} & few & ends


@given(CELLS, KS, SHAPES, st.randoms(use_true_random=False))
def test_what_is_told_does_not_depend_on_the_order(
    cells: Mapping[tuple[int, int], int], k: int, shape: Protect, dice: object
) -> None:
    """Nor does it name anybody: the same numbers tell the same."""
    items = list(cells.items())
    dice.shuffle(items)  # type: ignore[attr-defined]

    assert protect(dict(items), [k_suppress(k), shape]) == protect(cells, [k_suppress(k), shape])


@given(st.integers(1, 200), st.integers(2, 12))
def test_rounding_goes_to_the_nearest_and_keeps_the_top(number: int, k: int) -> None:
    told = protect({(1, 0): number}, [k_suppress(k), Round(5, 50)])

    if number <= k:
        assert told == {}
    elif number >= 48:
        assert told[1, 0] == Told(50, "50+")
    else:
        assert abs(told[1, 0].least - number) <= 2 or told[1, 0].least == -(-k // 5) * 5


@pytest.mark.channel("C37")
@given(st.integers(5, 200), st.lists(st.sampled_from([-1, 0, 1]), max_size=12))
def test_one_who_comes_or_leaves_moves_no_number(number: int, steps: list[int]) -> None:
    """What was told is told again while it is true within a base; a number is never far from the truth."""
    rules: list[Protect] = [k_suppress(5), Round(5, 50)]
    told = protect({(1, 0): number}, rules)
    for step in [0, *steps]:
        number += step
        before = {cell: one.least for cell, one in told.items()}
        moved = protect({(1, 0): number}, rules, before=before)
        if abs(number - before.get((1, 0), -9)) < 5 <= number:
            assert moved == told
        if number < 5 + (not told):
            assert moved == {}
        elif number < 50:
            assert abs(moved[1, 0].least - number) < 5
        told = moved


SEEN = st.lists(
    st.tuples(st.integers(1, 6), st.integers(1, 9), st.integers(0, 47)), min_size=1, max_size=60
)


def ranked(subject: int, unit: int) -> int:
    return hash((subject, unit, 7)) % RANKS


@given(SEEN, st.integers(1, 5), st.randoms(use_true_random=False))
def test_whom_a_cap_leaves_out_is_not_a_matter_of_order(
    seen: list[tuple[int, int, int]], cap: int, dice: object
) -> None:
    """The units of the lowest ranks stay with all their slices, repeated or not, in whatever order they come."""

    def table(order: list[tuple[int, int, int]]) -> Counter[tuple[int, int]]:
        made = Presences(8, cap)
        for subject, unit, slice_ in order:
            made.add(subject, unit, ranked(subject, unit), slice_)
        return made.cells()

    expected: Counter[tuple[int, int]] = Counter()
    for subject in {subject for subject, _, _ in seen}:
        units = {unit for one, unit, _ in seen if one == subject}
        kept = sorted(units, key=lambda unit: (ranked(subject, unit), unit))[:cap]
        expected.update({(u, s) for one, u, s in seen if one == subject and u in kept})
    shuffled = [*seen, *seen]
    dice.shuffle(shuffled)  # type: ignore[attr-defined]

    assert table(seen) == table(shuffled) == expected


@given(SEEN, st.integers(1, 5))
def test_a_table_comes_back_from_its_bytes(seen: list[tuple[int, int, int]], cap: int) -> None:
    """And its bytes are as long as those of an empty one."""
    made, again = Presences(8, cap), Presences(8, cap)
    for subject, unit, slice_ in seen:
        made.add(subject, unit, ranked(subject, unit), slice_)
    again.fill(made.to_bytes(), 8)

    assert again.cells() == made.cells()
    assert len(made.to_bytes()) == len(Presences(8, cap).to_bytes()) == Presences.size(8, cap)
