"""Seals what a gateway of before has stored in plain, once, before anything else is taken in."""

from collections.abc import Callable
from typing import Any, NamedTuple

from gateway.app.erasure import borne
from gateway.keys.ring import KeyRing
from gateway.model.instant import Instant
from gateway.pipeline.retention import generation_of
from gateway.privacy.pseudonym import FileNames
from gateway.privacy.sealing import FileSeal, RowKey, Sealed
from gateway.registry.registry import Registry
from gateway.statedir import StateDir
from gateway.stores import people, plain_rows


class SealedUp(NamedTuple):
    """How many plain rows about people there were.

    Attributes:
        sealed: those that are sealed now.
        dropped: those of a household that nobody can name, so that no erasure would ever reach them.
        waiting: files in which bytes of plain rows are left, because somebody reads them.
    """

    sealed: int
    dropped: int
    waiting: tuple[str, ...]


def seal_up(state: StateDir, ring: KeyRing, registry: Registry) -> SealedUp:
    """Seal every plain row about people of a directory whose rows are to be sealed.

    A row goes under the key of the household whose device bears its pseudonym, of the file or of a day; tags go under
    their file's alone. A child's row that no household with a key is known to have left is dropped: there may only be
    fewer rows, and under the file's key an erasure would leave it readable.

    Raises:
        Refusal: a file is damaged, or a key cannot be read.
        KeysUnavailable: a household's key cannot be read just now.
    """
    sealed, dropped, waiting = 0, 0, list[str]()
    for path in sorted(state.personal_dir.glob("*.db") if state.sealed else ()):
        key = ring.known_file_key(path.stem)
        if key is None or not plain_rows.waits(path):
            continue
        generation = generation_of(path.stem)
        ruleset = registry.ruleset_of(generation)
        seal = FileSeal(path.stem, ruleset, key)
        owners = _owners(FileNames(path.stem, key), people.minutes(path), ring, registry)
        replaced = plain_rows.seal(path, _sealing(seal, owners), generation, ruleset)
        sealed, dropped = sealed + replaced.sealed, dropped + replaced.dropped
        waiting += [] if replaced.gone else [path.name]
    return SealedUp(sealed, dropped, tuple(waiting))


def _owners(
    names: FileNames, span: tuple[Instant, Instant] | None, ring: KeyRing, registry: Registry
) -> dict[bytes, RowKey]:
    """Pseudonym → the key of the household whose device may bear it in plain rows of these minutes."""
    families: dict[str, RowKey | None] = {}
    owners: dict[bytes, RowKey] = {}
    if span is None:
        return owners
    for household, device in registry.families.members():
        if household not in families:
            key = ring.households.key(household)
            families[household] = None if key is None else RowKey(key)
        whose = families[household]
        if whose is not None:
            owners |= dict.fromkeys(borne(names, household, device, *span), whose)
    return owners


def _sealing(
    seal: FileSeal, owners: dict[bytes, RowKey]
) -> Callable[[str, tuple[Any, ...]], Sealed | None]:
    def sealed(kind: str, row: tuple[Any, ...]) -> Sealed | None:
        whose = owners.get(row[2]) if kind == people.PLAIN else seal.nobody
        return None if whose is None else seal.seal(whose, kind, row)

    return sealed
