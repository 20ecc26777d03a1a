"""Reads a recorded way, whichever of the known forms it has, packed by gzip or not."""

import zlib
from pathlib import Path

from gateway.model.errors import Refusal
from gateway.transports.replay import gpx, nmea
from gateway.transports.replay.track import Recording

_LARGEST = 256 << 20


def read_track(path: Path) -> Recording:
    """Read GPX, or a log of NMEA sentences, which begin with a dollar sign.

    Raises:
        Refusal: it cannot be read, is neither, or holds no point with a time.
    """
    try:
        content = path.read_bytes()
        if content.startswith(b"\x1f\x8b"):
            content = zlib.decompressobj(31).decompress(content, _LARGEST)
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}.", exit_code=2) from None
    except zlib.error:
        raise Refusal(f"{path} begins like gzip, but cannot be unpacked.", exit_code=2) from None
    if content.lstrip()[:1] == b"$":
        return nmea.parse(content, path)
    return gpx.parse(content, path)
