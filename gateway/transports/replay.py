"""A recorded way (GPX) as a door: each track point becomes one uplink of a child tracker.

Only time and place are read: heart rate and whatever else a watch writes beside a point is left where
it is. The recording's own time is the gateway's clock (decisions 16).
"""

import asyncio
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, NoReturn

import gpxpy
import msgspec
from gpxpy.gpx import GPX, GPXException

from gateway.clock import SystemClock
from gateway.model.errors import Refusal
from gateway.model.instant import HOUR, Instant, from_datetime, to_datetime
from gateway.model.reason import Reason
from gateway.model.uplink import Receiver, Route, Uplinks
from gateway.privacy.distance import HIGHEST_LATITUDE

_LARGEST = 256 << 20
_CHUNK = 64
"""Points handed over together when nobody waits for the recorded time."""


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

    @classmethod
    def read(cls, path: Path) -> "Recording":
        """Read a GPX file, packed by gzip or not.

        Raises:
            Refusal: it cannot be read, is not GPX, or holds no point with a time.
        """
        try:
            content = path.read_bytes()
            if content.startswith(b"\x1f\x8b"):
                content = zlib.decompressobj(31).decompress(content, _LARGEST)
        except OSError as error:
            raise Refusal(f"{path} cannot be read: {error.strerror}.", exit_code=2) from None
        except zlib.error:
            raise Refusal(
                f"{path} begins like gzip, but cannot be unpacked.", exit_code=2
            ) from None
        try:
            gpx = gpxpy.parse(content.decode("utf-8-sig"))
        except (GPXException, UnicodeDecodeError, ValueError):
            # The parser's own words may quote the file.
            raise Refusal(f"{path} is not a GPX file (GPX 1.0 or 1.1).", exit_code=2) from None
        return cls._of(gpx, path)

    @classmethod
    def _of(cls, gpx: GPX, path: Path) -> "Recording":
        points: list[Point] = []
        undated = 0
        for track in gpx.tracks:
            for segment in track.segments:
                for point in segment.points:
                    time = point.time
                    if time is None:
                        undated += 1
                        continue
                    if time.tzinfo is None:  # GPX times are UTC, also where the Z was forgotten
                        time = time.replace(tzinfo=UTC)
                    if (fault := _fault(point.latitude, point.longitude, time)) is not None:
                        number = len(points) + undated + 1
                        raise Refusal(
                            f"{path}: track point {number} {fault}. Repair the file, or take the point "
                            "out of it.",
                            exit_code=2,
                        )
                    points.append(Point(from_datetime(time), point.latitude, point.longitude))
        if not points:
            raise Refusal(
                f"{path} holds no track point with a time, so there is nothing to replay. "
                "A recorded track is needed, not a planned route.",
                exit_code=2,
            )
        return cls(points, undated)

    def payloads(self) -> Iterator[tuple[Instant, bytes]]:
        """(time, JSON payload as a tracker would have sent it), one for each point."""
        for number, point in enumerate(self.points):
            said = {"t": to_datetime(point.at), "seq": number, "lat": point.lat, "lon": point.lon}
            yield point.at, msgspec.json.encode(said)


def _fault(lat: float, lon: float, time: datetime) -> str | None:
    """What is wrong with a point; "nan" and "inf" pass for numbers in a file. Quotes nothing of it."""
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        return "is no position on earth (degrees WGS 84)"
    if abs(lat) > HIGHEST_LATITUDE:
        return f"lies too near a pole to be measured (beyond {HIGHEST_LATITUDE:g} degrees)"
    if not 1970 < time.year < 2200:
        return "has no time of these centuries"
    return None


class RecordedClock:
    """The recording's clock: `now` is the time of the newest point that was handed over."""

    def __init__(self, start: Instant) -> None:
        self._now = start
        self._system = SystemClock()

    def now(self) -> Instant:
        return self._now

    def monotonic(self) -> float:
        return self._system.monotonic()

    def advance(self, at: Instant) -> None:
        """Time never goes back, not even where a recording does."""
        self._now = max(self._now, at)


class Replay:
    """Hands a recording to the intake, and waits for the commit of each part before the next.

    Args:
        route: the device that the recording stands for.
        pace: how many times faster than recorded; None for at once.
    """

    def __init__(
        self,
        recording: Recording,
        route: Route,
        intake: Receiver,
        clock: RecordedClock,
        pace: float | None = None,
    ) -> None:
        self._recording = recording
        self._route = route
        self._intake = intake
        self._clock = clock
        self._pace = pace
        self.refused = 0

    async def send(self) -> None:
        """Hand over every point; returns when the last one is settled."""
        parts = self._parts()
        last = self._recording.points[0].at
        for part in parts:
            at = part[-1][0]
            if self._pace is not None and at > last:
                await asyncio.sleep((at - last) / 1e6 / self._pace)
            last = max(last, at)
            self._clock.advance(at)
            await self._hand_over([payload for _, payload in part])

    def _parts(self) -> Iterator[list[tuple[Instant, bytes]]]:
        """Points that go together: one at a time when paced, else a chunk without a long silence."""
        most = _CHUNK if self._pace is None else 1
        part: list[tuple[Instant, bytes]] = []
        for at, payload in self._recording.payloads():
            if part and (len(part) >= most or abs(at - part[0][0]) > HOUR):
                yield part
                part = []
            part.append((at, payload))
        yield part

    async def _hand_over(self, payloads: list[bytes]) -> None:
        settled = asyncio.get_running_loop().create_future()

        def settle(refused: dict[int, Reason]) -> None:
            self.refused += len(refused)
            if not settled.done():
                settled.set_result(None)

        items: list[tuple[Route | Reason, bytes]] = [(self._route, p) for p in payloads]
        self._intake.put(self, Uplinks("own", self._clock.now(), items, settle))
        await settled
