"""Who read rows about people, when and for what: a chain in which nothing can be changed, left out or put elsewhere.

`access/<YYYY-MM>.jsonl` in the state directory (0700, 0600), one JSON document a line:

    {"entry": {"seq", "at", "actor", "act", "purpose", "lane", "shape", "rows"}, "link": hex}
    {"head": {"day", "seq", "link"}, "public": hex, "signature": hex}

and, once months were removed because their time was over, `access/removed.json`, signed like a head:

    {"removed": {"month", "seq", "link"}, "public": hex, "signature": hex}

`link` is HMAC-SHA-256 under the log's key over the link before it and the entry's canonical JSON. The first entry of a day is
preceded by the signed head of the chain so far: whoever keeps a head elsewhere sees when the end was cut off. Times are floored to
the minute, numbers of rows stand in classes, and no entry names a child, a household, a place or a value that was asked for. The chain begins with
entry 1, or behind what the mark says was removed; nowhere else, so that a beginning that was cut off shows, too.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from gateway.model.errors import Refusal
from gateway.model.instant import MINUTE, Instant, to_rfc3339
from gateway.statedir import sync_directory, write_durably
from gateway.stores.access_chain import (
    BEGIN,
    Chain,
    Head,
    Removed,
    Signs,
    line,
    parsed,
    whole_lines,
)

FOLDER = "access"
_CLASSES = (1, 10, 100, 1_000, 10_000)


@dataclass(frozen=True, slots=True)
class Access:
    """One look at rows about people.

    Attributes:
        at: when.
        actor: the user of the machine who asked.
        act: what was done: `query`, `export`, `access`, `erase` …
        purpose: what for, in the words of who asked; "not said" where nothing was.
        lane: whose rows.
        shape: digest of what was asked, without its values.
        rows: how many were seen.
    """

    at: Instant
    actor: str
    act: str
    purpose: str
    lane: str
    shape: str
    rows: int


def shape_of(*words: str) -> str:
    """A name for a kind of question: which verb, kind and filters, never their values."""
    return sha256("\0".join(words).encode()).hexdigest()[:12]


def class_of(rows: int) -> str:
    """How many rows, in classes: `0`, `1 to 9`, `10 to 99` … `10000 or more`."""
    for low, high in zip((0, *_CLASSES), _CLASSES, strict=False):
        if rows < high:
            return str(low) if high - low == 1 else f"{low} to {high - 1}"
    return f"{_CLASSES[-1]} or more"


class AccessLog:
    """The log of one state directory.

    Args:
        state: the state directory's path.
        key: 32 bytes, of the ring.
        signer: signs heads.
    """

    def __init__(self, state: Path, key: bytes, signer: Signs) -> None:
        self._folder = state / FOLDER
        self._mark = self._folder / "removed.json"
        self._chain = Chain(key, signer)

    def write(self, access: Access) -> None:
        """Add an entry; on disk when this returns.

        Raises:
            Refusal: it cannot be written, and so nothing may be read; or the log was changed.
        """
        try:
            with self._locked():
                self._mend()
                end, last = self._end()
                entry = _entry(access, end.seq + 1, last)
                day = entry["at"][:10]
                lines = []
                if end.seq and end.day < day:
                    lines.append(self._chain.signed(end))
                lines.append(line({"entry": entry, "link": self._chain.link(end.link, entry)}))
                self._append(day[:7], b"".join(lines))
        except OSError as error:
            raise Refusal(
                f"The access log in {self._folder} takes no entry ({error.strerror}), and rows about people are not "
                "read without one. Mend that place."
            ) from error

    def head(self) -> bytes:
        """The signed head of the chain as it is now, to be kept elsewhere: one line of JSON.

        Raises:
            Refusal: the log is not whole.
        """
        return self._chain.signed(self.check())

    def entries(self) -> list[dict[str, Any]]:
        """Every entry, oldest first, after the whole chain was checked.

        Raises:
            Refusal: a line was changed, left out, added or moved; it names file and line.
        """
        lines = self._chain.checked(self._files(), self.removed())
        return [said["entry"] for said in lines if "entry" in said]

    def check(self, kept: bytes | None = None) -> Head:
        """The head of a chain that is whole, and that goes on from one that was kept elsewhere.

        Raises:
            Refusal: it is not.
        """
        removed = self.removed()
        links = {
            said["entry"]["seq"]: said["link"]
            for said in self._chain.checked(self._files(), removed)
            if "entry" in said
        }
        if kept is not None:
            self._chain.require_beyond(kept, links, removed)
        return self._end()[0]

    def removed(self) -> Removed:
        """What retention took away.

        Raises:
            Refusal: its mark was changed.
        """
        return self._chain.read_mark(self._mark)

    def forget_before(self, month: str) -> int:
        """Remove the files of months before one (`2026-05`), but the newest; how many there were.

        Their end is signed first: the chain goes on from there.

        Raises:
            Refusal: the log is not whole, and nothing of it goes: what is left is what there is to find out by.
        """
        gone = [path for path in self._files()[:-1] if path.stem < month]
        if gone:
            self.check()
            end = self._end(gone)[0]
            mark = self._chain.mark(Removed(gone[-1].stem, end.seq, end.link))
            write_durably(self._mark, mark, 0o600)
        covered = set(self._folder.glob("????-??.jsonl")).difference(self._files())
        for path in covered:  # also what a kill left of the last time
            path.unlink()
        if covered:
            sync_directory(self._folder)
        return len(gone)

    def _end(self, files: Sequence[Path] | None = None) -> tuple[Head, str]:
        """The last link, and the time of its entry; of an empty log the beginning."""
        for path in reversed(self._files() if files is None else files):
            for number, raw in reversed([*enumerate(whole_lines(path), 1)]):
                said = parsed(path, number, raw)
                if "entry" in said:
                    entry = said["entry"]
                    return Head(entry["at"][:10], entry["seq"], said["link"]), entry["at"]
        return Head("", 0, BEGIN), ""

    def _mend(self) -> None:
        """Take away the beginning of a line that a kill cut off: what it would have told of was not read."""
        for path in self._files()[-1:]:
            content = path.read_bytes()
            if content and not content.endswith(b"\n"):
                os.truncate(path, content.rfind(b"\n") + 1)

    def _files(self) -> list[Path]:
        """The months that are kept."""
        month = self.removed().month
        return sorted(path for path in self._folder.glob("????-??.jsonl") if path.stem > month)

    def _append(self, month: str, lines: bytes) -> None:
        path = self._folder / f"{month}.jsonl"
        fresh = not path.exists()
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            sync_directory(self._folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, of however many commands."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _entry(access: Access, seq: int, last: str) -> dict[str, Any]:
    """An entry; a clock that went back waits at the time of the one before."""
    return {
        "seq": seq,
        "at": max(to_rfc3339(access.at - access.at % MINUTE), last),
        "actor": access.actor,
        "act": access.act,
        "purpose": access.purpose,
        "lane": access.lane,
        "shape": access.shape,
        "rows": class_of(access.rows),
    }
