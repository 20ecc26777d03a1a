"""What was taken back is on disk before it holds, and where a disk fails, neither more nor less is taken back than was said."""

import errno
import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.keys import taken_back
from gateway.model.errors import Refusal
from gateway.registry import database
from gateway.registry.registry import Registry
from gateway.stores import backup
from tests.fakes.backed_up import Town
from tests.fakes.readings import NOON


class Breaking(sqlite3.Connection):
    """A registry whose next commits fail as told: SQLite's number, or a key that is pressed when one is done."""

    fails: int | type[BaseException] | None = None

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if sql == "COMMIT" and isinstance(self.fails, int):
            error = sqlite3.OperationalError("as told")
            error.sqlite_errorcode = self.fails
            raise error
        done = super().execute(sql, parameters)
        if sql == "COMMIT" and self.fails is not None and not isinstance(self.fails, int):
            raise self.fails
        return done


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> type[Breaking]:
    connect = partial(sqlite3.connect, factory=Breaking)
    monkeypatch.setattr("gateway.registry.database.sqlite3.connect", connect)
    monkeypatch.setattr(Breaking, "fails", None)
    return Breaking


def _stores(registry: Registry) -> set[str]:
    """The children of whom rows are kept."""
    return {device for device, purposes in registry.consents().items() if "store" in purposes}


def test_a_change_that_was_not_kept_takes_nothing_back_later(
    town: Town, breaking: type[Breaking], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk of the registry is full: the command says that nothing was kept, and nothing of it happens at the next opening."""
    with town.registry() as registry:
        registry.withdraw_consent("child-2", "store", NOON)
        said = taken_back.content(town.keys.path)
        with monkeypatch.context() as full:
            full.setattr(breaking, "fails", sqlite3.SQLITE_FULL)
            with pytest.raises(Refusal, match="nothing of the change was kept"):
                registry.families.erase("h-1", NOON + 5)
        assert taken_back.content(town.keys.path) == said
    with town.registry() as registry:
        assert _stores(registry) == {"child-1"}
        assert not registry.taken_back.done
        registry.withdraw_consent("child-1", "store", NOON + 6)
    with town.restore() as registry:
        assert not _stores(registry)


@pytest.mark.parametrize("fails", [sqlite3.SQLITE_IOERR_FSYNC, KeyboardInterrupt])
def test_what_may_have_been_kept_stays_written_down(
    town: Town,
    breaking: type[Breaking],
    monkeypatch: pytest.MonkeyPatch,
    fails: int | type[BaseException],
) -> None:
    """A disk that fails at the very end may have kept the change; a key that is pressed behind it undoes nothing."""
    with town.registry() as registry:
        monkeypatch.setattr(breaking, "fails", fails)
        with pytest.raises((database.Uncertain, KeyboardInterrupt)):
            registry.withdraw_consent("child-1", "store", NOON)
        monkeypatch.setattr(breaking, "fails", None)
    assert len(town.keys.taken_back.after(0)) == 1
    with town.registry() as registry:
        assert _stores(registry) == {"child-2"}
    with town.restore() as registry:
        assert _stores(registry) == {"child-2"}


def test_of_many_entries_a_disk_that_fills_up_keeps_none(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the first lines whole: they are cut off again, as nothing of the change was kept."""

    def fills_up(file: Any, said: bytes) -> None:
        file.write(said[: said.index(b"\n") + 9])
        raise OSError(errno.ENOSPC, "No space left on device")

    with town.registry() as registry:
        registry.withdraw_consent("child-2", "store", NOON)
        said = taken_back.content(town.keys.path)
        with monkeypatch.context() as full:
            full.setattr("gateway.keys.taken_back._write", fills_up)
            with pytest.raises(Refusal, match="takes no entry"):
                registry.families.erase("h-1", NOON)
    assert (town.keys.path / taken_back.FILE).read_bytes() == said
    with town.registry() as registry:
        assert _stores(registry) == {"child-1"}


def test_entries_that_cannot_be_cut_off_are_told(
    town: Town, breaking: type[Breaking], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both disks break at once: whoever asked learns that it will be taken back all the same."""
    with town.registry() as registry:
        synced = iter([os.fsync, os.fsync])  # the entry, and the name of its file

        def breaks(descriptor: int) -> None:
            next(synced, _broken)(descriptor)

        monkeypatch.setattr("gateway.keys.taken_back.os.fsync", breaks)
        monkeypatch.setattr(breaking, "fails", sqlite3.SQLITE_FULL)
        with pytest.raises(Refusal, match="is taken back when the registry is opened next"):
            registry.withdraw_consent("child-1", "store", NOON)


def _broken(_descriptor: int) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_an_entry_is_on_disk_before_it_holds(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Synced, whole, while whoever reads the registry still finds the consent: a cut of power in between closes, never opens."""
    path = town.keys.path / taken_back.FILE
    seen = []
    sync = os.fsync
    with town.registry() as registry, town.registry() as reader:

        def told(descriptor: int) -> None:
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                seen.append((path.read_bytes().count(b"\n"), "child-1" in _stores(reader)))
            sync(descriptor)

        monkeypatch.setattr("gateway.keys.taken_back.os.fsync", told)
        registry.withdraw_consent("child-1", "store", NOON)
        assert seen == [(1, True)]
        assert "child-1" not in _stores(reader)


def test_what_another_directory_takes_back_meanwhile_is_so_here_as_well(town: Town) -> None:
    """Both are open; the one that writes behind the other takes along what that wrote."""
    copy = backup.restore(town.copy, town.folder / "beside")
    with town.registry() as registry, Registry.open(copy, town.keys) as other:
        registry.withdraw_consent("child-1", "store", NOON)
        assert _stores(other) == {"child-1", "child-2"}
        other.withdraw_consent("child-2", "guardian_live", NOON)
        assert _stores(other) == {"child-2"}
    with Registry.open(copy, town.keys) as other:
        assert _stores(other) == {"child-2"}


def test_keys_that_know_less_than_the_registry_give_no_number_twice(town: Town) -> None:
    """They came from an older export: what is taken back from then on is so in a backup that knew more than they."""
    with town.registry() as registry:
        registry.withdraw_consent("child-1", "store", NOON)
        registry.withdraw_consent("child-1", "guardian_live", NOON)
    copy = town.backup("knows two")
    (town.keys.path / taken_back.FILE).unlink()
    with town.registry() as registry:
        registry.withdraw_consent("child-2", "store", NOON)
    assert [one.number for one in town.keys.taken_back.after(0)] == [3]
    with town.restore(copy) as registry:
        assert not _stores(registry)


def test_where_nothing_can_be_written_down_nothing_is_taken_back(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk under the keys: the command says so, and the registry is as it was."""

    def full(_file: object, _said: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with town.registry() as registry:
        with monkeypatch.context() as broken:
            broken.setattr("gateway.keys.taken_back._write", full)
            with pytest.raises(Refusal, match="takes no entry"):
                registry.withdraw_consent("child-1", "store", NOON)
        assert registry.consents()["child-1"] == {"store", "guardian_live"}


def test_the_file_names_nobody_and_a_line_that_a_kill_cut_off_is_none(town: Town) -> None:
    """Digests under a key of the ring; the next entry takes the place of what was cut off."""
    with town.registry() as registry:
        registry.withdraw_consent("child-1", "store", NOON)
        path = town.keys.path / taken_back.FILE
        said = path.read_bytes()
        assert not any(word in said for word in (b"child", b"store", b"h-1", b"consent"))
        assert path.stat().st_mode & 0o777 == 0o600
        path.write_bytes(said + b'{"number": 2, "at"')
        registry.withdraw_consent("child-2", "store", NOON)
    assert [one.number for one in town.keys.taken_back.after(0)] == [1, 2]
    for bad in (b"7", b"{}", b'{"number":"1","at":0,"what":"x"}', b'{"number":1,"at":0,"what":7}'):
        path.write_bytes(said + bad + b"\n")
        with pytest.raises(Refusal, match=r"Line 2 of .* not as it was written"):
            town.registry()


def test_no_second_gateway_works_with_the_same_keys(town: Town) -> None:
    """One on a copy would tell of the same periods once more."""
    with (
        town.keys.lock(),
        pytest.raises(Refusal, match="already works with the keys"),
        town.keys.lock(),
    ):
        pass
    with town.keys.lock():
        pass


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("was_held", [True, False])
def test_keys_on_a_disk_that_takes_nothing_are_held_as_well(
    town: Town, monkeypatch: pytest.MonkeyPatch, number: int, was_held: bool
) -> None:
    """For the one gateway, as ever; also where none ever held them. Nobody can tell its number, and no key is touched."""
    if was_held:
        with town.keys.lock():
            pass
    key = (town.keys.path / "root.key").read_bytes()
    opened = os.open

    def closed(path: Path, flags: int, mode: int = 0o777) -> int:
        if Path(path).name == "lock" and flags & os.O_CREAT:
            raise OSError(number, os.strerror(number))
        return opened(path, flags, mode)

    monkeypatch.setattr("gateway.statedir.os.open", closed)
    for _ in range(2):
        with (
            town.keys.lock(),
            pytest.raises(Refusal, match=r"already works with the keys .*\(process unknown\)"),
            town.keys.lock(),
        ):
            pass
    assert (town.keys.path / "root.key").read_bytes() == key


@pytest.mark.parametrize(
    ("number", "advice"), [(errno.EACCES, "Let this user write there"), (errno.EIO, "Mend it")]
)
def test_a_place_of_the_keys_that_cannot_be_held_is_told_with_what_helps(
    town: Town, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    """A right that is missing is given; a place that is broken is mended."""

    def closed(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("gateway.statedir.os.open", closed)
    with pytest.raises(Refusal, match=advice), town.keys.lock():
        pass
