"""One key in one file: 32 random bytes, owner-only, durable before use, overwritten before it goes."""

import os
import secrets
from pathlib import Path

from gateway.model.errors import Refusal
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
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    key = secrets.token_bytes(SIZE)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            other = read(path)
            assert other is not None
            key = other
    finally:
        draft.unlink()
    sync_directory(path.parent)
    return key


def destroy(path: Path) -> bool:
    """Overwrite the key and remove its file; False if there was none.

    Overwriting reaches the file's blocks; what a flash drive keeps elsewhere is beyond a program.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        os.pwrite(descriptor, secrets.token_bytes(SIZE), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.unlink(missing_ok=True)
    sync_directory(path.parent)
    return True
