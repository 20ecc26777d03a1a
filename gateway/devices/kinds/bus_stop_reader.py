"""Bus stop reader: a UHF RFID reader at a stop or above a bus door that sees school-bag tags.

Compact binary, big endian, 1 + 14·n bytes, n ≤ 64 (only n ≤ 15 fits a LoRaWAN frame):

    0        1                                          then 14 bytes for each read
    | n      | EPC-96    | antenna | rssi   | …
    | u8     | 12 bytes  | u8      | i8 dBm |

The binary form carries EPC-96 only; longer codes (up to 248 bits) need JSON. An uplink without
reads is a sign of life. The reader collapses repeats of one tag before it sends.

A tag's code names a child's bag: it is kept only as a pseudonym of one service day. Signal strength
is not kept at all: its course over time tells one bag, and the way it hangs, from another, and would
join the pseudonyms of two days again.
"""

import struct
from collections.abc import Mapping
from typing import Annotated, Any, NoReturn

import msgspec

from gateway.devices.kind import Column, DeviceKind, Document, Example, Field, Sensitivity
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.reason import Reason

_READ = struct.Struct(">12sBb")
_MOST_READS = 64
_EPC = r"^(?:[0-9A-F]{2}){12,31}$(?!\n)"  # `$` alone would let a line feed through


class Read(msgspec.Struct, frozen=True, gc=False):
    """One tag seen by one antenna: EPC in upper-case hex, antenna 1 to 8, dBm."""

    epc: Annotated[str, msgspec.Meta(min_length=24, max_length=62, pattern=_EPC)]
    antenna: Annotated[int, msgspec.Meta(ge=1, le=8)]
    rssi_dbm: Annotated[int, msgspec.Meta(ge=-120, le=0)]

    def __repr__(self) -> str:
        return "<tag read>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # msgspec's own would list the fields
        return []

    def __reduce__(self) -> NoReturn:
        raise TypeError("a tag read is never serialised")


class Values(Document, kw_only=True, gc=False):
    """The reads since the reader's last uplink, in the order it saw them."""

    reads: Annotated[tuple[Read, ...], msgspec.Meta(max_length=_MOST_READS)]


def unpack(payload: bytes) -> Values:
    """Decode the form of 1 + 14·n bytes.

    Raises:
        PayloadError: the length does not fit `n` (undecodable), value outside the field table.
    """
    if not payload or len(payload) != 1 + payload[0] * _READ.size:
        raise PayloadError(Reason.UNDECODABLE, "reads: n does not fit the payload's length")
    if payload[0] > _MOST_READS:
        raise PayloadError(Reason.OUT_OF_RANGE, "reads")
    reads = []
    for epc, antenna, rssi in _READ.iter_unpack(payload[1:]):
        if not 1 <= antenna <= 8:
            raise PayloadError(Reason.OUT_OF_RANGE, "reads[].antenna")
        if not -120 <= rssi <= 0:
            raise PayloadError(Reason.OUT_OF_RANGE, "reads[].rssi_dbm")
        reads.append(Read(epc.hex().upper(), antenna, rssi))
    return Values(reads=tuple(reads))


def pack(values: Any) -> bytes:
    """Encode the form of 1 + 14·n bytes.

    Raises:
        PayloadError: an EPC is not 96 bits long, or a value does not fit its bytes.
    """
    try:
        reads = [(bytes.fromhex(read.epc), read.antenna, read.rssi_dbm) for read in values.reads]
        if any(len(epc) != 12 for epc, _, _ in reads):
            raise PayloadError(Reason.OUT_OF_RANGE, "the binary form carries EPC-96 only")
        return bytes([len(reads)]) + b"".join(_READ.pack(*read) for read in reads)
    except (struct.error, TypeError, ValueError):
        raise PayloadError(Reason.OUT_OF_RANGE, "a value does not fit the binary form") from None


def check(_values: Values, device: Device) -> None:
    """A read says something only where the registry knows what the reader hangs on."""
    mount = device.attributes.get("mount")
    if mount not in ("stop", "door"):
        raise PayloadError(Reason.UNDECODABLE, "the registry has no mount (stop or door)")
    place = "stop" if mount == "stop" else "vehicle"
    if place not in device.attributes:
        raise PayloadError(Reason.UNDECODABLE, f"the registry has no {place}")


def contradictions(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Where the reader hangs must be said, and said whole."""
    mount = attributes.get("mount")
    if mount not in ("stop", "door"):
        return {"mount": "mount is stop or door."}
    place = "stop" if mount == "stop" else "vehicle"
    return {} if place in attributes else {place: f"a reader with mount {mount} needs {place}."}


_AT_STOP = {"mount": "stop", "stop": "12_1"}
_AT_DOOR = {"mount": "door", "vehicle": "bus-7"}
_TAG = "30751FEB705C5904E3D50D70"

KIND = DeviceKind(
    name="bus_stop_reader",
    summary="RFID reader at a bus stop or bus door; tags become pseudonyms of one service day.",
    f_port=3,
    personal=True,
    fields=(
        Field(
            "reads",
            "tags seen since the last uplink; may be empty",
            "",
            0,
            _MOST_READS,
            "u8 n, then n × 14 bytes",
            Sensitivity.TAG,
        ),
        Field(
            "reads[].epc",
            "the tag's EPC, 24 to 62 upper-case hex digits",
            "",
            None,
            None,
            "12 bytes",
            Sensitivity.TAG,
        ),
        Field("reads[].antenna", "which antenna saw it", "", 1, 8, "u8", Sensitivity.PUBLIC),
        Field(
            "reads[].rssi_dbm",
            "signal strength; never kept",
            "dB[mW]",
            -120,
            0,
            "i8 · 1 dBm",
            Sensitivity.SECRET,
        ),
    ),
    columns=(
        Column("stop", "TEXT"),
        Column("vehicle", "TEXT"),
        Column("antenna", "INTEGER NOT NULL"),
        Column("tag", "BLOB NOT NULL"),
    ),
    document=Values,
    unpack=unpack,
    pack=pack,
    check=check,
    row=None,
    contradictions=contradictions,
    attributes={"mount": "*text", "stop": "text", "vehicle": "text"},
    examples=(
        Example(
            "one bag at a stop",
            f'{{"reads": [{{"epc": "{_TAG}", "antenna": 1, "rssi_dbm": -55}}]}}',
            {"reads": [{"epc": _TAG, "antenna": 1, "rssi_dbm": -55}]},
            attributes=_AT_STOP,
        ),
        # -55 dBm = c9, as in the reader's own frame of the same tag
        Example(
            "the same in fifteen bytes",
            f"01 {_TAG} 01 c9",
            {"reads": [{"epc": _TAG, "antenna": 1, "rssi_dbm": -55}]},
            attributes=_AT_STOP,
        ),
        Example(
            "two bags at a bus door",
            f"02 {_TAG} 01 c9 3074257BF7194E4000001A85 02 88",
            {
                "reads": [
                    {"epc": _TAG, "antenna": 1, "rssi_dbm": -55},
                    {"epc": "3074257BF7194E4000001A85", "antenna": 2, "rssi_dbm": -120},
                ]
            },
            attributes=_AT_DOOR,
        ),
        Example("sign of life", "00", {"reads": []}, attributes=_AT_STOP),
        Example("sign of life in JSON", '{"reads": []}', {"reads": []}, attributes=_AT_DOOR),
        Example("no list at all", "{}", rejected="undecodable", attributes=_AT_STOP),
        Example("a reader that hangs nowhere", '{"reads": []}', rejected="undecodable"),
        Example(
            "a stop without its id",
            '{"reads": []}',
            rejected="undecodable",
            attributes={"mount": "stop"},
        ),
        Example(
            "a door without its bus",
            "00",
            rejected="undecodable",
            attributes={"mount": "door", "stop": "12_1"},
        ),
        Example(
            "a tag in lower case",
            f'{{"reads": [{{"epc": "{_TAG.lower()}", "antenna": 1, "rssi_dbm": -55}}]}}',
            rejected="undecodable",
            attributes=_AT_STOP,
        ),
        Example(
            "half a byte too long",
            f'{{"reads": [{{"epc": "{_TAG}0", "antenna": 1, "rssi_dbm": -55}}]}}',
            rejected="undecodable",
            attributes=_AT_STOP,
        ),
        Example(
            "a line feed behind the tag",
            f'{{"reads": [{{"epc": "{_TAG}\\n", "antenna": 1, "rssi_dbm": -55}}]}}',
            rejected="undecodable",
            attributes=_AT_STOP,
        ),
        Example("antenna 0", f"01 {_TAG} 00 c9", rejected="out of range", attributes=_AT_STOP),
        Example(
            "louder than the reader",
            f"01 {_TAG} 01 01",
            rejected="out of range",
            attributes=_AT_STOP,
        ),
        Example(
            "an integer no database holds",
            f'{{"reads": [{{"epc": "{_TAG}", "antenna": 100000000000000000000, "rssi_dbm": -55}}]}}',
            rejected="out of range",
            attributes=_AT_STOP,
        ),
        Example(
            "n says more than there is",
            f"02 {_TAG} 01 c9",
            rejected="undecodable",
            attributes=_AT_STOP,
        ),
        Example("nothing", "", rejected="undecodable", attributes=_AT_STOP),
    ),
)
