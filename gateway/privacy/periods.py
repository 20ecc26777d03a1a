"""Which personal file a moment belongs to, and which service day."""

from datetime import date, timedelta

from gateway.model.instant import DAY, HOUR, MINUTE, Instant, local_day, to_datetime
from gateway.privacy.policy import Policy

_BUCKET = 15 * MINUTE  # offsets from UTC, and their changes, are whole quarters of an hour
_MOST_BUCKETS = 4096
LANE = "store"


class Periods:
    """Names of files and service days by local time, remembered per quarter of an hour."""

    __slots__ = ("_days", "_names", "_policy", "_suffix", "_surely", "_weekly")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._weekly = policy.weekly
        reaches = timedelta(days=7 if policy.weekly else 1)
        stays = timedelta(days=policy.retain_days) - reaches
        self._surely = stays.days * DAY - 2 * HOUR  # clocks are put forward by less
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

    def is_over(self, at: Instant, now: Instant) -> bool:
        """Whether the file that would hold `at` has had its time: its first day plus `retain` has passed.

        It may be gone already, and must not be made again (decisions 12).
        """
        if now - at <= self._surely:
            return False
        zone = self._policy.zone
        first = local_day(at, zone)
        if self._weekly:
            first -= timedelta(days=first.weekday())
        return local_day(now, zone) >= first + timedelta(days=self._policy.retain_days)

    def service_day(self, at: Instant) -> date:
        """The local day that began at the policy's hour (03:00) at or before `at`."""
        bucket = at // _BUCKET
        found = self._days.get(bucket)
        return found if found is not None else self._service_day(bucket)

    def _name(self, bucket: int) -> str:
        day = to_datetime(bucket * _BUCKET, self._policy.zone).date()
        if self._weekly:
            year, week, _ = day.isocalendar()
            name = f"{LANE}-{year:04d}-W{week:02d}{self._suffix}"
        else:
            name = f"{LANE}-{day.isoformat()}{self._suffix}"
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
