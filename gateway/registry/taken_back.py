"""What was taken back stays so, also in a registry that came back from a backup.

Whatever is taken back (a consent, a guardian's device, a home, a token, radio keys, a device's right to speak, or its household) is written
down with the keys before the change is durable, under a number that the registry keeps as well. One with a smaller number than the last
is an older one: everything that stands in it and was taken back since is taken back again before anything is read from it.

Only what closes is done again. A home that a family left becomes a former one and hides on; where the family lives now is not
known before somebody imports it, and until then nothing of that household is kept.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Self

from gateway.model.instant import Instant
from gateway.registry import (
    credential_rows,
    database,
    device_rows,
    family_rows,
    guardian_rows,
    home_rows,
    radio_rows,
)
from gateway.registry.key_source import Remembered

CONSENT, GUARDIAN, HOME, HOUSEHOLD = "consent", "guardian", "home", "household"
REVOKED, DROPPED, MEMBER = "revoked", "dropped", "member"
CREDENTIAL, SPEAKER, RADIO = "credential", "speaker", "radio"

_WATCHED = {
    "UPDATE OF withdrawn_at ON consents WHEN OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL": (
        f"NEW.withdrawn_at, '{CONSENT}', NEW.device, NEW.purpose"
    ),
    "DELETE ON guardians": f"0, '{GUARDIAN}', OLD.household, OLD.guardian",
    "INSERT ON former_homes": f"NEW.left_at, '{HOME}', NEW.household",
    "UPDATE OF revoked_at ON devices WHEN OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL": (
        f"NEW.revoked_at, '{REVOKED}', NEW.device"
    ),
    "UPDATE OF household ON devices WHEN OLD.household IS NOT NULL AND OLD.household IS NOT NEW.household": (
        f"NEW.changed_at, '{MEMBER}', OLD.device, OLD.household"
    ),
    "DELETE ON devices": f"0, '{DROPPED}', OLD.device",
    "UPDATE OF digest ON credentials WHEN OLD.digest IS NOT NEW.digest AND OLD.digest IS NOT x''"
    " AND (OLD.digest IS NOT NULL OR NEW.digest = x'')": (
        f"NEW.changed_at, '{CREDENTIAL}', NEW.name"
    ),
    "DELETE ON credentials": f"OLD.changed_at, '{CREDENTIAL}', OLD.name",
    "DELETE ON radio": f"0, '{RADIO}', OLD.device",
    "DELETE ON credential_devices": f"0, '{SPEAKER}', OLD.credential, OLD.device",
}
"""What happens to a table → when, and the words of what is taken back by it."""


_WORDS = {
    CONSENT: "consents withdrawn",
    GUARDIAN: "guardians' devices removed",
    HOME: "homes left (import them again)",
    REVOKED: "devices revoked",
    MEMBER: "devices no longer their household's",
    DROPPED: "devices removed",
    CREDENTIAL: "tokens or certificates revoked",
    SPEAKER: "credentials that no longer speak for a device",
    RADIO: "devices whose LoRaWAN keys were replaced (import them again)",
    HOUSEHOLD: "households erased",
}


def told(done: Mapping[str, int]) -> str:
    """What was taken back again, as a sentence; "" where nothing was."""
    said = "; ".join(f"{words}: {done[sort]:,}" for sort, words in _WORDS.items() if done.get(sort))
    return (
        said
        and f"Withdrawn, removed or revoked since this registry was saved, and so again now: {said}."
    )


class TakenBack:
    """Keeps one registry and the ring of one mind.

    Attributes:
        done: what was taken back again when the registry was opened: sort of thing → how many.
    """

    def __init__(self, connection: sqlite3.Connection, remembered: Remembered) -> None:
        self._db = connection
        self._remembered = remembered
        self._waiting: list[tuple[Instant, str]] = []
        self.done = Counter[str]()

    @classmethod
    def of(cls, connection: sqlite3.Connection, remembered: Remembered) -> Self:
        """Watch a registry that was just opened, once it is as closed as the ring says; else it is shut again.

        Raises:
            Refusal: nobody can tell what was taken back, or the registry cannot be changed.
        """
        made = cls(connection, remembered)
        try:
            if remembered.after(made._number()):
                with database.transaction(connection), remembered.turn():
                    made._catch_up()
            connection.create_function("taken_back", -1, made.say)
            connection.execute("PRAGMA temp_store = MEMORY")
            for number, (event, words) in enumerate(_WATCHED.items()):
                connection.execute(
                    f"CREATE TEMP TRIGGER watched_{number} AFTER {event} BEGIN SELECT taken_back({words}); END"
                )
        except BaseException:
            connection.close()
            raise
        return made

    def say(self, at: Instant, *words: str | int) -> None:
        """Say what this transaction takes back; it is written down when that ends."""
        self._waiting.append((at, self._remembered.digest([str(word) for word in words])))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction of the registry; what it takes back is with the keys before it is durable.

        Raises:
            Refusal: it cannot be written down, or the registry cannot be changed; nothing of it was kept.
            Uncertain: the disk failed at the very end; what it takes back is taken back at the next opening at the latest.
        """
        try:
            with ExitStack() as turn, database.transaction(self._db):
                yield
                if self._waiting:
                    self._write(turn)
        finally:
            self._waiting.clear()

    def _write(self, turn: ExitStack) -> None:
        """Write down what waits, in a turn that lasts until it is durable in the registry as well."""
        turn.enter_context(self._remembered.turn())
        said = self._waiting.copy()
        self._catch_up()  # another directory with these keys may have written
        number = self._remembered.add(said, self._number())
        turn.push(partial(self._cut_unless_kept, number, len(said)))
        self._keep(number)

    def _cut_unless_kept(
        self, number: int, count: int, _kind: object, error: BaseException | None, _trace: object
    ) -> None:
        """Where a change failed for certain, nothing of it is to be taken back later on."""
        if error is None or isinstance(error, database.Uncertain):
            return
        try:
            kept = self._number() >= number  # a key was pressed behind the commit
        except sqlite3.Error:
            return  # nobody can tell just now: what is said closes
        if not kept:
            self._remembered.cut(number - count)

    def _catch_up(self) -> None:
        """Take back everything that stands here and was taken back behind what this registry knows of."""
        entries = self._remembered.after(self._number())
        if not entries:
            return
        when = {what: at for _number, at, what in entries}
        found = [
            (words[0], take_back, when[what])
            for words, take_back in _standing(self._db)
            if (what := self._remembered.digest(words)) in when
        ]
        for sort, take_back, at in found:
            take_back(at)
            self.done[sort] += 1
        self._keep(max(number for number, _at, _what in entries))

    def _number(self) -> int:
        row = self._db.execute("SELECT number FROM taken_back").fetchone()
        return 0 if row is None else int(row[0])

    def _keep(self, number: int) -> None:
        self._db.execute("INSERT OR REPLACE INTO taken_back VALUES (1, ?)", (number,))


_Standing = tuple[tuple[str, ...], Callable[[Instant], object]]
"""The words of something that stands in a registry, and how it is taken back."""


def _standing(db: sqlite3.Connection) -> Iterator[_Standing]:
    """Everything that can be taken back; households first, as long as their devices name them, and devices are dropped last."""
    for household in family_rows.households(db):
        yield (HOUSEHOLD, household), partial(family_rows.erase, db, household)
    yield from _of_families(db)
    for name, devices in credential_rows.rows(db).items():
        yield (CREDENTIAL, name), partial(credential_rows.revoke, db, name)
        for device in devices:
            yield (SPEAKER, name, device), partial(_silence, db, name, device)
    for (device,) in db.execute("SELECT device FROM radio").fetchall():
        yield (RADIO, device), partial(_unkey, db, device)
    rows = device_rows.rows(db)
    for row in rows:
        if row.household is not None:
            words = (MEMBER, row.device, row.household)
            yield words, partial(device_rows.orphan, db, row.device)
        if row.revoked_at is None:
            yield (REVOKED, row.device), partial(_revoke, db, row.device)
    for row in rows:
        yield (DROPPED, row.device), partial(_drop, db, row.device)


def _of_families(db: sqlite3.Connection) -> Iterator[_Standing]:
    for device, purpose in db.execute(
        "SELECT DISTINCT device, purpose FROM consents WHERE withdrawn_at IS NULL"
    ).fetchall():
        yield (CONSENT, device, purpose), partial(_withdraw, db, device, purpose)
    for household, number in db.execute("SELECT household, guardian FROM guardians").fetchall():
        yield (GUARDIAN, household, str(number)), partial(_untell, db, household, number)
    for (household,) in db.execute("SELECT household FROM homes").fetchall():
        yield (HOME, household), partial(home_rows.leave, db, household)


def _withdraw(db: sqlite3.Connection, device: str, purpose: str, at: Instant) -> None:
    db.execute(
        "UPDATE consents SET withdrawn_at = ? WHERE device = ? AND purpose = ? AND withdrawn_at IS NULL",
        (at, device, purpose),
    )


def _untell(db: sqlite3.Connection, household: str, number: int, _at: Instant) -> None:
    guardian_rows.remove(db, household, number)


def _silence(db: sqlite3.Connection, credential: str, device: str, _at: Instant) -> None:
    credential_rows.unlink(db, device, credential)


def _unkey(db: sqlite3.Connection, device: str, _at: Instant) -> None:
    radio_rows.drop(db, device)


def _revoke(db: sqlite3.Connection, device: str, at: Instant) -> None:
    device_rows.revoke(db, device, at, at)


def _drop(db: sqlite3.Connection, device: str, _at: Instant) -> None:
    device_rows.drop(db, device)
