"""The mask: exact readings in, observations out. Nothing else makes an observation of a reading.

The order is fixed, and every stage can only take away: recognise a repetition → strip (what is not
named below is not copied) → suppress → generalise → pseudonymise. What goes wrong inside suppresses.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping

from gateway.model.identity import DeviceId
from gateway.model.instant import DAY, Instant
from gateway.model.observation import Observation
from gateway.model.reading import Reading
from gateway.model.reason import Fate, Reason
from gateway.privacy.city import RowMaker, city_row
from gateway.privacy.files import Files
from gateway.privacy.generalise import battery_class, minute_of
from gateway.privacy.home_circle import HomeCircle
from gateway.privacy.keysource import KeySource, KeysUnavailable
from gateway.privacy.periods import Periods
from gateway.privacy.policy import Policy
from gateway.privacy.pseudonym import FileNames, speaker
from gateway.privacy.tags import TagReads

Masked = list[Observation] | Reason | Fate
"""Rows to keep (none for a sign of life: it counts as COUNTED), why none, or Fate.DUPLICATE."""

_observe = tuple.__new__  # a third cheaper than Observation(...), on the hottest line there is


class _Child:
    """What is remembered of one child's device: its circle and its names."""

    __slots__ = ("circle", "household", "names", "pseudonym", "who")

    def __init__(self, policy: Policy, periods: Periods, device: DeviceId) -> None:
        self.circle = HomeCircle(policy, periods)
        self.who = speaker(device)
        self.names: FileNames | None = None
        self.household = ""
        self.pseudonym = b""

    def __repr__(self) -> str:
        return "<child>"


class Mask:
    """One lane's mask; it lives on one thread, and its state lives in memory only."""

    def __init__(
        self, policy: Policy, keys: KeySource, city: Mapping[str, RowMaker | None]
    ) -> None:
        """Mask under `policy`.

        Args:
            policy: the rules in force.
            keys: the keys of personal files and service days.
            city: kind name → the kind's `row`; None for a personal kind, which the mask must know.

        Raises:
            ValueError: a personal kind that the mask does not know.
        """
        self._policy = policy
        self._children: dict[DeviceId, _Child] = {}
        self._periods = Periods(policy)
        self._files = Files(self._periods, keys)
        self._tags = TagReads(policy, self._periods, self._files)
        personal: dict[str, Callable[[Reading], Masked]] = {
            "child_tracker": self._child,
            "bus_stop_reader": self._tag_reads,
        }
        self._city: dict[str, RowMaker] = {}
        self._personal: dict[str, Callable[[Reading], Masked]] = {}
        for kind, make in city.items():
            if make is not None:
                self._city[kind] = make
            elif kind in personal:
                self._personal[kind] = personal[kind]
            else:
                raise ValueError(f"kind {kind} is personal, and the mask has no rule for it")

    def apply(self, reading: Reading) -> Masked:
        """What may be kept of a reading: whatever goes wrong suppresses, but for one thing.

        Raises:
            KeysUnavailable: nothing was decided and nothing is remembered of this reading; to be
                handed over again, before any other, when there are keys.
        """
        kind = reading.device.kind
        try:
            make = self._city.get(kind)
            if make is None:
                return self._personal[kind](reading)
            row = city_row(reading, make, self._files.undated)
            if row is None:
                return Fate.DUPLICATE
            return [_observe(Observation, (kind, None, row))]
        except KeysUnavailable:
            raise
        except Exception:  # noqa: BLE001 fail closed: no text of the error goes anywhere
            child = self._children.get(reading.device.device)
            if child is not None:
                child.circle.close()
            return Reason.FAULT

    def recall(self, identities: Iterable[tuple[Instant, Hashable]]) -> None:
        """Know the rows of the last two hours again, after a start.

        Args:
            identities: time in µs and identity of a row: 16 bytes in personal files; the tuple
                (device, counter or None, digest, 0) in `city.db`, but of rows of clock 'device'.
        """
        self._files.recall(identities)

    def forget_older(self, now: Instant) -> None:
        """Drop what is remembered of devices not heard for 24 hours; they begin closed again."""
        silent = [
            device for device, child in self._children.items() if now - child.circle.heard > DAY
        ]
        for device in silent:
            del self._children[device]
        self._files.forget_older(now)

    def _child(self, reading: Reading) -> Masked:
        device = reading.device
        child = self._children.get(device.device)
        if child is None:
            child = _Child(self._policy, self._periods, device.device)
            self._children[device.device] = child
        circle = child.circle
        refused = circle.judge(reading)
        if refused is not None:
            return refused
        at = reading.observed_at
        device_time = reading.device_time
        try:
            names = self._files.names(at, reading.received_at)
            identity = names.identity(child.who, reading.counter, reading.digest, device_time, 0)
            if (at != device_time or at > reading.received_at) and self._files.is_repetition(
                reading, child.who, identity
            ):
                return Fate.DUPLICATE
        except KeysUnavailable:
            circle.take_back()
            raise
        household = device.household
        assert household is not None
        if names is not child.names or household.household != child.household:
            child.pseudonym = names.child(household.household, device.device)
            child.names, child.household = names, household.household
        row = (
            minute_of(at),
            identity,
            child.pseudonym,
            circle.lat,
            circle.lon,
            battery_class(reading.values.battery_pct),
        )
        return [_observe(Observation, (device.kind, names.period, row))]

    def _tag_reads(self, reading: Reading) -> Masked:
        made = self._tags.rows(reading)
        if not isinstance(made, tuple):
            return made
        period, rows = made
        kind = reading.device.kind
        return [_observe(Observation, (kind, period, row)) for row in rows]
