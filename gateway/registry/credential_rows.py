"""The tables of credentials and of the devices they speak for. Callers hold the transaction."""

import sqlite3
from collections.abc import Iterable

from gateway.model.device import Credential
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.model.instant import Instant
from gateway.registry import device_rows, rules, tokens
from gateway.registry.words import nearest

_REVOKED = b""
"""In the place of a sealed hash: no token and no certificate opens anything for this credential."""


def put(
    db: sqlite3.Connection,
    name: str,
    devices: Iterable[str],
    *,
    sealed: bytes | None,
    origin: str,
    source: str,
    at: Instant,
) -> None:
    """Add a credential, or change it; `sealed` None keeps the token it has (a new one has none).

    It speaks for exactly `devices` afterwards.
    """
    rules.require_name(name, "credential")
    db.execute(
        "INSERT INTO credentials (name, digest, origin, source, changed_at) VALUES (?,?,?,?,?)"
        " ON CONFLICT (name) DO UPDATE SET digest = coalesce(excluded.digest, digest), origin ="
        " CASE WHEN excluded.digest IS NULL THEN origin ELSE excluded.origin END, source = excluded.source, changed_at = excluded.changed_at",
        (name, sealed, origin, source, at),
    )
    wanted = set(devices)
    for device in rows(db)[name] - wanted:
        unlink(db, device, name)
    for device in wanted:
        _link(db, name, device)


def allow(db: sqlite3.Connection, name: str, device: str, at: Instant) -> None:
    """Let a credential speak for one more device; a command says so, and no import undoes it."""
    require(db, name)
    _link(db, name, device)
    db.execute(
        "UPDATE credentials SET source = 'command', changed_at = ? WHERE name = ?", (at, name)
    )


def renew(db: sqlite3.Connection, name: str, sealed: bytes, at: Instant) -> None:
    """Give a credential another token; for whom it speaks, and who said so, stays."""
    require(db, name)
    db.execute(
        "UPDATE credentials SET digest = ?, changed_at = ? WHERE name = ?", (sealed, at, name)
    )


def revoke(db: sqlite3.Connection, name: str, at: Instant) -> None:
    """Let nobody in as this credential any more, until it is given a new token; no import undoes it."""
    require(db, name)
    db.execute(
        "UPDATE credentials SET digest = ?, source = 'command', changed_at = ? WHERE name = ?",
        (_REVOKED, at, name),
    )


def require(db: sqlite3.Connection, name: str) -> None:
    """Refuse a credential that does not exist, with the nearest one that does."""
    if not db.execute("SELECT 1 FROM credentials WHERE name = ?", (name,)).fetchone():
        hint = nearest(name, list(rows(db)), unless=" sekisho devices show DEVICE names its own.")
        raise Refusal(f'No credential named "{name}" exists.{hint}')


def drop(db: sqlite3.Connection, name: str) -> None:
    """Forget a credential; its token opens nothing any more."""
    db.execute("DELETE FROM credential_devices WHERE credential = ?", (name,))
    db.execute("DELETE FROM credentials WHERE name = ?", (name,))


def unlink(db: sqlite3.Connection, device: str, name: str | None = None) -> None:
    """Let a credential, or nobody at all, speak for a device."""
    db.execute(
        "DELETE FROM credential_devices WHERE device = ?1 AND (?2 IS NULL OR credential = ?2)",
        (device, name),
    )


def rows(db: sqlite3.Connection) -> dict[str, frozenset[str]]:
    """Credential name → the devices it speaks for, in name order."""
    found: dict[str, set[str]] = {
        row[0]: set() for row in db.execute("SELECT name FROM credentials ORDER BY name")
    }
    for name, device in db.execute("SELECT credential, device FROM credential_devices"):
        found[name].add(device)
    return {name: frozenset(devices) for name, devices in found.items()}


def sources(db: sqlite3.Connection) -> dict[str, str]:
    """Credential name → "command" or "file"."""
    return dict(db.execute("SELECT name, source FROM credentials").fetchall())


def tokenless(db: sqlite3.Connection) -> set[str]:
    """Credentials that were never given a token."""
    return {row[0] for row in db.execute("SELECT name FROM credentials WHERE digest IS NULL")}


def in_force(db: sqlite3.Connection, registry_key: bytes) -> dict[str, Credential]:
    """Every credential that may connect, as the hot path needs it; a revoked one is none."""
    speaks_for = rows(db)
    found = {}
    for name, sealed, origin in db.execute("SELECT name, digest, origin FROM credentials"):
        digest = b"" if sealed is None else tokens.unseal(registry_key, name, sealed)
        if digest is not None:
            devices = frozenset(DeviceId(device) for device in speaks_for[name])
            found[name] = Credential(name, digest, devices, origin)
    return found


def _link(db: sqlite3.Connection, name: str, device: str) -> None:
    device_rows.require(db, device)
    db.execute("INSERT OR IGNORE INTO credential_devices VALUES (?,?)", (name, device))
