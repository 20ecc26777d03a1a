"""`sekisho decode`: what one payload says, or why it is rejected; nothing is kept."""

import binascii
import json as json_format
import os
import sys
from datetime import UTC, tzinfo
from typing import Annotated, Any, NamedTuple

import msgspec
import typer

from gateway.devices.decode import binary_decoder, json_decoder
from gateway.devices.kind import DeviceKind, Document
from gateway.model.device import Device
from gateway.model.errors import PayloadError, Refusal
from gateway.model.identity import DeviceId
from gateway.model.instant import to_rfc3339
from sekisho import facts, place, screen
from sekisho.place import Config, Json, State


class Said(NamedTuple):
    """A decoded payload.

    Attributes:
        form: how it was read.
        document: its fields; see the kind.
        time: the device's own time, µs.
        counter: its uplink counter.
    """

    form: str
    document: Document
    time: int | None
    counter: int | None


def decode(
    payload: Annotated[
        str | None,
        typer.Argument(
            metavar="PAYLOAD|-",
            show_default=False,
            help="A JSON document or hex digits; - reads either, or plain bytes, from standard input.",
        ),
    ] = None,
    *,
    kind: Annotated[
        str, typer.Option("--kind", "-k", metavar="KIND", show_default=False, help="Of the device.")
    ],
    json_form: Annotated[bool, typer.Option("--json-form", help="Read it as JSON.")] = False,
    binary: Annotated[
        bool, typer.Option("--binary", help="Read it as the compact binary, head included.")
    ] = False,
    attribute: Annotated[
        list[str],
        typer.Option(
            "--attribute",
            "-a",
            metavar="NAME=VALUE",
            help="What the registry would know, as datum_m=4.2.",
        ),
    ] = [],  # noqa: B006 - typer reads it, nobody writes it
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of the kind's document instead.")
    ] = False,
    json: Json = False,
    state: State = None,
    config: Config = None,
) -> None:
    """Show the fields of one payload, or the reason why the gateway would reject it (exit code 1).

    Kinds that are declared in YAML are known from --state or --config.

    Bytes without the 9-byte head of `up/bin` are read as LoRaWAN carries them.
    """  # fmt: skip
    settings = place.settings_of(config) if state is None else place.find_state(state, config)[1]
    known = facts.kind(kind)
    if schema:
        screen.document(msgspec.json.schema(known.document))
        return
    if json_form and binary:
        raise Refusal("--json-form and --binary exclude each other.", exit_code=2)
    content = _content(payload, json_form=json_form)
    device = Device(
        DeviceId("payload"), known.name, "", 0, attributes=facts.attributes(kind, attribute)
    )
    if known.personal:
        screen.warn(
            f"{known.name} is about people: what follows are the exact values of the payload you gave. "
            "The gateway would keep none of them as they are."
        )
    try:
        said = _read(known, content, device, json_form=json_form, binary=binary)
    except PayloadError as error:
        if not json:
            raise Refusal(f"rejected, {error.reason}: {error.detail}.") from None
        screen.document({"rejected": error.reason, "detail": error.detail})
        raise typer.Exit(1) from None
    _show(known, said, device, place.zone_of(settings), as_json=json)


def _content(payload: str | None, *, json_form: bool) -> bytes:
    if payload is None:
        raise Refusal(
            "A payload is missing: a JSON document, hex digits, or - for standard input.",
            exit_code=2,
        )
    raw = sys.stdin.buffer.read() if payload == "-" else os.fsencode(payload)
    if json_form or raw.lstrip().startswith(b"{"):
        return raw
    try:
        return binascii.unhexlify(b"".join(raw.split()))
    except binascii.Error:
        if payload == "-":
            return raw
        raise Refusal(
            "The payload is neither a JSON document nor hex digits. Put JSON in single quotes, "
            "or pass bytes through standard input (-).",
            exit_code=2,
        ) from None


def _read(
    kind: DeviceKind, content: bytes, device: Device, *, json_form: bool, binary: bool
) -> Said:
    if json_form or (not binary and content.lstrip().startswith(b"{")):
        return Said("JSON", *json_decoder(kind)(content, device))
    try:
        return Said("compact binary with its head", *binary_decoder(kind)(content, device))
    except PayloadError as with_head:
        if binary:
            raise
        try:
            document = kind.unpack(content)
            kind.check(document, device)
        except PayloadError as alone:
            # the form whose length fits knows better what is wrong
            raise (with_head if content[:1] == b"\x01" and len(content) > 16 else alone) from None
        return Said("compact binary as in LoRaWAN", document, None, None)


def _time(said: Said, zone: tzinfo = UTC) -> str | None:
    """The device's own time; a calendar has no word for the first hours of year 1, or the last of 9999."""
    try:
        return None if said.time is None else to_rfc3339(said.time, zone)
    except OverflowError:
        raise Refusal(
            "t lies outside the years 1 to 9999. The gateway would not believe it, and date the "
            "uplink by its own clock.",
            exit_code=2,
        ) from None


def _text(value: Any) -> Any:
    return (
        json_format.dumps(value, ensure_ascii=False)
        if isinstance(value, (list, tuple, dict))
        else value
    )


def _show(kind: DeviceKind, said: Said, device: Device, zone: tzinfo, *, as_json: bool) -> None:
    values: dict[str, Any] = {
        field.name: msgspec.to_builtins(getattr(said.document, field.name, None))
        for field in kind.fields
    }
    columns = (
        []
        if kind.row is None
        else list(zip(kind.columns, kind.row(said.document, device), strict=True))
    )
    if as_json:
        screen.document(
            {
                "kind": kind.name,
                "form": said.form,
                "t": _time(said),
                "seq": said.counter,
                "values": values,
                "row": {column.name: value for column, value in columns} or None,
            }
        )
        return
    head = [
        ("t", _time(said, zone)),
        ("seq", said.counter),
    ]
    print(f"{kind.name}, {said.form}")
    screen.table(
        ("field", "value", "unit", "meaning"),
        [(name, value, "", "") for name, value in head if value is not None]
        + [
            (field.name, _text(values[field.name]), field.unit, field.meaning)
            for field in kind.fields
            if values[field.name] is not None
        ],
    )
    if columns:
        print("\nwould be stored as")
        screen.table([c.name for c, _ in columns], [[value for _, value in columns]])
