"""What the registry knows of one household: a part of it, opened and closed with it."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

from gateway.model.device import Household
from gateway.model.instant import Instant
from gateway.registry import credential_rows, device_rows, household_rows, radio_rows
from gateway.registry.device_rows import DeviceRow
from gateway.registry.household_rows import Consent, Seal


class Held(NamedTuple):
    """Everything that is known of a household.

    Attributes:
        home: None where none is known, or its key is gone.
        devices: those that belong to it now.
        consents: every one that was recorded, withdrawn ones too.
    """

    home: Household | None
    devices: list[DeviceRow]
    consents: list[Consent]


class Traces(NamedTuple):
    """What of a household is left in a registry: sealed homes and consents, devices that name it."""

    homes: int
    consents: int
    devices: int


class FamilyBook:
    """Households, one at a time.

    Args:
        change: one transaction of the whole registry.
        keys: under which homes and consents are sealed.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        change: Callable[[], AbstractContextManager[None]],
        keys: Seal,
    ) -> None:
        self._db = connection
        self._change = change
        self._keys = keys

    def held(self, household: str) -> Held:
        """What is known of a household.

        Raises:
            Refusal: the keys of households cannot be read just now.
        """
        return Held(
            household_rows.home(self._db, self._keys, household),
            [row for row in device_rows.rows(self._db) if row.household == household],
            household_rows.consents_of(self._db, self._keys, household),
        )

    def traces(self, household: str) -> Traces:
        """What is left of a household, readable or not."""
        return traces(self._db, household)

    def erase(self, household: str, at: Instant) -> None:
        """Forget home and consents; its devices belong to nobody, have no name and no radio keys, and may not speak.

        A credential that speaks for them alone lets nobody in any more; one that speaks for others too speaks for
        those only. Deleted bytes are overwritten; `settle` empties the journal of them.
        """
        with self._change():
            devices = {row.device for row in self.held(household).devices}
            for name, spoken_for in credential_rows.rows(self._db).items():
                if spoken_for and spoken_for <= devices:
                    credential_rows.revoke(self._db, name, at)
            for device in sorted(devices):
                credential_rows.unlink(self._db, device)
                radio_rows.drop(self._db, device)
            device_rows.leave(self._db, household, at)
            household_rows.erase(self._db, household)

    def settle(self) -> bool:
        """Empty the journal, so that nothing deleted stays in it; False where somebody is reading just now."""
        busy, _frames, _done = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy


def traces(db: sqlite3.Connection, household: str) -> Traces:
    """What of a household is in a registry, also in a copy of one."""
    return Traces(
        *(
            db.execute(f"SELECT count(*) FROM {table} WHERE household = ?", (household,)).fetchone()[0]  # noqa: S608
            for table in Traces._fields
        )
    )
