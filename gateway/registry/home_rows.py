"""Homes, and those a household has moved from: sealed under its own key. Callers hold the transaction.

A home that is replaced by another one stays known as long as rows from before the move do, and hides as the new one
does: else what was never kept round it would be filled in behind the family's back.
"""

import sqlite3
import struct
from collections import defaultdict
from collections.abc import Callable, Container, Iterable
from math import cos, hypot, radians
from typing import NamedTuple

from gateway.model.device import Household
from gateway.model.errors import Refusal
from gateway.model.identity import HouseholdId
from gateway.model.instant import Instant
from gateway.model.position import Position
from gateway.registry import rules
from gateway.registry.seal import Seal

_HOME = struct.Struct(">ddd32s")
"""latitude, longitude, radius (NaN: the policy's), coordinate system: one size for every home."""

_ZONE = struct.Struct(">24s32s")
"""a zone's name and the digest of its partition: of the same size, so that the table does not tell them apart."""

_LONGEST_ZONE = 24
_DEGREE_M = 111_320.0
_SAME_M = 1.0
"""So near one another two homes are one: a geocoder that is asked twice answers so."""

ZoneOf = Callable[[float, float], str | None]
"""The zone of a place in degrees."""


class Former(NamedTuple):
    """Where a household lived before.

    Attributes:
        number: of its row.
        place: its home or its zone; None where the household's key is gone.
        left_at: when another home took its place.
    """

    number: int
    place: Household | None
    left_at: Instant


def put_home(
    db: sqlite3.Connection,
    keys: Seal,
    household: str,
    home: Position,
    *,
    radius_m: float | None,
    crs: str,
    at: Instant,
) -> bool:
    """Remember a home, sealed; whether the household moved: then the one before is a former home from now on."""
    rules.require_name(household, "household")
    radius = float("nan") if radius_m is None else radius_m
    sealed = keys.seal(
        household, _HOME.pack(home.lat, home.lon, radius, crs.encode()[:32]), b"home"
    )
    return _move(db, keys, household, sealed, at)


def put_zone(
    db: sqlite3.Connection, keys: Seal, household: str, zone: str, pin: str, at: Instant
) -> bool:
    """Remember of a home its zone alone, sealed; whether the household moved, as `put_home`.

    An exact home that was known is overwritten, and no former one: see `forget_homes`.

    Args:
        zone: its name; "" for a home outside all zones.
        pin: hex SHA-256 of the partition's file.

    Raises:
        Refusal: the zone's name is too long to be sealed.
    """
    rules.require_name(household, "household")
    return _move(db, keys, household, _sealed_zone(keys, household, zone, pin), at)


def homes(db: sqlite3.Connection, keys: Seal) -> dict[str, Household]:
    """Household name → its home, with those it moved from; one whose key is gone has no entry."""
    known = _former(db, keys)
    found = {}
    for name, sealed in db.execute("SELECT household, sealed FROM homes"):
        places = tuple(one.place for one in known.get(name, ()) if one.place is not None)
        home = _opened(keys, name, sealed, places)
        if home is not None:
            found[name] = home
    return found


def home(db: sqlite3.Connection, keys: Seal, household: str) -> Household | None:
    """One household's home; None where none is known, or its key is gone."""
    query = "SELECT sealed FROM homes WHERE household = ?"
    row = db.execute(query, (household,)).fetchone()
    return None if row is None else _opened(keys, household, row[0])


def former(db: sqlite3.Connection, keys: Seal, household: str) -> list[Former]:
    """Where a household lived before, oldest first, as long as that is remembered."""
    return _former(db, keys, household).get(household, [])


def forget_homes(
    db: sqlite3.Connection,
    keys: Seal,
    zone_of: ZoneOf,
    pin: str,
    at: Instant,
    of: Container[str] | None = None,
) -> int:
    """Put a zone in the place of every exact home, former ones too; how many there were. Nobody moves by it.

    Args:
        zone_of: the zone of (lat, lon) in degrees; None for none.
        pin: hex SHA-256 of the partition's file.
        of: the households of which; None for all.
    """

    def zoned(name: str, home: Position) -> bytes:
        return _sealed_zone(keys, name, zone_of(home.lat, home.lon) or "", pin)

    now = [
        (zoned(name, known.home), at, name)
        for name, known in homes(db, keys).items()
        if known.home is not None and (of is None or name in of)
    ]
    before = [
        (zoned(name, one.place.home), one.number)
        for name, left in _former(db, keys).items()
        for one in left
        if one.place is not None and one.place.home is not None and (of is None or name in of)
    ]
    db.executemany("UPDATE homes SET sealed = ?, changed_at = ? WHERE household = ?", now)
    db.executemany("UPDATE former_homes SET sealed = ? WHERE former = ?", before)
    return len(now) + len(before)


def left_before(db: sqlite3.Connection, is_over: Callable[[Instant], bool]) -> list[int]:
    """The former homes that were left so long ago that no row is from before.

    Args:
        is_over: whether the time of rows from before this moment is over.
    """
    left = db.execute("SELECT former, left_at FROM former_homes").fetchall()
    return [number for number, left_at in left if is_over(left_at)]


def forget_former(db: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Forget former homes: from now on they hide nothing."""
    db.executemany("DELETE FROM former_homes WHERE former = ?", [(one,) for one in numbers])


def leave(db: sqlite3.Connection, household: str, at: Instant) -> None:
    """Let a household's home be a former one, and where it lives now not be known."""
    _remember(db, household, at)
    db.execute("DELETE FROM homes WHERE household = ?", (household,))


def erase(db: sqlite3.Connection, household: str) -> None:
    """Forget a household's homes."""
    db.execute("DELETE FROM homes WHERE household = ?", (household,))
    db.execute("DELETE FROM former_homes WHERE household = ?", (household,))


def _move(db: sqlite3.Connection, keys: Seal, household: str, sealed: bytes, at: Instant) -> bool:
    """Let one sealed home take the place of another, and remember that one where the two are not the same."""
    before, now = home(db, keys, household), _opened(keys, household, sealed)
    if before is not None and now is not None and _is_same(before, now):
        return False  # also where it is only given anew: nothing is written, and no drift of imports adds up
    moved = before is not None and now is not None and _is_elsewhere(before, now)
    if moved:
        for one in former(db, keys, household):
            if before is not None and one.place is not None and _is_same(one.place, before):
                forget_former(db, [one.number])  # it was left before, and is left now
        _remember(db, household, at)
    db.execute(
        "INSERT OR REPLACE INTO homes (household, sealed, changed_at) VALUES (?,?,?)",
        (household, sealed, at),
    )
    return moved


def _remember(db: sqlite3.Connection, household: str, at: Instant) -> None:
    db.execute(
        "INSERT INTO former_homes (household, sealed, left_at)"
        " SELECT household, sealed, ? FROM homes WHERE household = ?",
        (at, household),
    )


def _is_same(one: Household, other: Household) -> bool:
    """Whether two homes hide the same; of circles, to a metre."""
    if one.home is None or other.home is None:
        return one.home is other.home and (one.zone, one.partition) == (other.zone, other.partition)
    if (one.radius_m, one.crs) != (other.radius_m, other.crs):
        return False
    north = other.home.lat - one.home.lat
    east = (other.home.lon - one.home.lon) * cos(radians(one.home.lat))
    return hypot(north, east) * _DEGREE_M <= _SAME_M


def _is_elsewhere(before: Household, now: Household) -> bool:
    """Whether rows from before hide another place. Other rules, and another partition, are no move."""
    if before.home is None or now.home is None:
        return before.home is now.home and before.partition == now.partition and before.zone != ""
    return True


def _former(
    db: sqlite3.Connection, keys: Seal, household: str | None = None
) -> dict[str, list[Former]]:
    found = defaultdict[str, list[Former]](list)
    table = "SELECT 1 FROM sqlite_master WHERE name = 'former_homes'"
    if (
        db.execute(table).fetchone() is None
    ):  # a registry that is only read, from before there were any
        return found
    query = (
        "SELECT former, household, sealed, left_at FROM former_homes"
        " WHERE ?1 IS NULL OR household = ?1 ORDER BY former"
    )
    for number, name, sealed, left_at in db.execute(query, (household,)):
        found[name].append(Former(number, _opened(keys, name, sealed), left_at))
    return found


def _sealed_zone(keys: Seal, household: str, zone: str, pin: str) -> bytes:
    named = zone.encode()
    if len(named) > _LONGEST_ZONE:
        raise Refusal(f"Zones of a partition are named with up to {_LONGEST_ZONE} letters.")
    return keys.seal(household, _ZONE.pack(named, bytes.fromhex(pin)), b"zone")


def _opened(
    keys: Seal, name: str, sealed: bytes, former: tuple[Household, ...] = ()
) -> Household | None:
    plain = keys.open_sealed(name, sealed, b"home")
    if plain is not None:
        lat, lon, radius, crs = _HOME.unpack(plain)
        own = None if radius != radius else radius  # noqa: PLR0124 - NaN
        where = Position(lat, lon), own, crs.rstrip(b"\0").decode()
        return Household(HouseholdId(name), *where, former=former)
    plain = keys.open_sealed(name, sealed, b"zone")
    if plain is None:
        return None
    zone, pin = _ZONE.unpack(plain)
    named = zone.rstrip(b"\0").decode()
    return Household(HouseholdId(name), None, None, "EPSG:4326", named, pin.hex(), former)
