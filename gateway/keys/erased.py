"""Which keys of households and personal files were destroyed for good: by their ids, which tell nothing of the keys."""

from pathlib import Path

from gateway.privacy.sealing import RowKey
from gateway.statedir import sync_directory


class ErasedKeys:
    """Those of the ring in `ring`."""

    def __init__(self, ring: Path) -> None:
        self._folder = ring / "erased"

    def add(self, key: bytes) -> None:
        """Remember, on disk when this returns, that a key must not come back.

        Raises:
            OSError: the place takes no note.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._path(key).touch(mode=0o600)
        sync_directory(self._folder)
        sync_directory(self._folder.parent)

    def holds(self, key: bytes) -> bool:
        """Whether this key was erased."""
        return self._path(key).exists()

    def _path(self, key: bytes) -> Path:
        return self._folder / RowKey(key).id.hex()
