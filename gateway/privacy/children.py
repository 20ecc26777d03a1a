"""The children: a guard, a trip and rows for each tracker, and what becomes of its uplinks by them."""

from collections.abc import Callable, Sequence

from gateway.model.device import Device
from gateway.model.identity import DeviceId
from gateway.model.instant import DAY, Instant
from gateway.model.observation import Observation
from gateway.model.reading import Reading
from gateway.model.reason import Fate, Reason
from gateway.privacy.counting import CountingLane
from gateway.privacy.files import Files
from gateway.privacy.guard import Guard, Shared
from gateway.privacy.keysource import KeySource, KeysUnavailable
from gateway.privacy.live import LivePlaces
from gateway.privacy.periods import LANE, Periods
from gateway.privacy.placing import Place, Placing
from gateway.privacy.policy import Policy
from gateway.privacy.rows import ChildRows
from gateway.privacy.shelter import Shelters
from gateway.privacy.trip import SILENCE, Fix, Step, Trip
from gateway.privacy.turn import Masked, Turn, ends, turn


def same_child(was: Device, now: Device) -> bool:
    """Whether what is remembered of a tracker is still of the same child, and may be kept if it was to be."""
    families = [None if one.household is None else one.household.household for one in (was, now)]
    return families[0] == families[1] and (LANE in was.consents) <= (LANE in now.consents)


class _Child:
    """What is remembered of one child's device."""

    __slots__ = ("device", "guard", "rows", "trip")

    def __init__(self, device: Device, guard: Guard, rows: ChildRows, trip: Trip | None) -> None:
        self.device = device
        self.guard = guard
        self.rows = rows
        self.trip = trip

    def __repr__(self) -> str:
        return "<child>"


class Children:
    """All children's trackers under one policy; what is remembered of them lives in memory only."""

    def __init__(
        self,
        policy: Policy,
        periods: Periods,
        files: Files,
        keys: KeySource,
        counting: Sequence[CountingLane],
        live: LivePlaces | None,
    ) -> None:
        """Begin with all guards closed; the arguments are those of `Mask`.

        Args:
            counting: the lanes that count ways.
        """
        self._policy = policy
        self._children: dict[DeviceId, _Child] = {}
        self._files = files
        self._placing = Placing(policy, keys)
        self._live = live
        self._plain = self._placing.plain
        self._holds = policy.staying is not None or policy.shape.run > 1
        self._walked = counting
        purposes = frozenset(lane.purpose for lane in counting)
        if policy.keeps_ways:
            purposes |= {LANE}
        self._all = Shared(policy, periods, Shelters(policy), purposes)

    def _new(self, reading: Reading) -> _Child:
        policy = self._policy
        guard = Guard(self._all)
        rows = ChildRows(policy, self._files, reading.device.device)
        child = _Child(reading.device, guard, rows, Trip(policy) if self._holds else None)
        self._children[reading.device.device] = child
        return child

    def apply(self, reading: Reading) -> Masked:
        """What may be kept of a tracker's uplink.

        Raises:
            KeysUnavailable: nothing was decided and nothing is remembered of it.
            Exception: something is wrong; nothing is kept of it, and then `fail` is to be called.
        """
        if self._live is not None:
            self._live.hear(reading)
        child = self._children.get(reading.device.device)
        if child is None:
            return self._judge(reading, self._new(reading))
        if child.device is reading.device:
            return self._judge(reading, child)
        if same_child(child.device, reading.device):
            child.device = reading.device
            return self._judge(reading, child)
        left = [] if child.trip is None else ends(child.trip.lose().gone)
        verdict = self._judge(reading, self._new(reading))
        assert not isinstance(
            verdict, Turn | list
        )  # a new guard holds nothing and lets nothing pass
        return Turn(verdict, [], left) if left else verdict

    def _judge(self, reading: Reading, child: _Child) -> Masked:
        guard = child.guard
        last = guard.last
        refused = guard.judge(reading)
        if refused is not None:
            return refused if child.trip is None else self._beside(refused, reading, child, last)
        try:
            taken = self._count(reading)
            if not self._policy.keeps_ways or LANE not in reading.device.consents:
                return Fate.COUNTED if taken else Reason.NO_LANE
            return self._keep(reading, child, taken=taken)
        except KeysUnavailable:
            guard.take_back(last)
            raise

    def _count(self, reading: Reading) -> bool:
        """Offer a fix that may pass to the lanes that count."""
        taken = False
        for lane in self._walked:
            if lane.purpose in reading.device.consents:
                taken = lane.take(reading) or taken
        return taken

    def _keep(self, reading: Reading, child: _Child, *, taken: bool) -> Masked:
        """Make a row of a fix behind the guard, or hold it."""
        guard, rows, values = child.guard, child.rows, reading.values
        household = reading.device.household
        assert household is not None
        place: Place = (guard.lat, guard.lon, None)
        if not self._plain:
            assert guard.shelter is not None
            found = self._placing.place(values.lat, values.lon, guard.shelter, household.household)
            if isinstance(found, Reason):
                return Fate.COUNTED if taken else found
            place = found
        fix = Fix(reading, place, counted=taken)
        trip = child.trip
        if trip is None:
            made = rows.row(fix, household.household)
            return Fate.DUPLICATE if made is None else [made]
        saved = trip.save()
        try:
            return self._decided(fix, trip.take(fix), rows, household.household)
        except KeysUnavailable:
            trip.restore(saved)
            raise

    def _beside(
        self, refused: Reason | Fate, reading: Reading, child: _Child, last: Instant | None
    ) -> Masked:
        """What an uplink that is not kept itself does to those held; `last` is the guard's from before it."""
        guard, trip = child.guard, child.trip
        assert trip is not None
        if guard.opened:
            trip.open(reading, known=guard.known)
        if guard.lost:
            return turn(refused, trip.lose())
        if refused is Reason.LATE:
            trip.miss(reading.received_at)
        if not guard.closed:
            return refused
        if not trip.held():
            trip.come_home()
            return refused
        household = reading.device.household
        assert household is not None
        saved = trip.save()
        try:
            step = trip.come_home()
            kept = self._rows(step, child.rows, household.household)
        except KeysUnavailable:
            trip.restore(saved)
            guard.take_back(last)
            raise
        return (
            Turn(refused, [one for _, one in kept], ends(step.gone))
            if kept or step.gone
            else refused
        )

    def _rows(
        self, step: Step, rows: ChildRows, household: str
    ) -> list[tuple[Fix, tuple[str, Observation]]]:
        for fix in step.kept:
            rows.ready(fix)
        made = [(fix, rows.row(fix, household)) for fix in step.kept]
        return [(fix, (fix.origin, row)) for fix, row in made if row is not None]

    def _decided(self, fix: Fix, step: Step, rows: ChildRows, household: str) -> Masked:
        kept = self._rows(step, rows, household)
        repeated = [one for one in step.kept if all(one is not other for other, _ in kept)]
        own: Reason | Fate = Fate.HELD
        gone = ends([(one, why) for one, why in step.gone if one is not fix])
        gone += [(one.origin, Fate.DUPLICATE) for one in repeated if one is not fix]
        if any(one is fix for one, _ in kept):
            if len(kept) == 1 and not gone:
                return [kept[0][1][1]]
            own = Fate.STORED
        elif any(one is fix for one in repeated):
            own = Fate.DUPLICATE
        for one, why in step.gone:
            if one is fix:
                own = Fate.COUNTED if fix.counted else why
        if not kept and not gone:
            return own
        return Turn(own, [row for _, row in kept], gone)

    def fail(self, device: DeviceId) -> Masked:
        """Something went wrong with a tracker's uplink: trust nothing, keep nothing that is held."""
        child = self._children.get(device)
        if child is None:
            return Reason.FAULT
        child.guard.fail()
        return Reason.FAULT if child.trip is None else turn(Reason.FAULT, child.trip.lose())

    def forget_older(self, now: Instant) -> None:
        """See `Mask.forget_older`."""
        silent = [
            device for device, child in self._children.items() if now - child.guard.heard > DAY
        ]
        for device in silent:
            del self._children[device]
        if self._live is not None:
            self._live.forget_older(now)

    def forget_held(self, now: Instant | None = None) -> list[tuple[str, Reason | Fate]]:
        """See `Mask.forget_held`."""
        if not self._holds:
            return []
        gone: list[tuple[str, Reason | Fate]] = []
        for child in self._children.values():
            if child.trip is None or not child.trip.held():
                continue
            if now is None or now - child.trip.heard > SILENCE:
                gone += ends(child.trip.lose().gone)
        return gone

    def forget_left(self, stays: Callable[[DeviceId], bool]) -> list[tuple[str, Reason | Fate]]:
        """See `Mask.forget_left`."""
        gone: list[tuple[str, Reason | Fate]] = []
        for device in [device for device in self._children if not stays(device)]:
            trip = self._children.pop(device).trip
            if trip is not None:
                gone += ends(trip.lose().gone)
        if self._live is not None:
            self._live.forget_left(stays)
        return gone
