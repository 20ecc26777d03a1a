"""Parts that envelopes have in common: EUIs, times, base64, numbers that may be texts."""

import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from gateway.model.instant import Instant, from_datetime
from gateway.wire.envelopes.event import unreadable

_HEX = frozenset("0123456789abcdef")


def document(payload: bytes) -> dict[str, Any]:
    """A JSON object; raises `PayloadError`."""
    try:
        found = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise unreadable("not a JSON object")
    return found


def part(outer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object member, empty where it is absent."""
    value = outer.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise unreadable(name)
    return value


def several(outer: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects, empty where it is absent; what is no object in it is left out."""
    value = outer.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def eui(given: object, name: str) -> str:
    """An EUI-64 as 16 lower-case hexadecimal digits: from hexadecimal of either case, with or without
    dashes or colons, or from the base64 that JSON of older servers carries; raises `PayloadError`.
    """
    if isinstance(given, str):
        plain = given.replace("-", "").replace(":", "").lower()
        if len(plain) == 16 and _HEX.issuperset(plain):
            return plain
        if len(given) == 12 and given.endswith("="):  # 8 bytes in base64
            try:
                return binascii.a2b_base64(given, strict_mode=True).hex()
            except binascii.Error:
                pass
    raise unreadable(name)


def octets(given: object, name: str) -> bytes:
    """Base64, standard or URL-safe, padded or not; empty where it is absent."""
    if given is None or given == "":
        return b""
    if not isinstance(given, str):
        raise unreadable(name)
    plain = given.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
    except (binascii.Error, ValueError):
        raise unreadable(name) from None


def hexadecimal(given: object, name: str) -> bytes:
    """Hexadecimal of either case; empty where it is absent."""
    if given is None:
        return b""
    try:
        return bytes.fromhex(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise unreadable(name) from None


def whole(given: object, name: str, most: int) -> int:
    """A whole number from 0 to `most`, also as a text or as 35.0; 0 where it is absent (proto3)."""
    if given is None:
        return 0
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) <= 20:
        given = int(given)
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= most:
        raise unreadable(name)
    return given


def decibels(given: object) -> float | None:
    """RSSI or SNR, also as a text; None where it is absent or no number of this world."""
    try:
        value = float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return value if -250.0 <= value <= 100.0 else None


def instant(given: object) -> Instant | None:
    """RFC 3339 with any number of decimals, cut to µs; None where it is absent or no time."""
    if not isinstance(given, str):
        return None
    try:
        return from_datetime(datetime.fromisoformat(given))
    except (ValueError, OverflowError):
        return None
