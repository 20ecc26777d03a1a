"""A cassette: a recording that may be handed to a stranger. One JSON document a line, the sort of it under `is`.

    {"is":"cassette","version":1,"sekisho":"0.5.0"}
    {"is":"device","device":"river_gauge-1","kind":"river_gauge","registered":-86400000000,"attributes":{"datum_m":4.2}}
    {"is":"sent","after":1200000,"device":"river_gauge-1","form":"json","t":-300000,"seq":17,"document":{"distance_m":2.41}, …}
    {"is":"forwarded","after":1300000,"device":"weather_station-1","f_port":2,"f_cnt":7,"data":"0b45", …}
    {"is":"refused","after":1400000,"device":"river_gauge-1","form":"binary","payload":"00ff"}
    {"is":"row","kind":"child_tracker","minute":60000000,"values":{"identity":"…", "lat":0.01234, …}}
    {"is":"end","lines":4,"left_out":{"refused":2}}

Times are µs since the recording began (before it: negative). A device stands in the line before its first
uplink. Of people there are rows alone, already masked (`gateway.privacy.fiction`).
"""

import re
from typing import Any, Literal, TypeAlias

import msgspec

from gateway.model.errors import PayloadError
from gateway.model.instant import DAY, Instant, parse_rfc3339
from gateway.model.reason import Reason

VERSION = 1

EPOCH: Instant = parse_rfc3339("2000-01-03T00:00:00Z")
"""When every replay of a cassette begins: a Monday."""

Form: TypeAlias = Literal["json", "binary", "forwarded"]
"""How a document came: in one of Sekisho's own two forms, or by a network server in whatever form."""

LONGEST: Instant = 400 * DAY
"""Of a recording: no line comes later."""

CLOCKLESS_PAST: Instant = -10 * 365 * DAY
CLOCKLESS_FUTURE: Instant = 3 * 365 * DAY
"""Where times stand that nobody believes, a second apart: what they really said would date all the others."""

OLDEST: Instant = -LONGEST
"""No device is registered earlier, so no time before it is believed."""

LARGEST = 1 << 18
"""Bytes of a line."""

MOST_DEVICES = 10_000

REASONS = ("refused", "not written in time", "not understood", "too long")
"""Why uplinks are left out."""


class _Line(msgspec.Struct, tag_field="is", omit_defaults=True, forbid_unknown_fields=True):
    """What every line has: its sort."""


class Begin(_Line, tag="cassette", kw_only=True):
    """The first line.

    Attributes:
        sekisho: the version that wrote it.
    """

    version: int
    sekisho: str


class Thing(_Line, tag="device", kw_only=True):
    """A thing of the city under its new name.

    Attributes:
        registered: when it was, µs from the beginning.
        attributes: what its uplinks are decoded with.
    """

    device: str
    kind: str
    registered: Instant
    attributes: dict[str, str | float | bool] = {}


class Sent(_Line, tag="sent", kw_only=True):
    """What a device of the city said, decoded: the fields that its kind names and nothing else.

    Attributes:
        after: when it came.
        document: the fields.
        digest: hex of a keyed digest of what was sent, so that what differed then differs again.
        t: the device's own time; None where it sent none.
        seq: its counter.
        session, network_at, simulated: of a forwarded one, see `Forwarded`.
    """

    after: Instant
    device: str
    form: Form
    document: dict[str, Any]
    digest: str
    t: Instant | None = None
    seq: int | None = None
    session: str = ""
    network_at: Instant | None = None
    simulated: bool = False


class Forwarded(_Line, tag="forwarded", kw_only=True):
    """An uplink of another maker's product as a network server passed it on, byte for byte.

    Attributes:
        session: told apart, not named.
        data: hex.
        object: what the server made of it, of refused ones alone.
        network_at: when the server took it in; None where that is not believed.
    """

    after: Instant
    device: str
    f_port: int
    data: str
    f_cnt: int | None = None
    session: str = ""
    object: dict[str, Any] | None = None
    network_at: Instant | None = None
    simulated: bool = False


class Refused(_Line, tag="refused", kw_only=True):
    """An uplink in one of our own forms that was refused, byte for byte; only where that was asked for."""

    after: Instant
    device: str
    form: Literal["json", "binary"]
    payload: str


class Row(_Line, tag="row", kw_only=True):
    """One masked row about people, moved into a fictional place.

    Attributes:
        minute: start of its minute.
        values: the kind's columns; bytes as hex.
    """

    kind: str
    minute: Instant
    values: dict[str, str | int | float | None]


class End(_Line, tag="end", kw_only=True):
    """The last line; without it the recording was cut off.

    Attributes:
        lines: between the first and this one, without devices.
        left_out: why uplinks are not in it, and how many.
    """

    lines: int
    left_out: dict[str, int] = {}


Line: TypeAlias = Begin | Thing | Sent | Forwarded | Refused | Row | End

_encode = msgspec.json.Encoder(order="deterministic").encode
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def written(line: Line) -> bytes:
    """A line without its end."""
    return _encode(line)


def read(line: bytes) -> Line:
    """A line.

    Raises:
        PayloadError: it is none; names the member, never its value.
    """
    try:
        return _decoder.decode(line)
    except msgspec.ValidationError as error:
        where = str(error).rpartition("`$")[2].strip("`.") if "`$" in str(error) else "is"
        raise PayloadError(Reason.UNDECODABLE, where or "is") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise PayloadError(Reason.UNDECODABLE, "not a JSON object") from None


_BEGINS = re.compile(rb'\s*\{\s*"is"\s*:\s*"cassette"')


def begins(head: bytes) -> bool:
    """Whether a file that begins so is a cassette, of whatever version."""
    return _BEGINS.match(head) is not None
