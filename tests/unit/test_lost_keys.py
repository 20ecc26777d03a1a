"""A personal file is never gone on with under a second key: refused at start, waited for while running."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date
from pathlib import Path

import pytest

from gateway.app.checkpoint import Checkpoint, Tempo
from gateway.keys.guard import GuardedKeys
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.privacy.keysource import KeysUnavailable
from gateway.registry.registry import Registry
from gateway.statedir import StateDir
from tests.fakes.clock import ManualClock
from tests.fakes.readings import NOON, policy

WEEK = "store-2026-W20"
START = Callable[[], None]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def state(tmp_path: Path, clock: ManualClock) -> StateDir:
    return StateDir.create(tmp_path / "state", None, clock)


@pytest.fixture
def ring(tmp_path: Path, state: StateDir, clock: ManualClock) -> KeyRing:
    return KeyRing.create(tmp_path / "keys", state.id, clock, UTC)


@pytest.fixture
def start(tmp_path: Path, state: StateDir, ring: KeyRing, clock: ManualClock) -> START:
    """Begin as a new process does: with a ring that remembers nothing."""

    def begin() -> None:
        again = KeyRing.open(tmp_path / "keys", state.id, clock, UTC)
        with Registry.open(state, again) as registry:
            checkpoint = Checkpoint(state, again, registry, policy(), clock, Tempo())
            asyncio.run(checkpoint.store.close())

    ring.file_key(WEEK)
    return begin


def begun(state: StateDir, *periods: str) -> None:
    """Files that hold something."""
    for period in periods:
        (state.personal_dir / f"{period}.db").touch()


def lose(ring: KeyRing, period: str = WEEK) -> None:
    (ring.path / "files" / f"{period}.key").unlink()


def test_a_file_whose_key_is_gone_is_refused_at_start(
    state: StateDir, ring: KeyRing, start: START
) -> None:
    """The sentence names the file, what would happen, and both ways out; no key is made meanwhile."""
    begun(state, WEEK)
    start()
    lose(ring)
    for _ in range(2):
        with pytest.raises(Refusal) as refused:
            start()
    said = str(refused.value)
    assert f"{WEEK}.db" in said
    assert "stored twice" in said
    assert "second pseudonym" in said
    assert "copy of the keys" in said
    assert f"move the file away from {state.personal_dir}" in said
    assert ring.count()["files"] == 0


def test_files_that_lost_their_keys_together_are_counted(
    state: StateDir, ring: KeyRing, start: START
) -> None:
    begun(state, WEEK, "store-2026-W19", "store-2026-W20.g2")
    lose(ring)
    with pytest.raises(Refusal, match=r"store-2026-W19\.db .* 2 more personal files"):
        start()


@pytest.mark.parametrize("name", ["store-2026-W16", "notes", "store-2026-W19 (copy)"])
def test_a_file_that_is_over_or_none_of_ours_needs_no_key(
    state: StateDir, start: START, name: str
) -> None:
    """A kill between the end of a key and the end of its file must not keep the gateway from ending
    the file; and a stranger's file is his."""
    begun(state, name)
    start()


def test_keys_that_cannot_be_asked_for_are_refused_in_a_sentence(
    state: StateDir, start: START, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(state, WEEK)

    def refuse(_ring: KeyRing, _period: str) -> bool:
        raise KeysUnavailable("EACCES")

    monkeypatch.setattr(KeyRing, "has_file_key", refuse)
    with pytest.raises(Refusal, match=r"cannot be read \(EACCES\).*--keys"):
        start()


def test_a_running_gateway_makes_no_second_key(
    tmp_path: Path, state: StateDir, ring: KeyRing, clock: ManualClock
) -> None:
    """A file that came back from a backup while it runs: wait until its key comes too, and say no
    path and no period."""
    guarded = GuardedKeys(ring, state.personal_dir)
    begun(state, WEEK)
    with pytest.raises(KeysUnavailable) as refused:
        guarded.file_key(WEEK)
    assert WEEK not in str(refused.value)
    assert ring.count()["files"] == 0

    other = KeyRing.open(tmp_path / "keys", state.id, clock, UTC)
    key = other.file_key(WEEK)
    assert guarded.file_key(WEEK) == key


def test_a_key_once_read_needs_its_file_no_more(state: StateDir, ring: KeyRing) -> None:
    """Lost while the gateway runs: it goes on with the key it holds, and is refused when it starts."""
    guarded = GuardedKeys(ring, state.personal_dir)
    key = guarded.file_key(WEEK)
    begun(state, WEEK)
    lose(ring)
    assert guarded.file_key(WEEK) == key


def test_days_are_the_ring_s(state: StateDir, ring: KeyRing) -> None:
    guarded = GuardedKeys(ring, state.personal_dir)
    assert guarded.day_key(date(2026, 5, 12)) == ring.day_key(date(2026, 5, 12))
    assert guarded.day_key(date(2026, 5, 1)) is None
