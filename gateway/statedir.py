"""The state directory: what lies where, whose it is, and that one gateway at a time writes to it.

sekisho.json     what this directory is: id, mark, format
city.db          rows about things of the city
personal/        0700: masked rows about people, one file per lane and period
kinds/           the kinds that were declared in YAML, as they are in force
registry.db      0600: devices, credentials, households, consent
sessions.db      0600: sessions of clients, and commands that wait; in no backup
counting/        0700: counters of open periods, sealed and of fixed size
erasures/        0700: households that are being erased, and proofs of those that were
releases/        0700: what was told of closed periods, and the ledger of releases
access/          0700: who read rows about people
clock.json       when the machine's clock was trusted last
lock             held by the gateway that runs here, with its process number
run.json         where that gateway listens and which clock it lives on
gateway.sock     0600: its control socket
"""

import errno
import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from gateway.clock import Clock
from gateway.model.errors import Refusal
from gateway.model.instant import Instant, parse_rfc3339, to_rfc3339

FORMAT = 1
_CARD = "sekisho.json"
_ID = re.compile(r"[0-9a-f]{32}")
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


class Mark(StrEnum):
    """What a directory was made for; given at creation, never later. None means the real thing."""

    SIM = "SIM"
    REPLAY = "REPLAY"


class StateDir:
    """One state directory that exists and is ours.

    Attributes:
        path: where it lies, absolute.
        id: 32 hex digits, random; names the directory's keys.
        mark: `Mark.SIM`, `Mark.REPLAY` or None.
        created_at: when it was made.
    """

    def __init__(self, path: Path, identity: str, mark: Mark | None, created_at: Instant) -> None:
        self.path = path
        self.id = identity
        self.mark = mark
        self.created_at = created_at

    @classmethod
    def create(cls, path: Path, mark: Mark | None, clock: Clock) -> Self:
        """Make a new state directory (0750) in a place that is empty or does not exist.

        Raises:
            Refusal: something lies there already, or the place cannot be written.
        """
        path = path.absolute()
        if (path / _CARD).exists():
            raise Refusal(
                f"{path} is a state directory already, and its mark cannot be changed. "
                "Use it as it is, or choose another --state."
            )
        if path.is_dir() and any(path.iterdir()):
            raise Refusal(
                f"{path} holds files that are not Sekisho's, so no state directory was made there. "
                "Choose an empty or a new directory."
            )
        state = cls(path, secrets.token_hex(16), mark, clock.now())
        card = {
            "id": state.id,
            "mark": mark,
            "created_at": to_rfc3339(state.created_at),
            "format": FORMAT,
        }
        try:
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o750)
            state.personal_dir.mkdir(mode=0o700)
            write_durably(path / _CARD, json.dumps(card, indent=1).encode() + b"\n", 0o640)
            sync_directory(path.parent)
        except OSError as error:
            raise Refusal(
                f"No state directory could be made at {path}: {error.strerror}. "
                "Choose a --state where this user may write."
            ) from error
        return state

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a state directory that exists.

        Raises:
            Refusal: nothing is there, it is not a state directory, or a newer Sekisho made it.
        """
        path = path.absolute()
        try:
            card = json.loads((path / _CARD).read_bytes())
        except FileNotFoundError:
            what = "is not a state directory of Sekisho" if path.exists() else "does not exist"
            raise Refusal(
                f"{path} {what} (it has no {_CARD}). Name the right one with --state, "
                "or make one: sekisho keys init --state DIR."
            ) from None
        except NotADirectoryError:
            raise Refusal(f"{path} is a file. Name a directory with --state.") from None
        except PermissionError:
            raise Refusal(
                f"{path} is closed to this user. Run this as the user whose gateway it is "
                f"({_owner(path)}), or name another --state."
            ) from None
        except (OSError, ValueError) as error:
            raise Refusal(
                f"{path / _CARD} cannot be read ({type(error).__name__}). Its owner and its "
                "contents must be as Sekisho left them; bring the file back from a backup."
            ) from error
        return cls._from_card(path, card)

    @classmethod
    def _from_card(cls, path: Path, card: object) -> Self:
        form = card.get("format") if isinstance(card, dict) else None
        if isinstance(form, int) and form > FORMAT:
            raise Refusal(
                f"{path} was made by a newer Sekisho (format {form}; this one knows {FORMAT}). "
                "Nothing was touched. Install the newer version."
            )
        try:
            return cls(path, *_facts(card))
        except (KeyError, TypeError, ValueError) as error:
            raise Refusal(
                f"{path / _CARD} does not describe a state directory. Someone or something "
                "changed it; bring the file back from a backup."
            ) from error

    @property
    def city_db(self) -> Path:
        return self.path / "city.db"

    @property
    def sealed(self) -> bool:
        """Whether rows about people are sealed here: everywhere but where all of them are invented."""
        return self.mark is not Mark.SIM

    @property
    def personal_dir(self) -> Path:
        return self.path / "personal"

    @property
    def kinds_dir(self) -> Path:
        return self.path / "kinds"

    @property
    def erasures_dir(self) -> Path:
        return self.path / "erasures"

    @property
    def registry_db(self) -> Path:
        return self.path / "registry.db"

    @property
    def sessions_db(self) -> Path:
        return self.path / "sessions.db"

    @property
    def counting_dir(self) -> Path:
        return self.path / "counting"

    @property
    def releases_dir(self) -> Path:
        return self.path / "releases"

    @property
    def clock_file(self) -> Path:
        return self.path / "clock.json"

    @property
    def run_file(self) -> Path:
        return self.path / "run.json"

    @property
    def socket(self) -> Path:
        return self.path / "gateway.sock"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the directory for this process alone, until the block ends or the process dies.

        Raises:
            Refusal: another gateway holds it; the sentence names its process.
        """
        with hold(
            self.path / "lock",
            0o640,
            f"A gateway already runs on {self.path} (process {{}}). Two would harm "
            "each other's files. Stop that one first, or choose another --state.",
        ):
            yield


@contextmanager
def hold(path: Path, mode: int, sentence: str, instead: Path | None = None) -> Iterator[None]:
    """Hold a file for this process alone, until the block ends or the process dies.

    Args:
        sentence: what is wrong where another one holds it; `{}` is its process number.
        instead: a file that is there; held, unchanged, where a full or read-only disk takes no new one.

    Raises:
        Refusal: another one holds it.
        OSError: it can be neither opened nor made.
    """
    descriptor = _to_hold(path, mode, instead)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(sentence.format(_holder(path))) from None
        with suppress(
            OSError
        ):  # the number is for people alone; what is open for reading alone takes none
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        try:
            yield
        finally:
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _to_hold(path: Path, mode: int, instead: Path | None) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
    except OSError as error:
        if instead is None or error.errno not in _NO_ROOM:
            raise
    with suppress(FileNotFoundError):  # whoever could write before may hold it
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return os.open(instead, os.O_RDONLY | os.O_CLOEXEC)


def _holder(path: Path) -> str:
    """The process number in a file that is held; "unknown" where its disk took none."""
    with suppress(OSError):
        return path.read_text("utf-8", "replace").strip() or "unknown"
    return "unknown"


def _owner(path: Path) -> str:
    try:
        return f"sudo -u {path.owner()}"
    except (OSError, KeyError):
        return "it cannot be seen who that is"


def _facts(card: Any) -> tuple[str, Mark | None, Instant]:
    """id, mark and time of creation; raises KeyError, TypeError or ValueError."""
    if card["format"] != FORMAT or not _ID.fullmatch(card["id"]):
        raise ValueError("neither format nor id are ours")
    mark = None if card["mark"] is None else Mark(card["mark"])
    return card["id"], mark, parse_rfc3339(card["created_at"])


def write_durably(path: Path, content: bytes, mode: int) -> None:
    """Put `content` at `path` whole or not at all, on disk before this returns; replaces a file."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make names that came or went in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
