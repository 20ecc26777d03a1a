"""The proof of an erasure: what was looked at, what of it can still be read (nothing), and what nobody can know."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gateway.app.erasure import Erasure
from gateway.keys.exports import Exports
from gateway.keys.households import HouseholdKeys
from gateway.keys.ring import KeyRing
from gateway.keys.signing import is_signed
from gateway.model.errors import Refusal
from gateway.model.instant import Instant, to_rfc3339
from gateway.privacy.keysource import KeysUnavailable
from gateway.privacy.sealing import Damaged, RowKey
from gateway.registry import family_book
from gateway.registry.family_book import InCopy, Traces
from gateway.statedir import StateDir
from gateway.stores import people

FORM = 1
NOBODY_CAN_TELL = (
    "numbers of counting lanes and releases: they hold no household",
    "reads of tags: a bag belongs to no household",
    "in copies of the registry, in clear: names of devices, whose they were, and when was agreed to what for them",
    "rows that another program exported, and copies of the keys that were made by hand",
)
"""What an erasure does not reach, in the words of the proof."""


_NONE = {"devices": 0, "consents": 0}
_BAD = (OSError, sqlite3.Error, KeysUnavailable, Damaged, ValueError, TypeError)
"""What reading a copy may come to: nobody knows what lies in it."""


def require_copy(path: Path, state: StateDir, ring: KeyRing, erasure: Erasure) -> None:
    """Refuse a directory that is no copy of this one, or cannot be read to its end.

    Raises:
        Refusal: it holds no such files, is a copy of another one, or damaged.
    """
    why = _copy(path, state, ring, erasure)["not_tried"]
    if why is not None:
        raise Refusal(
            f"{why} Nothing was erased: leave this copy out, or bring it back whole.", exit_code=2
        )


def rows(state: StateDir, ring: KeyRing, erasure: Erasure) -> int:
    """How many rows of the household are in the directory's files, readable or not.

    Raises:
        Refusal: a file cannot be read.
    """
    keys = _keys(ring.households)
    return sum(_file(p, ring, erasure, keys)["theirs"] or 0 for p in _personal(state.path))


def earlier(state: StateDir, household: str) -> list[dict[str, Any]]:
    """The proofs of a household that are there and genuine, the newest first."""
    found = []
    for path in sorted(state.erasures_dir.glob("*.json"), reverse=True):
        try:
            proof = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(proof, dict) and proof.get("household") == household and is_genuine(proof):
            found.append(proof)
    return found


def made(
    state: StateDir,
    ring: KeyRing,
    erasure: Erasure,
    at: Instant,
    left: Traces,
    taken: Mapping[str, int],
    *,
    came_back: bool = False,
) -> dict[str, Any]:
    """The proof, signed. What it says was looked at a moment ago, not remembered.

    Args:
        left: what of the household is left in the registry.
        taken: plain rows that were deleted, by file.
        came_back: whether a family of this name is there again, under another key.
    """
    keys = _keys(ring.households)
    now = ring.households.key(erasure.household)
    files = [_file(path, ring, erasure, keys) for path in _personal(state.path)]
    for file in files:
        file["deleted"] = taken.get(file["file"], 0)
    document = {
        "sekisho_erasure": FORM,
        "directory": state.id,
        "household": erasure.household,
        "key": {
            "id": erasure.key_id,
            "destroyed": now is None or RowKey(now).id.hex() != erasure.key_id,
        },
        "came_back": came_back,
        "devices": list(erasure.devices),
        "begun_at": to_rfc3339(erasure.begun_at),
        "finished_at": to_rfc3339(at),
        "registry": left._asdict(),
        "files": files,
        "copies": [_copy(Path(path), state, ring, erasure) for path in erasure.copies],
        "exports": [
            {"number": one.number, "made_at": one.made_at}
            for one in Exports(ring.path).holding(erasure.household)
        ],
        "not_reached": list(NOBODY_CAN_TELL),
        "signed_by": ring.signer.public,
    }
    return {**document, "signature": ring.signer.sign(_canonical(document))}


def is_genuine(proof: Mapping[str, Any]) -> bool:
    """Whether a proof is as it was signed by whoever it names."""
    document = {name: value for name, value in proof.items() if name != "signature"}
    return is_signed(str(proof.get("signed_by")), str(proof.get("signature")), _canonical(document))


def readable(proof: Mapping[str, Any]) -> int:
    """Rows, homes, consents and guardians' devices that somebody with the keys there are can still read.

    What a proof of before does not count was nowhere yet when it was made.
    """
    looked = [*proof["files"], *(f for copy in proof["copies"] for f in copy["files"])]
    left = proof["registry"]
    in_copies = sum(copy["registry"]["readable"] for copy in proof["copies"])
    return int(
        sum(file["readable"] for file in looked) + sum(left.get(name, 0) for name in Traces._fields) + in_copies
    )  # fmt: skip


def not_tried(proof: Mapping[str, Any]) -> dict[str, str]:
    """The copies that could not be read, so that nobody knows what is in them: directory → why."""
    return {
        copy["directory"]: copy["not_tried"] for copy in proof["copies"] if copy.get("not_tried")
    }


def in_clear(proof: Mapping[str, Any]) -> str | None:
    """What stands of the household in copies of the registry for whoever has them, in words; None where nothing does."""
    said = [copy.get("in_clear", _NONE) for copy in _tried(proof)]
    holding = [one for one in said if one["devices"] or one["consents"]]
    if not holding:
        return None
    devices, consents = (max(one[name] for one in holding) for name in ("devices", "consents"))
    return (
        f"in {len(holding)} of {len(said)} copies, for anybody: which devices are the household's (up to {devices}), with "
        f"their names, and device, purpose and time of consents (up to {consents}). Destroy those copies"
    )


def unreadable(proof: Mapping[str, Any]) -> tuple[int, int]:
    """Rows of the household that cannot be read any more: in the directory, or deleted from it; and in copies of it."""
    here = _noise(proof["files"]) + sum(file["deleted"] for file in proof["files"])
    return int(here), sum(_noise(copy["files"]) for copy in proof["copies"])


def gone(proof: Mapping[str, Any]) -> str:
    """Those rows, in words."""
    here, copied = unreadable(proof)
    said = f"{here:,} that nobody can read any more"
    if copied:
        number = len(_tried(proof))
        said += f"; and {copied:,} in {number} {'copy' if number == 1 else 'copies'}, as a rule the same ones again"
    return said


def nobodys(proof: Mapping[str, Any]) -> str | None:
    """Plain rows that bear nobody's name, in words; None where there are none."""
    found = sum(file.get("nobodys", 0) for file in proof["files"])
    if not found:
        return None
    if found == 1:
        return "1 plain row bears no pseudonym: it may be its own, and stays until its file's time is over"
    return f"{found:,} plain rows bear no pseudonym: some may be its own, and stay until their files' time is over"


def _tried(proof: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [copy for copy in proof["copies"] if not copy.get("not_tried")]


def _noise(files: Iterable[Mapping[str, Any]]) -> int:
    return sum((file["theirs"] or 0) - file["readable"] for file in files)


def _copy(path: Path, state: StateDir, ring: KeyRing, erasure: Erasure) -> dict[str, Any]:
    """What of the household can be read in a copy; of one that cannot be read whole, why, and nothing else."""
    try:
        _require_ours(path, state)
        return {**_within(path, state, ring, erasure), "not_tried": None}
    except Refusal as error:
        why = str(error)
    except _BAD as error:
        why = f"{path} cannot be read as a copy of a state directory ({type(error).__name__})."
    nothing = {"keys_beside": False, "files": [], "registry": {"tried": 0, "readable": 0}}
    return {"directory": str(path), **nothing, "in_clear": _NONE, "not_tried": why}


def _require_ours(path: Path, state: StateDir) -> None:
    if not path.is_dir():
        raise Refusal(f"{path} is not there, or no directory.")
    card = path / "sekisho.json"
    if card.exists() and StateDir.open(path).id != state.id:
        raise Refusal(f"{path} is a copy of another state directory.")
    if not _personal(path) and not (path / "registry.db").exists():
        raise Refusal(
            f"{path} holds no copy of a state directory: neither personal/*.db nor registry.db."
        )


def _within(path: Path, state: StateDir, ring: KeyRing, erasure: Erasure) -> dict[str, Any]:
    """What can be read with the keys there are, and any that lie beside the copy."""
    folders = [root / state.id / "households" for root in (path / "keys", path.parent / "keys")]
    beside = [
        HouseholdKeys(folder)
        for folder in folders
        if folder.is_dir() and not folder.samefile(ring.path / "households")
    ]
    held = {id_: key for keys in (ring.households, *beside) for id_, key in _keys(keys).items()}
    registry = path / "registry.db"
    known = InCopy(0, 0, 0, 0)
    if registry.exists():
        for keys in (ring.households, *beside):
            found = family_book.in_copy(registry, erasure.household, keys)
            known = max(known, found, key=lambda one: (one.tried, one.readable))
    return {
        "directory": str(path),
        "keys_beside": any(erasure.household in keys.names() for keys in beside),
        "files": [_file(file, ring, erasure, held) for file in _personal(path)],
        "registry": {"tried": known.tried, "readable": known.readable},
        "in_clear": {"devices": known.devices, "consents": known.consents},
    }


def _file(
    path: Path, ring: KeyRing, erasure: Erasure, keys: Mapping[bytes, RowKey]
) -> dict[str, Any]:
    key = ring.known_file_key(path.stem)
    rows = people.of_household(path, key, erasure.name, keys, erasure.pseudonyms(path, ring))
    return {"file": path.name, **rows._asdict()}


def _keys(households: HouseholdKeys) -> dict[bytes, RowKey]:
    found = [RowKey(key) for _name, key in households.all()]
    return {key.id: key for key in found}


def _personal(path: Path) -> list[Path]:
    """Files of rows about people; a folder that cannot be looked into is an error, and none at all is not."""
    try:
        return sorted(file for file in (path / "personal").iterdir() if file.suffix == ".db")
    except FileNotFoundError:
        return []


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
