"""Erases a household, to the end also after a kill: what is to be done is written down before it is begun.

erasures/<household>.begun         an erasure that is not finished
erasures/<time>-<household>.json   the signed proof of one that is

Order: the registry (nothing more of it is taken in), the key (nothing sealed under it can be read, in any copy),
plain rows, the proof. Every step can be done twice.
"""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from gateway.app import erasure_proof
from gateway.app.erasure import Erasure
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.model.instant import Instant, to_datetime
from gateway.privacy.keysource import KeysUnavailable
from gateway.privacy.sealing import RowKey
from gateway.registry.registry import Registry
from gateway.statedir import StateDir, sync_directory, write_durably
from gateway.stores import people


def begin(
    state: StateDir,
    ring: KeyRing,
    registry: Registry,
    household: str,
    copies: tuple[Path, ...],
    at: Instant,
) -> Erasure:
    """Write down, on disk when this returns, that a household is to be erased.

    Raises:
        Refusal: nothing at all is known of it, or a copy is none.
        KeysUnavailable: the households' keys cannot be read just now.
    """
    key = ring.households.key(household)
    if key is None and not any(registry.families.traces(household)):
        raise Refusal(
            f"Nothing is known of a household {household}: no key, no home, no consent, no device. It may "
            "have been erased before (erasures/ in the state directory), or be spelt otherwise."
        )
    for path in copies:
        erasure_proof.require_copy(path, state)
    held = registry.families.held(household)
    devices = {row.device for row in held.devices} | {one.device for one in held.consents}
    erasure = Erasure(
        household,
        None if key is None else RowKey(key).id.hex(),
        tuple(sorted(devices)),
        tuple(str(path.absolute()) for path in copies),
        at,
    )
    state.erasures_dir.mkdir(mode=0o700, exist_ok=True)
    write_durably(_note(state, household), json.dumps(asdict(erasure)).encode(), 0o600)
    sync_directory(state.path)
    return erasure


def begun(state: StateDir) -> list[Erasure]:
    """Erasures that are not finished."""
    found = []
    for path in sorted(state.erasures_dir.glob("*.begun")):
        said = json.loads(path.read_bytes())
        lists = {name: tuple(said[name]) for name in ("devices", "copies")}
        found.append(Erasure(**(said | lists)))
    return found


def carry_out(
    state: StateDir,
    ring: KeyRing,
    registry: Registry,
    erasure: Erasure,
    at: Instant,
    take_in: Callable[[], object] = lambda: None,
) -> Path:
    """Do what is to be done, from wherever it stopped; the file of the proof.

    Args:
        at: the time, as it is put into registry and proof.
        take_in: lets a gateway that runs take in what changed in the registry and the keys.

    Raises:
        Refusal, OSError, sqlite3.Error: something cannot be reached; to be done again.
    """
    household = erasure.household
    registry.families.erase(household, at)
    ring.households.destroy(household)
    take_in()
    taken = {}
    for path in sorted(state.personal_dir.glob("*.db")):
        pseudonyms = erasure.pseudonyms(path, ring)
        if pseudonyms or not state.sealed:  # what a journal kept from the last time is tried again
            taken[path.name] = people.take_away(path, pseudonyms)
    if not registry.families.settle():
        raise Refusal(
            "The household's key is destroyed, but its names are still in the journal of registry.db: another program "
            "has been reading that file. End it (a backup, a query, sqlite3), and erase the household "
            "again, or start the gateway: either finishes this erasure, and makes its proof."
        )
    left = registry.families.traces(household)
    proof = erasure_proof.made(state, ring, erasure, at, left, taken)
    stamp = to_datetime(erasure.begun_at).strftime("%Y%m%dT%H%M%SZ")
    target = state.erasures_dir / f"{stamp}-{household}.json"
    text = json.dumps(proof, indent=1, ensure_ascii=False)
    write_durably(target, f"{text}\n".encode(), 0o600)
    _note(state, household).unlink(missing_ok=True)
    sync_directory(state.erasures_dir)
    return target


def finish(state: StateDir, ring: KeyRing, registry: Registry, at: Instant) -> int:
    """Finish what a kill has cut off, before a gateway takes anything in; how many erasures those were.

    Raises:
        Refusal: one cannot be finished; says so.
    """
    waiting = begun(state)
    for erasure in waiting:
        try:
            carry_out(state, ring, registry, erasure, at)
        except (OSError, sqlite3.Error, KeysUnavailable) as error:
            raise Refusal(
                f"The erasure of a household was cut off and cannot be finished ({type(error).__name__}). Nothing "
                f"is taken in before it is: mend the disk or the place of the keys ({ring.path}), and start again."
            ) from error
    return len(waiting)


def _note(state: StateDir, household: str) -> Path:
    return state.erasures_dir / f"{household}.begun"
