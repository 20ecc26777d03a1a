"""Backups and exports that are not whole, not ours or not for here are refused, and nothing is replaced."""

import json
from pathlib import Path

import pytest

from gateway.keys import exports
from gateway.keys.exports import Exports
from gateway.model.errors import Refusal
from gateway.statedir import StateDir
from gateway.stores import backup
from tests.fakes.front_door import Sekisho
from tests.fakes.readings import NOON

WORDS = "a town by the sea"


@pytest.fixture
def taken(tmp_path: Path, state: StateDir, sekisho: Sekisho) -> Path:
    """A backup of a directory with a child in it."""
    where = ("--state", str(state.path))
    words = (
        "devices",
        "add",
        "child-1",
        "--kind",
        "child_tracker",
        "--household",
        "h-1",
        "--owner",
        "16201",
        *where,
    )
    assert sekisho(*words).code == 0
    backup.take(state, tmp_path / "backup", NOON)
    return tmp_path / "backup"


def test_a_backup_holds_what_it_says_and_nothing_secret(taken: Path, state: StateDir) -> None:
    """Registry and card are there; keys, sessions, locks and sockets are not; only its owner may read it."""
    manifest = backup.check(taken)
    names = {file["name"] for file in manifest["files"]}
    assert {"sekisho.json", "registry.db"} <= names
    assert not {name for name in names if "session" in name or "key" in name or "lock" in name}
    assert (manifest["id"], manifest["mark"]) == (state.id, "SIM")
    assert taken.stat().st_mode & 0o077 == 0


def _shorten(folder: Path) -> None:
    (folder / "registry.db").write_bytes((folder / "registry.db").read_bytes()[:-1])


def _drop(folder: Path) -> None:
    (folder / "registry.db").unlink()


def _add(folder: Path) -> None:
    (folder / "sessions.db").write_bytes(b"old")


def _cut_off(folder: Path) -> None:
    (folder / backup.MANIFEST).unlink()


def _escape(folder: Path) -> None:
    text = (folder / backup.MANIFEST).read_text().replace("registry.db", "../registry.db")
    (folder / backup.MANIFEST).write_text(text)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (_shorten, "not as it was written"),
        (_drop, "lacks registry.db"),
        (_add, "holds sessions.db"),
        (_cut_off, "one that was cut off"),
        (_escape, "names a file outside"),
    ],
)
def test_a_backup_that_is_not_whole_is_not_restored(
    taken: Path, tmp_path: Path, sekisho: Sekisho, harm: object, sentence: str
) -> None:
    """Every file is read before anything is written, and the sentence names the one that differs."""
    assert callable(harm)
    harm(taken)
    answer = sekisho("restore", str(taken), "--state", str(tmp_path / "new"))
    assert answer.code == 1
    assert sentence in answer.err
    assert not (tmp_path / "new").exists()


def test_a_restore_replaces_nothing(taken: Path, state: StateDir, sekisho: Sekisho) -> None:
    before = sorted((p.name, p.stat().st_mtime_ns) for p in state.path.iterdir())
    answer = sekisho("restore", str(taken), "--state", str(state.path))
    assert (answer.code, "a restore replaces nothing" in answer.err) == (1, True)
    assert sorted((p.name, p.stat().st_mtime_ns) for p in state.path.iterdir()) == before


def test_a_backup_inside_the_directory_is_refused(state: StateDir, sekisho: Sekisho) -> None:
    answer = sekisho("backup", str(state.path / "copies"), "--state", str(state.path))
    assert (answer.code, "on another disk" in answer.err) == (2, True)


def test_a_full_folder_takes_no_backup(taken: Path, state: StateDir) -> None:
    with pytest.raises(Refusal, match="not empty"):
        backup.take(state, taken, NOON)


def test_exports_are_numbered_and_remembered(tmp_path: Path, state: StateDir, taken: Path) -> None:
    """Whose key an export holds is known before the file is; a household without a key is in none."""
    ring = tmp_path / "town" / "keys" / state.id
    (ring / "households" / "h-1.key").write_bytes(bytes(32))
    (ring / "households" / "h-1.key").chmod(0o600)
    numbers = [Exports(ring).make(state.id, WORDS, NOON)[0] for _ in range(2)]
    assert numbers == [1, 2]
    assert [one.number for one in Exports(ring).holding("h-1")] == [1, 2]
    assert Exports(ring).holding("h-2") == []
    assert taken.exists()


def test_an_export_opens_with_its_words_alone(tmp_path: Path, state: StateDir) -> None:
    """What stands in clear is bound to it; what comes out are the keys that went in, and none of a day's."""
    ring = tmp_path / "town" / "keys" / state.id
    _number, text = Exports(ring).make(state.id, WORDS, NOON)
    head, keys = exports.read(text, WORDS)
    assert (head["id"], head["number"]) == (state.id, 1)
    assert keys["root.key"] == (ring / "root.key").read_bytes()
    assert not [name for name in keys if name.startswith(("days", "periods"))]
    with pytest.raises(Refusal, match="Not this passphrase"):
        exports.read(text, WORDS + ".")
    for name, other in (("number", 2), ("id", "0" * 32)):
        changed = json.dumps({**json.loads(text), name: other}).encode()
        with pytest.raises(Refusal, match="or the export was changed"):
            exports.read(changed, WORDS)
    with pytest.raises(Refusal, match="no export of keys"):
        exports.read(b"{}", WORDS)
    with pytest.raises(Refusal, match="shorter than 12"):
        Exports(ring).make(state.id, "short", NOON)


def test_an_import_adds_and_never_replaces(tmp_path: Path, state: StateDir) -> None:
    ring = tmp_path / "town" / "keys" / state.id
    _head, keys = exports.read(Exports(ring).make(state.id, WORDS, NOON)[1], WORDS)
    assert exports.put(ring, keys) == (0, len(keys))
    assert exports.put(tmp_path / "new" / state.id, keys) == (len(keys), 0)
    with pytest.raises(Refusal, match="is another key than the export's"):
        exports.put(ring, {**keys, "root.key": bytes(32)})
    assert (ring / "root.key").read_bytes() == keys["root.key"]


def test_keys_of_another_directory_are_refused(
    tmp_path: Path, state: StateDir, sekisho: Sekisho
) -> None:
    """And nobody is asked for a passphrase where nobody is there."""
    words = tmp_path / "words"
    words.write_text(WORDS)
    words.chmod(0o600)
    where = ("--state", str(state.path))
    file, said = str(tmp_path / "k"), ("--passphrase-file", str(words))
    assert "name a --passphrase-file" in sekisho("keys", "export", file, *where).err
    assert sekisho("keys", "export", file, *said, *where).code == 0
    assert "     1  copies" in sekisho("keys", "status", *where).out
    other = ("--state", str(tmp_path / "b" / "state"), "--keys", str(tmp_path / "b" / "keys"))
    assert sekisho("keys", "init", *other).code == 0
    answer = sekisho("keys", "import", file, *said, *other)
    assert (answer.code, "another state directory" in answer.err) == (1, True)
