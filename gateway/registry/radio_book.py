"""What the registry knows of devices that speak LoRaWAN: a part of it, opened and closed with it."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from gateway.model.instant import Instant
from gateway.registry import radio_rows
from gateway.registry.radio_rows import Radio, Secrets


class RadioBook:
    """Secrets and joins.

    Args:
        change: one transaction of the whole registry.
        key: under which all of it is sealed; asked for when it is needed.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        change: Callable[[], AbstractContextManager[None]],
        key: Callable[[], bytes],
    ) -> None:
        self._db = connection
        self._change = change
        self._key = key

    def put(self, device: str, secrets: Secrets, at: Instant) -> None:
        """Remember a device's secrets, sealed; it needs the fact `dev_eui` to be heard."""
        with self._change():
            radio_rows.put(self._db, self._key(), device, secrets, at)

    def joined(self, device: str, nonces: Iterable[int], join_nonce: int) -> None:
        """Remember the joins of a device: none of them is believed again."""
        with self._change():
            radio_rows.joined(self._db, self._key(), device, nonces, join_nonce)

    def read(self) -> Radio:
        """Every device that speaks LoRaWAN to us, with its secrets."""
        return radio_rows.read(self._db, self._key())
