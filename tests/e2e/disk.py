"""A small disk of a test's own: a tmpfs of so many bytes, gone at the end."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Disk:
    """One mounted tmpfs that can be filled, emptied, and closed for writing.

    Attributes:
        path: where it is mounted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Leave not one byte."""
        with self._ballast.open("ab", buffering=0) as file:
            for chunk in (1 << 16, 1 << 12, 1):
                try:
                    while file.write(bytes(chunk)) == chunk:
                        pass
                except OSError:
                    continue

    def empty(self) -> None:
        """Take the ballast away again."""
        self._ballast.unlink()

    def read_only(self, closed: bool) -> None:
        """Mount it anew, for reading alone or for writing again."""
        mode = "ro" if closed else "rw"
        subprocess.run(["mount", "-o", f"remount,{mode}", str(self.path)], check=True)


@contextmanager
def small_disk(path: Path, size: str = "8m") -> Iterator[Disk]:
    """Mount one at `path`; whatever still uses it at the end loses it."""
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], check=True)
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)
