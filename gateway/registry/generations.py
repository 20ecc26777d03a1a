"""The rule sets that a directory has lived under, numbered. Callers hold the transaction."""

import sqlite3

from gateway.model.instant import Instant


def generation(db: sqlite3.Connection, digest: str, now: Instant) -> tuple[int, Instant]:
    """(generation, since) of a rule set; one unlike the newest opens the next generation now."""
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
