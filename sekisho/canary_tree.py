"""A folder under search: every file and every name in it, holes skipped, nothing followed, nothing held back."""

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which
from typing import NamedTuple

from gateway.canary.canaries import Hit
from gateway.canary.search import Search
from gateway.canary.stream import Hits, Stream

_READ = 1 << 20

Progress = Callable[[int, int, int], None]
"""Told bytes read, bytes in all, files read."""


class Scanned(NamedTuple):
    """What a search found, and how much it read."""

    hits: list[Hit]
    files: int
    size: int


def unzstd(data: bytes) -> tuple[bytes, bool]:
    """A zstd layer opened by the command `zstd`, as far as it goes; false where it is missing, or refuses."""
    tool = which("zstd")
    if tool is None:
        return b"", False
    done = subprocess.run([tool, "-dcq"], input=data, capture_output=True, check=False)
    return done.stdout, done.returncode == 0


def scan(
    root: Path, search: Search, progress: Progress | None = None, *, every: bool = False
) -> Scanned:
    """Look through all that lies below a folder, or through one file.

    A name that holds a canary is told by its number among its neighbours. What cannot be read is a hit.
    `every` keeps each find, not the first of each form alone.
    """
    hits = Hits(every=every)
    shown = "." if root.is_dir() else "the file"
    entries = list(_entries(root, shown, search, hits))
    whole = sum(entry.size for entry in entries)
    read = 0
    for number, entry in enumerate(entries, start=1):
        for size in _look(entry, search, hits):
            read += size
            if progress is not None:
                progress(read, whole, number)
    return Scanned(hits.sorted(), len(entries), read)


class _Entry(NamedTuple):
    """A file to read: where it lies, and what a report calls it."""

    path: Path
    shown: str
    size: int


def _entries(path: Path, shown: str, search: Search, hits: Hits) -> Iterator[_Entry]:
    """The files at and below `path`, with names that hold no canary."""
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            _name(str(path.readlink()), f"target of {shown}", search, hits)
        elif stat.S_ISREG(status.st_mode):
            yield _Entry(path, shown, status.st_size)
        elif stat.S_ISDIR(status.st_mode):
            for number, name in enumerate(sorted(inside.name for inside in path.iterdir())):
                place = name if shown == "." else f"{shown}/{name}"
                withheld = f"entry {number}" if shown == "." else f"{shown}/entry {number}"
                if _name(name, f"name of {withheld}", search, hits):
                    place = withheld
                yield from _entries(path / name, place, search, hits)
    except FileNotFoundError:  # a living folder: what is gone is in none of its files
        return
    except OSError:
        hits.add(Hit(shown, "cannot be read", "unknown", 0))


def _name(name: str, where: str, search: Search, hits: Hits) -> bool:
    """Look through a name; whether it holds something."""
    found = False

    def report(hit: Hit) -> None:
        nonlocal found
        found = True
        hits.add(hit)

    stream = Stream(search, report, where)
    stream.feed(os.fsencode(name))
    stream.end()
    return found


def _look(entry: _Entry, search: Search, hits: Hits) -> Iterator[int]:
    """Look through one file; how many bytes it went on, each time."""
    try:
        with open(entry.path, "rb", buffering=0) as file:  # noqa: PTH123 unbuffered, as bytes come
            stream = Stream(search, hits.add, entry.shown)
            at = 0
            while True:
                start = _data_from(file.fileno(), at)
                if start > at:
                    stream.hole(start - at)
                    yield start - at
                data = os.pread(file.fileno(), _READ, start)
                if not data:
                    break
                stream.feed(data)
                yield len(data)
                at = start + len(data)
            stream.end()
    except FileNotFoundError:
        return
    except OSError:
        hits.add(Hit(entry.shown, "cannot be read", "unknown", 0))


def _data_from(file: int, at: int) -> int:
    """Where data go on at or behind `at`; the end of the file, where only a hole is left."""
    try:
        return os.lseek(file, at, os.SEEK_DATA)
    except OSError:  # no data behind, or a file system that knows no holes
        size = os.fstat(file).st_size
        return max(at, size) if _ends_in_a_hole(file, at) else at


def _ends_in_a_hole(file: int, at: int) -> bool:
    try:
        return os.lseek(file, at, os.SEEK_HOLE) == at
    except OSError:
        return False
