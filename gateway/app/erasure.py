"""One household's erasure: what is to be erased, and the names it bears in files."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from gateway.keys.ring import KeyRing
from gateway.model.instant import Instant, to_datetime
from gateway.privacy.pseudonym import FileNames
from gateway.stores import people


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is to be erased.

    Attributes:
        household: its name.
        key_id: id of its key in hex; None where it never had one.
        devices: those that are or were its own.
        copies: directories that hold copies of this one, to be tried.
        begun_at: when somebody asked for it.
    """

    household: str
    key_id: str | None
    devices: tuple[str, ...]
    copies: tuple[str, ...]
    begun_at: Instant

    @property
    def name(self) -> bytes | None:
        """The key's id as it stands in rows."""
        return None if self.key_id is None else bytes.fromhex(self.key_id)

    def pseudonyms(self, file: Path, ring: KeyRing) -> list[bytes]:
        """Every pseudonym that the devices may bear in plain rows of a file; none where it has none, or no key.

        Raises:
            Refusal: the file cannot be read.
        """
        key = ring.known_file_key(file.stem)
        span = people.minutes(file)
        if key is None or span is None:
            return []
        names = FileNames(file.stem, key)
        return [
            name for device in self.devices for name in borne(names, self.household, device, *span)
        ]


def borne(
    names: FileNames, household: str, device: str, first: Instant, last: Instant
) -> Iterator[bytes]:
    """Every pseudonym that a household's device may bear in plain rows of a file: the file's, and those of its days.

    Args:
        first, last: minutes of plain rows.
    """
    yield names.child(household, device)
    for day in _days(first, last):
        yield names.child(household, f"{device} {day}")


def _days(first: Instant, last: Instant) -> Iterator[str]:
    """The days from the one before `first` to the one behind `last`: in whatever time zone."""
    day = to_datetime(first).date() - timedelta(days=1)
    while day <= to_datetime(last).date() + timedelta(days=1):
        yield day.isoformat()
        day += timedelta(days=1)
