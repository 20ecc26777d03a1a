"""Decentlab's sensors: a head, then the words of each sensor whose flag is set.

Big endian, on port 1:

    0         1        3       5
    | version | device | flags | words of flag 0, of flag 1, …
    | u8 = 2  | u16    | u16   | u16 each

A sensor that did not answer has no flag and no words. The last flag is always the battery's, one word, mV.
"""

import struct

from gateway.devices.makers.payload import need_port, no_value, unknown

_HEAD = struct.Struct(">BHH")
_VERSION = 2


def words(f_port: int, data: bytes, count: int, field: str) -> tuple[tuple[int, ...], float | None]:
    """The words of the one sensor, and the battery in volts where it is said.

    Args:
        count: words of the sensor.
        field: what is missing where the sensor did not answer.

    Raises:
        PayloadError: another layout (undecodable); the sensor did not answer (out of range).
    """
    need_port(f_port, 1)
    if len(data) < _HEAD.size or data[0] != _VERSION:
        raise unknown("head: another version")
    _version, _device, flags = _HEAD.unpack_from(data)
    there = count * (flags & 1) + (flags >> 1 & 1)
    if flags > 3 or len(data) != _HEAD.size + 2 * there:
        raise unknown("flags: not as long as they say")
    if not flags & 1:
        raise no_value(field, "the sensor did not answer")
    found = struct.unpack_from(f">{there}H", data, _HEAD.size)
    return found[:count], found[count] / 1000 if flags & 2 else None
