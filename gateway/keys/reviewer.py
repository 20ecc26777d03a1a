"""A reviewer's key: Ed25519, made anew of a passphrase whenever it signs. It lies nowhere."""

import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.keys.passphrase import stretched

_SALT = 16


def new_salt() -> bytes:
    """What makes two people's keys differ, whatever their passphrases are."""
    return secrets.token_bytes(_SALT)


class ReviewerKey:
    """Signs as whoever knows the passphrase.

    Args:
        salt: as it stands in the ledger.
    """

    def __init__(self, passphrase: str, salt: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(stretched(passphrase, salt))

    @property
    def public(self) -> str:
        """The public key as 64 hex digits."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, data: bytes) -> str:
        """The signature as 128 hex digits."""
        return self._key.sign(data).hex()
