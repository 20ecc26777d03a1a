"""Uplinks → outcome: decode, date, mask. Pure and synchronous; the one loop every uplink runs through."""

from collections import Counter
from collections.abc import Sequence
from datetime import tzinfo
from functools import partial
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple

from gateway.devices.catalog import catalog
from gateway.devices.decode import json_decoder, likeness
from gateway.devices.kind import Sensitivity
from gateway.interfaces import Outcome, Rows, Table
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.forwarded import Forwarded
from gateway.model.instant import DAY, HOUR, Instant, local_day
from gateway.model.observation import Observation, Rejection
from gateway.model.reading import Reading
from gateway.model.reason import Fate, Reason
from gateway.model.uplink import Payload, Route, Uplinks
from gateway.pipeline.tape import Tape
from gateway.privacy.keysource import KeysUnavailable
from gateway.privacy.mask import Mask
from gateway.privacy.turn import Masked, Turn
from gateway.telemetry import Facts, Term

AHEAD: Instant = HOUR
"""A device clock further ahead of ours is not believed (decisions 14)."""
BEHIND: Instant = 7 * DAY
"""An observation older than this is late (decisions 14)."""

NOBODY = -1
"""The item of a row whose uplink was acknowledged before: it was held."""

UNKNOWN = "unknown"
"""The kind under which senders are counted that are none of ours; treated as personal."""


class Batch(NamedTuple):
    """One batch, decided but not yet committed.

    Attributes:
        outcome: what the store must write; its rows name uplinks by position in `waiting`.
        terms: fates that are certain already.
        waiting: the uplinks that wait for the store's word: term if stored, chunk, item in it or `NOBODY`.
        refusals: per chunk, item → reason of what is rejected.
    """

    outcome: Outcome
    terms: Counter[Term]
    waiting: list[tuple[Term, int, int]]
    refusals: list[dict[int, Reason]]


class Process:
    """Decides about uplinks; what is to be remembered of them, the mask remembers.

    Attributes:
        tape: the recording that runs, if one does.
    """

    def __init__(self, mask: Mask, zone: tzinfo, facts: Facts | None = None) -> None:
        self._mask = mask
        self._trying: list[Uplinks] | None = None
        self._batch = Batch(Outcome(), Counter(), [], [])
        self._next = (0, 0)
        self._personal = {name: kind.personal for name, kind in catalog().items()}
        self._zone = zone
        self.tape: Tape | None = None
        self._facts = Facts() if facts is None else facts
        self._recent = self._facts.recent
        self._quiet = frozenset[str]()  # kinds of which nothing is remembered but that they spoke
        if not self._recent.exact:
            self._quiet = frozenset(name for name, personal in self._personal.items() if personal)
        self._presses = {
            name
            for name, kind in catalog().items()
            if any(f.name == "button" and f.sensitivity is Sensitivity.LIVE for f in kind.fields)
        }

    def decide(self, chunks: list[Uplinks]) -> Batch:
        """What each uplink of the batch comes to.

        Called again with a batch that it could not finish, it goes on behind what it decided: the
        mask would otherwise take those uplinks for repetitions of themselves.

        Raises:
            KeysUnavailable: to be called again with this very batch when there are keys.
        """
        if chunks is not self._trying:
            self._trying, self._next = chunks, (0, 0)
            self._batch = Batch(Outcome(), Counter(), [], [{} for _ in chunks])
        batch = self._batch
        begun, done = self._next
        for chunk in range(begun, len(chunks)):
            self._decide(chunk, chunks[chunk], done if chunk == begun else 0, batch)
        self._trying = None
        return batch

    def _decide(self, chunk: int, uplinks: Uplinks, done: int, batch: Batch) -> None:
        """The one loop every uplink runs through; the first `done` of the chunk are decided already."""
        outcome, terms, waiting, refusals = batch
        rows = outcome.rows
        refused = refusals[chunk]
        origin, received_at = uplinks.origin, uplinks.received_at
        apply, read, presses = self._mask.apply, self._read, self._presses
        seen, quiet, tape = self._recent.seen, self._quiet, self.tape
        for item, (route, payload) in enumerate(islice(uplinks.items, done, None), done):
            if isinstance(route, Reason):
                self._count_refusal(route, received_at, outcome)
                terms[origin, UNKNOWN, Fate.REJECTED, route] += 1
                refused[item] = route
                continue
            kind = route.kind
            try:
                reading = read(route, payload, received_at, origin)
            except PayloadError as error:
                self._reject(route, payload, received_at, error, outcome)
                terms[origin, kind, Fate.REJECTED, error.reason] += 1
                refused[item] = error.reason
                continue
            try:
                invented = reading.simulated and kind in quiet  # nobody's way, among real ones
                verdict = Reason.SIMULATED if invented else apply(reading)
            except KeysUnavailable:
                self._next = (chunk, item)
                raise
            if tape is not None:
                tape.keep(route, payload, reading, verdict)
            if isinstance(verdict, list) and verdict:
                _keep(verdict, kind, len(waiting), rows)
                waiting.append(((origin, kind, Fate.STORED, None), chunk, item))
            else:
                verdict = _enter(verdict, origin, kind, (chunk, item), batch)
            if kind in presses and reading.values.button and verdict is not Fate.DUPLICATE:
                self._facts.count("button pressed")  # of nobody, nowhere: decisions 20
            seen[reading.device.device] = (
                (received_at, None, None)
                if kind in quiet
                else (received_at, reading.device_time, verdict)
            )

    def _read(
        self, route: Route, payload: Payload, received_at: Instant, origin: str = "own"
    ) -> Reading:
        """Decode and date one uplink (decisions 14); raises `PayloadError`."""
        device = route.device
        values, device_time, counter = route.decode(payload, device)
        network_at, simulated = None, False
        if isinstance(payload, Forwarded):
            network_at, simulated, payload = payload.network_at, payload.simulated, payload.body
        if device_time is None and counter is None and self._personal[route.kind]:
            raise PayloadError(Reason.UNDATED, "personal kinds need t or seq")
        for observed_at in (device_time, network_at):  # the first clock that is to be believed
            if (
                observed_at is not None
                and device.registered_at <= observed_at <= received_at + AHEAD
            ):
                break
        else:
            observed_at = received_at
        return Reading(
            device,
            values,
            observed_at,
            device_time,
            counter,
            blake2b(payload, digest_size=8).digest(),
            received_at,
            observed_at < received_at - BEHIND,
            network_at,
            simulated,
            origin,
        )

    def _reject(
        self, route: Route, payload: Payload, at: Instant, error: PayloadError, outcome: Outcome
    ) -> None:
        """A personal kind leaves a count per day; a thing of the city leaves a row (decisions 3)."""
        device: Device = route.device
        reason = error.reason
        if self.tape is not None:
            self.tape.refuse(route, payload, at)
        if route.kind not in self._quiet:
            self._recent.rejected(
                *(device.device, at, reason.value, error.detail), partial(_likeness, route, payload)
            )
        if self._personal[route.kind]:
            self._count_refusal(reason, at, outcome)
            return
        body = payload.body if isinstance(payload, Forwarded) else payload
        outcome.rejections.append(
            Rejection(
                self._day(at),
                at,
                "decode",
                reason.value,
                device.device,
                len(body),
                blake2b(body, digest_size=8).digest(),
            )
        )

    def _count_refusal(self, reason: Reason, at: Instant, outcome: Outcome) -> None:
        key = (self._day(at), reason.value)
        outcome.refusals_per_day[key] = outcome.refusals_per_day.get(key, 0) + 1

    def _day(self, at: Instant) -> str:
        return local_day(at, self._zone).isoformat()


def _likeness(route: Route, payload: Payload) -> str | None:
    """Whether a payload that was refused looks like another kind's; nothing is known of forwarded ones."""
    if isinstance(payload, Forwarded):
        return None
    kinds = catalog()
    as_json = route.decode is json_decoder(kinds[route.kind])
    return likeness(payload, as_json, route.device, kinds.values())


def _keep(
    observations: Sequence[Observation], kind: str, number: int, rows: dict[Table, Rows]
) -> None:
    """Put the rows of one uplink, the `number`-th that waits, where they belong."""
    for observation in observations:
        table = (observation[1], kind)
        group = rows.get(table)
        if group is None:
            group = rows[table] = Rows()
        group.uplinks.append(number)
        group.observations.append(observation)


def _enter(
    verdict: Masked, origin: str, kind: str, place: tuple[int, int], batch: Batch
) -> Reason | Fate:
    """Account for an uplink that has no row of its own, or one beside others; what became of it.

    `place` is its chunk and item.
    """
    if isinstance(verdict, Turn):
        _settle(verdict, kind, place, batch)
        verdict = verdict.own
    if isinstance(verdict, list):
        verdict = Fate.COUNTED
    if verdict is not Fate.STORED:  # its row is the last of those that were held
        batch.terms[ended(origin, kind, verdict)] += 1
    return verdict


def _settle(turn: Turn, kind: str, own: tuple[int, int], batch: Batch) -> None:
    """Account for uplinks that were held until now: acknowledged long ago, so nobody waits for them.

    `own` is the chunk and item of the uplink that decided about them.
    """
    terms, waiting = batch.terms, batch.waiting
    last = len(turn.kept) - 1 if turn.own is Fate.STORED else -1
    for position, (origin, observation) in enumerate(turn.kept):
        _keep([observation], kind, len(waiting), batch.outcome.rows)
        chunk, item = own if position == last else (own[0], NOBODY)
        waiting.append(((origin, kind, Fate.STORED, None), chunk, item))
        if position != last:
            terms[origin, kind, Fate.HELD, None] -= 1
    for origin, end in turn.gone:
        terms[origin, kind, Fate.HELD, None] -= 1
        terms[ended(origin, kind, end)] += 1


def ended(origin: str, kind: str, end: Reason | Fate) -> Term:
    """The term of an uplink that is not kept."""
    if isinstance(end, Reason):
        return origin, kind, Fate.SUPPRESSED, end
    return origin, kind, end, None
