"""Under whose key what households say is sealed."""

from typing import Protocol


class Seal(Protocol):
    """What households ask of the key ring."""

    def seal(self, household: str, plaintext: bytes, aad: bytes) -> bytes:
        """Encrypt under the household's key."""
        ...

    def open_sealed(self, household: str, sealed: bytes, aad: bytes) -> bytes | None:
        """Decrypt; None where the key is gone or the bytes are not its.

        Raises:
            Refusal: nobody can tell just now.
        """
        ...
