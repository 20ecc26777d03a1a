"""A recorded way as a log of NMEA 0183 sentences: RMC, which knows the day, and GGA, which does not.

Sentences of one moment are one fix. Between two RMC a GGA takes the day of the fix before it; where that would
lead back by more than half a day, midnight lies between them.
"""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from gateway.model.errors import Refusal
from gateway.model.instant import from_datetime
from gateway.transports.replay.track import Point, Recording, fault
from gateway.wire.nmea import Fix, fix

_HALF_A_DAY = timedelta(hours=12)


def parse(content: bytes, path: Path) -> Recording:
    """The way that a log holds; broken sentences and such without a fix are left out, and counted.

    Raises:
        Refusal: no sentence with a day gives a position.
    """
    points: list[Point] = []
    unread = 0
    last: datetime | None = None
    for line in content.splitlines():
        if not line.strip():
            continue
        said = fix(line)
        if said is None:
            unread += line[3:6] in (b"RMC", b"GGA")
            continue
        moment = _moment(said, last)
        if moment is None:  # a GGA before the first RMC
            unread += 1
            continue
        if moment == last:
            continue
        last = moment
        if fault(said.lat, said.lon, moment) is not None:
            unread += 1
            continue
        points.append(Point(from_datetime(moment), said.lat, said.lon))
    if not points:
        raise Refusal(
            f"{path} holds no position with a day: RMC sentences with a fix and a right checksum are "
            "needed, as a receiver writes them.",
            exit_code=2,
        )
    return Recording(points, unread)


def _moment(said: Fix, last: datetime | None) -> datetime | None:
    """When a fix was: by its own day, else by the day of the one before it."""
    if said.day is not None:
        return _at(said.day, said.time)
    if last is None:
        return None
    moment = _at(last.date(), said.time)
    if moment - last < -_HALF_A_DAY:
        return moment + timedelta(days=1)
    if moment - last > _HALF_A_DAY:
        return moment - timedelta(days=1)
    return moment


def _at(day: date, of_day: time) -> datetime:
    return datetime.combine(day, of_day, UTC)
