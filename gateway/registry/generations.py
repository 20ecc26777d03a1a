"""The rule sets that a directory has lived under, numbered, and what zones stood on in each epoch: frozen until it ends."""

import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from gateway.model.errors import Refusal
from gateway.model.instant import Instant


class Zones(NamedTuple):
    """What zones stand on.

    Attributes:
        epoch: what they are frozen for.
        pins: (partition, hex SHA-256 of its file).
    """

    epoch: str
    pins: Collection[tuple[str, str]]


def generation(
    db: sqlite3.Connection, digest: str, now: Instant, zones: Zones | None = None
) -> tuple[int, Instant]:
    """(generation, since) of a rule set; one unlike the newest opens the next generation now. The caller holds the transaction.

    Raises:
        Refusal: its zones are not those that their epoch began with.
    """
    if zones is not None:
        _freeze(db, zones, now)
    newest = db.execute(
        "SELECT generation, hash, since FROM rulesets ORDER BY generation DESC LIMIT 1"
    ).fetchone()
    if newest is not None and newest[1] == digest:
        return newest[0], newest[2]
    entry = (1, digest, 0) if newest is None else (newest[0] + 1, digest, now)
    db.execute("INSERT INTO rulesets VALUES (?,?,?)", entry)
    return entry[0], entry[2]


def digest(db: sqlite3.Connection, generation: int) -> str:
    """The digest of the rule set of a generation; "" where there is none."""
    query = "SELECT hash FROM rulesets WHERE generation = ?"
    found = db.execute(query, (generation,)).fetchone()
    return found[0] if found else ""


def contradiction(before: Mapping[str, str], zones: Zones) -> str | None:
    """The sentence about zones that are not those of their epoch, `before`; None where they are, or it has none yet."""
    epoch, pins = zones
    changed = sorted(name for name, pin in pins if before.get(name) != pin)
    if not before or not changed:
        return None
    stood = ", ".join(f"{name} ({pin})" for name, pin in sorted(before.items()))
    return (
        f"Zones of epoch {epoch} stand on {stood} in this directory, and these rules would change them to "
        f"{', '.join(changed)}: rows under both together show what each hides. Bring the old partition back, or begin "
        "another epoch (epoch: in the rule set)."
    )


def _freeze(db: sqlite3.Connection, zones: Zones, now: Instant) -> None:
    """Remember what the zones of an epoch stand on.

    Raises:
        Refusal: they stood on something else when it began.
    """
    wrong = contradiction(_read(db, zones.epoch), zones)
    if wrong is not None:
        raise Refusal(wrong, exit_code=2)
    db.executemany(
        "INSERT OR IGNORE INTO epochs VALUES (?,?,?,?)",
        [(zones.epoch, name, pin, now) for name, pin in zones.pins],
    )


def remembered(registry: Path, epoch: str) -> dict[str, str] | None:
    """Partition → pin, as a registry remembers them for an epoch; None where it cannot be read."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(registry))}?mode=ro", uri=True)) as db:
            table = "SELECT 1 FROM sqlite_schema WHERE name = 'epochs'"  # older ones get it at the next start
            return _read(db, epoch) if db.execute(table).fetchone() else {}
    except sqlite3.Error:
        return None


def _read(db: sqlite3.Connection, epoch: str) -> dict[str, str]:
    return dict(db.execute("SELECT partition, pin FROM epochs WHERE epoch = ?", (epoch,)))
