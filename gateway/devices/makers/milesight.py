"""Milesight's sensors: rows of items, each behind a channel and a type, numbers little endian, on port 85.

    channel  type   value
    01       75     battery, u8 %
    03       67     temperature, i16 · 0.1 °C
    03, 04   82     distance, u16 mm

Each product has channels of its own beside these. An item that a product is not known to send makes the whole
payload unknown, because nobody can say how long it is.
"""

from collections.abc import Mapping

from gateway.devices.makers.payload import items, need_port, no_reading

BATTERY = bytes.fromhex("0175")
TEMPERATURE = bytes.fromhex("0367")
_COMMON = {BATTERY: 1, TEMPERATURE: 2}


def said(f_port: int, data: bytes, own: Mapping[bytes, int]) -> dict[bytes, bytes]:
    """Channel and type → value, the last one of each; raises `PayloadError`.

    Args:
        own: sizes of the product's own items, beside battery and temperature.
    """
    need_port(f_port, 85)
    return dict(items(data, 2, {**_COMMON, **own}))


def metres(
    found: Mapping[bytes, bytes], key: bytes, field: str, per_metre: int
) -> dict[str, float]:
    """The field, of an item without a sign; raises `PayloadError` (no reading) where it is not there."""
    if key not in found:
        raise no_reading(field)
    return {field: unsigned(found[key]) / per_metre}


def unsigned(value: bytes) -> int:
    """A number without a sign."""
    return int.from_bytes(value, "little")


def tenths(value: bytes) -> float:
    """A number with a sign, in tenths."""
    return int.from_bytes(value, "little", signed=True) / 10
