"""Consents: who opted in for a device, to which purpose and by which words. Callers hold the transaction."""

import json
import sqlite3
from collections import defaultdict
from typing import NamedTuple

from gateway.model.errors import Refusal
from gateway.model.instant import Instant
from gateway.registry import device_rows
from gateway.registry.seal import Seal


class Consent(NamedTuple):
    """One opt-in.

    Attributes:
        withdrawn_at: None while it stands.
        granted_by, text: who agreed, and to which words; None where the household's key is gone.
    """

    device: str
    purpose: str
    at: Instant
    withdrawn_at: Instant | None
    granted_by: str | None
    text: str | None


def record_consent(
    db: sqlite3.Connection,
    keys: Seal,
    device: str,
    purpose: str,
    *,
    granted_by: str,
    text: str,
    at: Instant,
) -> None:
    """Record a guardian's opt-in for one device and purpose."""
    household = _household_of(db, device)
    plain = json.dumps({"granted_by": granted_by, "text": text}, ensure_ascii=False).encode()
    db.execute(
        "INSERT INTO consents (device, household, purpose, at, sealed) VALUES (?,?,?,?,?)",
        (device, household, purpose, at, keys.seal(household, plain, _bound(device, purpose))),
    )


def withdraw_consent(db: sqlite3.Connection, device: str, purpose: str, at: Instant) -> int:
    """Withdraw every consent for the device and purpose; returns how many stood."""
    device_rows.require(db, device)
    changed = db.execute(
        "UPDATE consents SET withdrawn_at = ?"
        " WHERE device = ? AND purpose = ? AND withdrawn_at IS NULL",
        (at, device, purpose),
    )
    return changed.rowcount


def consents_of(db: sqlite3.Connection, keys: Seal, household: str) -> list[Consent]:
    """Everything that was ever agreed to for a household, oldest first."""
    found = []
    for device, purpose, at, withdrawn_at, sealed in db.execute(
        "SELECT device, purpose, at, withdrawn_at, sealed FROM consents WHERE household = ? ORDER BY consent",
        (household,),
    ):
        plain = keys.open_sealed(household, sealed, _bound(device, purpose))
        said = {} if plain is None else json.loads(plain)
        found.append(
            Consent(device, purpose, at, withdrawn_at, said.get("granted_by"), said.get("text"))
        )
    return found


def consents(db: sqlite3.Connection, keys: Seal) -> dict[str, frozenset[str]]:
    """Device → the purposes for which a consent of the household it belongs to now stands.

    Only what the household's key can open counts; a device without any has no entry.
    """
    found = defaultdict[str, set[str]](set)
    standing = db.execute(
        "SELECT device, household, purpose, sealed FROM consents JOIN devices USING (device, household)"
        " WHERE withdrawn_at IS NULL"
    )
    for device, household, purpose, sealed in standing:
        if purpose in found[device]:
            continue
        if keys.open_sealed(household, sealed, _bound(device, purpose)) is not None:
            found[device].add(purpose)
    return {device: frozenset(purposes) for device, purposes in found.items() if purposes}


def erase(db: sqlite3.Connection, household: str) -> None:
    """Forget every consent that was recorded for a household."""
    db.execute("DELETE FROM consents WHERE household = ?", (household,))


def _household_of(db: sqlite3.Connection, device: str) -> str:
    device_rows.require(db, device)
    query = "SELECT household FROM devices WHERE device = ?"
    household = db.execute(query, (device,)).fetchone()[0]
    if household is None:
        raise Refusal(
            f"{device} belongs to no household, so nobody can consent for it. Register its "
            f"household first: sekisho devices set {device} --household NAME."
        )
    return str(household)


def _bound(device: str, purpose: str) -> bytes:
    return f"consent\0{device}\0{purpose}".encode()
