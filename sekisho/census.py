"""The text of Japan's census mesh statistics, as e-Stat hands it out: households of each mesh cell.

CP932, comma separated. The first line names columns by number (`KEY_CODE,HTKSYORI,HTKSAKI,GASSAN,T001142001,…`),
the second in Japanese; households are the column `世帯総数`. A cell with few people has HTKSYORI 2 and its details,
marked `*`, are counted in the cell of HTKSAKI, whose HTKSYORI is 1 and whose GASSAN lists where they came from. Totals
are not hidden in this way today; where they are, both cells are known together only.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from gateway.model.errors import Refusal
from gateway.privacy.mesh import MESHES, Mesh

HOUSEHOLDS = "世帯総数"
_HIDDEN, _NONE = "*", ("", "-")
_NEEDED = ("KEY_CODE", "HTKSYORI", "HTKSAKI", "GASSAN")


class Cells(NamedTuple):
    """Households of the cells of one level, and which cells are known together only.

    Attributes:
        codes: of the cells that have a line.
        counted_in: code of a cell that hidden households are counted in → file and line that say so.
    """

    dwellings: dict[int, int]
    tied: list[tuple[int, int]]
    codes: set[str]
    counted_in: dict[str, str]


def read_census(path: Path, mesh: Mesh) -> Cells:
    """One file, brought to the level `mesh`; cells of a finer file are added up.

    Raises:
        Refusal: not such a file, or a coarser one; with the line.
    """
    lines = _lines(path)
    if len(lines) < 2 or lines[0][:1] != ["KEY_CODE"]:
        raise _refusal(path, 1, "the first line does not begin with KEY_CODE: is this e-Stat's text of mesh statistics?")  # fmt: skip
    head = [name.strip() for name in lines[0]]
    missing = [name for name in _NEEDED if name not in head]
    if missing:
        raise _refusal(path, 1, f"the column {missing[0]} is missing.")
    names = [name.strip() for name in lines[1]]
    if HOUSEHOLDS not in names:
        raise _refusal(path, 2, f"no column is named {HOUSEHOLDS}: take the table of population and households.")  # fmt: skip
    column = names.index(HOUSEHOLDS)
    found = Cells({}, [], set(), {})
    for number, line in enumerate(lines[2:], 3):
        if not line:
            continue
        if len(line) != len(head):
            raise _refusal(path, number, f"{len(head)} columns are needed, {len(line)} are there.")
        row = dict(zip(head, line, strict=True))
        code = row["KEY_CODE"].strip()
        if code in found.codes:
            raise _refusal(path, number, f"the cell {code} is there twice.")
        found.codes.add(code)
        try:
            into = _take(found, mesh, row, line[column].strip())
        except ValueError as error:
            raise _refusal(path, number, str(error)) from None
        if into:
            found.counted_in.setdefault(into, f"{path}:{number}")
    return found


def _take(found: Cells, mesh: Mesh, row: Mapping[str, str], households: str) -> str:
    """Enter one line; the code of the cell that its hidden households are counted in, if they are."""
    cell = _cell(mesh, row["KEY_CODE"])
    if households == _HIDDEN:
        if row["HTKSYORI"].strip() != "2" or not row["HTKSAKI"].strip():
            raise ValueError("the households are hidden, and HTKSAKI does not say where they are counted.")  # fmt: skip
        into = _cell(mesh, row["HTKSAKI"])
        if into != cell:
            found.tied.append((cell, into))
        return row["HTKSAKI"].strip()
    if households in _NONE:
        return ""
    if not (households.isascii() and households.isdigit()):
        raise ValueError(f"{HOUSEHOLDS} is not a number.")
    found.dwellings[cell] = found.dwellings.get(cell, 0) + int(households)
    return ""


def _cell(mesh: Mesh, code: str) -> int:
    code = code.strip()
    own = next((one for one in MESHES.values() if one.digits == len(code)), None)
    if own is None:
        raise ValueError(f"{code} is not a mesh code.")
    if own.digits < mesh.digits:
        raise ValueError(f"cells of {own.name} cannot be told apart by {mesh.name}: take a finer table, or --level {own.name}.")  # fmt: skip
    return own.parent(own.of_code(code), mesh)


def _lines(path: Path) -> list[list[str]]:
    try:
        text = path.read_text("cp932")
    except UnicodeDecodeError:
        raise _refusal(path, 1, "not a text in CP932, as e-Stat writes it.") from None
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}.", exit_code=2) from None
    return list(csv.reader(text.splitlines()))


def _refusal(path: Path, line: int, sentence: str) -> Refusal:
    return Refusal(f"{path}:{line} {sentence}", exit_code=2)
