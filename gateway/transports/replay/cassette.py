"""A cassette as a door reads it: whose uplinks it holds, the uplinks, and the rows about people.

It comes from a stranger, so everything in it is checked before anything of it is stored.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import msgspec

from gateway.devices.addressing import own_routes
from gateway.devices.catalog import catalog
from gateway.devices.codecs import codec_fault, forwarded_route
from gateway.devices.decode import to_binary, to_json
from gateway.model.device import Device
from gateway.model.errors import PayloadError, Refusal
from gateway.model.forwarded import Forwarded
from gateway.model.identity import DeviceId
from gateway.model.instant import DAY, Instant, to_datetime
from gateway.model.observation import Observation
from gateway.model.uplink import Payload, Route
from gateway.privacy.fiction import observed
from gateway.registry.attributes import attribute_faults
from gateway.transports.replay.door import Record
from gateway.transports.replay.file import Lines
from gateway.wire import cassette
from gateway.wire.cassette import EPOCH, Begin, End, Line, Refused, Row, Sent, Thing
from gateway.wire.topics import uplink_topics

_LONGEST: Instant = 400 * DAY
"""Of a recording."""

_FARTHEST: Instant = 9000 * 365 * DAY
"""How far from the beginning somebody else's clock may be wrong."""

Said = Sent | cassette.Forwarded | Refused


def is_cassette(file: Path) -> bool:
    """Whether a file is a cassette, of whatever version.

    Raises:
        Refusal: it cannot be read.
    """
    return cassette.begins(Lines(file).head())


class Cassette:
    """One file's lines, as often as they are asked for.

    Attributes:
        id: what tells it from others.
        things: whose uplinks it holds, under their names in it.
        uplinks, rows: how many.
        left_out: what the recording had to leave out, by reason; None where it was cut off.
    """

    def __init__(self, name: str, lines: Iterable[bytes]) -> None:
        """Read it once, to its end.

        Raises:
            Refusal: a line is none of a cassette's, or says what none says; names the line.
        """
        self._name = name
        self._lines = lines
        self.id = ""
        self.things: dict[str, Thing] = {}
        self._trial: dict[str, Routes] = {}
        self.uplinks = 0
        self.rows: Counter[str] = Counter()
        self.left_out: Mapping[str, int] | None = None
        for number, line in self._read():
            if self.left_out is not None:
                self._refuse(number, "nothing stands behind the end")
            if isinstance(line, Thing):
                self._take(number, line)
            elif isinstance(line, Row):
                self._try(number, line)
                self.rows[line.kind] += 1
            elif isinstance(line, End):
                self.left_out = line.left_out
            elif isinstance(line, Begin):
                self._refuse(number, "it begins a second time")
            else:
                self._try(number, line)
                self.uplinks += 1

    def records(self, routes: Callable[[str], "Routes"]) -> Iterator[Record]:
        """The uplinks of the city's things in the order in which they came.

        Args:
            routes: name in the cassette → how that device's payloads are decoded.
        """
        for _number, line in self._read():
            if isinstance(line, Sent | cassette.Forwarded | Refused):
                item = routes(line.device).item(line)
                yield EPOCH + line.after, item

    def observations(self, period: Callable[[Instant], str]) -> Iterator[Observation]:
        """The rows about people.

        Args:
            period: time → the personal file that it belongs to.
        """
        for _number, line in self._read():
            if isinstance(line, Row):
                yield _observed(line, period)

    def _read(self) -> Iterator[tuple[int, Line]]:
        """Number and line, behind the first."""
        for number, raw in enumerate(self._lines, 1):
            try:
                line = cassette.read(raw)
            except PayloadError as error:
                self._refuse(number, f"this is no line of a cassette ({error.detail})")
            if number > 1:
                yield number, line
            elif not isinstance(line, Begin):
                self._refuse(number, "a cassette does not begin so")
            elif line.version != cassette.VERSION:
                self._refuse(
                    number,
                    f"this Sekisho reads version {cassette.VERSION} alone; the one that wrote it says that it "
                    f"is {line.sekisho[:20]}",
                )
            else:
                self.id = line.id

    def _take(self, number: int, thing: Thing) -> None:
        kind = catalog().get(thing.kind)
        if kind is None:
            self._refuse(
                number, f"no kind {thing.kind[:40]} is known here; put its declaration beside yours"
            )
        name = str(thing.attributes.get("codec", ""))
        fault = codec_fault(kind.name, name) if name else None
        if fault is not None:
            self._refuse(number, f"{fault} Put its declaration into codecs/ of a configuration")
        faults = attribute_faults(kind, thing.attributes)
        head, _, figures = thing.device.rpartition("-")
        if kind.personal or faults or head != kind.name or not figures.isdecimal():
            self._refuse(number, "no cassette has such a device")
        if thing.device in self.things or not -_LONGEST <= thing.registered <= _LONGEST:
            self._refuse(number, "this device is there already, or registered at no such time")
        self.things[thing.device] = thing
        self._trial[thing.device] = Routes(_device(thing))

    def _try(self, number: int, line: Said | Row) -> None:
        """Make of a line what will be handed over, and throw it away."""
        try:
            if isinstance(line, Row):
                _observed(line, lambda _at: "")
                return
            if line.device not in self.things or not 0 <= line.after <= _LONGEST:
                self._refuse(number, "its device stands in no line before it, or its time is none")
            self._trial[line.device].item(line)
        except PayloadError as error:
            self._refuse(number, f"no cassette says so ({error.detail})")
        except (ValueError, ArithmeticError, msgspec.ValidationError):
            self._refuse(number, "no cassette says so")

    def _refuse(self, number: int, why: str) -> NoReturn:
        raise Refusal(f"{self._name}, line {number}: {why}.", exit_code=2)


class Routes:
    """How one device's payloads are decoded."""

    def __init__(self, device: Device) -> None:
        self._kind = catalog()[device.kind]
        self._forwarded = forwarded_route(device)
        routes = own_routes(device)
        as_json, as_binary = uplink_topics(device.device)
        self._own = {"json": routes[as_json], "binary": routes[as_binary]}

    def item(self, line: Said) -> tuple[Route, Payload]:
        """What a door would have handed over.

        Raises:
            PayloadError, ValueError, ArithmeticError, msgspec.ValidationError: no such line was ever written.
        """
        if isinstance(line, cassette.Forwarded):
            assert self._forwarded is not None
            if not 0 <= line.f_port <= 255 or not 0 <= (line.f_cnt or 0) < 1 << 32:
                raise ValueError("no such port or counter")
            return self._forwarded, _uplink(line)
        if isinstance(line, Refused):
            return self._own[line.form], bytes.fromhex(line.payload)
        if line.t is not None and abs(line.t) > _FARTHEST:
            raise ValueError("no clock is so wrong")
        t = None if line.t is None else to_datetime(EPOCH + line.t)
        document = msgspec.convert({**line.document, "t": t, "seq": line.seq}, self._kind.document)
        if line.form == "json":
            return self._own["json"], to_json(document)
        return self._own["binary"], to_binary(self._kind, document)


def _uplink(line: cassette.Forwarded) -> Forwarded:
    at = line.network_at
    if at is not None and abs(at) > _FARTHEST:
        raise ValueError("no network server is so wrong")
    return Forwarded(
        line.f_port,
        line.f_cnt,
        line.session,
        bytes.fromhex(line.data),
        line.object,
        None if at is None else EPOCH + at,
        line.simulated,
    )


def _observed(line: Row, period: Callable[[Instant], str]) -> Observation:
    if abs(line.minute) > _LONGEST:
        raise ValueError("no such minute")
    at = EPOCH + line.minute
    return observed(line.kind, period(at), at, line.values)


def _device(thing: Thing) -> Device:
    """The device as it will be registered, to try its lines on."""
    return Device(
        DeviceId(thing.device), thing.kind, "", EPOCH + thing.registered, attributes=thing.attributes
    )  # fmt: skip
