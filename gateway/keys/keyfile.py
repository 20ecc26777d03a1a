"""One key in one file: 32 random bytes, owner-only, durable before use, overwritten before it goes."""

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from gateway.model.errors import Refusal
from gateway.model.instant import HOUR, Instant
from gateway.statedir import sync_directory

SIZE = 32
"""Bytes of every key."""


def read(path: Path) -> bytes | None:
    """The key in `path`; None if there is no such file.

    Raises:
        Refusal: others may read the file, or it does not hold a key.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refusal(
            f"The key file {path} cannot be opened: {error.strerror}. "
            "It must be a plain file that belongs to the user who runs Sekisho."
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_mode & 0o077:
            raise Refusal(
                f"The key file {path} is open to other users, so it is not used. "
                f"If nobody else read it: chmod 600 {path}."
            )
        key = file.read(SIZE + 1)
    if len(key) != SIZE:
        raise Refusal(
            f"The key file {path} does not hold a key of {SIZE} bytes. "
            "Bring it back from your copy of the keys."
        )
    return key


def make(path: Path) -> bytes:
    """A new random key, durable in `path` before this returns.

    Where another process was faster, its key is returned: two processes never use two keys.
    """
    make_all([path])
    key = read(path)
    assert key is not None
    return key


def find_or_make(path: Path) -> bytes:
    """The key in `path`, made if there is none; durable before this returns, whoever made it."""
    key = read(path)
    if key is None:
        return make(path)
    sync_directory(path.parent)  # whoever made it may have failed at just this
    return key


def make_all(paths: Sequence[Path]) -> None:
    """Make the keys of one folder that are not there yet, durable together before this returns."""
    drafts = {path: path.with_name(f".{path.name}.{secrets.token_hex(4)}") for path in paths}
    open_drafts = []
    try:
        for draft in drafts.values():
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            descriptor = os.open(draft, flags, 0o600)
            open_drafts.append(descriptor)
            os.write(descriptor, secrets.token_bytes(SIZE))
        for descriptor in open_drafts:
            os.fsync(descriptor)
        for path, draft in drafts.items():
            with suppress(FileExistsError):
                os.link(draft, path)
    finally:
        for descriptor in open_drafts:
            os.close(descriptor)
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
    for folder in {path.parent for path in paths}:
        sync_directory(folder)


def sweep(folder: Path, now: Instant) -> None:
    """Remove what a kill left of `make_all`: drafts that are an hour old and no other process's work.

    They are not overwritten: one of them may be the second name of a key.
    """
    for draft in folder.glob(".*.key.*"):
        with suppress(OSError):
            if draft.stat().st_mtime * 1e6 < now - HOUR:
                draft.unlink()


def destroy(path: Path) -> bool:
    """Overwrite the key and remove its file; False if there was none.

    Overwriting reaches the file's blocks; what a flash drive keeps elsewhere is beyond a program.

    Raises:
        OSError: it cannot be reached: a folder that is away may hold the key all the same.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        os.close(os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        return False
    try:
        os.pwrite(descriptor, secrets.token_bytes(SIZE), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.unlink(missing_ok=True)
    sync_directory(path.parent)
    return True
