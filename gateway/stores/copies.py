"""Copies of database files for other readers, whole and consistent, beside a gateway that writes."""

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from gateway.model.errors import Refusal
from gateway.statedir import sync_directory

_STEPS = 20_000
"""Steps of SQLite's machine between two looks at how far the copy is."""


def copy(
    source: Path,
    target: Path,
    *,
    mode: int,
    replace: bool,
    progress: Callable[[float], None] = lambda _share: None,
) -> int:
    """Copy a database as it is at this moment (`VACUUM INTO`); its size in bytes.

    The copy is one file without a journal, there whole or not at all, on disk when this returns. The
    source is only read: its gateway goes on writing, but cannot empty its journal meanwhile.

    Args:
        progress: told the share that is written, now and then.

    Raises:
        FileExistsError: the target is there, and is not to be replaced.
        Refusal: the source cannot be read, or the target not be written.
    """
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, mode))
        _vacuum(source, draft, progress)
        descriptor = os.open(draft, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if replace:
            draft.replace(target)
        else:
            os.link(draft, target)
        sync_directory(target.parent)
        return target.stat().st_size
    except FileExistsError:
        raise
    except (sqlite3.Error, OSError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Refusal(
            f"{source} could not be copied to {target} ({why}); nothing is left of the try. The one must be "
            "readable by this user, the other's folder be there and have room for it."
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink()


def _vacuum(source: Path, draft: Path, progress: Callable[[float], None]) -> None:
    whole = max(1, source.stat().st_size)

    def look() -> None:
        progress(min(1.0, draft.stat().st_size / whole))

    uri = f"file:{quote(str(source))}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as db:
        db.set_progress_handler(look, _STEPS)
        db.execute("VACUUM INTO ?", (str(draft),))
