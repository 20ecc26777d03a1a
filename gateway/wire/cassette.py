"""A cassette: a recording that may be handed to a stranger. One JSON document a line, the sort of it under `is`.

    {"is":"cassette","version":1,"id":"5f0c…","sekisho":"0.5.0"}
    {"is":"device","device":"river_gauge-1","kind":"river_gauge","registered":-86400000000,"attributes":{"datum_m":4.2}}
    {"is":"sent","after":1200000,"device":"river_gauge-1","form":"json","t":-300000,"seq":17,"document":{"distance_m":2.41}}
    {"is":"forwarded","after":1300000,"device":"weather_station-1","f_port":2,"f_cnt":7,"data":"0b45", …}
    {"is":"refused","after":1400000,"device":"river_gauge-1","form":"binary","payload":"00ff"}
    {"is":"row","kind":"child_tracker","minute":60000000,"values":{"identity":"…", "lat":0.01234, …}}
    {"is":"end","lines":4,"left_out":{"refused":2}}

Times are µs since the recording began (before it: negative). A device stands in the line before its first
uplink. Of people there are rows alone, already masked (`gateway.privacy.fiction`).
"""

from typing import Any, Literal, TypeAlias

import msgspec

from gateway.model.errors import PayloadError
from gateway.model.instant import Instant, parse_rfc3339
from gateway.model.reason import Reason

VERSION = 1

EPOCH: Instant = parse_rfc3339("2000-01-03T00:00:00Z")
"""When every replay of a cassette begins: a Monday."""

Form: TypeAlias = Literal["json", "binary"]
"""In which of Sekisho's own two forms a device sent a document."""


class _Line(msgspec.Struct, tag_field="is", omit_defaults=True, forbid_unknown_fields=True):
    """What every line has: its sort."""


class Begin(_Line, tag="cassette", kw_only=True):
    """The first line.

    Attributes:
        id: sixteen random hex digits: a directory holds the replay of one cassette.
        sekisho: the version that wrote it.
    """

    version: int
    id: str
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
        form: in which it goes again.
        t: the device's own time; None where it sent none.
        seq: its own counter.
    """

    after: Instant
    device: str
    form: Form
    document: dict[str, Any]
    t: Instant | None = None
    seq: int | None = None


class Forwarded(_Line, tag="forwarded", kw_only=True):
    """An uplink that a network server passed on, as its maker's bytes or what the server made of them.

    Attributes:
        session: told apart, not named.
        data: hex of the bytes; where no codec of ours reads them, of a keyed digest of them.
        object: the members that the device's codec reads; None where it reads the bytes.
        network_at: when the server took it in.
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
    form: Form
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


def begins(line: bytes) -> bool:
    """Whether a file whose first line this is is a cassette, of whatever version."""
    return line.startswith(b'{"is":"cassette"')
