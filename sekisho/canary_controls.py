"""Positive controls: each canary in each form, made without the scanner's code, must be found, or a scan says nothing.

What is written here is written by other means than what is searched for: by struct, msgspec, sqlite3 and plain
formatting. Projections and grids have no second maker in the product: the scanner's own formulas make them
here, and tests hold those to other people's programs.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from gateway.canary.canaries import Canaries, Hit
from gateway.canary.search import Search
from gateway.canary.window import Circle
from sekisho.canary_forms import Control, forms
from sekisho.canary_tree import scan
from sekisho.canary_window import window_forms
from sekisho.canary_wraps import wraps

_APART = b"\xff" * 80


class Blind(NamedTuple):
    """A canary that was not found in a form."""

    canary: str
    form: str


class Checked(NamedTuple):
    """How many controls there were, and which of them were not found."""

    controls: int
    blind: list[Blind]


def check(canaries: Canaries, search: Search, circles: tuple[Circle, ...] = ()) -> Checked:
    """Write every control into files in a private folder, in memory where there is such a place, and look for them."""
    memory = Path("/dev/shm")  # noqa: S108 a private folder is made in it
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        root = Path(folder)
        written = [
            _Sheet(root / f"{number}.control", canary, controls)
            for number, (canary, controls) in enumerate(
                [
                    *forms(canaries),
                    *((circle.canary, [*window_forms(circle)]) for circle in circles),
                ]
            )
        ]
        for sheet in written:
            sheet.write()
        packed = wraps(canaries)
        for number, control in enumerate(packed):
            (root / f"{number}.packed").write_bytes(control.data)
        hits = scan(root, search, every=True).hits
    blind = [lost for sheet in written for lost in sheet.unfound(hits)]
    for number, control in enumerate(packed):
        name = f"{number}.packed"
        if not any(hit.where.startswith(name) and hit.canary != "unknown" for hit in hits):
            blind.append(Blind("every canary", control.name))
    return Checked(sum(len(sheet.controls) for sheet in written) + len(packed), blind)


class _Sheet:
    """All controls of one canary in one file, each with its place in it."""

    def __init__(self, path: Path, canary: str, controls: list[Control]) -> None:
        self._path, self._canary, self.controls = path, canary, controls

    def write(self) -> None:
        """Write them side by side, far enough from each other."""
        self._path.write_bytes(b"".join(_APART + control.data for control in self.controls))

    def unfound(self, hits: list[Hit]) -> Iterator[Blind]:
        """What no hit tells of, in its place and by its name."""
        mine = [hit for hit in hits if hit.where == self._path.name and hit.canary == self._canary]
        at = 0
        for control in self.controls:
            start = at + len(_APART)
            at = start + len(control.data)
            if not any(
                start <= hit.offset < at and hit.coat.startswith(control.coat) for hit in mine
            ):
                yield Blind(self._canary, control.name)
