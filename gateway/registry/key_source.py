"""Whose keys seal the registry, and who remembers what was taken back."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from gateway.model.instant import Instant
from gateway.registry.seal import Seal


class Remembered(Protocol):
    """What lies with the keys of what was taken back: (number, when, digest)."""

    def digest(self, words: Iterable[str]) -> str:
        """What stands there for a thing."""
        ...

    def after(self, number: int) -> Sequence[tuple[int, Instant, str]]:
        """What was taken back behind an entry."""
        ...

    def add(self, things: Iterable[tuple[Instant, str]], beyond: int) -> int:
        """Write down, on disk when this returns, when and what; the last number."""
        ...

    def cut(self, behind: int) -> None:
        """Cut off the entries behind a number, in the turn that added them."""
        ...

    def turn(self) -> AbstractContextManager[None]:
        """One writer at a time."""
        ...


class Keys(Seal, Protocol):
    """What the registry asks of the key ring."""

    def token_key(self) -> bytes:
        """Key of the token hashes."""
        ...

    def registry_key(self) -> bytes:
        """Key under which those hashes are sealed."""
        ...

    @property
    def taken_back(self) -> Remembered:
        """What was taken back, in whatever copy of this registry."""
        ...
