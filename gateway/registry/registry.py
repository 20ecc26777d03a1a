"""The registry as a whole: every change to it, and the directory that the hot path reads."""

import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn, Self

from gateway.model.device import Device, Directory, Household
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId, HouseholdId
from gateway.model.instant import Instant
from gateway.model.position import Position
from gateway.registry import (
    consent_rows,
    credential_rows,
    database,
    device_rows,
    generations,
    home_rows,
    rules,
    tokens,
)
from gateway.registry.device_rows import DeviceRow
from gateway.registry.family_book import FamilyBook
from gateway.registry.generations import Zones
from gateway.registry.key_source import Keys
from gateway.registry.radio_book import RadioBook
from gateway.registry.taken_back import TakenBack
from gateway.statedir import Mark, StateDir


class Registry:
    """One open registry, used from one thread at a time.

    Each change is durable when its call returns; inside `with registry.change():` all of them
    are when the block ends. Texts are checked, and a Refusal says what is wrong with them.

    Attributes:
        radio: what it knows of devices that speak LoRaWAN.
        families: what it knows of one household.
        taken_back: lets nothing come back that was taken back.
    """

    def __init__(self, state: StateDir, keys: Keys, connection: sqlite3.Connection) -> None:
        self._state = state
        self._keys = keys
        self._db = connection
        self._seen: int | None = None
        self._loads = 0
        self.radio = RadioBook(connection, self.change, keys.registry_key)
        self.taken_back = TakenBack.of(connection, keys.taken_back)
        self.families = FamilyBook(connection, self.change, keys, self.taken_back)

    @classmethod
    def open(cls, state: StateDir, keys: Keys) -> Self:
        """Open the registry of a state directory; made and migrated as needed."""
        return cls(state, keys, database.connect(state.registry_db))

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a registry is never serialised")

    @contextmanager
    def change(self) -> Iterator[None]:
        """One transaction: everything inside becomes durable together, or nothing of it."""
        if self._db.in_transaction:
            yield
            return
        with self.taken_back.transaction():
            yield
        self._seen = None

    def put_device(
        self,
        device_id: str,
        kind: str,
        owner: str,
        registered_at: Instant,
        household: str | None = None,
        *,
        attributes: Mapping[str, str | float | bool] | None = None,
        name: str | None = None,
        source: str = "command",
        changed_at: Instant | None = None,
    ) -> None:
        """Add a device or replace all that is known of it; one that is revoked stays so."""
        at = registered_at if changed_at is None else changed_at
        facts = dict(attributes or {})
        rules.require_line(name or "", f"The name of {device_id}")
        with self.change():
            row = DeviceRow(
                *(device_id, kind, owner, household, name, facts),
                *(registered_at, None, source, at),
            )
            device_rows.put(self._db, row)

    def revoke(self, device: str, at: Instant) -> None:
        """From now on the device is treated as unknown; its rows stay."""
        with self.change():
            device_rows.revoke(self._db, device, at, at)

    def restore(self, device: str, at: Instant) -> bool:
        """Let a revoked device speak again; False where it was not revoked."""
        with self.change():
            return device_rows.revoke(self._db, device, None, at)

    def drop_device(self, device: str) -> None:
        """Forget a device and who may speak for it; its rows stay."""
        with self.change():
            device_rows.drop(self._db, device)

    def devices(self) -> list[DeviceRow]:
        """Every device in name order, revoked ones too."""
        return device_rows.rows(self._db)

    def device(self, device: str) -> DeviceRow:
        """One device by name; refuses an unknown one with the nearest name."""
        device_rows.require(self._db, device)
        return next(row for row in self.devices() if row.device == device)

    def put_credential(
        self,
        name: str,
        devices: Iterable[str],
        origin: str = "own",
        token: str | None = None,
        *,
        at: Instant = 0,
        source: str = "command",
    ) -> str:
        """Add a credential or give it a new token; returns the token, which is kept nowhere.

        It speaks for exactly `devices` afterwards. Refuses origin "simulated" outside SIM
        directories.
        """
        if origin == "simulated" and self._state.mark is not Mark.SIM:
            raise Refusal(
                f"{self._state.path} is not marked SIM, so no simulated device may enter it: "
                "invented rows would stand among real ones. Make a directory for them: "
                "sekisho keys init --mark SIM --state DIR."
            )
        token = tokens.issue() if token is None else token
        sealed = self._sealed_hash(name, token)
        with self.change():
            credential_rows.put(
                self._db, name, devices, sealed=sealed, origin=origin, source=source, at=at
            )
        return token

    def renew_token(self, name: str, at: Instant) -> str:
        """Give a credential another token, which is returned and kept nowhere; all else stays."""
        token = tokens.issue()
        with self.change():
            credential_rows.renew(self._db, name, self._sealed_hash(name, token), at)
        return token

    def _sealed_hash(self, name: str, token: str) -> bytes:
        hashed = tokens.digest(self._keys.token_key(), token)
        return tokens.seal(self._keys.registry_key(), name, hashed)

    def put_speakers(
        self, name: str, devices: Iterable[str], *, at: Instant, source: str = "command"
    ) -> None:
        """Say for whom a credential speaks, leaving its token; a new one has none, and connects by a client
        certificate until it is given one.
        """
        with self.change():
            credential_rows.put(
                self._db, name, devices, sealed=None, origin="own", source=source, at=at
            )

    def allow(self, credential: str, device: str, at: Instant) -> None:
        """Let a credential speak for one more device; an import will not undo it."""
        with self.change():
            credential_rows.allow(self._db, credential, device, at)

    def drop_credential(self, name: str) -> None:
        """Forget a credential; its token opens nothing any more."""
        with self.change():
            credential_rows.drop(self._db, name)

    def revoke_credential(self, name: str, at: Instant) -> None:
        """Let nobody in as it, by token or certificate, until it is given a new token."""
        with self.change():
            credential_rows.revoke(self._db, name, at)

    def tokenless(self) -> set[str]:
        """Credentials that were never given a token."""
        return credential_rows.tokenless(self._db)

    def credentials(self) -> dict[str, frozenset[str]]:
        """Credential name → the devices it speaks for, in name order."""
        return credential_rows.rows(self._db)

    def credential_sources(self) -> dict[str, str]:
        """Credential name → "command" or "file": which of the two set it last."""
        return credential_rows.sources(self._db)

    def put_home(
        self,
        household: str,
        lat: float,
        lon: float,
        radius_m: float | None = None,
        crs: str = "EPSG:4326",
        *,
        at: Instant = 0,
    ) -> bool:
        """Remember a home (degrees, metres), sealed under the household's own key.

        Returns:
            whether the household moved: the place before stays hidden as long as rows from then are kept.
        """
        if not (math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180):
            raise Refusal(f"The home of {household} is not a position on earth.")
        with self.change():
            home = Position(lat, lon)
            return home_rows.put_home(
                self._db, self._keys, household, home, radius_m=radius_m, crs=crs, at=at
            )

    def put_zone(self, household: str, zone: str, pin: str, *, at: Instant = 0) -> bool:
        """Remember of a home its zone alone ("" for none), of the partition with this digest; as `put_home`."""
        with self.change():
            return home_rows.put_zone(self._db, self._keys, household, zone, pin, at)

    def record_consent(
        self, device: str, purpose: str, granted_by: str, text: str, at: Instant
    ) -> None:
        """Record who opted in for a device, to which purpose and by which text."""
        rules.require_line(granted_by, "Who consents")
        rules.require_line(text, "To which words")
        with self.change():
            consent_rows.record_consent(
                self._db, self._keys, device, purpose, granted_by=granted_by, text=text, at=at
            )

    def withdraw_consent(self, device: str, purpose: str, at: Instant) -> int:
        """Withdraw the consents of a device for a purpose; returns how many stood."""
        with self.change():
            return consent_rows.withdraw_consent(self._db, device, purpose, at)

    def consents(self) -> dict[str, frozenset[str]]:
        """Device → the purposes for which a guardian's opt-in stands; none, no entry."""
        return consent_rows.consents(self._db, self._keys)

    def ruleset(self, digest: str, now: Instant, zones: Zones | None = None) -> tuple[int, Instant]:
        """(generation, since): (1, 0) of the first rule set, next and now of one unlike the newest. Refuses an epoch's other zones."""
        with self.change():
            return generations.generation(self._db, digest, now, zones)

    def ruleset_of(self, generation: int) -> str:
        """The digest of a rule set by its generation; "" for one that nobody used here."""
        return generations.digest(self._db, generation)

    def changed(self) -> bool:
        """Whether anyone changed the registry since `directory()` was last read; costs microseconds."""
        return self._data_version() != self._seen

    def directory(self) -> Directory:
        """All devices and credentials as the hot path needs them; homes are unsealed into memory.

        Where it raises, `changed()` goes on saying that there is something to read.
        """
        self._db.execute("BEGIN")
        try:
            homes = home_rows.homes(self._db, self._keys)
            consents = consent_rows.consents(self._db, self._keys)
            devices = {}
            for row in device_rows.rows(self._db):
                device = DeviceId(row.device)
                household = None
                if row.household is not None:
                    household = homes.get(row.household) or Household(
                        HouseholdId(row.household), None, None, "EPSG:4326"
                    )
                devices[device] = Device(
                    *(device, row.kind, row.owner, row.registered_at, household),
                    consents=consents.get(row.device, frozenset()),
                    attributes=row.attributes,
                    revoked=row.revoked_at is not None,
                )
            credentials = credential_rows.in_force(self._db, self._keys.registry_key())
            seen = self._data_version()
        finally:
            if self._db.in_transaction:  # some errors end it themselves
                self._db.execute("COMMIT")
        self._seen = seen
        self._loads += 1
        return Directory(devices, credentials, self._loads)

    def _data_version(self) -> int:
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])
