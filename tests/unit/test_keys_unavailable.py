"""Keys that cannot be had are a store that cannot be had: nothing is acknowledged, nothing is lost."""

import errno
import itertools
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.keys import keyfile
from gateway.keys.ring import KeyRing
from gateway.model.instant import SECOND
from gateway.model.reason import Fate, Reason
from gateway.model.uplink import Uplinks
from gateway.pipeline.flow import Flow
from gateway.pipeline.intake import Intake
from gateway.pipeline.process import Batch, Process
from gateway.privacy.keysource import KeysUnavailable
from gateway.telemetry import Facts, Tally
from tests.fakes.clock import ManualClock
from tests.fakes.loop import VirtualLoop
from tests.fakes.readings import NOON, Keys, child, fix, leave_home, mask
from tests.fakes.store import MemoryStore
from tests.fakes.uplinks import SORTS, Item, Sender, route, uplink

WEEK = "store-2026-W20"


class FlakyKeys(Keys):
    """Keys behind a mount that comes and goes: each question takes the next answer of `refuses`."""

    def __init__(self, refuses: Iterator[bool]) -> None:
        super().__init__()
        self._refuses = refuses

    def _knock(self) -> None:
        if next(self._refuses):
            raise KeysUnavailable("EIO")

    def file_key(self, period: str) -> bytes:
        self._knock()
        return super().file_key(period)

    def day_key(self, day: date) -> bytes | None:
        self._knock()
        return super().day_key(day)


def chunk_of(items: list[Item], at: int = NOON + 60 * SECOND) -> Uplinks:
    return Uplinks("own", at, items, lambda _refused: None)


def patiently(process: Process, chunks: list[Uplinks]) -> Batch:
    """Ask until there are keys."""
    for _ in range(1000):
        try:
            return process.decide(chunks)
        except KeysUnavailable:
            continue
    raise AssertionError("it never came to an end")


# -- the mask ---------------------------------------------------------------------------------


def test_the_mask_decides_nothing_without_keys_and_the_same_afterwards() -> None:
    """The uplink is neither suppressed nor remembered: handed over again it is no repetition, not
    late, and its circle is as open as before."""
    keys = FlakyKeys(iter([True, True, False]))
    by = mask(keys=keys)
    leave_home(by)
    for _ in range(2):
        with pytest.raises(KeysUnavailable):
            by.apply(fix(900, 0))
    assert by.apply(fix(900, 0)) == mask_with_keys().apply(fix(900, 0))
    assert isinstance(by.apply(fix(910, 1)), list)


def mask_with_keys() -> Any:
    by = mask()
    leave_home(by)
    return by


def test_a_suppressed_uplink_asks_for_no_key() -> None:
    """Decisions 3: it would leave a key behind."""
    by = mask(keys=FlakyKeys(itertools.repeat(True)))
    leave_home(by)
    assert not isinstance(by.apply(fix(10, 0)), list)


def test_taking_a_fix_back_forgets_none_of_the_last_64() -> None:
    """Over the end of a week: its new file's key is refused once, and nothing else changes."""
    keys = FlakyKeys(iter([False, True, False]))
    by = mask(keys=keys)
    monday = 5 * 86_400 + 21 * 3600  # seconds after NOON
    walk = [fix(300 + 200 * n, monday - 64 + n) for n in range(65)]
    for one in walk[:64]:
        assert by.apply(one) is not Fate.DUPLICATE
    with pytest.raises(KeysUnavailable):
        by.apply(walk[64])
    assert [by.apply(one) for one in walk[:64]] == [Fate.DUPLICATE] * 64
    assert isinstance(by.apply(walk[64]), list)
    assert [by.apply(one) for one in walk[1:]] == [Fate.DUPLICATE] * 64
    assert by.apply(walk[0]) is Reason.LATE


# -- the batch --------------------------------------------------------------------------------


@given(
    sorts=st.lists(st.sampled_from(sorted(SORTS)), max_size=30),
    cuts=st.lists(st.integers(1, 5), min_size=30, max_size=30),
    refuses=st.lists(st.booleans(), max_size=60),
)
def test_a_batch_that_waited_for_keys_comes_to_the_same(
    sorts: list[str], cuts: list[int], refuses: list[bool]
) -> None:
    """However often keys were refused, every uplink is decided once, and as if they never had been."""
    items = iter(uplink(sort, n) for n, sort in enumerate(sorts))
    chunks = [chunk_of(part) for cut in cuts if (part := list(itertools.islice(items, cut)))]
    waited, never = (
        mask(keys=FlakyKeys(itertools.chain(answers, itertools.repeat(False))))
        for answers in (refuses, [])
    )
    for by in (waited, never):
        by.apply(fix(300, -120))
    assert patiently(Process(waited, UTC), chunks) == Process(never, UTC).decide(chunks)


def test_another_batch_begins_anew() -> None:
    """Where the first stopped means nothing to the next."""
    process = Process(mask(keys=FlakyKeys(itertools.chain([True], itertools.repeat(False)))), UTC)
    with pytest.raises(KeysUnavailable):
        process.decide([chunk_of([uplink("gauge", 1), uplink("tag read", 1)])])
    batch = process.decide([chunk_of([uplink("gauge", 2)]), chunk_of([uplink("gauge", 3)])])
    assert len(batch.waiting) == 2


# -- the worker -------------------------------------------------------------------------------


def carried(keys: Keys, items: list[Item]) -> tuple[Sender, Tally, Facts, MemoryStore, float]:
    """Everything that became of one chunk, and how long it took."""
    loop, intake, tally, facts, store = VirtualLoop(), Intake(), Tally(), Facts(), MemoryStore()
    sender = Sender()
    sender.hand(intake, items)
    intake.close()
    process = Process(mask(keys=keys), UTC)
    start = loop.seconds
    loop.run(Flow(intake, process, store, tally, [], loop, 0.004, 8192, facts).carry())
    return sender, tally, facts, store, loop.seconds - start


def test_nothing_is_acknowledged_while_keys_are_unavailable(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It waits as for a full disk, says so, and then acknowledges and stores every one of them."""
    refuses = itertools.chain([True] * 10, itertools.repeat(False))
    items = [uplink("gauge", 1), uplink("tag read", 2), uplink("child at home", 3)]
    sender, tally, facts, store, took_s = carried(FlakyKeys(refuses), items)

    assert took_s > 30
    assert sender.settled == [(0, {})]
    assert facts.counts == {"keys unavailable": 10}
    assert tally.in_flight() == 0
    assert sum(n for term, n in tally.terms.items() if term[2] is Fate.STORED) == 2
    assert store.commits == 1
    assert "The keys cannot be read or made (EIO)" in caplog.text
    assert all(record.levelno == logging.ERROR for record in caplog.records)


def test_waiting_for_keys_slows_no_later_acknowledgement() -> None:
    """How long the last commits took sets how late the next batch is acknowledged; a mount that was
    away for a minute must not count among them."""
    loop, intake, tally = VirtualLoop(), Intake(), Tally()
    settled: list[float] = []
    sender = Sender(lambda: settled.append(loop.seconds))
    keys = FlakyKeys(itertools.chain([True] * 15, itertools.repeat(False)))
    sender.hand(intake, [uplink("tag read", 1)])
    sender.hand(intake, [uplink("child at home", 2)])
    intake.close()
    loop.run(
        Flow(
            intake, Process(mask(keys=keys), UTC), MemoryStore(), tally, [], loop, 0.004, 1
        ).carry()
    )
    assert settled[0] > 1050
    assert settled[1] - settled[0] < 0.1


def test_a_mask_that_fails_closed_is_seen_by_the_operator(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As an error that names nobody: a bug must not look like a child at home."""
    broken = replace(child("canary-child"), household=object())  # type: ignore[arg-type]
    payload = b'{"seq": 1, "lat": 36.987654, "lon": 137.2}'
    sender, _, facts, _, _ = carried(Keys(), [(route(broken), payload)])

    assert sender.settled == [(0, {})]
    assert facts.counts == {"mask failed closed": 1}
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "canary" not in caplog.text
    assert "36.98" not in caplog.text


def test_ordinary_uplinks_of_every_sort_are_no_fault() -> None:
    _, _, facts, _, _ = carried(Keys(), [uplink(sort, 1) for sort in SORTS])
    assert facts.counts == {}


# -- the ring ---------------------------------------------------------------------------------


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing.create(tmp_path / "keys", "0" * 32, ManualClock(NOON), UTC)


@pytest.mark.parametrize("call", ["open", "write", "fsync", "link"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE, errno.EIO, errno.EROFS])
def test_a_disk_that_refuses_makes_keys_unavailable(
    ring: KeyRing, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    """Whatever step fails: no key is handed out, nothing is left open or lying about, the error names
    no path; when the disk takes again, there is a key."""

    def refuse(*_args: Any, **_more: Any) -> int:
        raise OSError(number, os.strerror(number), str(ring.path))

    handles = len(list(Path("/proc/self/fd").iterdir()))
    asked: list[Callable[[], object]] = [
        lambda: ring.file_key(WEEK),
        lambda: ring.day_key(date(2026, 5, 12)),
    ]
    for ask in asked:
        with monkeypatch.context() as patched:
            patched.setattr(os, call, refuse)
            with pytest.raises(KeysUnavailable) as refused:
                ask()
        assert str(refused.value) == errno.errorcode[number]
    assert len(list(Path("/proc/self/fd").iterdir())) == handles
    assert [path for path in ring.path.rglob("*") if path.name.startswith(".")] == []
    assert len(ring.file_key(WEEK)) == 32
    assert ring.day_key(date(2026, 5, 12)) is not None


def test_a_key_whose_name_may_not_be_on_disk_is_not_handed_out(
    ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows would be on disk, and it would be gone after a power cut."""
    synced: list[Path] = []

    def sync(path: Path) -> None:
        synced.append(path)
        if len(synced) == 1:
            raise OSError(errno.EIO, "not durable")

    monkeypatch.setattr(keyfile, "sync_directory", sync)
    with pytest.raises(KeysUnavailable):
        ring.file_key(WEEK)
    key = ring.file_key(WEEK)
    assert synced == [ring.path / "files"] * 2
    assert ring.file_key(WEEK) == key
    assert len(synced) == 2


def test_a_key_file_that_is_not_in_order_makes_keys_unavailable(ring: KeyRing) -> None:
    """Others may read it, or it is cut off: until it is mended, nothing is decided with it."""
    path = ring.path / "files" / f"{WEEK}.key"
    path.write_bytes(bytes(7))
    path.chmod(0o600)
    with pytest.raises(KeysUnavailable, match=r"^a key file is not in order$"):
        ring.file_key(WEEK)
