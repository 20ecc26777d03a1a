"""Homes and consents: sealed under the household's own key. Callers hold the transaction."""

import json
import sqlite3
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from gateway.model.device import Household
from gateway.model.errors import Refusal
from gateway.model.identity import HouseholdId
from gateway.model.instant import Instant
from gateway.model.position import Position
from gateway.registry import device_rows, rules

_HOME = struct.Struct(">ddd32s")
"""latitude, longitude, radius (NaN: the policy's), coordinate system: one size for every home."""

_ZONE = struct.Struct(">24s32s")
"""a zone's name and the digest of its partition: of the same size, so that the table does not tell them apart."""


ZoneOf = Callable[[float, float], str | None]
"""The zone of a place in degrees."""


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


class Seal(Protocol):
    """What households ask of the key ring."""

    def seal(self, household: str, plaintext: bytes, aad: bytes) -> bytes:
        """Encrypt under the household's key."""
        ...

    def open_sealed(self, household: str, sealed: bytes, aad: bytes) -> bytes | None:
        """Decrypt; None where the key is gone or the bytes are not its.

        Raises:
            Refusal: nobody can tell just now.
        """
        ...


def put_home(
    db: sqlite3.Connection,
    keys: Seal,
    household: str,
    home: Position,
    *,
    radius_m: float | None,
    crs: str,
    at: Instant,
) -> None:
    """Remember a home, sealed; replaces an earlier one."""
    rules.require_name(household, "household")
    radius = float("nan") if radius_m is None else radius_m
    plain = _HOME.pack(home.lat, home.lon, radius, crs.encode()[:32])
    db.execute(
        "INSERT OR REPLACE INTO homes (household, sealed, changed_at) VALUES (?,?,?)",
        (household, keys.seal(household, plain, b"home"), at),
    )


def put_zone(
    db: sqlite3.Connection, keys: Seal, household: str, zone: str, pin: str, at: Instant
) -> None:
    """Remember of a home its zone alone, sealed; the home itself, if there was one, is overwritten.

    Args:
        zone: its name; "" for a home outside all zones.
        pin: hex SHA-256 of the partition's file.

    Raises:
        Refusal: the zone's name is too long to be sealed.
    """
    rules.require_name(household, "household")
    named = zone.encode()
    if len(named) > _LONGEST_ZONE:
        raise Refusal(f"Zones of a partition are named with up to {_LONGEST_ZONE} letters.")
    plain = _ZONE.pack(named, bytes.fromhex(pin))
    db.execute(
        "INSERT OR REPLACE INTO homes (household, sealed, changed_at) VALUES (?,?,?)",
        (household, keys.seal(household, plain, b"zone"), at),
    )


_LONGEST_ZONE = 24


def homes(db: sqlite3.Connection, keys: Seal) -> dict[str, Household]:
    """Household name → its home; one whose key is gone has no entry."""
    return _opened(db.execute("SELECT household, sealed FROM homes"), keys)


def _opened(rows: Iterable[tuple[str, bytes]], keys: Seal) -> dict[str, Household]:
    found = {}
    for name, sealed in rows:
        plain = keys.open_sealed(name, sealed, b"home")
        if plain is None:
            zone = keys.open_sealed(name, sealed, b"zone")
            if zone is not None:
                found[name] = _of_zone(name, zone)
            continue
        lat, lon, radius, crs = _HOME.unpack(plain)
        found[name] = Household(
            HouseholdId(name),
            Position(lat, lon),
            None if radius != radius else radius,  # noqa: PLR0124 - NaN
            crs.rstrip(b"\0").decode(),
        )
    return found


def forget_homes(db: sqlite3.Connection, keys: Seal, zone_of: ZoneOf, pin: str, at: Instant) -> int:
    """Put a zone in the place of every exact home; how many there were.

    Args:
        zone_of: the zone of (lat, lon) in degrees; None for none.
        pin: hex SHA-256 of the partition's file.
    """
    exact = [(name, held.home) for name, held in homes(db, keys).items() if held.home is not None]
    for name, home in exact:
        put_zone(db, keys, name, zone_of(home.lat, home.lon) or "", pin, at)
    return len(exact)


def _of_zone(name: str, plain: bytes) -> Household:
    zone, pin = _ZONE.unpack(plain)
    named = zone.rstrip(b"\0").decode()
    return Household(HouseholdId(name), None, None, "EPSG:4326", named, pin.hex())


def home(db: sqlite3.Connection, keys: Seal, household: str) -> Household | None:
    """One household's home; None where none is known, or its key is gone."""
    return _opened(
        db.execute("SELECT household, sealed FROM homes WHERE household = ?", (household,)), keys
    ).get(household)


def erase(db: sqlite3.Connection, household: str) -> None:
    """Forget a household's home and every consent that was recorded for it."""
    db.execute("DELETE FROM homes WHERE household = ?", (household,))
    db.execute("DELETE FROM consents WHERE household = ?", (household,))


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
