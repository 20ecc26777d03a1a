"""A CSV text as lines of named cells."""

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

from gateway.model.errors import Refusal


class Line(NamedTuple):
    """One line of a table.

    Attributes:
        number: in the file, from 1; the last one where a cell runs over several.
        cells: column → text without spaces around it; None where the line has more or fewer cells
            than the first.
    """

    number: int
    cells: dict[str, str] | None


def columns(text: str) -> list[str]:
    """The names in the first line.

    Raises:
        Refusal: not CSV.
    """
    return next(_raw(text), (1, []))[1]


def lines(text: str) -> Iterator[Line]:
    """Every line after the first that is not empty.

    Raises:
        Refusal: not CSV.
    """
    raw = _raw(text)
    names = next(raw, (1, []))[1]
    for number, cells in raw:
        if cells:
            fits = len(cells) == len(names)
            yield Line(number, dict(zip(names, cells, strict=True)) if fits else None)


def _raw(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        for cells in reader:
            yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error:
        raise Refusal(
            f"line {reader.line_num}: this is not CSV (a quote or a line end stands where none may). "
            "Nothing was imported.",
            exit_code=2,
        ) from None
