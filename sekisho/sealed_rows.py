"""Opens sealed rows for whoever may read them: in memory, a page at a time; no plain copy touches a disk."""

import sqlite3
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.privacy.sealing import Damaged, FileSeal, RowKey, Sealed
from gateway.settings.settings import Settings
from gateway.statedir import StateDir
from sekisho import place


class SealedRows:
    """The rows of one directory, through its keys.

    Rows of a household that was erased are not there any more: nobody can tell them from noise.

    Attributes:
        ring: the keys.
    """

    def __init__(self, ring: KeyRing) -> None:
        self.ring = ring
        self._nobodys = True  # whether rows that belong to no household are opened, too

    @classmethod
    def of(cls, directory: StateDir, settings: Settings | None, keys: Path | None) -> "SealedRows":
        """Those of a directory.

        Raises:
            Refusal: its keys are not there.
        """
        return cls(place.ring_of(directory, keys, settings))

    @classmethod
    def of_household(cls, ring: KeyRing, household: str) -> "SealedRows":
        """The rows of one household alone; none where its key is gone."""
        made = cls(ring)
        key = ring.households.key(household)
        held = [] if key is None else [RowKey(key)]
        made._keys = {one.id: one for one in held}
        made._nobodys = False
        return made

    @cached_property
    def _keys(self) -> dict[bytes, RowKey]:
        found = [RowKey(key) for _household, key in self.ring.households.all()]
        return {key.id: key for key in found}

    def seal(self, file: Path, db: sqlite3.Connection) -> FileSeal:
        """What seals the rows of a file.

        Raises:
            Refusal: its key is gone.
        """
        key = self.ring.known_file_key(file.stem)
        said = db.execute("SELECT ruleset FROM rules").fetchone()
        if key is None:
            raise Refusal(
                f"The key of {file.name} is not in {self.ring.path / 'files'}: without it nobody can read "
                "its rows. Bring the key back from your copy of the keys."
            )
        return FileSeal(file.stem, said[0] if said else "", key)

    def opened(
        self, file: Path, seal: FileSeal, page: Iterable[Sealed]
    ) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Kind and row of each sealed row that can be opened.

        Raises:
            Refusal: one was not sealed like this.
        """
        try:
            for sealed in page:
                if not self._nobodys and seal.name(sealed) not in self._keys:
                    continue
                found = seal.open(sealed, self._keys)
                if found is not None:
                    yield found
        except Damaged:
            raise Refusal(
                f"A row of {file} is not as it was sealed: somebody or something changed it, or its rule "
                "set's name, or put it there from another file. Bring the file back from a backup."
            ) from None
