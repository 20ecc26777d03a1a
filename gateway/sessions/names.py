"""What `sessions.db` may hold: keyed names of a fixed size, and sealed records of a fixed size."""

import secrets
from hashlib import blake2b
from typing import NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SIZE = 16
"""Bytes of a keyed name."""

_NONCE = 12


class Names:
    """Names and seals under one key; nothing here can be read or linked without it.

    Args:
        key: 32 bytes, `KeyRing.session_key()`.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._seal = AESGCM(blake2b(key=key, person=b"seal", digest_size=32).digest())

    def __repr__(self) -> str:
        return "<names>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("keyed names are never serialised")

    def owner(self, credential: str) -> bytes:
        """A credential; "" for clients without one."""
        return self._keyed(b"owner", credential.encode())

    def session(self, owner: bytes, client_id: str) -> bytes:
        """A client of a credential."""
        return self._keyed(b"session", owner + client_id.encode())

    def device(self, device: str) -> bytes:
        """The device that a command is for."""
        return self._keyed(b"device", device.encode())

    def radio(self, device: str, number: int) -> bytes:
        """A device's LoRaWAN session, by the number of its join: two while a join is not yet spoken in, else one."""
        return self._keyed(b"radio", number.to_bytes(4, "big") + device.encode())

    def transmitter(self, forwarder: bytes) -> bytes:
        """The airtime of a forwarder."""
        return self._keyed(b"air", forwarder)

    def subscription(self, session: bytes, device: str) -> bytes:
        """That a session hears a device's commands."""
        return self._keyed(b"subscription", session + device.encode())

    def seal(self, record: bytes, place: bytes) -> bytes:
        """Encrypt a record for its place: nonce ‖ AES-256-GCM text."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._seal.encrypt(nonce, record, place)

    def unseal(self, sealed: bytes, place: bytes) -> bytes | None:
        """What `seal` was given; None if the key or the place is another."""
        try:
            return self._seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], place)
        except (InvalidTag, ValueError):
            return None

    def _keyed(self, purpose: bytes, text: bytes) -> bytes:
        return blake2b(text, key=self._key, person=purpose, digest_size=SIZE).digest()
