"""The key ring as the mask is handed it: no second key for a file that was begun under another."""

from datetime import date
from pathlib import Path

from gateway.keys.ring import KeyRing
from gateway.privacy.keysource import KeysUnavailable


class GuardedKeys:
    """Satisfies `gateway.privacy.keysource.SealingKeys`.

    Args:
        ring: the keys.
        personal: where the personal files lie.
    """

    def __init__(self, ring: KeyRing, personal: Path) -> None:
        self._ring = ring
        self._personal = personal

    def file_key(self, period: str) -> bytes:
        """The key of a personal file, made only where the file does not exist either.

        Under a second key the same uplink would be stored twice, and each child get a second pseudonym.

        Raises:
            KeysUnavailable: the file is there and its key is not, or nobody can tell just now.
        """
        if not self._ring.has_file_key(period) and (self._personal / f"{period}.db").exists():
            raise KeysUnavailable("the key of a file that was begun is missing")
        return self._ring.file_key(period)

    def day_key(self, day: date) -> bytes | None:
        """The key of a service day; None once that day is over.

        Raises:
            KeysUnavailable: it can be neither read nor made just now.
        """
        return self._ring.day_key(day)

    def epoch_key(self, epoch: str) -> bytes:
        """The key of the noise of one epoch."""
        return self._ring.epoch_key(epoch)

    def household_key(self, household: str) -> bytes | None:
        """The key of one household; None where it has none, or none any more.

        Raises:
            KeysUnavailable: nobody can tell just now.
        """
        return self._ring.households.key(household)
