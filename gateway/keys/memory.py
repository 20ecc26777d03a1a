"""Keys that live as long as a process: for trials whose rows are stored nowhere."""

import secrets
from datetime import date

from gateway.keys import keyfile


class MemoryKeys:
    """Satisfies `gateway.privacy.keysource.KeySource`; every file and day gets its own random key."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._days: dict[date, bytes] = {}
        self._epochs: dict[str, bytes] = {}

    def file_key(self, period: str) -> bytes:
        """The key of a personal file, made at first use."""
        return self._files.setdefault(period, secrets.token_bytes(keyfile.SIZE))

    def day_key(self, day: date) -> bytes:
        """The key of a service day, made at first use; no day is ever over."""
        return self._days.setdefault(day, secrets.token_bytes(keyfile.SIZE))

    def epoch_key(self, epoch: str) -> bytes:
        """The key of an epoch, made at first use."""
        return self._epochs.setdefault(epoch, secrets.token_bytes(keyfile.SIZE))
