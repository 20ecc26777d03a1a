"""The last time that was trusted, remembered in the state directory from one start to the next.

Files tell when they were written by whatever clock there was; this one is written by a trusted clock only.
"""

import json
from contextlib import suppress

from gateway.model.errors import Refusal
from gateway.model.instant import MINUTE, Instant, parse_rfc3339, to_rfc3339
from gateway.statedir import StateDir, write_durably


def remember(state: StateDir, now: Instant) -> None:
    """Remember that the clock was trusted at `now`, to the minute: it tells of time and nothing else.

    Raises:
        OSError: the disk does not take it; what was remembered stays.
    """
    card = {"trusted_at": to_rfc3339(now // MINUTE * MINUTE)}
    write_durably(state.clock_file, json.dumps(card).encode() + b"\n", 0o640)


def last_trusted(state: StateDir) -> Instant | None:
    """When the clock was trusted last; None if nothing was ever written here.

    To be asked under the lock, before the files are opened: where no time was remembered yet, the files
    are asked, and their answer is remembered, since opening and closing them changes it.

    Raises:
        Refusal: what was remembered cannot be read.
    """
    for draft in state.path.glob(f".{state.clock_file.name}.*"):  # what a kill left behind
        draft.unlink(missing_ok=True)
    try:
        return parse_rfc3339(json.loads(state.clock_file.read_bytes())["trusted_at"])
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refusal(
            f"{state.clock_file} does not say when the clock was last right "
            f"({type(error).__name__}). Look at the machine's clock; if it is right, remove that file and "
            "start with --clock-is-right."
        ) from error
    last = last_commit(state)
    if last is not None:
        with suppress(OSError):  # a full disk stops no start
            remember(state, last)
    return last


def last_commit(state: StateDir) -> Instant | None:
    """When something was last written here, by the wall clock of then; None if nothing ever was.

    Readers touch the index of a journal, never its contents.
    """
    files = [state.city_db, *state.personal_dir.glob("*.db")]
    journals = [path.with_name(f"{path.name}-wal") for path in files]
    found = [path.stat() for path in (*files, *journals) if path.exists()]
    return max((int(stat.st_mtime * 1e6) for stat in found if stat.st_size), default=None)
