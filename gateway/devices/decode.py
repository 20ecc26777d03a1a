"""Bytes → document, in Sekisho's two forms, the same way for every kind.

JSON (`sekisho/v1/<device>/up`): one object; `t`, `seq` and the kind's fields; unknown members are
ignored and never kept.

Compact binary (`sekisho/v1/<device>/up/bin`), big endian:

    0         1          5             9
    | version | time     | counter     | the kind's payload …
    | u8 = 1  | u32 s    | u32         |

`time` is seconds since 1970-01-01 UTC, 0 = the device has no clock; counter 0xFFFFFFFF = none.
LoRaWAN carries the kind's payload alone: its frame already has a counter.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec

from gateway.devices.kind import DeviceKind, Document
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.instant import CALENDAR_END, SECOND, Instant, from_datetime
from gateway.model.reason import Reason

VERSION = 1
_HEAD = struct.Struct(">BII")
_NO_COUNTER = 0xFFFF_FFFF

_any_json = msgspec.json.Decoder(Document).decode

Decoded = tuple[Any, Instant | None, int | None]
"""document, the device's own time, its counter."""


@cache
def json_decoder(kind: DeviceKind) -> Callable[[bytes, Device], Decoded]:
    """The JSON decoder of a kind; it raises `PayloadError` and nothing else."""
    decode = msgspec.json.Decoder(kind.document).decode
    check = kind.check

    def from_json(payload: bytes, device: Device) -> Decoded:
        try:
            document = decode(payload)
        except msgspec.ValidationError as error:
            raise complaint(str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise PayloadError(Reason.UNDECODABLE, "not a JSON object") from None
        check(document, device)
        t = document.t
        return document, None if t is None else from_datetime(t), document.seq

    return from_json


@cache
def binary_decoder(kind: DeviceKind) -> Callable[[bytes, Device], Decoded]:
    """The compact binary decoder of a kind; it raises `PayloadError` and nothing else."""
    unpack, check = kind.unpack, kind.check

    def from_binary(payload: bytes, device: Device) -> Decoded:
        if len(payload) < _HEAD.size:
            raise PayloadError(Reason.UNDECODABLE, f"shorter than its head of {_HEAD.size} bytes")
        version, seconds, counter = _HEAD.unpack_from(payload)
        if version != VERSION:
            raise PayloadError(Reason.UNDECODABLE, f"version: only {VERSION} is known")
        document = unpack(payload[_HEAD.size :])
        check(document, device)
        return (
            document,
            seconds * SECOND or None,
            None if counter == _NO_COUNTER else counter,
        )

    return from_binary


def time_of(payload: bytes) -> Instant | None:
    """The device's own time in a payload of either form and any kind; None where it says none, or nothing sound."""
    if payload[:1] == bytes([VERSION]):
        return int.from_bytes(payload[1:5], "big") * SECOND or None if len(payload) > 4 else None
    try:
        t = _any_json(payload).t
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    at = 0 if t is None else from_datetime(t)
    return at if 0 < at < CALENDAR_END else None


def likeness(
    payload: bytes, as_json: bool, device: Device, kinds: Iterable[DeviceKind]
) -> str | None:
    """The one kind, other than the device's own, that takes this payload; None where none or several do.

    A device registered under the wrong kind shows by it.
    """
    taking = []
    for kind in kinds:
        facts = {
            name: value for example in kind.examples for name, value in example.attributes.items()
        }
        posing = replace(device, attributes=facts)
        try:
            document, _, _ = (json_decoder if as_json else binary_decoder)(kind)(payload, posing)
        except PayloadError:
            continue
        if kind.name != device.kind and _says_something(document):
            taking.append(kind.name)
    return taking[0] if len(taking) == 1 else None


def _says_something(document: Document) -> bool:
    """Whether any field of the kind's own was sent: of a stranger's JSON often none is known here."""
    return any(
        field.name not in ("t", "seq") and getattr(document, field.name) != field.default
        for field in msgspec.structs.fields(document)
    )


def to_json(document: Document) -> bytes:
    """The JSON form a device of this kind sends; absent fields are left out."""
    fields = {
        name: value
        for name in document.__struct_fields__
        if (value := getattr(document, name)) is not None
    }
    return msgspec.json.encode(fields)


def to_binary(kind: DeviceKind, document: Document) -> bytes:
    """The compact binary form, head included; time is cut to whole seconds.

    Raises:
        PayloadError: a value does not fit.
    """
    at = None if document.t is None else from_datetime(document.t)
    return with_head(kind.pack(document), at, document.seq)


def with_head(payload: bytes, at: Instant | None, counter: int | None) -> bytes:
    """A kind's own bytes behind the head of `up/bin`.

    Raises:
        PayloadError: a time before 1970, or after 2106.
    """
    seconds = 0 if at is None else at // SECOND
    if not 0 <= seconds < 1 << 32:
        raise PayloadError(Reason.OUT_OF_RANGE, "t: does not fit the binary form")
    return _HEAD.pack(VERSION, seconds, _NO_COUNTER if counter is None else counter) + payload


def complaint(sentence: str) -> PayloadError:
    """The validator's sentence, reduced to the field and the class of fault: it may quote the input."""
    where = sentence.rpartition("`$")[2].strip("`.") if "`$" in sentence else ""
    in_range = sentence.startswith("Expected `") and (">=" in sentence or "<=" in sentence)
    return PayloadError(
        Reason.OUT_OF_RANGE if in_range else Reason.UNDECODABLE, where or "document"
    )
