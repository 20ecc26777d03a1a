"""The mask: exact readings in, observations out. Nothing else makes an observation of a reading.

The order is fixed, and every stage can only take away: recognise a repetition → strip (what is not
named below is not copied) → suppress → shape → generalise → pseudonymise. What goes wrong inside suppresses.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from gateway.model.identity import DeviceId
from gateway.model.instant import Instant
from gateway.model.observation import Observation
from gateway.model.reading import Reading
from gateway.model.reason import Fate, Reason
from gateway.privacy.children import Children
from gateway.privacy.city import RowMaker, city_row
from gateway.privacy.counting import CountingLane
from gateway.privacy.files import Files
from gateway.privacy.keysource import KeySource, KeysUnavailable
from gateway.privacy.live import LivePlaces
from gateway.privacy.periods import Periods
from gateway.privacy.policy import Policy
from gateway.privacy.tags import TagReads
from gateway.privacy.turn import Masked

_observe = tuple.__new__  # a third cheaper than Observation(...), on the hottest line there is


class Mask:
    """The mask of one rule set; it lives on one thread, and its state lives in memory only."""

    def __init__(
        self,
        policy: Policy,
        keys: KeySource,
        city: Mapping[str, RowMaker | None],
        counting: Sequence[CountingLane] = (),
        live: LivePlaces | None = None,
    ) -> None:
        """Mask under `policy`.

        Args:
            policy: the rules in force.
            keys: the keys of personal files, service days and epochs.
            city: kind name → the kind's `row`; None for a personal kind, which the mask must know.
            counting: the lanes that count; each is offered what the guard lets pass.
            live: what guardians are shown; it has a guard of its own.

        Raises:
            ValueError: a personal kind that the mask does not know.
        """
        periods = Periods(policy)
        self._files = Files(periods, keys)
        walked = [lane for lane in counting if "child_tracker" in lane.kinds]
        self._children = Children(policy, periods, self._files, keys, walked, live)
        self._tags = TagReads(
            policy,
            periods,
            self._files,
            [lane for lane in counting if "bus_stop_reader" in lane.kinds],
        )
        personal: dict[str, Callable[[Reading], Masked]] = {
            "child_tracker": self._children.apply,
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
            return self._children.fail(reading.device.device)

    def recall(self, identities: Iterable[tuple[Instant, Hashable]]) -> None:
        """Know the rows of the last two hours again, after a start.

        Args:
            identities: time in µs and identity of a row: 16 bytes in personal files; the tuple
                (device, counter or None, digest, 0) in `city.db`, but of rows of clock 'device'.
        """
        self._files.recall(identities)

    def forget_older(self, now: Instant) -> None:
        """Drop what is remembered of devices not heard for 24 hours; they begin closed again."""
        self._children.forget_older(now)
        self._files.forget_older(now)

    def forget_held(self, now: Instant | None = None) -> list[tuple[str, Reason | Fate]]:
        """Forget what is held of children not heard for half an hour; None: of all. Origin and end of each."""
        return self._children.forget_held(now)

    def forget_left(self, stays: Callable[[DeviceId], bool]) -> list[tuple[str, Reason | Fate]]:
        """Drop what is remembered of devices that do not stay. Origin and end of each fix that was held."""
        return self._children.forget_left(stays)

    def _tag_reads(self, reading: Reading) -> Masked:
        made = self._tags.rows(reading)
        if not isinstance(made, tuple):
            return made
        period, rows = made
        kind = reading.device.kind
        return [_observe(Observation, (kind, period, row)) for row in rows]
