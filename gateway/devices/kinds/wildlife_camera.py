"""Wildlife camera: a camera trap that classifies what it saw and sends the verdict, never the picture.

Compact binary, big endian, 11 bytes:

    0         1       2            3        4        5        6        7        11
    | species | count | confidence | box x  | box y  | box w  | box h  | image  |
    | u8      | u8    | u8 · 0.5 % | u8/255 | u8/255 | u8/255 | u8/255 | u32    |

`species` is the place in `SPECIES`; all four box bytes 255 = no box; image 0 = no picture kept on the
camera, else its number there. The classifier's name is not sent: it stands in the registry (`model`).

A passer-by did not come to be watched. Of a human or a vehicle only the count is kept: without the
box and the reference to the picture nobody can go and look who it was.
"""

import struct
from typing import Annotated, Any, Literal, get_args

import msgspec

from gateway.devices.kind import Column, DeviceKind, Document, Example, Field, Sensitivity
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.reason import Reason

_LAYOUT = struct.Struct(">BBBBBBBI")
_NO_BOX = (255, 255, 255, 255)
_EDGE = 1.001  # a box may end this far out: cameras round x and w apart

Species = Literal[
    "unknown", "blank", "bear", "boar", "deer", "serow", "macaque", "raccoon_dog", "fox",
    "badger", "civet", "raccoon", "marten", "hare", "dog", "cat", "human", "vehicle",
]  # fmt: skip
SPECIES: tuple[Species, ...] = get_args(Species)
_PASSERS_BY = ("human", "vehicle")

_Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
# A word of a catalogue; `$` alone would let a line feed through.
_MODEL = r"^[A-Za-z0-9][A-Za-z0-9 ._+-]*$(?!\n)"
# A reference below the camera's own store: no scheme, no way up, and no alphabet of base64.
_IMAGE = r"^(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./-]*$(?!\n)"


class Values(Document, kw_only=True, gc=False):
    """One verdict on one picture; `box` is x, y, width, height as shares of the picture."""

    species: Species
    count: Annotated[int, msgspec.Meta(ge=0, le=50)]
    confidence: _Share
    box: tuple[_Share, _Share, _Share, _Share] | None = None
    model: Annotated[str, msgspec.Meta(max_length=32, pattern=_MODEL)] | None = None
    image: Annotated[str, msgspec.Meta(max_length=64, pattern=_IMAGE)] | None = None


def unpack(payload: bytes) -> Values:
    """Decode the 11-byte form.

    Raises:
        PayloadError: wrong length (undecodable), value outside the field table.
    """
    if len(payload) != _LAYOUT.size:
        raise PayloadError(Reason.UNDECODABLE, f"wildlife_camera takes {_LAYOUT.size} bytes")
    species, count, confidence, x, y, w, h, image = _LAYOUT.unpack(payload)
    if species >= len(SPECIES):
        raise PayloadError(Reason.OUT_OF_RANGE, "species")
    if count > 50:
        raise PayloadError(Reason.OUT_OF_RANGE, "count")
    if confidence > 200:
        raise PayloadError(Reason.OUT_OF_RANGE, "confidence")
    boxed = (x, y, w, h) != _NO_BOX
    return Values(
        species=SPECIES[species],
        count=count,
        confidence=confidence / 200,
        box=(x / 255, y / 255, w / 255, h / 255) if boxed else None,
        image=str(image) if image else None,
    )


def pack(values: Any) -> bytes:
    """Encode the 11-byte form; the classifier's name is not carried.

    Raises:
        PayloadError: a value does not fit its bytes, or the image is not a plain number.
    """
    try:
        image = 0 if values.image is None else int(values.image)
        if values.image is not None and (str(image) != values.image or image == 0):
            raise PayloadError(Reason.OUT_OF_RANGE, "image: the binary form carries a number only")
        return _LAYOUT.pack(
            SPECIES.index(values.species),
            values.count,
            round(values.confidence * 200),
            *(_NO_BOX if values.box is None else _pack_box(*values.box)),
            image,
        )
    except (struct.error, TypeError, ValueError):
        raise PayloadError(Reason.OUT_OF_RANGE, "a value does not fit the binary form") from None


def _pack_box(x: float, y: float, w: float, h: float) -> tuple[int, int, int, int]:
    """Four bytes; width and height give way where rounding would push the box over the edge."""
    left, top = round(x * 255), round(y * 255)
    return left, top, min(round(w * 255), 255 - left), min(round(h * 255), 255 - top)


def check(values: Values, _device: Device) -> None:
    """A box lies inside the picture."""
    box = values.box
    if box is not None and (box[0] + box[2] > _EDGE or box[1] + box[3] > _EDGE):
        raise PayloadError(Reason.OUT_OF_RANGE, "box")


def row(values: Values, device: Device) -> tuple[Any, ...]:
    """species, count, confidence, box (4), model, image; of passers-by the count alone."""
    kept = strip(values)
    model = kept.model if kept.model is not None else device.attributes.get("model")
    box = kept.box or (None, None, None, None)
    return (kept.species, kept.count, kept.confidence, *box, model, kept.image)


def strip(values: Any) -> Any:
    """Of passers-by the count alone."""
    if values.species in _PASSERS_BY:
        return msgspec.structs.replace(values, box=None, image=None)
    return values


KIND = DeviceKind(
    name="wildlife_camera",
    summary="Camera trap that reports which animal passed; pictures stay on the camera.",
    f_port=5,
    personal=False,
    fields=(
        Field("species", "one of: " + ", ".join(SPECIES), "", None, None, "u8", Sensitivity.PUBLIC),
        Field("count", "how many", "", 0, 50, "u8", Sensitivity.PUBLIC),
        Field(
            "confidence",
            "the classifier's own, as a share",
            "1",
            0,
            1,
            "u8 · 0.5 %",
            Sensitivity.PUBLIC,
        ),
        Field(
            "box",
            "x, y, width, height as shares of the picture; not kept of passers-by",
            "1",
            0,
            1,
            "4 × u8 / 255",
            Sensitivity.PUBLIC,
            required=False,
        ),
        Field(
            "model", "the classifier's name", "", None, None, "", Sensitivity.PUBLIC, required=False
        ),
        Field(
            "image",
            "reference to the picture on the camera; not kept of passers-by",
            "",
            None,
            None,
            "u32",
            Sensitivity.PUBLIC,
            required=False,
        ),
    ),
    columns=(
        Column("species", "TEXT NOT NULL"),
        Column("count", "INTEGER NOT NULL"),
        Column("confidence", "REAL NOT NULL", "1"),
        Column("box_x", "REAL", "1"),
        Column("box_y", "REAL", "1"),
        Column("box_w", "REAL", "1"),
        Column("box_h", "REAL", "1"),
        Column("model", "TEXT"),
        Column("image", "TEXT"),
    ),
    document=Values,
    unpack=unpack,
    pack=pack,
    check=check,
    row=row,
    read_with=frozenset({"model"}),
    strip=strip,
    attributes={"model": "text"},
    examples=(
        Example(
            "a bear at the fence",
            '{"species": "bear", "count": 1, "confidence": 0.93, "box": [0.2, 0.4, 0.2, 0.6], "model": "fence-2.1", "image": "2024/10/04711.jpg"}',
            {
                "species": "bear",
                "count": 1,
                "confidence": 0.93,
                "box": (0.2, 0.4, 0.2, 0.6),
                "model": "fence-2.1",
                "image": "2024/10/04711.jpg",
            },
        ),
        # bear = 2, 0.93 = 186/200 = ba, 0.2 = 51/255 = 33, 0.4 = 66, 0.6 = 99, 4711 = 1267
        Example(
            "much the same in eleven bytes",
            "02 01 ba 33 66 33 99 00001267",
            {
                "species": "bear",
                "count": 1,
                "confidence": 0.93,
                "box": (0.2, 0.4, 0.2, 0.6),
                "model": None,
                "image": "4711",
            },
        ),
        Example(
            "grass in the wind",
            "01 00 c8 ffffffff 00000000",
            {"species": "blank", "count": 0, "confidence": 1.0, "box": None, "image": None},
        ),
        Example(
            "a passer-by",
            '{"species": "human", "count": 2, "confidence": 1}',
            {"species": "human", "count": 2, "confidence": 1.0},
        ),
        Example(
            "an animal nobody listed",
            '{"species": "tiger", "count": 1, "confidence": 0.9}',
            rejected="undecodable",
        ),
        Example("a code nobody listed", "12 01 ba ffffffff 00000000", rejected="out of range"),
        Example(
            "a herd", '{"species": "deer", "count": 51, "confidence": 0.9}', rejected="out of range"
        ),
        Example(
            "an integer no database holds",
            '{"species": "deer", "count": 100000000000000000000, "confidence": 0.9}',
            rejected="out of range",
        ),
        Example(
            "a number no float holds",
            '{"species": "deer", "count": 1, "confidence": 1e999}',
            rejected="undecodable",
        ),
        Example(
            "per cent for shares",
            '{"species": "deer", "count": 1, "confidence": 93}',
            rejected="out of range",
        ),
        Example(
            "a box that leaves the picture",
            '{"species": "deer", "count": 1, "confidence": 0.9, "box": [0.5, 0.5, 0.6, 0.2]}',
            rejected="out of range",
        ),
        Example(
            "half a box",
            '{"species": "deer", "count": 1, "confidence": 0.9, "box": [0.5, 0.5]}',
            rejected="undecodable",
        ),
        Example(
            "the picture itself",
            '{"species": "deer", "count": 1, "confidence": 0.9, "image": "data:image/jpeg;base64,/9j/4AAQ"}',
            rejected="undecodable",
        ),
        Example(
            "a way up",
            '{"species": "deer", "count": 1, "confidence": 0.9, "image": "a/../../key"}',
            rejected="undecodable",
        ),
        Example("confidence above one", "02 01 c9 ffffffff 00000000", rejected="out of range"),
        Example("a byte short", "02 01 ba 33 66 33 99 000012", rejected="undecodable"),
    ),
)
