"""The keys the mask is handed: one per personal file, one per service day."""

from datetime import date
from typing import Protocol


class KeysUnavailable(Exception):
    """A key can be neither read nor made just now: as with a full disk, wait and ask again.

    Attributes:
        why: the name of the operating system's error, or a few words; no path, no period.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class KeySource(Protocol):
    """Random keys that live outside the state directory."""

    def file_key(self, period: str) -> bytes:
        """The 32-byte key of one personal file, for example of "store-2026-W20"; made at first use.

        Raises:
            KeysUnavailable: it can be neither read nor made just now.
        """
        ...

    def day_key(self, day: date) -> bytes | None:
        """The 32-byte key of one service day; None once that day is over and its key destroyed.

        Raises:
            KeysUnavailable: it can be neither read nor made just now.
        """
        ...

    def epoch_key(self, epoch: str) -> bytes:
        """The 32-byte key of one epoch, for example of "school-2026": noise is drawn under it.

        Raises:
            KeysUnavailable: it can be neither read nor made just now.
        """
        ...


class SealingKeys(KeySource, Protocol):
    """The keys of rows that are sealed."""

    def household_key(self, household: str) -> bytes | None:
        """The 32-byte key of one household; None where it has none, or none any more.

        Raises:
            KeysUnavailable: nobody can tell just now.
        """
        ...
