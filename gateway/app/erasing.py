"""Erases a household, to the end also after a kill: what is to be done is written down before it is begun.

erasures/<household>.begun         an erasure that is not finished
erasures/<time>-<household>.json   the signed proof of one that is

Order: the registry (nothing more of it is taken in), the key (nothing sealed under it can be read, in any copy),
plain rows, the proof. Every step can be done twice.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from gateway.app import erasure_proof
from gateway.app.erasure import Erasure
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.model.identity import is_name
from gateway.model.instant import Instant, to_datetime, to_rfc3339
from gateway.privacy.keysource import KeysUnavailable
from gateway.privacy.sealing import RowKey
from gateway.registry.family_book import Traces
from gateway.registry.registry import Registry
from gateway.registry.rules import NAMES
from gateway.statedir import StateDir, sync_directory, write_durably
from gateway.stores import people, plain_rows

_NOTHING = Traces(*(0 for _ in Traces._fields))


class Planned(NamedTuple):
    """What is to be done of a household.

    Attributes:
        erasures: what waits to be finished, then what there is of it now.
        copies: what was erased of it before and copies are to be tried for, each key of its own.
        back_since: where a family is there that was registered again: when the one before it was erased, RFC 3339.
    """

    erasures: list[Erasure]
    copies: list[Erasure]
    back_since: str | None


def planned(
    state: StateDir,
    ring: KeyRing,
    registry: Registry,
    household: str,
    copies: tuple[Path, ...],
    at: Instant,
    *,
    only_copies: bool = False,
) -> Planned:
    """What is to be done to erase a household, or only to try copies of what was erased; nothing is changed yet.

    Raises:
        Refusal: this is no name, nothing at all is known of it, or a copy is none, or cannot be read.
        KeysUnavailable: the households' keys cannot be read just now.
    """
    if not is_name(household):
        raise Refusal(f'"{household}" is no name of a household: {NAMES}.', exit_code=2)
    tried = tuple(str(path.resolve()) for path in copies)
    waiting = [one for one in begun(state) if one.household == household]
    found = []
    if not only_copies:
        found = [
            replace(one, copies=tuple(dict.fromkeys((*one.copies, *tried)))) for one in waiting
        ]
        if not waiting or _came_back(ring, registry, waiting[0]):
            found += _known(ring, registry, household, tried, at)
    proofs = erasure_proof.earlier(state, household)
    names = {one.key_id for one in found}
    again = [
        Erasure(household, name, tuple(proof["devices"]), tried, at)
        for name, proof in {one["key"]["id"]: one for one in proofs}.items()
        if tried and name not in names
    ]
    if not found and not again:
        raise Refusal(
            f"Nothing is known of a household {household}: no key, no home, no consent, no device. It may have been "
            "erased before (erasures/ in the state directory; with --backup a copy is tried that was found since), or be spelt otherwise."
            if not only_copies
            else f"No proof in {state.erasures_dir} is of a household {household}, so nothing was erased that a copy "
            "could be tried for. Without --only-copies it is erased; what was cut off is finished by a start of the gateway."
        )
    for path in copies:
        erasure_proof.require_copy(path, state, ring, [*found, *again][0])
    ends = [to_rfc3339(one.begun_at) for one in waiting] + [one["finished_at"] for one in proofs]
    back = is_to_be_asked(state, ring, registry, household)
    return Planned(found, again, ends[0] if back and ends else None)


def _known(
    ring: KeyRing, registry: Registry, household: str, copies: tuple[str, ...], at: Instant
) -> list[Erasure]:
    key = ring.households.key(household)
    if key is None and not any(registry.families.traces(household)):
        return []
    held = registry.families.held(household)
    devices = {row.device for row in held.devices} | {one.device for one in held.consents}
    name = None if key is None else RowKey(key).id.hex()
    return [Erasure(household, name, tuple(sorted(devices)), copies, at)]


def _came_back(ring: KeyRing, registry: Registry, erasure: Erasure) -> bool:
    """Whether a family was registered under this name since the key was destroyed: it has another key, and is known.

    A key that is merely another one was overwritten a moment ago, and its file not removed yet.
    """
    key = ring.households.key(erasure.household)
    if key is None or erasure.key_id in (None, RowKey(key).id.hex()):
        return False
    return any(registry.families.traces(erasure.household))


def is_to_be_asked(state: StateDir, ring: KeyRing, registry: Registry, household: str) -> bool:
    """Whether something of a household would go that nobody has said yes to: it is there, and no erasure of it waits."""
    there = _known(ring, registry, household, (), 0)
    waiting = {(one.household, one.key_id) for one in begun(state)}
    return any((household, one.key_id) not in waiting for one in there)


def begin(state: StateDir, erasure: Erasure) -> None:
    """Write down, on disk when this returns, that a household is to be erased."""
    state.erasures_dir.mkdir(mode=0o700, exist_ok=True)
    write_durably(_note(state, erasure.household), json.dumps(asdict(erasure)).encode(), 0o600)
    sync_directory(state.path)


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

    A family that was registered again under the same name meanwhile has another key, and is left alone.

    Args:
        at: the time, as it is put into registry and proof.
        take_in: lets a gateway that runs take in what changed in the registry and the keys.

    Raises:
        Refusal, OSError, sqlite3.Error: something cannot be reached; to be done again.
    """
    household = erasure.household
    came_back = _came_back(ring, registry, erasure)
    if not came_back:
        registry.families.erase(household, at)
        ring.households.destroy(household)
    take_in()
    taken = {}
    for path in sorted(state.personal_dir.glob("*.db")):
        taken[path.name] = _taken_away(state, path, ring, erasure)
    if not registry.families.settle():
        raise Refusal(
            "The household's key is destroyed, but its names are still in the journal of registry.db: another program "
            "has been reading that file. End it (a backup, a query, sqlite3), and erase the household "
            "again, or start the gateway: either finishes this erasure, and makes its proof."
        )
    left = _NOTHING if came_back else registry.families.traces(household)
    proof = erasure_proof.made(state, ring, erasure, at, left, taken, came_back=came_back)
    target = _put(state, erasure, proof)
    _note(state, household).unlink(missing_ok=True)
    sync_directory(state.erasures_dir)
    return target


def try_copies(
    state: StateDir, ring: KeyRing, registry: Registry, erasure: Erasure, at: Instant
) -> Path:
    """Try copies of what was erased before; the file of the proof. Nothing is erased, whoever is registered by now.

    Raises:
        Refusal, OSError: something cannot be read, or the proof not be written.
    """
    left = registry.families.traces(erasure.household)
    key = ring.households.key(erasure.household)
    came_back = any(left) and (key is None or RowKey(key).id.hex() != erasure.key_id)
    left = _NOTHING if came_back else left
    proof = erasure_proof.made(state, ring, erasure, at, left, {}, came_back=came_back)
    return _put(state, erasure, proof)


def _put(state: StateDir, erasure: Erasure, proof: Mapping[str, Any]) -> Path:
    target = _target(state, erasure)
    text = json.dumps(proof, indent=1, ensure_ascii=False)
    write_durably(target, f"{text}\n".encode(), 0o600)
    return target


def _taken_away(state: StateDir, path: Path, ring: KeyRing, erasure: Erasure) -> int:
    """How many plain rows of the household there were in a file. Where rows are sealed its journal is looked after only
    if it may hold plain ones: somebody who reads noise is in nobody's way.
    """
    if state.sealed:
        if not plain_rows.waits(path):
            return 0
        plain_rows.remember(
            path
        )  # once they are deleted nothing else tells that the journal has them
    return people.take_away(path, erasure.pseudonyms(path, ring))


class Finished(NamedTuple):
    """What was done of erasures that a kill had cut off.

    Attributes:
        erasures: how many are finished now.
        not_tried: how many copies could not be read, of those that were to be tried.
    """

    erasures: int
    not_tried: int


def finish(state: StateDir, ring: KeyRing, registry: Registry, at: Instant) -> Finished:
    """Finish what a kill has cut off, before a gateway takes anything in.

    Raises:
        Refusal: one cannot be finished; says so.
    """
    proofs = []
    for erasure in begun(state):
        try:
            proofs.append(carry_out(state, ring, registry, erasure, at))
        except (OSError, sqlite3.Error, KeysUnavailable) as error:
            raise Refusal(
                f"The erasure of a household was cut off and cannot be finished ({type(error).__name__}). Nothing "
                f"is taken in before it is: mend the disk or the place of the keys ({ring.path}), and start again."
            ) from error
    said = [erasure_proof.not_tried(json.loads(proof.read_bytes())) for proof in proofs]
    return Finished(len(proofs), sum(map(len, said)))


def _target(state: StateDir, erasure: Erasure) -> Path:
    """The file of its proof: the one that a try before this has made, or a new one."""
    stamp = to_datetime(erasure.begun_at).strftime("%Y%m%dT%H%M%SZ")
    path = state.erasures_dir / f"{stamp}-{erasure.household}.json"
    for number in count(2):
        if not path.exists():
            break
        said = json.loads(path.read_bytes())
        if (said["key"]["id"], said["begun_at"]) == (erasure.key_id, to_rfc3339(erasure.begun_at)):
            break
        path = path.with_stem(f"{stamp}-{erasure.household}-{number}")
    return path


def _note(state: StateDir, household: str) -> Path:
    return state.erasures_dir / f"{household}.begun"
