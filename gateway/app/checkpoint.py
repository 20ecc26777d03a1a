"""Everything between the doors and the disk, wired once for `run` and `replay` alike."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gateway.app.counters import Counters
from gateway.app.guardians import Guardians, no_lane
from gateway.clock import Clock
from gateway.control.feed import LiveFeed
from gateway.control.recording import Recordings
from gateway.control.window import Window
from gateway.counting.lane import Plan as Counted
from gateway.devices.catalog import catalog
from gateway.keys.guard import GuardedKeys
from gateway.keys.ring import KeyRing
from gateway.model.device import Directory
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.model.instant import HOUR, Instant, day_begins, local_day
from gateway.model.reason import Fate, Reason
from gateway.pipeline.flow import Flow
from gateway.pipeline.intake import Intake
from gateway.pipeline.process import Process, ended
from gateway.pipeline.retention import expired, first_day
from gateway.privacy.children import same_child
from gateway.privacy.keysource import KeysUnavailable
from gateway.privacy.live import LivePlaces
from gateway.privacy.mask import Mask
from gateway.privacy.policy import Policy
from gateway.privacy.sealed_mask import SealedMask
from gateway.recent import Recent
from gateway.registry.registry import Registry
from gateway.statedir import Mark, StateDir
from gateway.stores.sqlite import SqliteStore
from gateway.telemetry import Facts, Tally
from gateway.transports.mqtt_listener.guestbook import ANONYMOUS


@dataclass(frozen=True, slots=True)
class Tempo:
    """Length of a tick in seconds, and uplinks in one commit, about."""

    tick_s: float = 0.004
    batch: int = 8192


class Checkpoint:
    """The parts of one running gateway that do not depend on its doors.

    Args:
        state: the state directory, locked by the caller.
        policy: the rules as configured; their generation is filled in from the registry.
        counted: what is counted instead of kept.

    Raises:
        Refusal: the key of a personal file is gone, or a counter cannot be gone on with.
    """

    def __init__(
        self,
        state: StateDir,
        keys: KeyRing,
        registry: Registry,
        policy: Policy,
        clock: Clock,
        tempo: Tempo,
        counted: Sequence[Counted] = (),
    ) -> None:
        self.state = state
        self.keys = keys
        self.registry = registry
        self.policy = policy
        self.clock = clock
        _refuse_lost_keys(state, keys, policy, clock)
        synthetic, invented = state.mark is not None, state.mark is Mark.SIM
        self.facts = Facts(Recent(exact=synthetic))
        self.tally = Tally()
        self._journal_may_hold_homes = policy.zoned is not None  # also one left by an earlier run
        self._forget_homes()
        self.directory: Directory = self.read_registry()
        self.counters = Counters(
            *(counted, policy.ruleset, state, keys, lambda: self.directory, clock, policy.zone),
            self.facts,
        )
        self.counters.take_up()
        rules = (policy.generation, policy.ruleset)
        self.store = SqliteStore(
            state.city_db, state.personal_dir, self.facts, rules, sealed=state.sealed
        )
        kinds = {name: kind.row for name, kind in catalog().items()}
        guarded = GuardedKeys(keys, state.personal_dir)
        self.live = None if policy.live is None else LivePlaces(policy.live, clock.now())
        made_of = (policy, guarded, kinds, self.counters.lanes, self.live)
        self.sealed = SealedMask(*made_of) if state.sealed else None
        self.mask = self.sealed or Mask(*made_of)
        self.mask.recall(self.store.recent_identities(clock.now() - 2 * HOUR))
        self.intake = Intake()
        if self.sealed is None:
            self.feed = LiveFeed(personal=synthetic)
        else:
            self.feed = LiveFeed(synthetic, self.sealed.opened)
        self.window = Window(state.socket, self.tally, self.facts, self.feed, exact=synthetic)
        self.window.answer("doctor", self._recall)
        self.window.answer(
            "live",
            no_lane
            if self.live is None
            else Guardians(self.live, registry, lambda: self.directory, clock).answer,
        )
        process = Process(self.mask, policy.zone, self.facts)
        recordings = Recordings(process, clock, lambda: self.directory.devices, people=invented)
        self.window.stream("record", recordings.open, whole=True)
        self.flow = Flow(
            self.intake,
            process,
            self.store,
            self.tally,
            [self.feed],
            clock,
            tempo.tick_s,
            tempo.batch,
            self.facts,
            rest=time.sleep,
        )

    def read_registry(self) -> Directory:
        """What the registry says now; under zone rules a home is its zone (decisions 11)."""
        directory = self.registry.directory()
        families = [device.household for device in directory.devices.values() if device.household]
        exact = any(place.home for one in families for place in (one, *one.former))
        if self.policy.zoned is None or not exact:
            return directory
        self._forget_homes()
        return self.registry.directory()

    def _forget_homes(self) -> None:
        """Put zones in the place of exact homes, where the rules stand on zones."""
        zoned = self.policy.zoned
        if zoned is None:
            return
        if self.registry.families.forget_homes(
            zoned.partition.zone_of, zoned.pin, self.clock.now()
        ):
            self.facts.note(
                "homes forgotten",
                "Under zone rules a home is its zone: exact homes were overwritten in the registry. Another "
                "partition, or a circle, needs them again (sekisho devices import-homes)",
            )
            self._journal_may_hold_homes = True
        self.settle_homes()

    def forget_former(self, is_over: Callable[[Instant], bool]) -> None:
        """Let the homes that families moved from hide no longer, once their rows from then are gone."""
        if self.registry.families.forget_former(is_over):
            self.facts.note(
                "former homes forgotten",
                "The rows from before a move are gone: the old home hides nothing any more, and was overwritten",
            )
            self._journal_may_hold_homes = True

    def settle_homes(self) -> None:
        """Empty the registry's journal of exact homes, as long as it may hold any; where somebody reads, next time."""
        if not self._journal_may_hold_homes:
            return
        self._journal_may_hold_homes = not self.registry.families.settle(wait_s=0)
        if self._journal_may_hold_homes:
            self.facts.note(
                "homes in journal",
                "Exact homes may still lie, sealed, in the journal of registry.db, because another program has been "
                "reading that file: end it (a backup, sqlite3). It is tried again every quarter of an hour",
                logging.WARNING,
            )
        else:
            self.facts.over("homes in journal")

    async def _recall(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """What `sekisho doctor` asks: the last knocks and, of one device, what is remembered."""
        recent = self.facts.recent
        quiet = () if recent.exact else self._spoken_for_by_people()
        said = {
            **recent.answer(quiet),
            "facts": dict(self.facts.counts),
            "standing": sorted(self.facts.standing),
        }
        device = self.directory.devices.get(DeviceId(str(question.get("device"))))
        if device is not None:
            midnight = day_begins(local_day(self.clock.now(), self.policy.zone), self.policy.zone)
            kind = catalog().get(device.kind)
            coarse = not recent.exact and (kind is None or kind.personal)
            said["device"] = recent.of_device(device.device, midnight, coarse)
        return said

    def _spoken_for_by_people(self) -> set[str]:
        """Credentials that speak for a device of somebody's own."""
        devices, kinds = self.directory.devices, catalog()
        people = {
            name for name, d in devices.items() if (k := kinds.get(d.kind)) is None or k.personal
        }
        named = {name for name, c in self.directory.credentials.items() if c.devices & people}
        return {*named, ANONYMOUS} if people else named

    async def drain(self, worker: asyncio.Task[None]) -> None:
        """Close the intake, let the worker commit and acknowledge what is there, close the files."""
        self.intake.close()
        await worker
        self.forget_held(None)
        await self.counters.write_down(clean=True)
        await self.store.close()

    def take_up(self, directory: Directory) -> None:
        """From now on this directory is in force: who is not in it any more is forgotten, as are keys; and what was
        held of a child whose guardian withdrew, or whose tracker another family has now.
        """
        before, self.directory = self.directory.devices, directory
        if self.sealed is not None:
            self.sealed.forget_keys()

        def stays(name: DeviceId) -> bool:
            device = directory.devices.get(name)
            was = before.get(name)
            if device is None or was is None or device.revoked:
                return False
            return same_child(was, device)

        self._end(self.mask.forget_left(stays))

    def forget_held(self, now: Instant | None) -> None:
        """Forget the fixes held of children that fell silent, or of all (decisions 1)."""
        self._end(self.mask.forget_held(now))

    def _end(self, gone: Iterable[tuple[str, Reason | Fate]]) -> None:
        for origin, end in gone:
            self.tally.terms[origin, "child_tracker", Fate.HELD, None] -= 1
            self.tally.terms[ended(origin, "child_tracker", end)] += 1


def _refuse_lost_keys(state: StateDir, keys: KeyRing, policy: Policy, clock: Clock) -> None:
    """Refuse to go on with a personal file whose key is gone, unless its time is over anyway.

    Raises:
        Refusal: says what is lost, and the ways out.
    """
    periods = {path.stem for path in state.personal_dir.glob("*.db") if first_day(path.stem)}
    over = expired(periods, local_day(clock.now(), policy.zone), policy.retain_days)
    try:
        lost = sorted(p for p in periods.difference(over) if not keys.has_file_key(p))
    except KeysUnavailable as error:
        raise Refusal(
            f"The keys in {keys.path} cannot be read ({error.why}). Mend that place, or say where "
            "they lie (setting keys, or --keys)."
        ) from error
    if lost:
        raise Refusal(
            f"The key of {lost[0]}.db is not in {keys.path / 'files'}"
            + (f", nor are those of {len(lost) - 1} more personal files" if lost[1:] else "")
            + ". Nothing can be added to such a file: what comes again would be stored twice, and "
            "everyone in it would get a second pseudonym. Bring the key back from your copy of the "
            f"keys; if it is lost for good, move the file away from {state.personal_dir}: its rows "
            "are then out of Sekisho's care, and yours to delete."
        )


@contextmanager
def private_umask() -> Iterator[None]:
    """Files made inside are readable by their owner and group only."""
    old = os.umask(0o027)
    try:
        yield
    finally:
        os.umask(old)
