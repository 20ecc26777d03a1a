"""Whether the LoRaWAN counters that belong to this registry are still there, and what somebody said of those that are not, or that
another network had before.

They stand in `sessions.db`, which is in no backup. So the registry remembers which file that is: beside another one, or none,
a frame that was captured long ago would be new, and a downlink's counter would be used twice. Callers hold the transaction.
"""

import sqlite3
from collections.abc import Iterable

from gateway.lorawan.session import Counters
from gateway.model.instant import MINUTE, Instant, parse_rfc3339

_BEGIN: Instant = parse_rfc3339("2025-01-01T00:00:00Z")
_AHEAD = 1024
_LAST_NONCE = (1 << 24) - 2


def file_of(db: sqlite3.Connection) -> bytes | None:
    """The id of the file that the counters stand in; None before there is one."""
    known = db.execute("SELECT file FROM radio_memory").fetchone()
    return None if known is None else known[0]


def remember_file(db: sqlite3.Connection, file: bytes) -> None:
    """This is the first one."""
    db.execute("INSERT INTO radio_memory VALUES (1, ?, 0)", (file,))


def hold(
    db: sqlite3.Connection, file: bytes, devices: Iterable[str], nonce: int, now: Instant
) -> None:
    """The counters were lost, and stand in another file from here on: nothing of these devices is believed until somebody
    says how far they have counted.

    A JoinNonce that a device has heard before makes it refuse the join, and joins since the backup are in no backup. So
    the next ones follow the minutes since 2025: nobody joins every minute, and a second restore goes farther than the first.

    Args:
        devices: those that never join.
        nonce: the largest JoinNonce that is known.
    """
    floor = min(max(nonce + _AHEAD, nonce_by(now)), _LAST_NONCE)
    db.execute("UPDATE radio_memory SET file = ?, join_floor = ?", (file, floor))
    db.executemany(
        "INSERT OR REPLACE INTO radio_counters VALUES (?, NULL, NULL, NULL)",
        [(device,) for device in devices],
    )


def nonce_by(now: Instant) -> int:
    """A JoinNonce that no device can have heard by now: the minutes since 2025."""
    return min(max((now - _BEGIN) // MINUTE, 0), _LAST_NONCE)


def join_floor(db: sqlite3.Connection) -> int:
    """JoinNonces up to here may have been used."""
    known = db.execute("SELECT join_floor FROM radio_memory").fetchone()
    return 0 if known is None else known[0]


def counters(db: sqlite3.Connection) -> dict[str, Counters]:
    """Devices whose counters were not known once → what was said of them since."""
    return {
        device: Counters(up, down or 0, at or 0)
        for device, up, down, at in db.execute("SELECT * FROM radio_counters")
    }


def begin(db: sqlite3.Connection, device: str, said: Counters, at: Instant) -> None:
    """It comes from another network: what is said of its counters there, or that nobody knows them."""
    known = (None, None, None) if said.up is None else (said.up, said.down, at)
    db.execute("INSERT OR REPLACE INTO radio_counters VALUES (?,?,?,?)", (device, *known))


def say(db: sqlite3.Connection, device: str, up: int, down: int, at: Instant) -> None:
    """Somebody knows how far it has counted."""
    db.execute(
        "UPDATE radio_counters SET up = ?, down = ?, said_at = ? WHERE device = ?",
        (up, down, at, device),
    )


def forget(db: sqlite3.Connection, device: str) -> None:
    """It has other keys, and with them other counters."""
    db.execute("DELETE FROM radio_counters WHERE device = ?", (device,))
