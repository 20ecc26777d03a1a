"""A household in all the tables that name one. Callers hold the transaction."""

import sqlite3

from gateway.model.instant import Instant
from gateway.registry import (
    consent_rows,
    credential_rows,
    device_rows,
    guardian_rows,
    home_rows,
    radio_rows,
)


def households(db: sqlite3.Connection) -> list[str]:
    """Every household that anything is known of, in order."""
    tables = ("homes", "former_homes", "consents", "guardians", "devices")
    union = " UNION ".join(f"SELECT household FROM {table}" for table in tables)  # noqa: S608
    found = db.execute(f"SELECT household FROM ({union}) WHERE household IS NOT NULL ORDER BY 1")  # noqa: S608
    return [name for (name,) in found]


def erase(db: sqlite3.Connection, household: str, at: Instant) -> None:
    """Forget a household: its homes, consents and guardians' devices, its devices' names and radio keys, and who spoke for them.

    A credential that speaks for them alone lets nobody in any more; one that speaks for others too speaks for those only.
    """
    devices = {row.device for row in device_rows.rows(db) if row.household == household}
    for name, spoken_for in credential_rows.rows(db).items():
        if spoken_for and spoken_for <= devices:
            credential_rows.revoke(db, name, at)
    for device in sorted(devices):
        credential_rows.unlink(db, device)
        radio_rows.drop(db, device)
    device_rows.leave(db, household, at)
    home_rows.erase(db, household)
    consent_rows.erase(db, household)
    guardian_rows.erase(db, household)
