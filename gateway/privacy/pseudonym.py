"""Keyed names: a row's identity, a child's pseudonym, a tag's pseudonym. Nothing here is reversible.

    identity  = BLAKE2b-128(file key; person "row";   device ‖ session ‖ counter ‖ digest ‖ time ‖ index)
    child     = BLAKE2b-128(file key; person "child"; household ‖ device)
    tag       = BLAKE2b-128(key of the service day; person "tag"; EPC)

Every part stands behind its length or its presence, so that no two lists of parts share their bytes.
Nothing that our clock made enters an identity: the same uplink sent again has the same identity.
"""

from hashlib import blake2b
from struct import Struct

from gateway.model.instant import Instant

SIZE = 16
# counter present? counter · digest · time present? time · index inside the uplink
_PARTS = Struct(">?q8s?qH")
_NO_SESSION = b"\x00"


def text_part(text: str) -> bytes:
    """A name behind its length in two bytes."""
    raw = text.encode()
    return len(raw).to_bytes(2, "big") + raw


def speaker(device: str) -> bytes:
    """The part of an identity that stays the same for a device: its id, and an empty session."""
    return text_part(device) + _NO_SESSION


class FileNames:
    """Names under the key of one personal file."""

    __slots__ = ("_child", "_row", "heard", "period")

    def __init__(self, period: str, key: bytes) -> None:
        self.period = period
        self.heard: Instant = 0
        self._row = blake2b(key=key, digest_size=SIZE, person=b"row")
        self._child = blake2b(key=key, digest_size=SIZE, person=b"child")

    def identity(
        self, speaker: bytes, counter: int | None, digest: bytes, time: Instant | None, index: int
    ) -> bytes:
        """The 16-byte identity of one row."""
        keyed = self._row.copy()
        keyed.update(
            speaker
            + _PARTS.pack(
                counter is not None, counter or 0, digest, time is not None, time or 0, index
            )
        )
        return keyed.digest()

    def child(self, household: str, device: str) -> bytes:
        """The 16-byte pseudonym of one child's device; it changes with the file."""
        keyed = self._child.copy()
        keyed.update(text_part(household) + text_part(device))
        return keyed.digest()


def tag_pseudonym(day_key: bytes, epc: str) -> bytes:
    """The 16-byte pseudonym of a tag for one service day."""
    return blake2b(epc.encode(), key=day_key, digest_size=SIZE, person=b"tag").digest()
