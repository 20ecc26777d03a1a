"""ELSYS' sensors: rows of items, each behind its type, numbers big endian, on port 5.

    01  temperature, i16 · 0.1 °C     0e  distance, u16 mm
    02  humidity, u8 %                14  pressure, i32 · 0.001 hPa
    07  battery, u16 mV

The others are passed over by their length.
"""

from gateway.devices.makers.payload import items, need_port

TEMPERATURE, HUMIDITY, BATTERY, DISTANCE, PRESSURE = 0x01, 0x02, 0x07, 0x0E, 0x14
_SIZES = {
    bytes([kind]): size
    for size, kinds in {
        1: (0x02, 0x05, 0x0D, 0x0F, 0x11, 0x12, 0x1A),
        2: (0x01, 0x04, 0x06, 0x07, 0x08, 0x0A, 0x0C, 0x0E, 0x15, 0x16, 0x18, 0x19, 0x1C),
        3: (0x03,),
        4: (0x0B, 0x10, 0x14, 0x17, 0x1B),
        6: (0x09,),
        65: (0x13,),
    }.items()
    for kind in kinds
}


def said(f_port: int, data: bytes) -> dict[int, int]:
    """Type → number with its sign, the last one of each; raises `PayloadError`."""
    need_port(f_port, 5)
    found = {}
    for key, value in items(data, 1, _SIZES):
        signed = key[0] in (TEMPERATURE, PRESSURE)
        found[key[0]] = int.from_bytes(value, "big", signed=signed)
    return found
