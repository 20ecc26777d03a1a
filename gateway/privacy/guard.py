"""One child's guard: which fix may pass. The steps are those of `docs/mask.md`.

Everything here lives in memory and begins closed: forgetting it can only remove rows.
"""

from math import cos, hypot, isfinite, radians
from struct import Struct

from gateway.model.device import Household
from gateway.model.instant import MINUTE, SECOND, Instant
from gateway.model.reading import Reading
from gateway.model.reason import Fate, Reason
from gateway.privacy.distance import Plane
from gateway.privacy.generalise import rounded
from gateway.privacy.periods import Periods
from gateway.privacy.policy import Policy
from gateway.privacy.shelter import BEYOND, FAR, HIDDEN, Shelter, Shelters

_HASH = 4
_REMEMBERED_BYTES = 64 * _HASH
_hashed = Struct("I").pack
_LOW_BITS = (1 << 8 * _HASH) - 1
_NEVER: Instant = -(1 << 62)
_NULL_ISLAND_DEG = 0.001
_DEGREE_M = 111_320.0  # of latitude, and of longitude at the equator; for speeds alone


class Shared:
    """What all guards of a lane share.

    Attributes:
        policy: the rules.
        periods: which files are over.
        shelters: what hides a household.
        purposes: the lanes for one of which somebody must have agreed.
        gap: after so long a silence nothing is known, in µs.
    """

    __slots__ = ("gap", "periods", "policy", "purposes", "shelters")

    def __init__(
        self, policy: Policy, periods: Periods, shelters: Shelters, purposes: frozenset[str]
    ) -> None:
        self.policy = policy
        self.periods = periods
        self.shelters = shelters
        self.purposes = purposes
        self.gap: Instant = int(policy.gap_minutes * MINUTE)


class Guard:
    """The state of one child tracker.

    Attributes:
        heard: when it was last heard of, by our clock.
        shelter: what hides its household; valid when `judge` returned None.
        last: when the newest fix that was not late was observed.
        opened: whether the newest fix opened the guard.
        known: whether the child was seen in hiding since it last fell silent; else nobody knows where it was.
        closed: whether the newest fix closed the guard because it lay in hiding.
        lost: whether the newest fix came after a silence, or something went wrong: what is held is not to be kept.
        lat, lon: the fix rounded to five decimals; valid when `judge` returned None.
    """

    __slots__ = (
        "_far_run", "_fresh", "_household", "_newest", "_open", "_place", "_recent", "_run", "_run_start", "_shared",
        "closed", "heard", "known", "last", "lat", "lon", "lost", "opened", "shelter",
    )  # fmt: skip

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._recent = b""
        self._newest = _NEVER
        self._household: Household | None = None
        self.shelter: Shelter | None = None
        self._open = False
        self._fresh = (
            shared.policy.staying is not None
        )  # it may stay somewhere since before we began
        self.last: Instant | None = None
        self._place: tuple[float, float, Instant] | None = (
            None  # of the fix before, whatever became of it
        )
        self._run = 0  # consecutive good fixes while closed …
        self._far_run = 0  # … and how many of its newest lie far out
        self._run_start: Plane | None = None
        self.heard: Instant = 0
        self.opened = self.known = self.closed = self.lost = False
        self.lat = 0.0
        self.lon = 0.0

    def __repr__(self) -> str:
        return "<guard>"

    def close(self) -> None:
        """Trust nothing until the child has provably left again."""
        self._open = False
        self._run = self._far_run = 0
        self._run_start = None

    def fail(self) -> None:
        """Something went wrong: trust nothing, and know nothing."""
        self.close()
        self.known, self.lost, self._place = False, True, None

    def take_back(self, last: Instant | None) -> None:
        """Forget the fix that `judge` has just let pass, as if it had not come yet; `last` as it was before."""
        self._recent = self._recent[:-_HASH]
        self.last = last

    def judge(  # noqa: PLR0911 one return for each step of the specification
        self, reading: Reading
    ) -> Reason | Fate | None:
        """None if this fix may be kept; else what becomes of it."""
        self.heard = received_at = reading.received_at
        self.opened = self.closed = self.lost = False
        if self._is_known(reading):
            return Fate.DUPLICATE
        device, shared = reading.device, self._shared
        at = reading.observed_at
        if shared.purposes.isdisjoint(device.consents):
            return Reason.NO_CONSENT
        if reading.late or shared.periods.is_over(at, received_at):
            return Reason.LATE
        if at < shared.policy.rules_since:
            return Reason.RULES_CHANGED
        household = device.household
        if household is None or household is not self._household:
            refused = self._move_in(household)
            if refused is not None:
                return refused
        last = self.last
        if last is not None:
            if at <= last:
                self._heed(reading)
                return Reason.LATE
            if at - last > shared.gap:
                self.fail()
        self.last = at
        return self._judge_fix(reading)

    def _is_known(self, reading: Reading) -> bool:
        """Whether this very uplink is among the last 64; if not, now it is."""
        # 32-bit hashes side by side take 0.3 kB a child, where a set takes 6. A chance match, once in 10⁷ of the
        # few uplinks that come out of order or without a time, only removes a row.
        time = reading.device_time
        key = _hashed(hash((reading.digest, reading.counter, time)) & _LOW_BITS)
        recent = self._recent
        if len(recent) > _REMEMBERED_BYTES:  # not behind the newest: `take_back` would lose one
            self._recent = recent = recent[_HASH:]
        if time is not None and time > self._newest:
            self._newest = time  # later than all that is remembered: none of it
        elif key in recent:
            return True
        self._recent = recent + key
        return False

    def _move_in(self, household: Household | None) -> Reason | None:
        """Take up what hides a household; a home that changed closes the guard.

        Raises:
            ValueError: a home or a radius no circle can be drawn with.
        """
        found = self._shared.shelters.of(household)
        if isinstance(found, Reason):
            return found
        assert household is not None
        before = self._household
        if before is None or not _same_home(before, household):
            self.fail()
            self.shelter = found
        self._household = household
        return None

    def _judge_fix(  # noqa: PLR0911 one return for each step of the specification
        self, reading: Reading
    ) -> Reason | None:
        values = reading.values
        lat, lon = values.lat, values.lon
        nowhere = self._is_nowhere(lat, lon)
        if nowhere is not None:
            return self._stay(nowhere)
        accuracy = values.accuracy_m
        if accuracy is None:
            accuracy = self._shared.policy.default_accuracy_m
        shelter = self.shelter
        assert shelter is not None
        ring = shelter.ring(lat, lon, accuracy)
        doubt = self._doubt(reading, accuracy)
        if ring == HIDDEN:
            return self._hide()
        if self._shared.shelters.whole:
            self.lat, self.lon = rounded(lat), rounded(lon)
            if shelter.hides(self.lat, self.lon, accuracy):
                return self._hide()
        if doubt is not None:
            return self._stay(doubt)
        if self._open:
            return None
        if self._fresh:
            return Reason.NOT_REOPENED
        return self._try_to_open(lat, lon, ring)

    def _is_nowhere(self, lat: float | None, lon: float | None) -> Reason | None:
        """Why a position is none."""
        if lat is None or lon is None:
            return Reason.NO_FIX
        if not isfinite(lat + lon):
            return Reason.FAULT
        if abs(lat) < _NULL_ISLAND_DEG and abs(lon) < _NULL_ISLAND_DEG:
            return Reason.ZERO_ZERO
        return None if self._shared.policy.in_area(lat, lon) else Reason.OUTSIDE_AREA

    def _doubt(self, reading: Reading, accuracy: float) -> Reason | None:
        """Why a fix is not believed."""
        policy = self._shared.policy
        believed = policy.believed
        fast = believed.speed_m_s is not None and self._is_fast(reading)
        if accuracy > policy.accuracy_limit_m:
            return Reason.POOR_ACCURACY
        if fast:
            return Reason.TOO_FAST
        if believed.age is not None and reading.received_at - reading.observed_at > believed.age:
            return Reason.TOO_OLD
        return None

    def _hide(self) -> Reason:
        self.close()
        self.known = self.closed = True
        self._fresh = False
        return Reason.INSIDE_HOME if self._shared.policy.zoned is None else Reason.INSIDE_ZONE

    def _is_fast(self, reading: Reading) -> bool:
        """Whether nobody walked here from the fix before; where none is known nobody can tell: as if so."""
        lat, lon, at = reading.values.lat, reading.values.lon, reading.observed_at
        before, self._place = self._place, (lat, lon, at)
        if before is None:
            return True
        limit = self._shared.policy.believed.speed_m_s
        assert limit is not None
        east = (lon - before[1] + 180.0) % 360.0 - 180.0
        way = hypot(lat - before[0], east * cos(radians(lat))) * _DEGREE_M
        return not way <= limit * (at - before[2]) / SECOND

    def _heed(self, reading: Reading) -> None:
        """A late fix is never kept; one that may be in hiding still closes the guard."""
        values, shelter = reading.values, self.shelter
        lat, lon = values.lat, values.lon
        if lat is None or lon is None:
            return
        accuracy = values.accuracy_m
        if accuracy is None:
            accuracy = self._shared.policy.default_accuracy_m
        assert shelter is not None
        if (
            not isfinite(lat + lon)
            or shelter.ring(lat, lon, accuracy) == HIDDEN
            or (self._shared.shelters.whole and shelter.hides(rounded(lat), rounded(lon), accuracy))
        ):
            self.fail()

    def _stay(self, reason: Reason) -> Reason:
        """A fix that proves nothing: it neither opens nor closes, and a run begins anew."""
        self._run = self._far_run = 0
        self._run_start = None
        return reason

    def _try_to_open(self, lat: float, lon: float, ring: int) -> Reason:
        """Let a fix beyond the buffer join the run; the fixes that decide are dropped themselves."""
        policy = self._shared.policy
        if ring < BEYOND:
            return self._stay(Reason.NOT_REOPENED)
        if self._run_start is None:
            self._run_start = Plane(lat, lon)
        self._run += 1
        self._far_run = self._far_run + 1 if ring == FAR else 0
        if self._run >= policy.reopen_fixes:
            went = self._run_start.squared(lat, lon) > policy.reopen_net_m**2
            if went or self._far_run >= policy.reopen_fixes:
                self.close()
                self._open = self.opened = True
                self.known = self.known and went
        return Reason.NOT_REOPENED


def _same_home(one: Household, other: Household) -> bool:
    """Whether two registry entries hide the same."""
    return (
        (one.home is None) == (other.home is None)
        and (
            one.home is None
            or other.home is None
            or (one.home.lat == other.home.lat and one.home.lon == other.home.lon)
        )
        and one.radius_m == other.radius_m
        and one.crs == other.crs
        and (one.zone, one.partition) == (other.zone, other.partition)
        and len(one.former) == len(other.former)
        and all(_same_home(was, now) for was, now in zip(one.former, other.former, strict=True))
    )
