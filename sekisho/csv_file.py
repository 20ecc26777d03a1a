"""A CSV table with a line of names, as people write one: what does not fit is named by file and line, and no value."""

import csv
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TypeAlias

from gateway.model.errors import Refusal
from gateway.registry.words import nearest
from sekisho import screen

Line: TypeAlias = tuple[int, dict[str, str]]
"""The number of a line, and its cells by column."""


def read_table(
    path: Path, needed: Collection[str], perhaps: Collection[str], *, unused: bool
) -> Iterator[Line]:
    """The lines of a table.

    Args:
        perhaps: columns that may be there.
        unused: whether to say which columns nobody reads.

    Raises:
        Refusal: it cannot be read; a column is missing, there twice, or another was meant; a line has more or fewer cells
            than the first.
    """
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal(f"{path} is not a text in UTF-8.", exit_code=2) from None
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}.", exit_code=2) from None
    reader = csv.reader(text.splitlines())
    head = [name.strip() for name in next(reader, [])]
    if not set(needed) <= set(head):
        also = f", and perhaps {', '.join(sorted(perhaps))}" if perhaps else ""
        raise _refusal(path, 1, f"columns named {', '.join(sorted(needed))} are needed{also}.")
    _look_at_others(path, head, {*needed, *perhaps}, said=unused)
    for cells in reader:
        if not cells:
            continue
        if len(cells) != len(head):
            raise _refusal(path, reader.line_num, f"{len(head)} cells are needed, as in the first line; {len(cells)} are there.")  # fmt: skip
        yield reader.line_num, dict(zip(head, cells, strict=True))


def _look_at_others(path: Path, head: list[str], known: set[str], *, said: bool) -> None:
    """Refuse a column that is there twice, or that is a slip of the pen; say which are not used."""
    others = []
    for name in head:
        if head.count(name) > 1 and name in known:
            raise _refusal(path, 1, f"the column {name} is there twice.")
        if name in known:
            continue
        meant = nearest(name, sorted(known - set(head)))
        if meant:
            raise _refusal(path, 1, f"the column {name} is not known.{meant}")
        others.append(name)
    if others and said:
        screen.warn(f"{path}:1 not used: {', '.join(others)}.")


def _refusal(path: Path, line: int, sentence: str) -> Refusal:
    return Refusal(f"{path}:{line} {sentence}", exit_code=2)
