"""Counters of open periods on disk: sealed, of fixed size, replaced whole.

    counting/<name>-<period>.sealed = nonce (12) ‖ AES-256-GCM of the counter's bytes

The key is BLAKE2b-256 of the period's key with the person "checkpoint"; file name and rule are bound in.
"""

import secrets
from hashlib import blake2b
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.statedir import sync_directory, write_durably

_NONCE = 12
_SUFFIX = ".sealed"


class CounterFiles:
    """The folder `counting/` of a state directory; made at the first counter.

    Attributes:
        folder: where it is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Name and period of every counter that lies there; drafts of a run that was killed are removed.

        Raises:
            OSError: the folder cannot be read.
        """
        for draft in self.folder.glob(f".*{_SUFFIX}.*"):
            draft.unlink(missing_ok=True)
        return self.there()

    def there(self) -> list[str]:
        """The same, and nothing is removed: for who only looks.

        Raises:
            OSError: the folder cannot be read.
        """
        return sorted(path.stem for path in self.folder.glob(f"*{_SUFFIX}"))

    def write(self, name: str, key: bytes, content: bytes) -> None:
        """Put a counter on disk, instead of the one before.

        Raises:
            OSError: the disk does not take it; the one before stays.
        """
        self.folder.mkdir(mode=0o700, exist_ok=True)
        nonce = secrets.token_bytes(_NONCE)
        sealed = AESGCM(_sealing(key)).encrypt(nonce, content, name.encode())
        write_durably(self._path(name), nonce + sealed, 0o600)

    def read(self, name: str, key: bytes) -> bytes | None:
        """What was written last; None where it cannot be opened by this key.

        Raises:
            OSError: it cannot be read.
        """
        sealed = self._path(name).read_bytes()
        try:
            return AESGCM(_sealing(key)).decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
        except (InvalidTag, ValueError):
            return None

    def remove(self, name: str) -> None:
        """Take a counter away whose period is closed.

        Raises:
            OSError: the disk does not let it go.
        """
        self._path(name).unlink(missing_ok=True)
        if self.folder.is_dir():
            sync_directory(self.folder)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{_SUFFIX}"


def _sealing(key: bytes) -> bytes:
    return blake2b(key=key, digest_size=32, person=b"checkpoint").digest()
