"""The keys of counting periods: made at first use, destroyed when the period closes, for good.

Beside each lies the number of the checkpoint that was written last under it, `<name>.number`: a state directory that came
back from a backup has an older one, and what lies between is lost.

Whether a period has closed, the release ledger says, and not this folder: it must be asked before a key is.
"""

from contextlib import suppress
from pathlib import Path

from gateway.keys import keyfile
from gateway.keys.reach import reachable
from gateway.statedir import write_durably


class PeriodKeys:
    """Those of one ring, in `folder`, by the names of counters and periods: `ridership-2026-05-12`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def key(self, name: str) -> bytes:
        """The 32-byte key of a period, made at first use.

        Raises:
            KeysUnavailable: it can be neither read nor made just now.
        """
        with reachable():
            self._folder.mkdir(mode=0o700, exist_ok=True)
            return keyfile.find_or_make(self._path(name))

    def there(self, name: str) -> bytes | None:
        """The key of a period if it was made already.

        Raises:
            KeysUnavailable: nobody can tell just now.
        """
        with reachable():
            return keyfile.read(self._path(name))

    def names(self) -> list[str]:
        """Those that there are.

        Raises:
            OSError: the folder cannot be read.
        """
        return sorted(path.stem for path in self._folder.glob("*.key") if path.name[0] != ".")

    def write_number(self, name: str, number: int) -> None:
        """Remember the number of a checkpoint.

        Raises:
            OSError: it cannot be written.
        """
        write_durably(self._number_file(name), f"{number}\n".encode(), 0o600)

    def number(self, name: str) -> int:
        """The number of the last checkpoint; 0 where none is known."""
        with suppress(OSError, ValueError):
            return int(self._number_file(name).read_text())
        return 0

    def destroy(self, name: str) -> None:
        """Destroy a key: what was sealed under it, and who was counted, nobody knows any more.

        Raises:
            OSError: it cannot be reached.
        """
        if self._folder.is_dir():
            keyfile.destroy(self._path(name))
            self._number_file(name).unlink(missing_ok=True)

    def _number_file(self, name: str) -> Path:
        return self._folder / f"{name}.number"

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.key"
