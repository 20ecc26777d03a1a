"""Rows about people as they lie on disk: two layers, one length, nothing of a household's in clear.

    text  = length ‖ (kind, values) in MessagePack ‖ zeros                         `TEXT` bytes
    bound = period ‖ rule set ‖ minute ‖ identity
    nonce = BLAKE2b-96(file key; person "nonce"; bound ‖ id ‖ text)
    inner = AES-256-GCM(household's key; nonce; text; bound)
    body  = nonce ‖ AES-256-GCM(file key; nonce; id ‖ inner; bound)                `BODY` bytes

`id` names the household's key and is derived from it; it stands inside the outer layer only, so no two bodies of
a household share anything. The same row makes the same bytes, and two texts never share a nonce (record 0033).
The keys of the layers are derived from the file's and the household's: neither does another thing with them.
"""

from collections.abc import Mapping
from hashlib import blake2b
from struct import Struct
from typing import Any, NoReturn, TypeAlias

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.model.instant import Instant

_ID, _NONCE, _TAG = 16, 12, 16
TEXT = 128
"""Bytes of every row before it is sealed: room for the longest there can be."""
BODY = _NONCE + _ID + TEXT + 2 * _TAG
"""Bytes of every sealed row."""

LONGEST_WORD = 32
"""Bytes of UTF-8 that a fact of a device about people may have, so that its rows fit `TEXT`."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Any, ...]).decode
_minute = Struct(">q").pack


Sealed: TypeAlias = tuple[Instant, bytes, bytes]
"""A row of the table `sealed`: minute, identity, body."""


class Damaged(Exception):
    """Bytes that were not sealed like this: of another file, rule set or row, or changed since."""


class RowKey:
    """What opens the inner layer of one household's rows.

    Args:
        key: 32 bytes, random, the household's.

    Attributes:
        id: names the key, 16 bytes; from it nobody gets to the key.
        seal, open: the inner layer: `AESGCM.encrypt` and `decrypt` of the derived key.
    """

    __slots__ = ("id", "open", "seal")

    def __init__(self, key: bytes) -> None:
        self.id = blake2b(key=key, digest_size=_ID, person=b"row key id").digest()
        aead = AESGCM(blake2b(key=key, digest_size=32, person=b"row").digest())
        self.seal, self.open = aead.encrypt, aead.decrypt

    def __repr__(self) -> str:
        return "<row key>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never serialised")


class FileSeal:
    """Seals and opens the rows of one personal file.

    Args:
        period: the file's name, for example "store-2026-W20.g2": lane, period and generation of the rules.
        ruleset: digest of the rules that its rows were masked by.
        key: the file's, 32 bytes.

    Attributes:
        nobody: seals what belongs to no household, as tags; it dies with the file.
    """

    __slots__ = ("_bound", "_decrypt", "_encrypt", "_nonce", "nobody")

    def __init__(self, period: str, ruleset: str, key: bytes) -> None:
        self._bound = f"{period}\0{ruleset}\0".encode()
        outer = AESGCM(blake2b(key=key, digest_size=32, person=b"outer").digest())
        self._encrypt, self._decrypt = outer.encrypt, outer.decrypt
        self._nonce = blake2b(key=key, digest_size=_NONCE, person=b"nonce")
        self.nobody = RowKey(blake2b(key=key, digest_size=32, person=b"nobody").digest())

    def __repr__(self) -> str:
        return "<file seal>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never serialised")

    def seal(self, whose: RowKey, kind: str, row: tuple[Any, ...]) -> Sealed:
        """A row in the order of `PERSONAL_HEAD` and the kind's columns, sealed.

        Raises:
            ValueError: it is longer than `TEXT` has room for.
        """
        minute, identity = row[0], row[1]
        packed = _encode((kind, *row[2:]))
        if len(packed) >= TEXT:
            raise ValueError("a row is longer than all rows are")
        text = (bytes((len(packed),)) + packed).ljust(TEXT, b"\0")
        bound = self._bound + _minute(minute) + identity
        name = whose.id
        keyed = self._nonce.copy()
        keyed.update(bound + name + text)
        nonce = keyed.digest()
        inner = name + whose.seal(nonce, text, bound)
        return minute, identity, nonce + self._encrypt(nonce, inner, bound)

    def open(
        self, sealed: Sealed, keys: Mapping[bytes, RowKey]
    ) -> tuple[str, tuple[Any, ...]] | None:
        """The kind and the row that `seal` was given; None where its household's key is not among `keys`.

        Args:
            keys: id → key.

        Raises:
            Damaged: it was not sealed by this file's key, under these rules, at this place.
        """
        name, inner = self._within(sealed)
        key = self.nobody if name == self.nobody.id else keys.get(name)
        if key is None:
            return None
        minute, identity, body = sealed
        try:
            text = key.open(body[:_NONCE], inner, self._bound + _minute(minute) + identity)
        except InvalidTag:
            raise Damaged from None
        kind, *values = _decode(text[1 : 1 + text[0]])
        return str(kind), (minute, identity, *values)

    def name(self, sealed: Sealed) -> bytes:
        """Under whose key a row is sealed: the key's id, also where the key is no more.

        Raises:
            Damaged: as `open`.
        """
        return self._within(sealed)[0]

    def _within(self, sealed: Sealed) -> tuple[bytes, bytes]:
        """What the outer layer holds: the id of a household's key, and the inner layer."""
        minute, identity, body = sealed
        bound = self._bound + _minute(minute) + identity
        try:
            within = self._decrypt(body[:_NONCE], body[_NONCE:], bound)
        except (InvalidTag, ValueError):
            raise Damaged from None
        return within[:_ID], within[_ID:]
