"""What every product asks of a payload first: its port, its length, and whole items inside it."""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.model.errors import PayloadError
from gateway.model.reason import Reason


def need_port(f_port: int, *known: int) -> None:
    """Raises `PayloadError` (undecodable) unless the port is a known one."""
    if f_port not in known:
        raise unknown(f"f_port: it speaks on {', '.join(map(str, known))}")


def unpacked(layout: struct.Struct, data: bytes) -> tuple[Any, ...]:
    """The numbers of a payload that has exactly this layout; raises `PayloadError` (undecodable)."""
    if len(data) != layout.size:
        raise unknown(f"length: it sends {layout.size} bytes")
    return layout.unpack(data)


def unknown(detail: str) -> PayloadError:
    """The payload is none that the product is known to send."""
    return PayloadError(Reason.UNDECODABLE, detail)


def no_reading(field: str) -> PayloadError:
    """A payload that is known, and says nothing that the kind has a field for: a state, a serial number."""
    return PayloadError(Reason.NO_READING, f"{field}: none in it")


def no_value(field: str, why: str) -> PayloadError:
    """The payload says, in the maker's own way, that there is no value."""
    return PayloadError(Reason.OUT_OF_RANGE, f"{field}: {why}")


def items(
    data: bytes, head: int, sizes: Mapping[bytes, int]
) -> Iterator[tuple[bytes, bytes]]:  # fmt: skip
    """Items of a payload that is a row of (key, value): key of `head` bytes, value as long as its key says.

    Raises:
        PayloadError: undecodable: a key that is not in `sizes`, or an item cut short.
    """
    at = 0
    while at < len(data):
        key = data[at : at + head]
        size = sizes.get(key)
        if size is None:
            raise unknown("an item that it is not known to send")
        value = data[at + head : at + head + size]
        if len(value) != size:
            raise unknown("an item cut short")
        yield key, value
        at += head + size
