"""The mask of a directory that may hold the real thing: its rows about people leave it sealed."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

from gateway.model.instant import Instant
from gateway.model.observation import Observation
from gateway.model.reading import Reading
from gateway.model.reason import Fate, Reason
from gateway.privacy.city import RowMaker
from gateway.privacy.counting import CountingLane
from gateway.privacy.keysource import SealingKeys
from gateway.privacy.live import LivePlaces
from gateway.privacy.mask import Mask
from gateway.privacy.policy import Policy
from gateway.privacy.sealing import FileSeal, RowKey
from gateway.privacy.turn import Masked, Turn

_observe = tuple.__new__  # a third cheaper than Observation(...)


class SealedMask(Mask):
    """See `Mask`; the row of an observation about people is (minute, identity, body)."""

    def __init__(
        self,
        policy: Policy,
        keys: SealingKeys,
        city: Mapping[str, RowMaker | None],
        counting: Sequence[CountingLane] = (),
        live: LivePlaces | None = None,
    ) -> None:
        """See `Mask`; `keys` has those of households, too."""
        super().__init__(policy, keys, city, counting, live)
        self._ruleset = policy.ruleset
        self._sealing_keys = keys
        self._people = frozenset(kind for kind, make in city.items() if make is None)
        self._households: dict[str, RowKey | None] = {}
        self._seals: dict[str, FileSeal] = {}

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys are never serialised")

    def apply(self, reading: Reading) -> Masked:
        """See `Mask.apply`. Of a household whose key was destroyed a moment ago nothing is kept."""
        device = reading.device
        if device.kind not in self._people:
            return Mask.apply(self, reading)
        household, key = device.household, None
        if household is not None:
            key = self._households.get(household.household) or self._key(household.household)
        masked = Mask.apply(self, reading)
        if isinstance(masked, list):
            return self._all(masked, household is not None and key is None, key)
        if isinstance(masked, Turn):
            return self._turn(masked, household is not None and key is None, key)
        refused: Reason | Fate = (
            masked  # whatever else it may be one day holds rows, and is not passed on
        )
        return refused

    def forget_older(self, now: Instant) -> None:
        super().forget_older(now)
        self._seals.clear()

    def forget_keys(self) -> None:
        """Ask for every household's key anew: one may have been destroyed."""
        self._households.clear()

    def opened(self, observation: Observation) -> Observation:
        """What was sealed a moment ago, in plain, for whoever may look on."""
        keys = {key.id: key for key in self._households.values() if key is not None}
        period = observation.period
        assert period is not None
        found = self._seals[period].open(observation.row, keys)
        return observation if found is None else observation._replace(row=found[1])

    def sealed(self, observation: Observation) -> Observation:
        """A row of nobody's, as a cassette's, sealed as all others."""
        return self._seal(observation, None)

    def _key(self, household: str) -> RowKey | None:
        if household not in self._households:
            key = self._sealing_keys.household_key(household)
            self._households[household] = None if key is None else RowKey(key)
        return self._households[household]

    def _all(
        self, rows: list[Observation], is_erased: bool, key: RowKey | None
    ) -> list[Observation] | Reason:
        """The rows of one uplink, sealed, or why none of them is kept."""
        if rows and is_erased:
            return Reason.ERASED
        try:
            return [self._seal(row, key) for row in rows]
        except Exception:  # noqa: BLE001 fail closed, as the mask does
            return Reason.FAULT

    def _turn(self, turn: Turn, is_erased: bool, key: RowKey | None) -> Turn:
        rows = self._all([row for _origin, row in turn.kept], is_erased, key)
        origins = [origin for origin, _row in turn.kept]
        if not isinstance(rows, Reason):
            return turn._replace(kept=list(zip(origins, rows, strict=True)))
        own = turn.own
        if own is Fate.STORED:
            own = rows
            origins.pop()
        return Turn(own, [], [*turn.gone, *((origin, rows) for origin in origins)])

    def _seal(self, observation: Observation, key: RowKey | None) -> Observation:
        kind, period, row = observation
        assert period is not None
        seal = self._seals.get(period) or self._begin(period)
        return _observe(Observation, (kind, period, seal.seal(key or seal.nobody, kind, row)))

    def _begin(self, period: str) -> FileSeal:
        file_key = self._sealing_keys.file_key(period)
        made = self._seals[period] = FileSeal(period, self._ruleset, file_key)
        return made
