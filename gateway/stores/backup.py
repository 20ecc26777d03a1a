"""A copy of a whole state directory, taken beside a gateway that writes; without keys and without sessions.

<folder>/                 0700
    backup.json           written last: what is here, with the SHA-256 of each file
    sekisho.json          the card of the directory
    personal/*.db         VACUUM INTO copies, sealed where they are
    city.db, registry.db
    kinds/, counting/, releases/, erasures/, access/

Personal files first, then the city's, then the registry, as they commit: whoever is in the rows is in the registry.
Sessions are never copied: a counter that goes back is a counter used twice (decisions 6).
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from gateway.model.errors import Refusal
from gateway.model.instant import Instant, to_rfc3339
from gateway.statedir import StateDir, sync_directory, write_durably
from gateway.stores.copies import copy

FORMAT = 1
MANIFEST = "backup.json"
_CARD = "sekisho.json"
_FOLDERS = ("kinds", "counting", "releases", "erasures", "access")
_MODES = {"city.db": 0o640, _CARD: 0o640}
_OWNER_ONLY = 0o600
_BLOCK = 1 << 20


class Copied(NamedTuple):
    """One file of a backup: its name below the folder, size in bytes, hex SHA-256."""

    name: str
    size: int
    digest: str


Shown = Callable[[str, float], None]
"""Told a file's name and the share of it that is copied, now and then."""


def take(
    state: StateDir, folder: Path, now: Instant, shown: Shown = lambda _n, _s: None
) -> list[Copied]:
    """Copy a state directory into a new folder; there whole, on disk, when this returns.

    Raises:
        Refusal: the folder is there and not empty, or something could not be copied; then no `backup.json` is
            there, and what is there is no backup.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Refusal(f"{folder} is not empty. A backup needs a folder of its own: name a new one.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        for source in _sources(state):
            name = str(source.relative_to(state.path))
            target = folder / name
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = _MODES.get(name, _OWNER_ONLY)
            if source.suffix == ".db":
                copy(source, target, mode=mode, replace=False, progress=_part(shown, name))
            else:
                write_durably(target, source.read_bytes(), mode)
            shown(name, 1.0)
        files = [_described(path, folder) for path in sorted(_files(folder))]
        _write_manifest(state, folder, files, now)
    except OSError as error:
        raise Refusal(
            f"The backup in {folder} was not finished ({error.strerror}): it has no {MANIFEST}, and is none. Remove "
            "the folder, and see that its disk has room."
        ) from error
    return files


def check(folder: Path) -> dict[str, Any]:
    """What a backup's manifest says, after every file was read and found as it was written.

    Raises:
        Refusal: no backup, one of a newer Sekisho, or a file that is missing, changed or too many.
    """
    manifest = _manifest(folder)
    listed = {file["name"]: file for file in manifest["files"]}
    there = {str(path.relative_to(folder)): path for path in _files(folder)}
    for name in sorted(listed.keys() - there.keys()):
        raise Refusal(f"{folder} lacks {name}: it is no whole backup. Take another one.")
    for name in sorted(there.keys() - listed.keys()):
        raise Refusal(f"{folder} holds {name}, which its {MANIFEST} does not name. Move it away.")
    for name, path in there.items():
        if _described(path, folder).digest != listed[name]["sha256"]:
            raise Refusal(
                f"{name} in {folder} is not as it was written. Take another backup; rows of this file alone may be "
                "read with sqlite3."
            )
    return manifest


def restore(folder: Path, path: Path, shown: Shown = lambda _n, _s: None) -> StateDir:
    """A state directory made of a backup that `check` found whole.

    Raises:
        Refusal: something lies at `path` already, or it cannot be written.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise Refusal(
            f"{path} is there already, and a restore replaces nothing. Name a new --state, or move the old one away "
            "first (as one: its files belong together)."
        )
    try:
        path.mkdir(mode=0o750, parents=True, exist_ok=True)
        path.chmod(0o750)
        (path / "personal").mkdir(mode=0o700, exist_ok=True)
        for source in sorted(_files(folder), key=lambda file: file.name == _CARD):  # the card last
            name = str(source.relative_to(folder))
            target = path / name
            target.parent.mkdir(mode=0o700, exist_ok=True)
            _copied(source, target, _MODES.get(name, _OWNER_ONLY))
            shown(name, 1.0)
        sync_directory(path)
    except OSError as error:
        raise Refusal(
            f"{path} could not be made whole ({error.strerror}). Remove it, see that its disk has room, and restore "
            "again: the backup was only read."
        ) from error
    return StateDir.open(path)


def _sources(state: StateDir) -> Iterator[Path]:
    """What is copied, in the order in which it is."""
    yield from sorted(state.personal_dir.glob("*.db"))
    yield from (path for path in (state.city_db, state.registry_db) if path.exists())
    for name in _FOLDERS:
        yield from sorted(
            p for p in (state.path / name).rglob("*") if p.is_file() and not p.name.startswith(".")
        )
    yield state.path / _CARD


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)


def _part(shown: Shown, name: str) -> Callable[[float], None]:
    return lambda share: shown(name, share)


def _described(path: Path, folder: Path) -> Copied:
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return Copied(str(path.relative_to(folder)), path.stat().st_size, digest.hexdigest())


def _write_manifest(state: StateDir, folder: Path, files: list[Copied], now: Instant) -> None:
    manifest = {
        "sekisho_backup": FORMAT,
        "id": state.id,
        "mark": state.mark,
        "taken_at": to_rfc3339(now),
        "files": [{"name": f.name, "bytes": f.size, "sha256": f.digest} for f in files],
    }
    write_durably(folder / MANIFEST, json.dumps(manifest, indent=1).encode() + b"\n", _OWNER_ONLY)


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        form = manifest["sekisho_backup"]
        names = [str(file["name"]) for file in manifest["files"]]
    except FileNotFoundError:
        raise Refusal(
            f"{folder} has no {MANIFEST}: it is no backup, or one that was cut off. Name a folder that sekisho backup "
            "finished."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refusal(f"{folder / MANIFEST} cannot be read ({type(error).__name__}).") from error
    if form != FORMAT:
        raise Refusal(
            f"{folder} was made by another Sekisho (form {form}; this one knows {FORMAT})."
        )
    for name in names:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise Refusal(f"{folder / MANIFEST} names a file outside: it was changed.")
    return dict(manifest)


def _copied(source: Path, target: Path, mode: int) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with source.open("rb") as read, os.fdopen(descriptor, "wb") as written:
        shutil.copyfileobj(read, written, _BLOCK)
        written.flush()
        os.fsync(written.fileno())
