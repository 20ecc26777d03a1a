"""The key that signs what leaves a directory as evidence: Ed25519, one for a ring."""

from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.keys import keyfile


class Signer:
    """Signs in a ring's name; its key lies in `path`, made at first use."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def public(self) -> str:
        """The public key as 64 hex digits."""
        return self._key().public_key().public_bytes_raw().hex()

    def sign(self, data: bytes) -> str:
        """The signature as 128 hex digits.

        Raises:
            Refusal: the key can be neither read nor made.
        """
        return self._key().sign(data).hex()

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(keyfile.find_or_make(self._path))


def is_signed(public: str, signature: str, data: bytes) -> bool:
    """Whether `data` is what the holder of a public key signed; both in hex."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True
