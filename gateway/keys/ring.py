"""The key ring of one state directory: which key for what, since when, until when.

<keys root>/<directory id>/        0700
    root.key                       tokens, registry and sessions are keyed from it
    signing.key                    signs proofs; made with the first one
    files/<period>.key             one per personal file
    days/<YYYY-MM-DD>.key          one per service day; <YYYY-MM-DD>.gone once destroyed
    periods/<name>-<period>.key    one per counter and period, destroyed when it closes
    households/<name>.key          one per household; never derived from anything
    lock                           held by the gateway that works with these keys, with its process number; where a full or
                                   read-only disk takes none, root.key is held
    taken-back.jsonl               what was taken back, so that no older registry undoes it
    erased/<id>                    empty: a household's or a file's key that was destroyed, and never comes back
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import date, tzinfo
from pathlib import Path
from typing import NoReturn, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.clock import Clock, SystemClock
from gateway.keys import keyfile
from gateway.keys.days import DayKeys
from gateway.keys.erased import ErasedKeys
from gateway.keys.households import HouseholdKeys
from gateway.keys.periods import PeriodKeys
from gateway.keys.reach import reachable
from gateway.keys.signing import Signer
from gateway.keys.taken_back import TakenBack
from gateway.model.errors import Refusal
from gateway.model.identity import is_name
from gateway.model.instant import Instant
from gateway.statedir import hold, sync_directory

_PARTS = ("files", "days", "periods", "households")


class KeyRing:
    """The keys of one state directory; satisfies `gateway.privacy.keysource.KeySource`.

    Args of `open` and `create`:
        root: the keys root; the ring lies in `root / directory_id`.
        directory_id: `StateDir.id`.
        clock: decides which service days are over.
        zone: local time zone of the service days, which run from 03:00 to 03:00.

    Attributes:
        path: where it lies.
        periods: the keys of counting periods.
        households: the keys of households.
        signer: signs proofs in the ring's name.
        taken_back: what was taken back.
    """

    def __init__(self, path: Path, root_key: bytes, clock: Clock, zone: tzinfo) -> None:
        self.path = path
        self._root_key = root_key
        self._file_keys: dict[str, bytes] = {}
        self._days = DayKeys(path / "days", clock, zone)
        self.periods = PeriodKeys(path / "periods")
        self.households = HouseholdKeys(path / "households")
        self.signer = Signer(path / "signing.key")
        self.taken_back = TakenBack(path, self._derived(b"taken back"))

    @classmethod
    def create(cls, root: Path, directory_id: str, clock: Clock, zone: tzinfo) -> Self:
        """Make the ring of a new state directory.

        Raises:
            Refusal: it exists already, or the place cannot be written.
        """
        path = root / directory_id
        if (path / "root.key").exists():
            raise Refusal(
                f"The keys of this state directory exist already in {path}. Nothing was changed."
            )
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.mkdir(mode=0o700, exist_ok=True)
            path.chmod(0o700)
            for part in _PARTS:
                (path / part).mkdir(mode=0o700, exist_ok=True)
            sync_directory(root)
            key = keyfile.make(path / "root.key")
        except OSError as error:
            raise Refusal(
                f"No keys could be made in {path}: {error.strerror}. "
                "Choose a place where this user may write (setting keys, or --keys)."
            ) from error
        return cls(path, key, clock, zone)

    @classmethod
    def open(cls, root: Path, directory_id: str, clock: Clock, zone: tzinfo) -> Self:
        """Open the ring of an existing state directory.

        Raises:
            Refusal: the keys are not there, or others may read them; says what is lost without them.
        """
        path = root / directory_id
        try:
            key = keyfile.read(path / "root.key")
            open_to_others = key is not None and path.stat().st_mode & 0o077
        except PermissionError:
            raise Refusal(
                f"The keys in {path} belong to another user. Run as the user who owns them."
            ) from None
        if key is None:
            raise Refusal(
                f"The keys of this state directory are not in {path}. Without them its homes, "
                "consents, device tokens and rows about people are lost to everyone, and nothing more about "
                "people can be stored; rows of the city's things stay readable. Bring the folder "
                "back from your copy of the keys, or say where it lies (setting keys, or --keys)."
            )
        if open_to_others:
            raise Refusal(
                f"The key folder {path} is open to other users, so it is not used. "
                f"If nobody else read it: chmod 700 {path}."
            )
        now = SystemClock().now()  # files are dated by the machine, whatever time it is in town
        for folder in (path, *(path / part for part in _PARTS)):
            keyfile.sweep(folder, now)
        return cls(path, key, clock, zone)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the keys for this gateway alone: a second one, on a copy of the directory, would tell of the same periods again.

        A full or read-only place is held as well: with keys that are there a gateway goes on.

        Raises:
            Refusal: another gateway works with them, or this user may not write there, or the place is away.
        """
        sentence = (
            f"A gateway already works with the keys in {self.path} (process {{}}), on a copy of this directory or on the one that "
            "this is a copy of. Two would release the numbers of the same periods. Stop one of them for good."
        )
        with ExitStack() as held:
            try:
                held.enter_context(
                    hold(self.path / "lock", 0o600, sentence, self.path / "root.key")
                )
            except PermissionError as error:
                raise Refusal(
                    f"The keys in {self.path} cannot be held by this gateway ({error.strerror}). Let this user write there."
                ) from error
            except OSError as error:
                raise Refusal(
                    f"The keys in {self.path} cannot be held by this gateway ({error.strerror}): their place is away or broken. "
                    "Mend it."
                ) from error
            yield

    def __repr__(self) -> str:
        return "<key ring>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key ring is never serialised")

    # -- personal files ---------------------------------------------------------------------

    def file_key(self, period: str) -> bytes:
        """The 32-byte key of a personal file, for example of "store-2026-W20"; made at first use.

        Raises:
            KeysUnavailable: it can be neither read nor made just now.
        """
        key = self._file_keys.get(period)
        if key is None:
            path = self._file_path(period)
            with reachable():
                key = self._file_keys[period] = keyfile.find_or_make(path)
        return key

    def known_file_key(self, period: str) -> bytes | None:
        """The key of a personal file that is there to be read; None where there is none, and none is made.

        Raises:
            Refusal: it cannot be read.
        """
        return self._file_keys.get(period) or keyfile.read(self._file_path(period))

    def has_file_key(self, period: str) -> bool:
        """Whether the file's key exists: a personal file without one can never be added to.

        Raises:
            KeysUnavailable: nobody can tell just now.
        """
        if period in self._file_keys:
            return True
        with reachable():
            return self._file_path(period).exists()

    def destroy_file_key(self, period: str) -> None:
        """Destroy the key of a personal file whose time is over, once it is noted that it must not come back.

        Raises:
            OSError: it cannot be reached.
        """
        key = None
        with suppress(Refusal):  # one that is no key any more goes all the same
            key = self.known_file_key(period)
        if key is not None:
            ErasedKeys(self.path).add(key)
        self._file_keys.pop(period, None)
        keyfile.destroy(self._file_path(period))

    def file_periods(self) -> list[str]:
        """The personal files that have a key, also those that are not here."""
        return sorted(path.stem for path in (self.path / "files").glob("*.key"))

    def _file_path(self, period: str) -> Path:
        if not is_name(period.lower()):
            raise ValueError("a period is named with letters, digits, dots and dashes")
        return self.path / "files" / f"{period}.key"

    # -- service days -----------------------------------------------------------------------

    def day_key(self, day: date) -> bytes | None:
        """The key of a service day; see `DayKeys.key`.

        Raises:
            KeysUnavailable: it can be neither read nor made just now.
        """
        return self._days.key(day)

    def retire(self, now: Instant) -> int:
        """Destroy the keys of days that are over; see `DayKeys.retire`."""
        return self._days.retire(now)

    # -- registry, tokens, households -------------------------------------------------------

    def token_key(self) -> bytes:
        """The key under which tokens are hashed."""
        return self._derived(b"tokens")

    def registry_key(self) -> bytes:
        """The key under which the registry seals what belongs to no household."""
        return self._derived(b"registry")

    def session_key(self) -> bytes:
        """The key of the names and records in `sessions.db`."""
        return self._derived(b"sessions")

    def epoch_key(self, epoch: str) -> bytes:
        """The key of the noise of one epoch; as old as the ring, so that no restart draws anew."""
        return self._derived(b"noise " + epoch.encode())

    def log_key(self) -> bytes:
        """The key that binds the entries of the access log to one another."""
        return self._derived(b"access log")

    def _derived(self, purpose: bytes) -> bytes:
        return HKDF(SHA256(), keyfile.SIZE, salt=None, info=purpose).derive(self._root_key)

    def seal(self, household: str, plaintext: bytes, aad: bytes) -> bytes:
        """Encrypt under a household's key; see `HouseholdKeys.seal`."""
        return self.households.seal(household, plaintext, aad)

    def open_sealed(self, household: str, sealed: bytes, aad: bytes) -> bytes | None:
        """Decrypt what `seal` made; see `HouseholdKeys.open_sealed`."""
        return self.households.open_sealed(household, sealed, aad)

    def count(self) -> dict[str, int]:
        """How many keys there are: "files", "days", "periods", "households" → number."""
        return {part: len(list((self.path / part).glob("*.key"))) for part in _PARTS}
