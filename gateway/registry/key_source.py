"""Whose keys seal the registry."""

from typing import Protocol

from gateway.registry.seal import Seal


class Keys(Seal, Protocol):
    """What the registry asks of the key ring."""

    def token_key(self) -> bytes:
        """Key of the token hashes."""
        ...

    def registry_key(self) -> bytes:
        """Key under which those hashes are sealed."""
        ...
