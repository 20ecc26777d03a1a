"""The keys of households: random, one each, never derived; whoever destroys one has erased what it sealed."""

import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.keys import keyfile
from gateway.keys.erased import ErasedKeys
from gateway.keys.reach import reachable
from gateway.model.errors import Refusal
from gateway.model.identity import is_name
from gateway.privacy.keysource import KeysUnavailable

_NONCE = 12
_AT_ONCE = 256
"""Key files open at a time."""


class HouseholdKeys:
    """Those of one ring, in `folder`; siblings share their household's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make_all(self, households: Iterable[str]) -> None:
        """Make many keys at once: far fewer waits for the disk than one by one."""
        paths = [self._path(name) for name in sorted(set(households))]
        missing = [path for path in paths if not path.exists()]
        for start in range(0, len(missing), _AT_ONCE):
            keyfile.make_all(missing[start : start + _AT_ONCE])

    def names(self) -> list[str]:
        """Households that have a key, in order."""
        return sorted(path.stem for path in self._folder.glob("*.key"))

    def key(self, household: str) -> bytes | None:
        """The 32-byte key; None where it was never made or is destroyed.

        Raises:
            KeysUnavailable: nobody can tell just now.
        """
        path = self._path(household)
        with reachable():
            found = keyfile.read(path)
        if found is None and not self._folder.is_dir():
            raise KeysUnavailable("the folder of the households' keys is away")
        return found

    def all(self) -> Iterator[tuple[str, bytes]]:
        """Every household with its key.

        Raises:
            Refusal: a key cannot be read.
        """
        for name in self.names():
            found = keyfile.read(self._path(name))
            if found is not None:
                yield name, found

    def destroy(self, household: str) -> bool:
        """Overwrite and remove a key, once it is noted that it must not come back; False where there was none.

        Raises:
            OSError, Refusal: it cannot be reached: a folder that is away may hold it all the same.
        """
        key = keyfile.read(self._path(household))
        if key is not None:
            ErasedKeys(self._folder.parent).add(key)
        return keyfile.destroy(self._path(household))

    def seal(self, household: str, plaintext: bytes, aad: bytes) -> bytes:
        """Encrypt under a household's key (made at first use): nonce ‖ AES-256-GCM text.

        Raises:
            Refusal: the folder of the households' keys is away, or takes no key.
        """
        path = self._path(household)
        try:
            key = keyfile.read(path) or keyfile.make(path)
        except OSError as error:
            raise Refusal(
                f"No key could be made in {path.parent}: {error.strerror}. Bring that folder back, or "
                "say where the keys lie (setting keys, or --keys)."
            ) from error
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(key).encrypt(nonce, plaintext, _bound(household, aad))

    def open_sealed(self, household: str, sealed: bytes, aad: bytes) -> bytes | None:
        """What `seal` was given; None where the key is gone or the bytes are not its.

        Raises:
            Refusal: nobody can tell just now: the key cannot be read, or its whole folder is away.
        """
        key = keyfile.read(self._path(household))
        if key is None:
            if not self._folder.is_dir():
                raise Refusal(
                    f"The folder {self._folder} with the households' keys is not there, so no home and "
                    "no consent can be read. Bring it back, or say where the keys lie (setting keys, "
                    "or --keys). If they are lost for good, make it anew, empty, and register homes "
                    "and consents again."
                )
            return None
        try:
            return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(household, aad))
        except (InvalidTag, ValueError):
            return None

    def _path(self, household: str) -> Path:
        if not is_name(household):
            raise ValueError("not a household's name")
        return self._folder / f"{household}.key"


def _bound(household: str, aad: bytes) -> bytes:
    """Additional data that ties sealed bytes to their household and their place."""
    return household.encode() + b"\0" + aad
