"""Tokens: 128 random bits that a device presents, of which only a sealed keyed hash is kept."""

import secrets
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


def issue() -> str:
    """A new token: 32 hex digits."""
    return secrets.token_hex(16)


def digest(token_key: bytes, token: str) -> bytes:
    """The 32-byte keyed hash of a token; compare with `hmac.compare_digest`."""
    return blake2b(token.encode(), key=token_key, digest_size=32).digest()


def seal(registry_key: bytes, credential: str, hashed: bytes) -> bytes:
    """The hash as it lies on disk: nonce ‖ AES-256-GCM text, tied to the credential's name."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(registry_key).encrypt(nonce, hashed, _bound(credential))


def unseal(registry_key: bytes, credential: str, sealed: bytes) -> bytes | None:
    """What `seal` was given; None if the key or the credential is another."""
    try:
        return AESGCM(registry_key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(credential))
    except (InvalidTag, ValueError):
        return None


def _bound(credential: str) -> bytes:
    return b"token\0" + credential.encode()
