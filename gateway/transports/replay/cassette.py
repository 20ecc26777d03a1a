"""A cassette as a door reads it: whose uplinks it holds, the uplinks, and the rows about people.

It comes from a stranger, so everything in it is checked before anything of it is stored.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from gateway.devices.addressing import own_routes
from gateway.devices.catalog import catalog
from gateway.devices.codecs import codec_fault, document_of, forwarded_route
from gateway.devices.decode import to_binary, to_json
from gateway.devices.shelf import shelf
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

_FARTHEST: Instant = 10 * cassette.LONGEST
"""No time in a cassette lies farther from its beginning, whoever said it."""

_ROWS_FROM: Instant = -8 * DAY
"""The mask keeps nothing of people that is older than a week."""

_ALIAS = re.compile(r"[a-z0-9_]{1,64}-[0-9]{1,9}", re.ASCII)
_TEXT_SHOWN = 40
_TRIED = 256
"""Devices whose routes are kept while the lines are tried."""

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
        id: digest of all its lines.
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
        self.things: dict[str, Thing] = {}
        self._trial = lru_cache(_TRIED)(lambda name: Routes(_device(self.things[name])))
        self.uplinks = 0
        self.rows: Counter[str] = Counter()
        self.left_out: Mapping[str, int] | None = None
        digest = blake2b(digest_size=16)
        found = 0
        for number, line in self._read(digest.update):
            found += not isinstance(line, Thing)
            if self.left_out is not None:
                self._refuse(number, "nothing stands behind the end")
            if isinstance(line, Thing):
                self._take(number, line)
            elif isinstance(line, Row):
                self._try(number, line)
                self.rows[line.kind] += 1
            elif isinstance(line, End):
                self._end(number, line, found - 1)
            elif isinstance(line, Begin):
                self._refuse(number, "it begins a second time")
            else:
                self._try(number, line)
                self.uplinks += 1
        self.id = digest.hexdigest()

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

    def _read(self, heard: Callable[[bytes], None] = lambda _: None) -> Iterator[tuple[int, Line]]:
        """Number and line, behind the first; `heard` gets every one as it stands."""
        for number, raw in enumerate(self._lines, 1):
            heard(raw)
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
                    f"is {_shown(line.sekisho)}",
                )

    def _take(self, number: int, thing: Thing) -> None:
        kind = catalog().get(thing.kind)
        if kind is None:
            self._refuse(
                number,
                f"no kind {_shown(thing.kind)} is known here; put its declaration beside yours",
            )
        if len(self.things) == cassette.MOST_DEVICES:
            self._refuse(number, f"no cassette has more than {cassette.MOST_DEVICES:,} devices")
        texts = {name: text for name, text in thing.attributes.items() if isinstance(text, str)}
        product = texts.pop("codec", "")
        fits = not product or (product in shelf() and codec_fault(kind.name, product) is None)
        known = {*kind.read_with, *(field.name for field in kind.fields), "codec"}
        head, _, _ = thing.device.rpartition("-")
        if (
            kind.personal
            or not fits
            or not known >= set(thing.attributes)
            or not all(map(_ALIAS.fullmatch, (*texts.values(), thing.device)))
            or head != kind.name
            or attribute_faults(kind, thing.attributes)
            or not cassette.OLDEST <= thing.registered <= cassette.LONGEST
        ):
            self._refuse(number, "no cassette has such a device")
        if thing.device in self.things:
            self._refuse(number, "this device is there already")
        self.things[thing.device] = thing

    def _end(self, number: int, end: End, found: int) -> None:
        if end.lines != found:
            self._refuse(number, f"{end.lines:,} lines were written and {found:,} are here")
        if (
            not set(end.left_out) <= set(cassette.REASONS)
            or min(end.left_out.values(), default=0) < 0
        ):
            self._refuse(number, "left_out: no cassette says so")
        self.left_out = end.left_out

    def _try(self, number: int, line: Said | Row) -> None:
        """Make of a line what will be handed over, and throw it away."""
        try:
            if isinstance(line, Row):
                _observed(line, lambda _at: "")
                return
            if line.device not in self.things or not 0 <= line.after <= cassette.LONGEST:
                self._refuse(number, "its device stands in no line before it, or its time is none")
            self._trial(line.device).item(line)
        except PayloadError as error:
            self._refuse(number, f"no cassette says so ({error.detail})")
        except (ValueError, ArithmeticError, msgspec.ValidationError):
            self._refuse(number, "no cassette says so")

    def _refuse(self, number: int, why: str) -> NoReturn:
        raise Refusal(f"{self._name}, line {number}: {why}.", exit_code=2)


class Routes:
    """How one device's payloads are decoded."""

    def __init__(self, device: Device) -> None:
        self._kind = kind = catalog()[device.kind]
        self._product = forwarded_route(device)
        routes = own_routes(device)
        as_json, as_binary = uplink_topics(device.device)
        self._own = {"json": routes[as_json], "binary": routes[as_binary]}
        self._document = Route(
            device,
            kind.name,
            lambda uplink, who: document_of(kind, uplink.object, who, uplink.f_cnt),
        )

    def item(self, line: Said) -> tuple[Route, Payload]:
        """What a door would have handed over.

        Raises:
            PayloadError, ValueError, ArithmeticError, msgspec.ValidationError: no such line was ever written.
        """
        if isinstance(line, Refused):
            return self._own[line.form], bytes.fromhex(line.payload)
        if isinstance(line, cassette.Forwarded):
            if self._product is None or not 0 <= line.f_port <= 255:
                raise ValueError("no such port")
            data = bytes.fromhex(line.data)
            return self._product, _uplink(line, line.f_port, line.f_cnt, data, line.object)
        t = None if line.t is None else to_datetime(EPOCH + _bounded(line.t))
        said = {**line.document, "t": t, "seq": line.seq}
        document = msgspec.convert(said, self._kind.document)
        if line.form == "forwarded":
            given = {name: value for name, value in said.items() if value is not None}
            return self._document, _uplink(line, 0, line.seq, bytes.fromhex(line.digest), given)
        if line.form == "json":
            # a member that no kind names: so that what was sent twice is one, and what differed differs
            more = b',"":"%b"}' % bytes.fromhex(line.digest).hex().encode()
            return self._own["json"], to_json(document)[:-1] + more
        return self._own["binary"], to_binary(self._kind, document)


def _bounded(time: Instant) -> Instant:
    if abs(time) > _FARTHEST:
        raise ValueError("no clock is so wrong")
    return time


def _uplink(
    line: Sent | cassette.Forwarded,
    f_port: int,
    f_cnt: int | None,
    data: bytes,
    said: Mapping[str, Any] | None,
) -> Forwarded:
    if not 0 <= (f_cnt or 0) < 1 << 32:
        raise ValueError("no such counter")
    at = None if line.network_at is None else EPOCH + _bounded(line.network_at)
    return Forwarded(f_port, f_cnt, line.session, data, said, at, line.simulated)


def _observed(line: Row, period: Callable[[Instant], str]) -> Observation:
    if not _ROWS_FROM <= line.minute <= cassette.LONGEST:
        raise ValueError("no such minute")
    at = EPOCH + line.minute
    return observed(line.kind, period(at), at, line.values)


def _device(thing: Thing) -> Device:
    """The device as it will be registered, to try its lines on."""
    return Device(
        DeviceId(thing.device), thing.kind, "", EPOCH + thing.registered, attributes=thing.attributes
    )  # fmt: skip


def _shown(text: str) -> str:
    """A stranger's word, as it may stand on a terminal."""
    return ascii(text[:_TEXT_SHOWN])
