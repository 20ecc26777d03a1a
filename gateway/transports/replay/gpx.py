"""A recorded way as GPX: only time and place are read.

Heart rate and whatever else a watch writes beside a point is left where it is.
"""

from datetime import UTC
from pathlib import Path

import gpxpy
from gpxpy.gpx import GPX, GPXException

from gateway.model.errors import Refusal
from gateway.model.instant import from_datetime
from gateway.transports.replay.track import Point, Recording, fault


def parse(content: bytes, path: Path) -> Recording:
    """The way that a GPX file holds.

    Raises:
        Refusal: it is not GPX, or holds no point with a time, or one that is none.
    """
    try:
        gpx = gpxpy.parse(content.decode("utf-8-sig"))
    except (GPXException, UnicodeDecodeError, ValueError):
        # The parser's own words may quote the file.
        raise Refusal(f"{path} is not a GPX file (GPX 1.0 or 1.1).", exit_code=2) from None
    return _recording(gpx, path)


def _recording(gpx: GPX, path: Path) -> Recording:
    points: list[Point] = []
    undated = 0
    every = (
        point for track in gpx.tracks for segment in track.segments for point in segment.points
    )
    for number, point in enumerate(every, start=1):
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
