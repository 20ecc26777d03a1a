"""A recorded way as GPX: only time and place are read.

Heart rate and whatever else a watch writes beside a point is left where it is.
"""

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import gpxpy
from gpxpy.gpx import GPX, GPXException, GPXTrackPoint

from gateway.model.errors import Refusal
from gateway.model.instant import from_datetime
from gateway.transports.replay.gpx_faults import first_fault
from gateway.transports.replay.track import Point, Recording, fault


def parse(content: bytes, path: Path) -> Recording:
    """The way that a GPX file holds.

    Raises:
        Refusal: it is not GPX, or holds no point with a time, or one that is none; names the line or the point.
    """
    try:
        gpx = gpxpy.parse(content.decode("utf-8-sig"))
    except (GPXException, UnicodeDecodeError, ValueError):
        # The parser's own words may quote the file.
        where = first_fault(content) if content.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<" else None
        said = (
            f"{path} is not a GPX file (GPX 1.0 or 1.1)." if where is None else _repair(path, where)
        )
        raise Refusal(said, exit_code=2) from None
    if any(point.time is None for point in _points(gpx)):  # none was there, or one that is none
        where = first_fault(content)
        if where is not None:
            raise Refusal(_repair(path, where), exit_code=2)
    return _recording(gpx, path)


def _points(gpx: GPX) -> Iterator[GPXTrackPoint]:
    return (point for track in gpx.tracks for segment in track.segments for point in segment.points)


def _repair(path: Path, where: str) -> str:
    return f"{path}{where} Repair the file, or take it out of it."


def _recording(gpx: GPX, path: Path) -> Recording:
    points: list[Point] = []
    undated = 0
    for number, point in enumerate(_points(gpx), start=1):
        time = point.time
        if time is None:
            undated += 1
            continue
        if time.tzinfo is None:  # GPX times are UTC, also where the Z was forgotten
            time = time.replace(tzinfo=UTC)
        if (wrong := fault(point.latitude, point.longitude, time)) is not None:
            raise Refusal(
                f"{path}: track point {number} {wrong}. Repair the file, or take the point out of it.",
                exit_code=2,
            )
        points.append(Point(from_datetime(time), point.latitude, point.longitude))
    if not points:
        raise Refusal(
            f"{path} holds no track point with a time, so there is nothing to replay. "
            "A recorded track is needed, not a planned route.",
            exit_code=2,
        )
    return Recording(points, undated)
