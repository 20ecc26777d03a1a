"""What was taken back: consents, guardians' devices, homes, tokens, rights. Kept with the keys, so that no older registry undoes it.

`taken-back.jsonl` in the ring (0600), one JSON document a line, added to; what was added for a change that was not kept is cut off again:

    {"number": 1 and upwards, "at": µs UTC, "what": hex}

`what` is HMAC-SHA-256 under a key of the ring over what was taken back, shortened to 16 bytes: the file names nobody. Whoever has a
registry and the keys can tell of everything that stands in it whether it was taken back since.
"""

import fcntl
import hmac
import io
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from gateway.model.errors import Refusal
from gateway.model.instant import Instant
from gateway.statedir import sync_directory

FILE = "taken-back.jsonl"
_DIGEST = 16


class Entry(NamedTuple):
    """One thing that was taken back: its number, when, and what, as a digest."""

    number: int
    at: Instant
    what: str


class TakenBack:
    """That of one ring.

    Args:
        ring: where it lies.
        key: 32 bytes, of the ring.
    """

    def __init__(self, ring: Path, key: bytes) -> None:
        self._ring = ring
        self._path = ring / FILE
        self._key = key

    def digest(self, words: Iterable[str]) -> str:
        """What stands in the file for a thing."""
        said = "\0".join(words).encode()
        return hmac.new(self._key, said, sha256).hexdigest()[: 2 * _DIGEST]

    def after(self, number: int) -> list[Entry]:
        """What was taken back behind an entry, oldest first.

        Raises:
            Refusal: the file cannot be read, or was changed there.
        """
        return _behind(content(self._ring), number)

    def add(self, things: Iterable[tuple[Instant, str]], beyond: int) -> int:
        """Write down what is being taken back, on disk when this returns; the number of the last entry.

        Args:
            things: when, and the digest.
            beyond: a number that was given already, as the registry knows.

        Raises:
            Refusal: it cannot be written.
        """
        known = content(self._ring)
        number = max(beyond, _last(known))
        lines = []
        for at, what in things:
            number += 1
            lines.append(json.dumps(Entry(number, at, what)._asdict()).encode() + b"\n")
        try:
            fresh = not self._path.exists()
            with self._opened() as file:
                try:
                    file.truncate(len(known))  # the beginning of a line that a kill cut off
                    file.seek(len(known))
                    _write(file, b"".join(lines))
                    os.fsync(file.fileno())
                    if fresh:
                        sync_directory(self._ring)
                except OSError:
                    _cut(file, len(known))
                    raise
        except OSError as error:
            raise Refusal(
                f"{self._path} takes no entry ({error.strerror}), and nothing is taken back without one: a backup that is "
                "restored would undo it. Mend the place of the keys."
            ) from error
        return number

    def cut(self, behind: int) -> None:
        """Cut off the entries behind a number, in the turn that added them: what they tell of was not done.

        Raises:
            Refusal: they stay.
        """
        known = content(self._ring)
        gone = len(_behind(known, behind))
        kept = known.splitlines(keepends=True)[: -gone or None]
        try:
            with self._opened() as file:
                _cut(file, sum(map(len, kept)))
        except OSError as error:
            raise _stays(error) from error

    def _opened(self) -> io.FileIO:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return io.FileIO(descriptor, "r+")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One writer at a time, of however many commands and directories.

        Raises:
            Refusal: the ring is away.
        """
        try:
            descriptor = os.open(self._ring, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise Refusal(
                f"The keys in {self._ring} cannot be reached ({error.strerror}), and nothing is taken back without "
                "them. Mend that place."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def content(ring: Path) -> bytes:
    """The whole lines of a ring's file; none where nothing was ever taken back.

    Raises:
        Refusal: it cannot be read.
    """
    try:
        said = (ring / FILE).read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise Refusal(f"{ring / FILE} cannot be read ({error.strerror}).") from error
    return said[: said.rfind(b"\n") + 1]


def entries(said: bytes) -> list[Entry]:
    """The entries of whole lines.

    Raises:
        Refusal: a line is none of ours.
    """
    return _behind(said, 0)


def _behind(said: bytes, number: int) -> list[Entry]:
    """The entries behind a number; they ascend, and a long file is read from its end."""
    lines = said.splitlines()
    found = []
    for place in range(len(lines), 0, -1):
        entry = _entry(lines[place - 1], place)
        if entry.number <= number:
            break
        found.append(entry)
    return found[::-1]


def _last(said: bytes) -> int:
    lines = said.splitlines()
    return _entry(lines[-1], len(lines)).number if lines else 0


def _entry(line: bytes, place: int) -> Entry:
    try:
        entry = Entry(**json.loads(line))
    except (ValueError, TypeError):
        entry = None
    if entry is None or tuple(map(type, entry)) != (int, int, str):
        raise Refusal(
            f"Line {place} of {FILE} among the keys is not as it was written: nobody can tell what was taken back. "
            "Bring the file back from your copy of the keys."
        )
    return entry


def _write(file: io.FileIO, said: bytes) -> None:
    while said:  # a disk that fills up takes a part
        said = said[file.write(said) :]


def _cut(file: io.FileIO, size: int) -> None:
    try:
        file.truncate(size)
        os.fsync(file.fileno())
    except OSError as error:
        raise _stays(error) from error


def _stays(error: OSError) -> Refusal:
    return Refusal(
        f"{FILE} among the keys cannot be shortened ({error.strerror}). The change was not kept, and what it would have taken "
        "back is taken back when the registry is opened next. Mend the place of the keys; a home that is lost by it must be "
        "imported again."
    )
