"""What the registry knows of devices that speak LoRaWAN: a part of it, opened and closed with it."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from gateway.model.errors import Refusal
from gateway.model.instant import Instant
from gateway.registry import device_rows, radio_memory, radio_rows
from gateway.registry.radio_rows import Radio, Secrets


class RadioBook:
    """Secrets, joins, and whose counters are not known.

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

    @property
    def file(self) -> bytes | None:
        """The id of the `sessions.db` that the counters stand in; None before there is one."""
        return radio_memory.file_of(self._db)

    def stand_in(self, file: bytes) -> None:
        """This is the first one."""
        with self._change():
            radio_memory.remember_file(self._db, file)

    def lost(self, file: bytes, now: Instant) -> None:
        """It was another one, and what stood there is gone: whoever never joins is held, and joins go on far ahead
        (`radio_memory.hold`).
        """
        with self._change():
            held = radio_rows.never_joining(self._db, self._key())
            nonce = radio_rows.largest_nonce(self._db)
            radio_memory.hold(self._db, file, held, nonce, now)

    def held(self) -> list[str]:
        """Devices whose counters are not known, and nobody has said how far they are."""
        lost = radio_memory.counters(self._db)
        return sorted(device for device, said in lost.items() if said.up is None)

    def resume(self, device: str, up: int, down: int, at: Instant) -> None:
        """Say how far a device has counted whose counters were lost, or stood in another network: it is believed from the next uplink on.

        Args:
            up: the last uplink that may have been heard.
            down: the first downlink that surely was not.

        Raises:
            Refusal: its counters were always known here, or nobody knows it.
        """
        with self._change():
            device_rows.require(self._db, device)
            if device not in radio_memory.counters(self._db):
                raise Refusal(
                    f"The counters of {device} are known here, so nothing was changed. A device that joins has none to be "
                    "set: let it join again. What is wrong with it: sekisho doctor " + device
                )
            radio_memory.say(self._db, device, up, down, at)
