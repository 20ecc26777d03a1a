"""Guardians' devices: sealed under their household's own key. Callers hold the transaction."""

import base64
import json
import sqlite3
from typing import NamedTuple

from gateway.model.errors import Refusal
from gateway.model.instant import Instant
from gateway.privacy.web_push import Subscription
from gateway.registry import rules
from gateway.registry.seal import Seal

_AAD = b"guardian"
_SIZE = 1024
"""Octets of every record before it is sealed: no length tells whose push service it is."""


class Guardian(NamedTuple):
    """One device of a guardian: its number, a name for it, and where it is reached."""

    number: int
    name: str
    subscription: Subscription


def add(
    db: sqlite3.Connection, keys: Seal, household: str, name: str, to: Subscription, at: Instant
) -> int:
    """Remember a device; its number.

    Raises:
        Refusal: the household's name is none, the record is longer than any browser's, or this device is there already.
    """
    rules.require_name(household, "household")
    said = {
        "name": name,
        "endpoint": to.endpoint,
        "p256dh": base64.b64encode(to.p256dh).decode(),
        "auth": base64.b64encode(to.auth).decode(),
    }
    plain = json.dumps(said, ensure_ascii=False).encode()
    if len(plain) > _SIZE:
        raise Refusal(
            "This subscription is longer than any that a browser makes. Nothing was added."
        )
    for known in of(db, keys, household):
        if known.subscription.endpoint == to.endpoint:
            raise Refusal(
                f"Device {known.number} of {household} has this push subscription already; it would be told everything twice. "
                f"To renew it, first: sekisho guardian remove {household} {known.number}."
            )
    row = db.execute(
        "INSERT INTO guardians (household, sealed, added_at) VALUES (?,?,?) RETURNING guardian",
        (household, keys.seal(household, plain.ljust(_SIZE), _AAD), at),
    ).fetchone()
    return int(row[0])


def of(db: sqlite3.Connection, keys: Seal, household: str) -> list[Guardian]:
    """A household's devices, oldest first; those whose key is gone are not there."""
    found = []
    query = "SELECT guardian, sealed FROM guardians WHERE household = ? ORDER BY guardian"
    for number, sealed in db.execute(query, (household,)):
        plain = keys.open_sealed(household, sealed, _AAD)
        if plain is not None:
            said = json.loads(plain)
            keys_of = (base64.b64decode(said[part]) for part in ("p256dh", "auth"))
            found.append(Guardian(number, said["name"], Subscription(said["endpoint"], *keys_of)))
    return found


def remove(db: sqlite3.Connection, household: str, number: int) -> bool:
    """Forget a device; False where the household has none of this number."""
    query = "DELETE FROM guardians WHERE household = ? AND guardian = ?"
    return bool(db.execute(query, (household, number)).rowcount)


def erase(db: sqlite3.Connection, household: str) -> None:
    """Forget all of a household's devices."""
    db.execute("DELETE FROM guardians WHERE household = ?", (household,))
