"""Seals what a gateway of before has stored in plain, once, before anything else is taken in."""

from collections.abc import Callable
from typing import Any

from gateway.keys.ring import KeyRing
from gateway.pipeline.retention import generation_of
from gateway.privacy.pseudonym import FileNames
from gateway.privacy.sealing import FileSeal, RowKey, Sealed
from gateway.registry.registry import Registry
from gateway.statedir import StateDir
from gateway.stores import plain_rows


def seal_up(state: StateDir, ring: KeyRing, registry: Registry) -> int:
    """Seal every plain row about people of a directory whose rows are to be sealed; how many there were.

    A row goes under the key of the household whose device bears its pseudonym; one that is no registered household's
    under its file's alone, as tags do.

    Raises:
        Refusal: a file is damaged, or a key cannot be read.
        KeysUnavailable: a household's key cannot be read just now.
    """
    if not state.sealed:
        return 0
    count = 0
    for path in sorted(state.personal_dir.glob("*.db")):
        key = ring.known_file_key(path.stem)
        if key is None or not plain_rows.are_there(path):
            continue
        generation = generation_of(path.stem)
        ruleset = registry.ruleset_of(generation)
        seal = FileSeal(path.stem, ruleset, key)
        sealing = _sealing(seal, FileNames(path.stem, key), ring, registry)
        count += plain_rows.seal(path, sealing, generation, ruleset)
    return count


def _sealing(
    seal: FileSeal, names: FileNames, ring: KeyRing, registry: Registry
) -> Callable[[str, tuple[Any, ...]], Sealed]:
    families: dict[str, RowKey] = {}
    owners: dict[bytes, RowKey] = {}
    for row in registry.devices():
        household = row.household
        if household is None:
            continue
        if household not in families and (key := ring.households.key(household)) is not None:
            families[household] = RowKey(key)
        if household in families:
            owners[names.child(household, row.device)] = families[household]

    def sealed(kind: str, row: tuple[Any, ...]) -> Sealed:
        return seal.seal(owners.get(row[2], seal.nobody), kind, row)

    return sealed
