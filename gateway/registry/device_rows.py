"""The table of devices. Callers hold the transaction."""

import json
import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from gateway.model.errors import Refusal
from gateway.model.instant import Instant
from gateway.registry import rules
from gateway.registry.words import nearest


class DeviceRow(NamedTuple):
    """A device as a person sees it in lists.

    Attributes:
        source: "command" or "file": which of the two set it last (decisions 11).
        changed_at: when that was.
        Others: see `gateway.model.device.Device`; `revoked_at` is None while it may speak.
    """

    device: str
    kind: str
    owner: str
    household: str | None
    name: str | None
    attributes: dict[str, str | float | bool]
    registered_at: Instant
    revoked_at: Instant | None
    source: str
    changed_at: Instant


_COLUMNS = ", ".join(DeviceRow._fields)
_REPLACED = ", ".join(
    f"{field} = excluded.{field}"
    for field in DeviceRow._fields
    if field not in ("device", "revoked_at")
)


def put(db: sqlite3.Connection, row: DeviceRow) -> None:
    """Add a device or replace all that is known of it; one that is revoked stays so."""
    rules.require_owner(row.owner)
    rules.require_device(row.device, row.kind, row.household, row.attributes)
    _require_own_eui(db, row)
    values = row._replace(attributes=_text(row.attributes))  # type: ignore[arg-type]
    places = ", ".join("?" * len(row))
    db.execute(
        f"INSERT INTO devices ({_COLUMNS}) VALUES ({places})"  # noqa: S608
        f" ON CONFLICT (device) DO UPDATE SET {_REPLACED}",
        values,
    )


def revoke(db: sqlite3.Connection, device: str, revoked_at: Instant | None, at: Instant) -> bool:
    """Mark a device as one that may not speak any more, or with None as one that may.

    Returns:
        whether that was new.
    """
    require(db, device)
    changed = db.execute(
        "UPDATE devices SET revoked_at = ?, source = 'command', changed_at = ?"
        " WHERE device = ? AND (revoked_at IS NULL) != (? IS NULL)",
        (revoked_at, at, device, revoked_at),
    )
    return bool(changed.rowcount)


def leave(db: sqlite3.Connection, household: str, at: Instant) -> None:
    """Let a household's devices be nobody's, without a name, and silent until somebody restores them."""
    db.execute(
        "UPDATE devices SET household = NULL, name = NULL, revoked_at = coalesce(revoked_at, ?),"
        " source = 'command', changed_at = ? WHERE household = ?",
        (at, at, household),
    )


def orphan(db: sqlite3.Connection, device: str, at: Instant) -> None:
    """Let a device be nobody's, until a command says whose it is: no import does. Its name was given by the family before."""
    db.execute(
        "UPDATE devices SET household = NULL, name = NULL, source = 'command', changed_at = ? WHERE device = ?",
        (at, device),
    )


def drop(db: sqlite3.Connection, device: str) -> None:
    """Forget a device, and who may speak for it."""
    require(db, device)
    db.execute("DELETE FROM credential_devices WHERE device = ?", (device,))
    db.execute("DELETE FROM devices WHERE device = ?", (device,))


def rows(db: sqlite3.Connection) -> list[DeviceRow]:
    """Every device in name order, revoked ones too."""
    found = db.execute(f"SELECT {_COLUMNS} FROM devices ORDER BY device")  # noqa: S608
    return [DeviceRow._make((*row[:5], json.loads(row[5]), *row[6:])) for row in found]


def require(db: sqlite3.Connection, device: str) -> None:
    """Refuse a device that is not registered, with the nearest one that is."""
    if not db.execute("SELECT 1 FROM devices WHERE device = ?", (device,)).fetchone():
        known = [row[0] for row in db.execute("SELECT device FROM devices")]
        hint = nearest(device, known, unless=" sekisho devices list shows them all.")
        raise Refusal(f'No device named "{device}" is registered.{hint}')


def _require_own_eui(db: sqlite3.Connection, row: DeviceRow) -> None:
    """Refuse a DevEUI that another device has: nobody could tell whose uplink it is."""
    eui = row.attributes.get("dev_eui")
    if eui is None:
        return
    other = db.execute(
        "SELECT device FROM devices WHERE json_extract(attributes, '$.dev_eui') = ? AND device != ?",
        (eui, row.device),
    ).fetchone()
    if other:
        raise Refusal(f"{row.device}: its dev_eui belongs to {other[0]}.", exit_code=2)


def _text(attributes: Mapping[str, str | float | bool]) -> str:
    return json.dumps(attributes, sort_keys=True, ensure_ascii=False)
