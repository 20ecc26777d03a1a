"""What a running recording writes down of the uplinks that are decided: a cassette's lines, fit for strangers.

Of a device of the city that is what its kind understood, re-keyed and with times relative; of another maker's product its
bytes, where they carry no clock. Of people it is what the mask left, retold (`gateway.privacy.fiction`). What was refused may be
anything, a person's position on a wrong topic too: it is counted, and written only where that was asked for.
"""

from collections import Counter
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from typing import Any

import msgspec

from gateway.devices.catalog import catalog
from gateway.devices.decode import json_decoder
from gateway.devices.kind import DeviceKind, Sensitivity
from gateway.devices.shelf import shelf
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.forwarded import Forwarded
from gateway.model.instant import HOUR, MINUTE, SECOND, Instant
from gateway.model.reading import Reading
from gateway.model.reason import Reason
from gateway.model.uplink import Payload, Route
from gateway.privacy.fiction import Aliases, Fiction
from gateway.privacy.turn import Masked, Turn
from gateway.wire import cassette
from gateway.wire.cassette import REASONS, Form

_REFUSED, _SLOW, _FAULT, _LONG = REASONS

Wanted = Callable[[Device], bool]


class Tape:
    """One recording.

    Args:
        put: takes a line; False where it cannot take one just now.
        key: 32 random bytes, kept nowhere.
        begun: when the recording began.
        people: whether rows about people are written (SIM).
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
            elif self._fiction is not None:
                if isinstance(verdict, Turn):
                    verdict = [observation for _origin, observation in verdict.kept]
                for observation in verdict if isinstance(verdict, list) else ():
                    minute, values = self._fiction.retell(observation)
                    self._write(cassette.Row(kind=kind.name, minute=minute, values=values))
        except Exception:  # noqa: BLE001 a recording never disturbs what it records; no text goes anywhere
            self.left_out[_FAULT] += not kind.personal

    def refuse(self, route: Route, payload: Payload, at: Instant) -> None:
        """Count an uplink that was refused, or write it down where that was asked for; never fails."""
        device = route.device
        if catalog()[route.kind].personal or not self._wanted(device):
            return
        if not self._refused:
            self.left_out[_REFUSED] += 1
            return
        try:
            self._write(self._bytes(route, payload, at), device)
        except Exception:  # noqa: BLE001
            self.left_out[_FAULT] += 1

    def end(self) -> bytes:
        """The last line."""
        left_out = {why: count for why, count in sorted(self.left_out.items()) if count}
        return cassette.written(cassette.End(lines=self.lines, left_out=left_out))

    def _bytes(self, route: Route, payload: Payload, at: Instant) -> cassette.Line:
        """An uplink as it came."""
        device = route.device
        if isinstance(payload, Forwarded):
            data, said, network_at = payload.data.hex(), payload.object, payload.network_at
            believed = None if network_at is None else self._believed(network_at, device, at)
            return self._forwarded(device, payload, at, data, believed, said)
        return cassette.Refused(
            after=self._after(at),
            device=self._named(device),
            form="json" if _form(route) == "json" else "binary",
            payload=payload.hex(),
        )

    def _city(
        self, kind: DeviceKind, payload: Payload, reading: Reading, route: Route
    ) -> cassette.Line:
        document, device, at = (
            self._shown(kind, reading.values),
            reading.device,
            reading.received_at,
        )
        network_at = None
        if reading.network_at is not None:
            network_at = self._believed(reading.network_at, device, at)
        if (
            isinstance(payload, Forwarded)
            and reading.device_time is None
            and device.attributes.get("codec") in shelf()
            and document == reading.values
        ):
            return self._forwarded(device, payload, at, payload.data.hex(), network_at)
        t = None if reading.device_time is None else self._clock(reading.device_time, device, at)
        forwarded = isinstance(payload, Forwarded)
        body = payload.body if isinstance(payload, Forwarded) else payload
        form = "forwarded" if forwarded else _form(route)
        fields = msgspec.to_builtins(document)
        return cassette.Sent(
            after=self._after(at),
            device=self._named(device),
            form="json" if form == "binary" and not _in_binary(t) else form,
            document={
                name: value
                for name, value in fields.items()
                if value is not None and name not in ("t", "seq")
            },
            digest=blake2b(body, key=self._key, digest_size=8, person=b"data").hexdigest(),
            t=t,
            seq=self._counter(reading.counter, device, at),
            session=self._session(payload) if isinstance(payload, Forwarded) else "",
            network_at=network_at,
            simulated=reading.simulated,
        )

    def _forwarded(
        self,
        device: Device,
        uplink: Forwarded,
        at: Instant,
        data: str,
        network_at: Instant | None,
        said: Any = None,
    ) -> cassette.Forwarded:
        return cassette.Forwarded(
            after=self._after(at),
            device=self._named(device),
            f_port=uplink.f_port,
            f_cnt=self._counter(uplink.f_cnt, device, at),
            session=self._session(uplink),
            data=data,
            object=None if said is None else dict(said),
            network_at=network_at,
            simulated=uplink.simulated,
        )

    # -- what becomes of each thing that says when, who or where

    def _after(self, at: Instant) -> Instant:
        """When it came; a clock of ours that was set meanwhile moves nothing out of the recording."""
        return min(max(at - self._begun, 0), cassette.LONGEST)

    def _believed(self, time: Instant, device: Device, at: Instant) -> Instant | None:
        """A time that the pipeline believes, from the beginning; None for any other: it would date all the rest."""
        if max(device.registered_at, self._begun + cassette.OLDEST) <= time <= at + HOUR:
            return time - self._begun
        return None

    def _clock(self, time: Instant, device: Device, at: Instant) -> Instant:
        """A device's own time; one that nobody believes is told apart from others, and from nothing else."""
        believed = self._believed(time, device, at)
        if believed is not None:
            return believed
        number = self._aliases.number("clock", str(time)) * SECOND
        return number + (cassette.CLOCKLESS_FUTURE if time > at else cassette.CLOCKLESS_PAST)

    def _counter(self, counter: int | None, device: Device, at: Instant) -> int | None:
        """A counter as it is, but one that is a clock: that is numbered."""
        if counter is None or abs(counter - at // SECOND) > cassette.LONGEST // SECOND:
            return counter
        return self._aliases.number(f"counter {device.device}", str(counter))

    def _session(self, uplink: Forwarded) -> str:
        return self._aliases.alias("session", uplink.session) if uplink.session else ""

    def _shown(self, kind: DeviceKind, values: Any) -> Any:
        """The document without what is never kept; its free words are numbered: they may be names or dates.

        Raises:
            PayloadError: it needs a field that is never kept and has no limits to stand in for it.
        """
        document = kind.strip(values)
        names = set(document.__struct_fields__)
        other: dict[str, Any] = {
            name: str(self._aliases.number(f"{kind.name}.{name}", word))
            for name in _words(kind.document)
            if (word := getattr(document, name)) is not None
        }
        for field in kind.fields:
            if field.sensitivity is Sensitivity.PUBLIC or field.name not in names:
                continue
            if field.required and field.low is None:
                raise PayloadError(Reason.UNDECODABLE, field.name)
            other[field.name] = type(getattr(document, field.name))(field.low or 0) if field.required else None  # fmt: skip
        return msgspec.structs.replace(document, **other) if other else document

    def _named(self, device: Device) -> str:
        """Its new name; a device that was changed is another one from then on."""
        facts = f"{device.device}\0{device.registered_at}\0{sorted(device.attributes.items())}"
        return self._aliases.alias(device.kind, facts)

    def _write(self, line: cassette.Line, device: Device | None = None) -> None:
        written = cassette.written(line)
        if len(written) > cassette.LARGEST:
            self.left_out[_LONG] += 1
            return
        if device is not None and (name := self._named(device)) not in self._told:
            if len(self._told) == cassette.MOST_DEVICES:
                self.left_out[_LONG] += 1
                return
            if not self._put(cassette.written(self._thing(device, name))):
                self.left_out[_SLOW] += 1
                return
            self._told.add(name)
        if self._put(written):
            self.lines += 1
        else:
            self.left_out[_SLOW] += 1

    def _thing(self, device: Device, name: str) -> cassette.Thing:
        kind = catalog()[device.kind]
        wanted = {*kind.read_with, *(field.name for field in kind.fields)}
        facts: dict[str, str | float | bool] = {
            fact: self._aliases.alias(fact, value) if isinstance(value, str) else value
            for fact, value in device.attributes.items()
            if fact in wanted
        }
        product = device.attributes.get("codec")
        if product in shelf():
            facts["codec"] = str(product)
        return cassette.Thing(
            device=name,
            kind=device.kind,
            registered=max(device.registered_at - self._begun, cassette.OLDEST),
            attributes=facts,
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
