"""The keys the mask is handed: one per personal file, one per service day."""

from datetime import date
from typing import Protocol


class KeySource(Protocol):
    """Random keys that live outside the state directory."""

    def file_key(self, period: str) -> bytes:
        """The 32-byte key of one personal file, for example of "store-2026-W20"; made at first use."""
        ...

    def day_key(self, day: date) -> bytes | None:
        """The 32-byte key of one service day; None once that day is over and its key destroyed."""
        ...
