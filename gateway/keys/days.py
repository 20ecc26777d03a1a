"""The keys of service days: made while the day is not over, destroyed an hour after its end, for good."""

from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path

from gateway.clock import Clock
from gateway.keys import keyfile
from gateway.keys.reach import reachable
from gateway.model.instant import HOUR, Instant, from_datetime, local_day
from gateway.statedir import sync_directory

_DAY_BEGINS_H = 3
_GRACE = HOUR
_DAYS_AHEAD = 2
_GONE_KEPT_DAYS = 30


class DayKeys:
    """Those of one ring, in `folder`.

    Args:
        clock: decides which service days are over.
        zone: local time zone of the service days, which run from 03:00 to 03:00.
    """

    def __init__(self, folder: Path, clock: Clock, zone: tzinfo) -> None:
        self._folder = folder
        self._clock = clock
        self._zone = zone
        self._held: dict[date, tuple[bytes, Instant]] = {}

    def key(self, day: date) -> bytes | None:
        """The 32-byte key of a service day, made at first use while the day is not over.

        None once the day has been over for an hour, once its key was destroyed, and for days more
        than two days ahead.

        Raises:
            KeysUnavailable: it can be neither read nor made just now.
        """
        now = self._clock.now()
        known = self._held.get(day)
        if known is None:
            with reachable():
                key = self._find(day, now)
            if key is None:
                return None
            known = self._held[day] = (key, self._end_of(day) + _GRACE)
        key, until = known
        return key if now <= until else None

    def _find(self, day: date, now: Instant) -> bytes | None:
        end = self._end_of(day)
        path = self._path(day)
        if now > end + _GRACE or path.with_suffix(".gone").exists():
            return None
        if now >= end:
            return keyfile.read(path)
        if day > local_day(now, self._zone) + timedelta(days=_DAYS_AHEAD):
            return keyfile.read(path)
        return keyfile.find_or_make(path)

    def retire(self, now: Instant) -> int:
        """Destroy the keys of days that have been over for an hour; returns how many there were.

        Raises:
            OSError: they cannot be reached: a folder that is away may hold some all the same.
        """
        destroyed = 0
        sync_directory(self._folder)
        for path in sorted(self._folder.glob("????-??-??.*")):
            day = date.fromisoformat(path.stem)
            over_since = now - self._end_of(day)
            if path.suffix == ".key" and over_since > _GRACE:
                path.with_suffix(".gone").touch(mode=0o600)
                keyfile.destroy(path)
                self._held.pop(day, None)
                destroyed += 1
            elif path.suffix == ".gone" and over_since > _GONE_KEPT_DAYS * 24 * HOUR:
                path.unlink()
        self._held = {day: held for day, held in self._held.items() if now <= held[1]}
        return destroyed

    def _end_of(self, day: date) -> Instant:
        following = datetime.combine(day + timedelta(days=1), time(_DAY_BEGINS_H), self._zone)
        return from_datetime(following)

    def _path(self, day: date) -> Path:
        return self._folder / f"{day.isoformat()}.key"
