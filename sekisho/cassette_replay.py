"""A cassette through the gateway without a door: the city's uplinks as they came, people's rows as they stand."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from itertools import islice
from pathlib import Path

from gateway.app.checkpoint import Checkpoint
from gateway.interfaces import Outcome, Rows, Scripts
from gateway.model.identity import DeviceId
from gateway.privacy.periods import Periods
from gateway.registry.registry import Registry
from gateway.settings.settings import Settings
from gateway.statedir import StateDir
from gateway.transports.replay.cassette import Cassette, Routes
from gateway.transports.replay.clock import RecordedClock
from gateway.transports.replay.door import Replay
from gateway.transports.replay.file import Lines
from gateway.wire.cassette import EPOCH
from sekisho import forwarded_replay, recorded, track
from sekisho.file_bar import FileBar
from sekisho.kinds_in_force import keep
from sekisho.scripts import declared

_BATCH = 8192
_NO_OWNER = "00000"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a cassette.

    Attributes:
        uplinks: of things of the city, and their fates.
        rows: kind → rows about people that were new.
        repeated: such rows that were there already.
        left_out: what the recording had to leave out; None where it was cut off.
    """

    uplinks: forwarded_replay.Result
    rows: dict[str, int]
    repeated: int
    left_out: dict[str, int] | None


def run(
    file: Path,
    settings: Settings | None,
    state: Path,
    keys: Path | None,
    speed: float | None,
    bar: FileBar,
) -> Result:
    """Replay a cassette into `state`, which is made if it is not there.

    Args:
        settings: declared kinds, codecs and rules, where there is a configuration; its devices play no part.
        speed: how many times faster than recorded; None for at once.

    Raises:
        Refusal: see `Cassette` and `recorded.checkpoint`.
    """
    lines = Lines(file)
    cassette = Cassette(str(file), lines)
    clock = RecordedClock(EPOCH)

    def register(directory: StateDir, registry: Registry) -> None:
        if settings is not None:
            keep(directory, settings)
        with registry.change():
            for thing in cassette.things.values():
                registry.put_device(
                    DeviceId(thing.device),
                    thing.kind,
                    _NO_OWNER,
                    EPOCH + thing.registered,
                    attributes=thing.attributes,
                    changed_at=EPOCH,
                )

    rules = track.rules(settings)
    ruleset = sha256(f"{rules.ruleset} cassette {cassette.id}".encode()).hexdigest()
    rules = replace(rules, ruleset=ruleset)  # so that no other one is replayed into this directory
    with recorded.checkpoint(state, keys, clock, rules, register) as checkpoint:
        people = _People(cassette, checkpoint)

        @cache
        def routes(name: str) -> Routes:
            return Routes(checkpoint.directory.devices[DeviceId(name)])

        def door(scripts: Scripts | None) -> recorded.Sender:
            people.then = Replay(
                *(cassette.records(routes), checkpoint.intake, clock, speed, scripts),
                watch=lambda: bar.show(lines, clock.now()),
            )
            return people

        with bar:
            recorded.carry(checkpoint, door, () if settings is None else declared(settings))
        return Result(
            forwarded_replay.result(checkpoint, cassette.uplinks, EPOCH),
            dict(people.stored),
            people.repeated,
            None if cassette.left_out is None else dict(cassette.left_out),
        )


class _People:
    """Hands the masked rows to the store, then lets the uplinks go: no row of a cassette meets the mask."""

    then: Replay

    def __init__(self, cassette: Cassette, checkpoint: Checkpoint) -> None:
        self._cassette = cassette
        self._checkpoint = checkpoint
        self.stored: Counter[str] = Counter()
        self.repeated = 0

    async def send(self) -> None:
        here = self._checkpoint
        observations = self._cassette.observations(Periods(here.policy).name)
        while batch := list(islice(observations, _BATCH)):
            outcome = Outcome()
            for number, observation in enumerate(batch):
                period, kind = observation.period, observation.kind
                assert period is not None
                here.keys.file_key(period)  # a file without its key is refused ever after
                rows = outcome.rows.setdefault((period, kind), Rows())
                rows.uplinks.append(number)
                rows.observations.append(
                    observation if here.sealed is None else here.sealed.sealed(observation)
                )
            committed = await here.store.commit(outcome)
            for table, rows in outcome.rows.items():
                old = len(committed.duplicates.get(table, ()))
                self.repeated += old
                self.stored[table[1]] += len(rows.observations) - old
        await self.then.send()
