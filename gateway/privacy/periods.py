"""Which personal file a moment belongs to, and which service day."""

from datetime import date, timedelta

from gateway.model.instant import HOUR, MINUTE, Instant, to_datetime
from gateway.privacy.policy import Policy

_BUCKET = 15 * MINUTE  # offsets from UTC, and their changes, are whole quarters of an hour
_MOST_BUCKETS = 4096
_WEEKLY_FROM_DAYS = 28
LANE = "store"


class Periods:
    """Names of files and service days by local time, remembered per quarter of an hour."""

    __slots__ = ("_days", "_names", "_policy", "_suffix")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._suffix = f".g{policy.generation}" if policy.generation > 1 else ""
        self._names: dict[int, str] = {}
        self._days: dict[int, date] = {}

    def name(self, at: Instant) -> str:
        """For example "store-2026-W20"; "store-2026-05-12" where rows stay under 28 days.

        A second and later rule set adds its generation: "store-2026-W20.g2".
        """
        bucket = at // _BUCKET
        found = self._names.get(bucket)
        return found if found is not None else self._name(bucket)

    def service_day(self, at: Instant) -> date:
        """The local day that began at the policy's hour (03:00) at or before `at`."""
        bucket = at // _BUCKET
        found = self._days.get(bucket)
        return found if found is not None else self._service_day(bucket)

    def _name(self, bucket: int) -> str:
        day = to_datetime(bucket * _BUCKET, self._policy.zone).date()
        if self._policy.retain_days < _WEEKLY_FROM_DAYS:
            name = f"{LANE}-{day.isoformat()}{self._suffix}"
        else:
            year, week, _ = day.isocalendar()
            name = f"{LANE}-{year:04d}-W{week:02d}{self._suffix}"
        if len(self._names) >= _MOST_BUCKETS:
            self._names.clear()
        self._names[bucket] = name
        return name

    def _service_day(self, bucket: int) -> date:
        starts = self._policy.service_day_starts_h
        local = to_datetime(bucket * _BUCKET, self._policy.zone).replace(tzinfo=None)
        day = (local - timedelta(hours=starts)).date()
        if len(self._days) >= _MOST_BUCKETS:
            self._days.clear()
        self._days[bucket] = day
        return day


BOUNDARY: Instant = 2 * HOUR
"""How long after a file's first moment the file before it is still asked for undated uplinks."""
