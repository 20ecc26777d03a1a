"""What a running recording writes down of the uplinks that are decided: a cassette's lines, fit for strangers.

Of a device of the city that is what its kind understood, re-keyed and with times relative; or its maker's bytes,
where a codec reads them and they carry no clock. Of people it is what the mask left, retold (`gateway.privacy.fiction`). What was refused may be
anything, a person's position on a wrong topic too: it is counted, and written only where that was asked for.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import blake2b
from typing import Any

import msgspec

from gateway.devices.catalog import catalog
from gateway.devices.codecs import codec
from gateway.devices.decode import json_decoder
from gateway.devices.kind import DeviceKind
from gateway.devices.mapping import Mapped
from gateway.model.device import Device
from gateway.model.forwarded import Forwarded
from gateway.model.instant import DAY, MINUTE, SECOND, Instant
from gateway.model.reading import Reading
from gateway.model.uplink import Payload, Route
from gateway.privacy.fiction import Aliases, Fiction
from gateway.privacy.mask import Masked
from gateway.wire import cassette
from gateway.wire.cassette import Form

_LONG_AGO: Instant = 31 * DAY
_LEFT_BEHIND = frozenset(("dev_eui", "lat", "lon"))
"""Attributes that say where a device is, or who."""

_REFUSED, _SLOW, _FAULT = "refused", "not written in time", "not understood"

Wanted = Callable[[Device], bool]


class Tape:
    """One recording.

    Args:
        put: takes a line; False where it cannot take one just now.
        key: 32 random bytes, kept nowhere.
        begun: when the recording began.
        people: whether rows about people are written (SIM, REPLAY).
        refused: whether refused uplinks of things of the city are written, byte for byte.
        wanted: whose uplinks are.

    Attributes:
        left_out: why uplinks are not in it, and how many.
        lines: written so far, without those about devices.
    """

    def __init__(
        self,
        put: Callable[[bytes], bool],
        key: bytes,
        begun: Instant,
        *,
        people: bool,
        refused: bool,
        wanted: Wanted,
    ) -> None:
        self._put = put
        self._key = key
        self._begun = begun - begun % MINUTE
        self._aliases = Aliases()
        self._fiction = Fiction(key, self._begun, self._aliases) if people else None
        self._refused = refused
        self._wanted = wanted
        self._told: set[str] = set()
        self.left_out: Counter[str] = Counter()
        self.lines = 0

    def __repr__(self) -> str:
        return "<tape>"

    def keep(self, route: Route, payload: Payload, reading: Reading, verdict: Masked) -> None:
        """Write down an uplink that was understood; never fails, whatever is wrong with it."""
        kind = catalog()[route.kind]
        try:
            if not self._wanted(reading.device):
                return
            if not kind.personal:
                self._write(self._city(kind, payload, reading, route), reading.device)
            elif self._fiction is not None and isinstance(verdict, list):
                for observation in verdict:
                    minute, values = self._fiction.retell(observation)
                    self._write(cassette.Row(kind=kind.name, minute=minute, values=values))
        except Exception:  # noqa: BLE001 a recording never disturbs what it records; no text goes anywhere
            self.left_out[_FAULT] += not kind.personal

    def refuse(self, route: Route, payload: Payload, at: Instant) -> None:
        """Count an uplink that was refused, or write it down where that was asked for."""
        device = route.device
        if catalog()[route.kind].personal or not self._wanted(device):
            return
        if not self._refused:
            self.left_out[_REFUSED] += 1
        elif isinstance(payload, Forwarded):
            data, object_ = payload.data.hex(), payload.object
            self._write(self._forwarded(device, payload, at, data, object_), device)
        else:
            self._write(
                cassette.Refused(
                    after=at - self._begun,
                    device=self._named(device),
                    form=_form(route),
                    payload=payload.hex(),
                ),
                device,
            )

    def end(self) -> bytes:
        """The last line."""
        left_out = {why: count for why, count in sorted(self.left_out.items()) if count}
        return cassette.written(cassette.End(lines=self.lines, left_out=left_out))

    def _city(
        self, kind: DeviceKind, payload: Payload, reading: Reading, route: Route
    ) -> cassette.Line:
        document = self._anonymous(kind, reading.values)
        device = reading.device
        if isinstance(payload, Forwarded) and reading.device_time is None:
            name = str(device.attributes.get("codec", ""))
            mapped = codec(name) if name else None
            if mapped is None:
                data, said = kind.pack(document).hex(), None
            elif isinstance(mapped, Mapped) and not mapped.script:
                assert payload.object is not None
                data, said = self._keyed(payload.data), mapped.read_of(payload.object)
            else:
                data, said = payload.data.hex(), None
            if mapped is None or document == reading.values:
                return self._forwarded(device, payload, reading.received_at, data, said)
        t = None if reading.device_time is None else reading.device_time - self._begun
        fields = msgspec.to_builtins(document)
        return cassette.Sent(
            after=reading.received_at - self._begun,
            device=self._named(device),
            form="json" if isinstance(payload, Forwarded) or not _in_binary(t) else _form(route),
            document={
                name: value
                for name, value in fields.items()
                if value is not None and name not in ("t", "seq")
            },
            t=t,
            seq=reading.counter,
        )

    def _forwarded(
        self, device: Device, uplink: Forwarded, at: Instant, data: str, said: Mapping[str, Any] | None
    ) -> cassette.Forwarded:  # fmt: skip
        network_at, session = uplink.network_at, uplink.session
        return cassette.Forwarded(
            after=at - self._begun,
            device=self._named(device),
            f_port=uplink.f_port,
            f_cnt=uplink.f_cnt,
            session=self._aliases.alias("session", session) if session else "",
            data=data,
            object=None if said is None else dict(said),
            network_at=None if network_at is None else network_at - self._begun,
            simulated=uplink.simulated,
        )

    def _anonymous(self, kind: DeviceKind, values: Any) -> Any:
        """The document without what is never kept, its free words numbered: they may be names or dates."""
        document = kind.strip(values)
        words = {
            name: str(self._aliases.number(f"{kind.name}.{name}", word))
            for name in _words(kind.document)
            if (word := getattr(document, name)) is not None
        }
        return msgspec.structs.replace(document, **words) if words else document

    def _named(self, device: Device) -> str:
        return self._aliases.alias(device.kind, device.device)

    def _keyed(self, data: bytes) -> str:
        return blake2b(data, key=self._key, digest_size=8, person=b"data").hexdigest()

    def _write(self, line: cassette.Line, device: Device | None = None) -> None:
        if device is not None and device.device not in self._told:
            if not self._put(cassette.written(self._thing(device))):
                self.left_out[_SLOW] += 1
                return
            self._told.add(device.device)
        if self._put(cassette.written(line)):
            self.lines += 1
        else:
            self.left_out[_SLOW] += 1

    def _thing(self, device: Device) -> cassette.Thing:
        return cassette.Thing(
            device=self._named(device),
            kind=device.kind,
            registered=max(device.registered_at - self._begun, -_LONG_AGO),
            attributes={
                name: self._aliases.alias(name, value)
                if isinstance(value, str) and name != "codec"
                else value
                for name, value in device.attributes.items()
                if name not in _LEFT_BEHIND
            },
        )


def _form(route: Route) -> Form:
    return "json" if route.decode is json_decoder(catalog()[route.kind]) else "binary"


def _in_binary(t: Instant | None) -> bool:
    """Whether the head of the compact binary carries this time when a replay begins."""
    return t is None or 0 < (cassette.EPOCH + t) // SECOND < 1 << 32


@cache
def _words(document: type[msgspec.Struct]) -> tuple[str, ...]:
    """Fields of a document that hold free words, not one of a list."""
    found = []
    for field in msgspec.structs.fields(document):
        form = msgspec.inspect.type_info(field.type)
        forms = form.types if isinstance(form, msgspec.inspect.UnionType) else (form,)
        if any(isinstance(one, msgspec.inspect.StrType) for one in forms):
            found.append(field.name)
    return tuple(found)
