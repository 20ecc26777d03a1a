"""One child's circle round its home: which fix may pass. The steps are those of `docs/mask.md`.

Everything here lives in memory and begins closed: forgetting it can only remove rows.
"""

from math import isfinite
from struct import Struct

from gateway.model.device import Household
from gateway.model.instant import MINUTE, Instant
from gateway.model.reading import Reading
from gateway.model.reason import Fate, Reason
from gateway.privacy.distance import Plane
from gateway.privacy.generalise import rounded
from gateway.privacy.periods import LANE, Periods
from gateway.privacy.policy import Policy

_REMEMBERED_BYTES = 64 * 8
_hashed = Struct("q").pack
_NEVER: Instant = -(1 << 62)
_CRS = "EPSG:4326"
_NULL_ISLAND_DEG = 0.001
_FORMULA_M = 1.0  # what `Plane` may be wrong by, with room to spare
_ROUNDING_M = 1.0  # five decimals move a point by at most 0.8 m


class HomeCircle:
    """The state of one child tracker.

    Attributes:
        heard: when it was last heard of, by our clock.
        lat, lon: the fix as it may be stored, five decimals; valid when `judge` returned None.
    """

    __slots__ = (
        "_before", "_far_run", "_gap", "_household", "_last", "_newest", "_open", "_periods", "_plane",
        "_policy", "_radius", "_recent", "_run", "_run_start", "heard", "lat", "lon",
    )  # fmt: skip

    def __init__(self, policy: Policy, periods: Periods) -> None:
        self._policy = policy
        self._periods = periods
        self._gap = int(policy.gap_minutes * MINUTE)
        self._recent = bytearray()
        self._newest = _NEVER
        self._household: Household | None = None
        self._plane: Plane | None = None
        self._radius = 0.0
        self._open = False
        self._last: Instant | None = None
        self._before: Instant | None = None  # `_last` before the newest fix
        self._run = 0  # consecutive good fixes while closed …
        self._far_run = 0  # … and how many of its newest lie far beyond the circle
        self._run_start: Plane | None = None
        self.heard: Instant = 0
        self.lat = 0.0
        self.lon = 0.0

    def __repr__(self) -> str:
        return "<home circle>"

    def close(self) -> None:
        """Trust nothing until the child has provably left its home again."""
        self._open = False
        self._run = self._far_run = 0

    def take_back(self) -> None:
        """Forget the fix that `judge` has just let pass, as if it had not come yet."""
        del self._recent[-8:]
        self._last = self._before

    def judge(  # noqa: PLR0911 one return for each step of the specification
        self, reading: Reading
    ) -> Reason | Fate | None:
        """None if this fix may be kept, at (`lat`, `lon`); else what becomes of it."""
        self.heard = received_at = reading.received_at
        if self._is_known(reading):
            return Fate.DUPLICATE
        device = reading.device
        at = reading.observed_at
        if LANE not in device.consents:
            return Reason.NO_CONSENT
        if reading.late or self._periods.is_over(at, received_at):
            return Reason.LATE
        if at < self._policy.rules_since:
            return Reason.RULES_CHANGED
        household = device.household
        if household is None or household is not self._household:
            refused = self._move_in(household)
            if refused is not None:
                return refused
        last = self._last
        if last is not None:
            if at <= last:
                self._heed(reading)
                return Reason.LATE
            if at - last > self._gap:
                self.close()
        self._before, self._last = last, at
        return self._judge_fix(reading)

    def _is_known(self, reading: Reading) -> bool:
        """Whether this very uplink is among the last 64; if not, now it is."""
        # 64-bit hashes side by side take 0.6 kB a child, where a set takes 6. A chance match, once in
        # 10¹⁶ uplinks, only removes a row.
        time = reading.device_time
        key = _hashed(hash((reading.digest, reading.counter, time)))
        recent = self._recent
        if len(recent) > _REMEMBERED_BYTES:  # not behind the newest: `take_back` would lose one
            del recent[:8]
        if time is not None and time > self._newest:
            self._newest = time  # later than all that is remembered: none of it
        elif key in recent:
            return True
        recent += key
        return False

    def _move_in(self, household: Household | None) -> Reason | None:
        """Take up a household's home; a home that changed closes the circle.

        Raises:
            ValueError: a home or a radius no circle can be drawn with.
        """
        if household is None or household.home is None:
            return Reason.NO_HOME
        if household.crs != _CRS:
            return Reason.UNKNOWN_CRS
        before = self._household
        if before is None or not _same_home(before, household):
            self._household = None
            self.close()
            self._radius = self._policy.home_radius_m
            if household.radius_m is not None:
                if not household.radius_m >= 0.0:
                    raise ValueError("a radius below zero")
                self._radius = max(self._radius, household.radius_m)
            self._plane = Plane(household.home.lat, household.home.lon)
        self._household = household
        return None

    def _judge_fix(  # noqa: PLR0911 one return for each step of the specification
        self, reading: Reading
    ) -> Reason | None:
        values = reading.values
        lat, lon = values.lat, values.lon
        if lat is None or lon is None:
            return self._stay(Reason.NO_FIX)
        if not isfinite(lat + lon):
            return self._stay(Reason.FAULT)
        if abs(lat) < _NULL_ISLAND_DEG and abs(lon) < _NULL_ISLAND_DEG:
            return self._stay(Reason.ZERO_ZERO)
        policy = self._policy
        if not policy.in_area(lat, lon):
            return self._stay(Reason.OUTSIDE_AREA)
        accuracy = values.accuracy_m
        if accuracy is None:
            accuracy = policy.default_accuracy_m
        inside = self._hidden(accuracy)
        plane = self._plane
        assert plane is not None
        squared = plane.squared(lat, lon)
        self.lat = near = rounded(lat)
        self.lon = rounded(lon)
        # Every comparison asks whether it may pass: NaN answers no.
        if not squared > (inside + _ROUNDING_M) ** 2 and not (
            squared > inside * inside and plane.squared(near, self.lon) > inside * inside
        ):
            self.close()
            return Reason.INSIDE_HOME
        if accuracy > policy.accuracy_limit_m:
            return self._stay(Reason.POOR_ACCURACY)
        if self._open:
            return None
        return self._try_to_open(lat, lon, squared, inside + policy.buffer_m)

    def _heed(self, reading: Reading) -> None:
        """A late fix is never kept; one that may be near home still closes the circle."""
        values, plane = reading.values, self._plane
        lat, lon = values.lat, values.lon
        if lat is None or lon is None:
            return
        accuracy = values.accuracy_m
        inside = self._hidden(self._policy.default_accuracy_m if accuracy is None else accuracy)
        assert plane is not None
        if not (
            isfinite(lat + lon)
            and plane.squared(lat, lon) > inside * inside
            and plane.squared(rounded(lat), rounded(lon)) > inside * inside
        ):
            self.close()

    def _hidden(self, accuracy: float) -> float:
        """How far from home a fix of this accuracy must lie to be provably outside, in metres.

        Raises:
            ValueError: an accuracy that is none.
        """
        if not accuracy >= 0.0:
            raise ValueError("an accuracy below zero")
        return self._radius + 2.0 * accuracy + _FORMULA_M

    def _stay(self, reason: Reason) -> Reason:
        """A fix that proves nothing: it neither opens nor closes, and a run begins anew."""
        self._run = self._far_run = 0
        return reason

    def _try_to_open(self, lat: float, lon: float, squared: float, beyond: float) -> Reason:
        """Let a fix beyond the buffer join the run; the fixes that decide are dropped themselves."""
        policy = self._policy
        if not squared > beyond * beyond:
            return self._stay(Reason.NOT_REOPENED)
        if self._run == 0 or self._run_start is None:
            self._run_start = Plane(lat, lon)
        self._run += 1
        is_far = squared > (beyond + policy.reopen_far_m) ** 2
        self._far_run = self._far_run + 1 if is_far else 0
        if self._run >= policy.reopen_fixes and (
            self._far_run >= policy.reopen_fixes
            or self._run_start.squared(lat, lon) > policy.reopen_net_m**2
        ):
            self.close()
            self._open = True
        return Reason.NOT_REOPENED


def _same_home(one: Household, other: Household) -> bool:
    """Whether two registry entries draw the same circle."""
    return (
        one.home is not None
        and other.home is not None
        and one.home.lat == other.home.lat
        and one.home.lon == other.home.lon
        and one.radius_m == other.radius_m
        and one.crs == other.crs
    )
