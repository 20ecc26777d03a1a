"""Laws of sealed rows: what is sealed opens, for its own household, file, rules and place alone, and says nothing."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.privacy.sealing import BODY, LONGEST_WORD, Damaged, FileSeal, RowKey
from tests.fakes.readings import KINDS, NOON, Keys, fix, leave_home, mask, sealed_mask

RULES = "ab" * 32
PERIOD = "store-2026-W20.g2"
keys = st.binary(min_size=32, max_size=32)
bins = st.integers(-(1 << 62), 1 << 62)
names = st.binary(min_size=16, max_size=16)
degrees = st.floats(-180, 180, allow_nan=False)
words = st.none() | st.text(max_size=LONGEST_WORD).filter(lambda t: len(t.encode()) <= LONGEST_WORD)
children = st.tuples(st.just("child_tracker"), st.tuples(
    bins, names, names, degrees, degrees, st.none() | st.integers(1, 4))
)  # fmt: skip
tags = st.tuples(st.just("bus_stop_reader"), st.tuples(
    bins, names, words, words, st.integers(0, 65_535), names)
)  # fmt: skip
rows = children | tags


def walked(seal: FileSeal, whose: RowKey, count: int) -> list[bytes]:
    """Bodies of a child's rows along a street: everything but the place stays the same."""
    made = [
        (NOON, n.to_bytes(16, "big"), b"p" * 16, round(36.7 + n * 1e-5, 5), 137.2, 3)
        for n in range(count)
    ]
    return [seal.seal(whose, "child_tracker", row)[2] for row in made]


@given(file=keys, home=keys, said=rows, of_nobody=st.booleans())
def test_what_is_sealed_opens(
    file: bytes, home: bytes, said: tuple[str, tuple[Any, ...]], of_nobody: bool
) -> None:
    """Every row of every kind comes back as it was; all are of one length, and the same row makes the same bytes."""
    seal, whose = FileSeal(PERIOD, RULES, file), RowKey(home)
    sealed = seal.seal(seal.nobody if of_nobody else whose, *said)
    assert seal.open(sealed, {whose.id: whose}) == said
    assert len(sealed[2]) == BODY
    again = FileSeal(PERIOD, RULES, file)
    assert again.seal(again.nobody if of_nobody else RowKey(home), *said) == sealed


@given(file=keys, other=keys, home=keys, said=rows, flipped=st.integers(0, 8 * BODY - 1))
def test_it_opens_with_everything_right_and_with_nothing_else(
    file: bytes, other: bytes, home: bytes, said: tuple[str, tuple[Any, ...]], flipped: int
) -> None:
    """Another file's key, another lane or period, other rules or another generation, another minute, another
    identity, another household's key in its place, a bit that turned: it is damaged, never another row."""
    seal, whose = FileSeal(PERIOD, RULES, file), RowKey(home)
    minute, identity, body = seal.seal(whose, *said)
    known = {whose.id: whose}
    turned = (int.from_bytes(body, "big") ^ 1 << flipped).to_bytes(BODY, "big")
    tries = [
        (seal, (minute + 1, identity, body), known),
        (seal, (minute, identity[::-1] + b"\0", body), known),
        (seal, (minute, identity, turned), known),
        (seal, (minute, identity, body), {whose.id: RowKey(other if other != home else file)}),
        (
            FileSeal(PERIOD, RULES, other if other != file else home),
            (minute, identity, body),
            known,
        ),
        (FileSeal("store-2026-W20", RULES, file), (minute, identity, body), known),
        (FileSeal("store-2026-W21.g2", RULES, file), (minute, identity, body), known),
        (FileSeal(PERIOD, "cd" * 32, file), (minute, identity, body), known),
    ]
    if file == other == home:
        return
    for by, sealed, held in tries:
        with pytest.raises(Damaged):
            by.open(sealed, held)


@given(file=keys, home=keys, said=rows)
def test_without_the_household_s_key_there_is_no_row(
    file: bytes, home: bytes, said: tuple[str, tuple[Any, ...]]
) -> None:
    """Erased: the file's key alone tells not even whose it was."""
    seal = FileSeal(PERIOD, RULES, file)
    assert seal.open(seal.seal(RowKey(home), *said), {}) is None


@pytest.mark.channel("C8")
@settings(max_examples=20)
@given(file=keys, home=keys)
def test_bodies_of_a_household_share_nothing(file: bytes, home: bytes) -> None:
    """No six bytes of one stand in another: no name, no pseudonym, no place, no padding, no nonce twice."""
    seal, whose = FileSeal(PERIOD, RULES, file), RowKey(home)
    bodies = walked(seal, whose, 40)
    windows = Counter(body[n : n + 6] for body in bodies for n in range(BODY - 5))
    assert max(windows.values()) == 1
    assert not any(part in body for body in bodies for part in (whose.id, b"p" * 6, b"\0" * 6))


@given(file=keys, home=keys, one=st.integers(1, 4), other=st.integers(1, 4))
def test_no_nonce_serves_two_texts(file: bytes, home: bytes, one: int, other: int) -> None:
    """One uplink decoded in two ways keeps its identity; its nonce follows from what is sealed, not from that alone."""
    assume(file != home)
    seal, whose = FileSeal(PERIOD, RULES, file), RowKey(home)
    row = (NOON, b"i" * 16, b"p" * 16, 36.7, 137.2)
    nonces = {seal.seal(whose, "child_tracker", (*row, n))[2][:12] for n in (one, other)}
    assert len(nonces) == len({one, other})
    assert seal.seal(RowKey(file), "child_tracker", (*row, one))[2][:12] not in nonces


def test_a_row_that_is_too_long_is_refused() -> None:
    """It would stand out: facts of devices about people are as short as `LONGEST_WORD` says."""
    seal = FileSeal(PERIOD, RULES, bytes(32))
    with pytest.raises(ValueError, match="longer than all rows"):
        seal.seal(seal.nobody, "bus_stop_reader", (NOON, b"i" * 16, "s" * 120, None, 1, b"t" * 16))


@settings(max_examples=40)
@given(ways=st.lists(st.tuples(st.integers(40, 900), st.integers(1, 200)), max_size=40))
def test_the_sealed_mask_decides_as_the_mask_does(ways: list[tuple[int, int]]) -> None:
    """Same fates, same reasons, and behind the seal the same rows."""
    plain, sealed = mask(keys=Keys()), sealed_mask(Keys())
    leave_home(plain)
    leave_home(sealed)
    at = 600
    for north_m, wait_s in ways:
        at += wait_s
        one, other = plain.apply(fix(north_m, at)), sealed.apply(fix(north_m, at))
        if isinstance(other, list):
            assert all(len(observation.row) == 3 for observation in other)
            other = [sealed.opened(observation) for observation in other]
        assert one == other


def test_every_kind_about_people_fits() -> None:
    """The longest row of each, by its columns: whoever adds one must look at `TEXT` again."""
    longest = {
        "BLOB": b"b" * 16,
        "REAL": 137.123456789,
        "INTEGER": 65_535,
        "TEXT": "w" * LONGEST_WORD,
    }
    seal = FileSeal(PERIOD, RULES, bytes(32))
    for kind in KINDS.values():
        if kind.personal:
            values = [longest[column.sql.split()[0]] for column in kind.columns]
            assert len(seal.seal(seal.nobody, kind.name, (NOON, b"i" * 16, *values))[2]) == BODY
