"""What verbs print: aligned tables without a frame, the same on a terminal and in a file."""

import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gateway.model.identity import is_printed


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows in columns; numbers stand right, `None` is empty, the head is dim on a terminal."""
    raw = list(rows)
    body = [["" if cell is None else plain(str(cell)) for cell in row] for row in raw]
    right = [
        bool(raw)
        and all(isinstance(row[n], (int, float)) or row[n] is None for row in raw)
        and any(row[n] is not None for row in raw)
        for n in range(len(head))
    ]
    widths = [max(map(_width, column)) for column in zip(head, *body, strict=True)]
    print(_dim(_line(head, widths, right)))
    for row in body:
        print(_line(row, widths, right))


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and values, one pair a line, the values under each other."""
    known = [(name, value) for name, value in pairs if value is not None]
    width = max(_width(name) for name, _ in known) + 2
    for name, value in known:
        print(f"  {name}{' ' * (width - _width(name))}{plain(str(value))}")


def plain(text: str) -> str:
    """A text as one line that says what is in it: control characters are named as Python does."""
    return "".join(
        letter if is_printed(letter) else letter.encode("unicode_escape").decode()
        for letter in text
    )


def document(value: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(value, ensure_ascii=False, indent=1))


def warn(sentence: str) -> None:
    """Print a caution beside the result, not into it."""
    print(sentence, file=sys.stderr)


def count(number: int, thing: str, things: str = "") -> str:
    """`1 device`, `2 devices`; `things` where it takes more than an s."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = []
    for cell, width, to_the_right in zip(cells, widths, right, strict=True):
        gap = " " * (width - _width(cell))
        padded.append(gap + cell if to_the_right else cell + gap)
    return "  ".join(padded).rstrip()


def _width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _dim(text: str) -> str:
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        return f"\x1b[2m{text}\x1b[0m"
    return text


def command() -> str:
    """How this person can type our command: by its name, or by its path where it is not found."""
    if shutil.which("sekisho"):
        return "sekisho"
    beside = Path(sys.executable).with_name("sekisho")
    try:
        return str(beside.relative_to(Path.cwd()))
    except ValueError:
        return str(beside)
