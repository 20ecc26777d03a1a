"""Child tracker: a GPS tag on a school bag. Everything it says is about one child.

Compact binary, big endian, 11 bytes (the most that LoRaWAN carries at AS923 DR2 with dwell time):

    0          4           8          9         10      11
    | lat      | lon       | accuracy | battery | flags |
    | i32      | i32       | u8       | u8      | u8    |
    | 1e-7 deg | 1e-7 deg  | 1 m      | 0.5 %   |       |

Latitude and longitude both -2^31 mean "no fix". Accuracy 255 = unknown, 254 = 254 m or worse;
battery 255 = unknown. Flag bit 0 is the button; the other bits are reserved and ignored.
"""

import math
import struct
from typing import Annotated, Any

import msgspec

from gateway.devices.kind import Column, DeviceKind, Document, Example, Field, Sensitivity
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.reason import Reason

_LAYOUT = struct.Struct(">iiBBB")
_NO_FIX = -(2**31)
_DEGREE = 10_000_000
_UNKNOWN = 255
_WORST_ACCURACY = 254
_BUTTON = 1


class Values(Document, kw_only=True, gc=False):
    """One uplink of a tracker; latitude and longitude come together or not at all."""

    lat: Annotated[float, msgspec.Meta(ge=-90.0, le=90.0)] | None = None
    lon: Annotated[float, msgspec.Meta(ge=-180.0, le=180.0)] | None = None
    accuracy_m: Annotated[float, msgspec.Meta(ge=0.0, le=10_000.0)] | None = None
    battery_pct: Annotated[float, msgspec.Meta(ge=0.0, le=100.0)] | None = None
    button: bool = False


def unpack(payload: bytes) -> Values:
    """Decode the 11-byte form.

    Raises:
        PayloadError: wrong length (undecodable), value outside the field table.
    """
    if len(payload) != _LAYOUT.size:
        raise PayloadError(Reason.UNDECODABLE, f"child_tracker takes {_LAYOUT.size} bytes")
    north, east, accuracy, battery, flags = _LAYOUT.unpack(payload)
    fix = not (north == _NO_FIX and east == _NO_FIX)
    if fix and abs(north) > 90 * _DEGREE:
        raise PayloadError(Reason.OUT_OF_RANGE, "lat")
    if fix and abs(east) > 180 * _DEGREE:
        raise PayloadError(Reason.OUT_OF_RANGE, "lon")
    if battery > 200 and battery != _UNKNOWN:
        raise PayloadError(Reason.OUT_OF_RANGE, "battery_pct")
    return Values(
        lat=north / _DEGREE if fix else None,
        lon=east / _DEGREE if fix else None,
        accuracy_m=None if accuracy == _UNKNOWN else float(accuracy),
        battery_pct=None if battery == _UNKNOWN else battery / 2,
        button=bool(flags & _BUTTON),
    )


def pack(values: Any) -> bytes:
    """Encode the 11-byte form; accuracy is rounded up, so that it never claims more than it was.

    Raises:
        PayloadError: a value does not fit its bytes.
    """
    lat, lon, accuracy, battery = (
        values.lat,
        values.lon,
        values.accuracy_m,
        values.battery_pct,
    )
    try:
        return _LAYOUT.pack(
            _NO_FIX if lat is None else round(lat * _DEGREE),
            _NO_FIX if lon is None else round(lon * _DEGREE),
            _UNKNOWN if accuracy is None else min(math.ceil(accuracy), _WORST_ACCURACY),
            _UNKNOWN if battery is None else round(battery * 2),
            _BUTTON if values.button else 0,
        )
    except (struct.error, TypeError, ValueError, OverflowError):
        raise PayloadError(Reason.OUT_OF_RANGE, "a value does not fit the binary form") from None


def check(values: Values, _device: Device) -> None:
    """Half a position is no position."""
    if (values.lat is None) != (values.lon is None):
        raise PayloadError(Reason.UNDECODABLE, "lat and lon come together or not at all")


KIND = DeviceKind(
    name="child_tracker",
    summary="GPS tag on a school bag; its fixes pass the home mask before anything is kept.",
    f_port=1,
    personal=True,
    fields=(
        Field(
            "lat",
            "latitude, WGS 84; absent without a fix",
            "deg",
            -90,
            90,
            "i32 · 1e-7°",
            Sensitivity.POSITION,
            required=False,
        ),
        Field(
            "lon",
            "longitude, WGS 84; absent without a fix",
            "deg",
            -180,
            180,
            "i32 · 1e-7°",
            Sensitivity.POSITION,
            required=False,
        ),
        Field(
            "accuracy_m",
            "radius that holds the true place in 68 of 100 fixes",
            "m",
            0,
            10_000,
            "u8 · 1 m, up to 254",
            Sensitivity.SECRET,
            required=False,
        ),
        Field(
            "battery_pct",
            "charge of the battery; kept in four classes",
            "%",
            0,
            100,
            "u8 · 0.5 %",
            Sensitivity.COARSE,
            required=False,
        ),
        Field(
            "button",
            "the child pressed the button: shown to the guardian, never stored",
            "",
            None,
            None,
            "bit 0 of flags",
            Sensitivity.LIVE,
            required=False,
        ),
    ),
    columns=(
        Column("pseudonym", "BLOB"),
        Column("lat", "REAL", "deg"),
        Column("lon", "REAL", "deg"),
        Column("battery_class", "INTEGER"),
        Column("cell", "TEXT"),  # where rules publish cells of the public mesh, JIS X 0410
        Column("leg", "INTEGER"),  # 1 from home, 2 behind a stay
    ),
    document=Values,
    unpack=unpack,
    pack=pack,
    check=check,
    row=None,
    attributes={},
    examples=(
        Example(
            "on the way, before the station",
            '{"lat": 36.6953, "lon": 137.2113, "accuracy_m": 8, "battery_pct": 71.5}',
            {
                "lat": 36.6953,
                "lon": 137.2113,
                "accuracy_m": 8.0,
                "battery_pct": 71.5,
                "button": False,
            },
        ),
        # 366953000 = 15df4228, 1372113000 = 51c8c868, 8 m, 143 half per cent
        Example(
            "the same in eleven bytes",
            "15df4228 51c8c868 08 8f 00",
            {
                "lat": 36.6953,
                "lon": 137.2113,
                "accuracy_m": 8.0,
                "battery_pct": 71.5,
                "button": False,
            },
        ),
        # -338568000 = ebd1dcc0, 1512153000 = 5a219fa8: sign, unknown accuracy and battery, button
        Example(
            "southern hemisphere, button pressed, nothing else known",
            "ebd1dcc0 5a219fa8 ff ff 01",
            {
                "lat": -33.8568,
                "lon": 151.2153,
                "accuracy_m": None,
                "battery_pct": None,
                "button": True,
            },
        ),
        Example(
            "no fix",
            "80000000 80000000 ff 64 00",
            {"lat": None, "lon": None, "accuracy_m": None, "battery_pct": 50.0, "button": False},
        ),
        Example(
            "no fix in JSON", '{"battery_pct": 50}', {"lat": None, "lon": None, "battery_pct": 50.0}
        ),
        Example("half a position", '{"lat": 36.6953}', rejected="undecodable"),
        Example("half a sentinel", "80000000 51c8c868 08 8f 00", rejected="out of range"),
        Example("beyond the pole", '{"lat": 90.5, "lon": 137.2}', rejected="out of range"),
        Example(
            "microdegrees for degrees",
            '{"lat": 36695300, "lon": 137211300}',
            rejected="out of range",
        ),
        Example(
            "an integer no database holds",
            '{"lat": 100000000000000000000, "lon": 1}',
            rejected="out of range",
        ),
        Example("a number no float holds", '{"lat": 1e999, "lon": 137.2}', rejected="undecodable"),
        Example("not a number", '{"lat": NaN, "lon": 137.2}', rejected="undecodable"),
        Example("101 % charged", "15df4228 51c8c868 08 ca 00", rejected="out of range"),
        Example("a byte short", "15df4228 51c8c868 08 8f", rejected="undecodable"),
        Example("a byte too many", "15df4228 51c8c868 08 8f 00 00", rejected="undecodable"),
    ),
)
