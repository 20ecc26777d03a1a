"""Parts that envelopes have in common: EUIs, times, base64, numbers that may be texts."""

import binascii
from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias, TypeVar

import msgspec

from gateway.model.instant import CALENDAR_END, Instant, from_datetime
from gateway.wire.envelopes.event import unreadable

T = TypeVar("T")

Number: TypeAlias = int | float | str | None
"""A number as servers write it: 64 bits as a text, a Struct's as 35.0, zero not at all."""

_HEX = frozenset("0123456789abcdef")
_FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError)


def reader(form: type[T]) -> Callable[[bytes], T]:
    """What reads one shape of document: members that it does not name are passed over, not made.

    The reader raises `PayloadError` with the name of the member that is wrong.
    """
    decode = msgspec.json.Decoder(form).decode

    def read(payload: bytes) -> T:
        try:
            return decode(payload)
        except msgspec.ValidationError as error:
            _, _, where = str(error).partition(" - at `$.")
            raise unreadable(where.rstrip("`") or "not a JSON object") from None
        except _FAULTS:
            raise unreadable("not a JSON object") from None

    return read


members = reader(dict[str, msgspec.Raw])
"""The members of a document by name, themselves unread."""


def several(raw: msgspec.Raw, form: type[T]) -> list[T]:
    """The objects of a list; none where it is no list of such (radio metadata never costs an uplink)."""
    try:
        return msgspec.json.decode(raw, type=list[form]) if raw else []  # type: ignore[valid-type]
    except _FAULTS:
        return []


def eui(given: str | None, name: str) -> str:
    """An EUI-64 as 16 lower-case hexadecimal digits: from hexadecimal of either case, with or without
    dashes or colons, or from the base64 that JSON of older servers carries; raises `PayloadError`.
    """
    if given:
        plain = given.replace("-", "").replace(":", "").lower()
        if len(plain) == 16 and _HEX.issuperset(plain):
            return plain
        if len(given) == 12 and given.endswith("="):
            try:
                octets_ = binascii.a2b_base64(given, strict_mode=True)
            except ValueError:  # what is not ASCII is no binascii.Error
                octets_ = b""
            if len(octets_) == 8:
                return octets_.hex()
    raise unreadable(name)


def octets(given: str | None, name: str) -> bytes:
    """Base64, standard or URL-safe, padded or not; empty where it is absent."""
    if not given:
        return b""
    plain = given.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
    except (binascii.Error, ValueError):
        raise unreadable(name) from None


def hexadecimal(given: str | None, name: str) -> bytes:
    """Hexadecimal of either case; empty where it is absent."""
    try:
        return bytes.fromhex(given or "")
    except ValueError:
        raise unreadable(name) from None


def whole(given: Number, name: str, most: int) -> int:
    """A whole number from 0 to `most`, also as a text or as 35.0; 0 where it is absent (proto3)."""
    if given is None:
        return 0
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) <= 20:
        given = int(given)
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    if not isinstance(given, int) or not 0 <= given <= most:
        raise unreadable(name)
    return given


def decibels(given: Number) -> float | None:
    """RSSI or SNR, also as a text; None where it is absent or no number of this world."""
    try:
        value = float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return value if -250.0 <= value <= 100.0 else None


def instant(given: str | None) -> Instant | None:
    """RFC 3339 with any number of decimals, cut to µs; None where it is absent or no time of these centuries."""
    if not given:
        return None
    try:
        at = from_datetime(datetime.fromisoformat(given))
    except (ValueError, OverflowError):
        return None
    return at if 0 <= at < CALENDAR_END else None
