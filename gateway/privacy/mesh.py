"""The public mesh of JIS X 0410: cells between fixed parallels and meridians, and their codes.

A cell is one whole number, row and column counted from (0° N, 100° E), where the code begins; every level has its
own numbers. Cells are half open, [south, north) x [west, east), and exact: a product is rounded, and where the
rounding might have lifted it over a line, it is compared without rounding. Degrees are those of the data; JGD2011
and WGS 84 differ by less than a metre.
"""

from fractions import Fraction
from math import nextafter
from typing import NamedTuple

NOWHERE = -1
"""Instead of a cell: not finite, or outside the mesh."""

_ROWS_OF_80KM = 100  # two digits, 40 minutes each
_HIGHEST = _ROWS_OF_80KM / 1.5
_FIRST_MERIDIAN, _LAST_MERIDIAN = 100, 180
_COLUMN_BITS = 16
_COLUMNS = (1 << _COLUMN_BITS) - 1


class Bounds(NamedTuple):
    """A cell in degrees: a place is in it if south <= lat < north and west <= lon < east."""

    south: float
    west: float
    north: float
    east: float


class Mesh:
    """One level of the mesh.

    Attributes:
        name: the width in words, as in settings: `80km`, `10km`, `1km`, `500m`, `250m`, `125m`.
        digits: of a code of this level.
    """

    __slots__ = ("_columns", "_divisions", "_rows", "digits", "name")

    def __init__(self, name: str, divisions: tuple[int, ...]) -> None:
        """Lay the level whose cells are those of 80 km divided by each of `divisions` in turn."""
        self.name = name
        self._divisions = divisions
        self.digits = 4 + sum(1 if by == 2 else 2 for by in divisions)
        self._rows, self._columns = 1.5, 1.0
        for by in divisions:
            self._rows *= by
            self._columns *= by

    def __repr__(self) -> str:
        return f"<mesh {self.name}>"

    @property
    def per_degree(self) -> tuple[float, float]:
        """Rows in a degree of latitude, columns in one of longitude."""
        return self._rows, self._columns

    def cell(self, lat: float, lon: float) -> int:
        """The cell of a place in degrees; `NOWHERE` if it has none."""
        if not (0.0 <= lat < _HIGHEST and _FIRST_MERIDIAN <= lon < _LAST_MERIDIAN):
            return NOWHERE
        up = lat * self._rows
        row = int(up)
        if up == row and Fraction(lat) * Fraction(self._rows) < row:
            row -= 1
        along = lon * self._columns
        column = int(along)
        if along == column and Fraction(lon) * Fraction(self._columns) < column:
            column -= 1
        return row << _COLUMN_BITS | column - _FIRST_MERIDIAN * int(self._columns)

    def bounds(self, cell: int) -> Bounds:
        """Where a cell lies: the smallest floats that are in it, and the smallest that are beyond."""
        row, column = cell >> _COLUMN_BITS, cell & _COLUMNS
        column += _FIRST_MERIDIAN * int(self._columns)
        return Bounds(
            _at_least(row, self._rows),
            _at_least(column, self._columns),
            _at_least(row + 1, self._rows),
            _at_least(column + 1, self._columns),
        )

    def code(self, cell: int) -> str:
        """The code of a cell, as JIS X 0410 writes it."""
        row, column = cell >> _COLUMN_BITS, cell & _COLUMNS
        tail = ""
        for by in reversed(self._divisions):
            row, up = divmod(row, by)
            column, along = divmod(column, by)
            tail = (f"{up * 2 + along + 1}" if by == 2 else f"{up}{along}") + tail
        return f"{row:02}{column:02}{tail}"

    def of_code(self, code: str) -> int:
        """The cell of a code.

        Raises:
            ValueError: not a code of this level; the text is a sentence.
        """
        wrong = ValueError(f"not a mesh code of {self.name}: {self.digits} digits are needed.")
        if not (len(code) == self.digits and code.isascii() and code.isdigit()):
            raise wrong
        row, column, at = int(code[:2]), int(code[2:4]), 4
        if column >= _LAST_MERIDIAN - _FIRST_MERIDIAN:
            raise wrong
        for by in self._divisions:
            if by == 2:
                up, along = divmod(int(code[at]) - 1, 2)
                at += 1
            else:
                up, along = int(code[at]), int(code[at + 1])
                at += 2
            if not (0 <= up < by and 0 <= along < by):
                raise wrong
            row, column = row * by + up, column * by + along
        return row << _COLUMN_BITS | column

    def parent(self, cell: int, of: "Mesh") -> int:
        """The cell of the coarser level `of` that holds this one."""
        row, column = cell >> _COLUMN_BITS, cell & _COLUMNS
        rows = round(self.per_degree[0] / of.per_degree[0])
        return row // rows << _COLUMN_BITS | column // rows

    def parts(self, cell: int, of: "Mesh") -> list[int]:
        """The cells of the finer level `of` that this one is made of."""
        row, column = cell >> _COLUMN_BITS, cell & _COLUMNS
        by = round(of.per_degree[0] / self.per_degree[0])
        return [
            up << _COLUMN_BITS | along
            for up in range(row * by, row * by + by)
            for along in range(column * by, column * by + by)
        ]

    def neighbours(self, cell: int) -> tuple[int, ...]:
        """The cells that share an edge with this one; at the rim of the mesh fewer than four."""
        row, column = cell >> _COLUMN_BITS, cell & _COLUMNS
        beside = ((row - 1, column), (row, column - 1), (row, column + 1), (row + 1, column))
        return tuple(up << _COLUMN_BITS | along for up, along in beside if self._holds(up, along))

    def around(self, cell: int, rows: int, columns: int) -> list[int]:
        """The block of cells up to `rows` and `columns` off, this one included."""
        row, column = cell >> _COLUMN_BITS, cell & _COLUMNS
        return [
            up << _COLUMN_BITS | along
            for up in range(row - rows, row + rows + 1)
            for along in range(column - columns, column + columns + 1)
            if self._holds(up, along)
        ]

    def _holds(self, row: int, column: int) -> bool:
        return (
            0 <= row < _ROWS_OF_80KM / 1.5 * self._rows
            and 0 <= column < (_LAST_MERIDIAN - _FIRST_MERIDIAN) * self._columns
        )


def _at_least(line: int, per_degree: float) -> float:
    """The smallest float that is not before a mesh line."""
    degrees = line / per_degree
    if Fraction(degrees) * Fraction(per_degree) < line:
        return nextafter(degrees, 360.0)
    return degrees


MESHES = {
    mesh.name: mesh
    for mesh in (
        Mesh("80km", ()),
        Mesh("10km", (8,)),
        Mesh("1km", (8, 10)),
        Mesh("500m", (8, 10, 2)),
        Mesh("250m", (8, 10, 2, 2)),
        Mesh("125m", (8, 10, 2, 2, 2)),
    )
}
"""Every level by its name."""
