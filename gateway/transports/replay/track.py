"""A recorded way: points in time and place, and the uplinks that a tracker would have sent there."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, NoReturn

import msgspec

from gateway.model.instant import Instant, to_datetime
from gateway.model.uplink import Route
from gateway.privacy.distance import HIGHEST_LATITUDE
from gateway.transports.replay.door import Record


class Point(NamedTuple):
    """One track point: time in µs, WGS 84 degrees."""

    at: Instant
    lat: float
    lon: float


class Recording:
    """Track points in the order of the file.

    Attributes:
        points: at least one.
        undated: how many points were left out because they carry no time.
    """

    __slots__ = ("points", "undated")

    def __init__(self, points: Sequence[Point], undated: int = 0) -> None:
        self.points = points
        self.undated = undated

    def __repr__(self) -> str:
        return f"<recording of {len(self.points)} points>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a recording is never serialised")

    def payloads(self) -> Iterator[tuple[Instant, bytes]]:
        """(time, JSON payload as a tracker would have sent it), one for each point."""
        for number, point in enumerate(self.points):
            said = {"t": to_datetime(point.at), "seq": number, "lat": point.lat, "lon": point.lon}
            yield point.at, msgspec.json.encode(said)

    def records(self, route: Route) -> Iterator[Record]:
        """The way as a door hands it over, of the device that the recording stands for."""
        for at, payload in self.payloads():
            yield at, (route, payload)


def fault(lat: float, lon: float, time: datetime) -> str | None:
    """What is wrong with a point; "nan" and "inf" pass for numbers in a file. Quotes nothing of it."""
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        return "is no position on earth (degrees WGS 84)"
    if abs(lat) > HIGHEST_LATITUDE:
        return f"lies too near a pole to be measured (beyond {HIGHEST_LATITUDE:g} degrees)"
    if not 1970 < time.year < 2200:
        return "has no time of these centuries"
    return None
