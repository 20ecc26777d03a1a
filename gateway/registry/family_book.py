"""What the registry knows of one household: a part of it, opened and closed with it."""

import sqlite3
from collections.abc import Callable, Container
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from gateway.model.device import Household
from gateway.model.errors import Refusal
from gateway.model.instant import Instant
from gateway.privacy.web_push import Subscription
from gateway.registry import (
    consent_rows,
    database,
    device_rows,
    family_rows,
    guardian_rows,
    home_rows,
    rules,
)
from gateway.registry.consent_rows import Consent
from gateway.registry.device_rows import DeviceRow
from gateway.registry.guardian_rows import Guardian
from gateway.registry.home_rows import Former, ZoneOf
from gateway.registry.seal import Seal
from gateway.registry.taken_back import HOUSEHOLD, TakenBack


class Held(NamedTuple):
    """Everything that is known of a household.

    Attributes:
        home: its place or its zone; None where neither is known, or the key is gone.
        former: where it lived before, as long as that is remembered.
        devices: those that belong to it now.
        consents: every one that was recorded, withdrawn ones too.
    """

    home: Household | None
    former: list[Former]
    devices: list[DeviceRow]
    consents: list[Consent]


class Traces(NamedTuple):
    """What of a household is left in a registry: sealed homes, consents and guardians' devices, devices that name it."""

    homes: int
    former_homes: int
    consents: int
    guardians: int
    devices: int


class FamilyBook:
    """Households: who has a home, what is held of one, and how it is forgotten.

    Args:
        change: one transaction of the whole registry.
        keys: under which homes and consents are sealed.
        taken_back: where it is written down that a household was erased.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        change: Callable[[], AbstractContextManager[None]],
        keys: Seal,
        taken_back: TakenBack,
    ) -> None:
        self._db = connection
        self._change = change
        self._keys = keys
        self._taken_back = taken_back

    def own_radii(self) -> dict[str, float]:
        """Household → its own home radius in metres, where it has one."""
        homes = home_rows.homes(self._db, self._keys)
        return {name: home.radius_m for name, home in homes.items() if home.radius_m is not None}

    def homes(self) -> dict[str, Household]:
        """Household → its home as it is kept; those whose key is gone are not there."""
        return home_rows.homes(self._db, self._keys)

    def members(self) -> list[tuple[str, str]]:
        """Every household with each device that is its own, or was when somebody agreed to something for it."""
        return self._db.execute(
            "SELECT household, device FROM devices WHERE household IS NOT NULL"
            " UNION SELECT household, device FROM consents"
        ).fetchall()

    def held(self, household: str) -> Held:
        """What is known of a household.

        Raises:
            Refusal: the keys of households cannot be read just now.
        """
        return Held(
            home_rows.home(self._db, self._keys, household),
            home_rows.former(self._db, self._keys, household),
            [row for row in device_rows.rows(self._db) if row.household == household],
            consent_rows.consents_of(self._db, self._keys, household),
        )

    def forget_homes(
        self, zone_of: ZoneOf, pin: str, at: Instant, of: Container[str] | None = None
    ) -> int:
        """Replace every exact home by its zone (see `home_rows.forget_homes`); `settle` empties the journal of them."""
        with self._change():
            return home_rows.forget_homes(self._db, self._keys, zone_of, pin, at, of)

    def forget_former(self, is_over: Callable[[Instant], bool]) -> int:
        """Forget the former homes that were left before a moment that is over; how many. `settle` empties the journal."""
        over = home_rows.left_before(self._db, is_over)
        if over:
            with self._change():
                home_rows.forget_former(self._db, over)
        return len(over)

    def traces(self, household: str) -> Traces:
        """What is left of a household, readable or not."""
        return traces(self._db, household)

    def erase(self, household: str, at: Instant) -> None:
        """Forget homes and consents; its devices belong to nobody, have no name and no radio keys, and may not speak.

        Deleted bytes are overwritten; `settle` empties the journal of them.
        """
        with self._change():
            self._taken_back.say(at, HOUSEHOLD, household)
            family_rows.erase(self._db, household, at)

    def guardians(self, household: str) -> list[Guardian]:
        """The devices of a household's guardians that may be told where its children are."""
        return guardian_rows.of(self._db, self._keys, household)

    def add_guardian(self, household: str, name: str, to: Subscription, at: Instant) -> int:
        """Let a device be told; its number."""
        rules.require_line(name, "The name of a guardian's device")
        with self._change():
            return guardian_rows.add(self._db, self._keys, household, name, to, at)

    def remove_guardian(self, household: str, number: int) -> bool:
        """Tell a device nothing more; False where there is none of this number."""
        with self._change():
            return guardian_rows.remove(self._db, household, number)

    def settle(self, wait_s: float | None = None) -> bool:
        """Empty the journal of what was deleted; see `database.settle`."""
        return database.settle(self._db, wait_s)


def traces(db: sqlite3.Connection, household: str) -> Traces:
    """What of a household is in a registry, also in a copy of one, which may be older than some of the tables."""
    there = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    counts = []
    for table in Traces._fields:
        query = f"SELECT count(*) FROM {table} WHERE household = ?"  # noqa: S608
        known = table in there
        counts.append(db.execute(query, (household,)).fetchone()[0] if known else 0)
    return Traces(*counts)


def homes_in(path: Path, keys: Seal) -> dict[str, Household]:
    """Household → its home in a registry that is only read, and may be older than some of the tables.

    Raises:
        Refusal: it cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
            return home_rows.homes(db, keys)
    except sqlite3.Error as error:
        raise Refusal(f"{path} cannot be read as a registry ({error}).") from error


def kinds_in(path: Path) -> set[str]:
    """The kinds of devices in a registry that is only read; none where there is no registry yet.

    Raises:
        Refusal: it cannot be read.
    """
    if not path.exists():
        return set()
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
            return {kind for (kind,) in db.execute("SELECT DISTINCT kind FROM devices")}
    except sqlite3.Error as error:
        raise Refusal(f"{path} cannot be read as a registry ({error}).") from error


class InCopy(NamedTuple):
    """What a copy of a registry holds of a household.

    Attributes:
        tried, readable: homes, consents and guardians' devices that are sealed, and those of them that open.
        devices: that stand under its name, in clear, with their own names.
        consents: whose device, purpose and time stand in clear.
    """

    tried: int
    readable: int
    devices: int
    consents: int


def in_copy(path: Path, household: str, keys: Seal) -> InCopy:
    """Look for a household in a copy of a registry, with these keys.

    Raises:
        Refusal: it cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
            said = traces(db, household)
            homes = [home_rows.home(db, keys, household)]
            if said.former_homes:
                homes += [one.place for one in home_rows.former(db, keys, household)]
            consents = consent_rows.consents_of(db, keys, household)
            guardians = guardian_rows.of(db, keys, household) if said.guardians else []
    except sqlite3.Error as error:
        raise Refusal(f"{path} cannot be read as a copy of a registry ({error}).") from error
    opened = sum(one is not None for one in homes)
    opened += sum(one.granted_by is not None for one in consents)
    tried = said.homes + said.former_homes + said.consents + said.guardians
    return InCopy(tried, opened + len(guardians), said.devices, said.consents)
