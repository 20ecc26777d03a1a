"""Uplinks → outcome: decode, date, mask. Pure and synchronous; the one loop every uplink runs through."""

from collections import Counter
from datetime import tzinfo
from hashlib import blake2b
from typing import NamedTuple

from gateway.devices.catalog import catalog
from gateway.interfaces import Outcome
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.instant import DAY, HOUR, Instant, local_day
from gateway.model.observation import Rejection
from gateway.model.reading import Reading
from gateway.model.reason import Fate, Reason
from gateway.model.uplink import Route, Uplinks
from gateway.privacy.mask import Mask
from gateway.telemetry import Term

AHEAD: Instant = HOUR
"""A device clock further ahead of ours is not believed (decisions 14)."""
BEHIND: Instant = 7 * DAY
"""An observation older than this is late (decisions 14)."""

UNKNOWN = "unknown"
"""The kind under which senders are counted that are none of ours; treated as personal."""

class Place(NamedTuple):
    """Where an uplink with rows stands in its batch: whose it is, and which item of which chunk."""

    term: Term
    chunk: int
    item: int


class Batch(NamedTuple):
    """One batch, decided but not yet committed.

    Attributes:
        outcome: what the store must write; its observations name uplinks by position in `stored`.
        terms: fates that are certain already.
        stored: the uplinks that wait for the store's word.
        refusals: per chunk, item → reason of what is rejected.
    """

    outcome: Outcome
    terms: Counter[Term]
    stored: list[Place]
    refusals: list[dict[int, Reason]]


class Process:
    """Decides about uplinks; keeps no state of its own (the mask does)."""

    def __init__(self, mask: Mask, zone: tzinfo) -> None:
        self._mask = mask
        self._personal = {name: kind.personal for name, kind in catalog().items()}
        self._zone = zone

    def decide(self, chunks: list[Uplinks]) -> Batch:
        """What each uplink of the batch comes to."""
        outcome = Outcome()
        observations = outcome.observations
        terms: Counter[Term] = Counter()
        stored: list[Place] = []
        refusals: list[dict[int, Reason]] = []
        apply = self._mask.apply
        for chunk, uplinks in enumerate(chunks):
            origin, received_at = uplinks.origin, uplinks.received_at
            refused: dict[int, Reason] = {}
            refusals.append(refused)
            for item, (route, payload) in enumerate(uplinks.items):
                if isinstance(route, Reason):
                    self._count_refusal(route, received_at, outcome)
                    terms[Term(origin, UNKNOWN, Fate.REJECTED, route)] += 1
                    refused[item] = route
                    continue
                try:
                    reading = self._read(route, payload, received_at)
                except PayloadError as error:
                    self._reject(route, payload, received_at, error.reason, outcome)
                    terms[Term(origin, route.kind, Fate.REJECTED, error.reason)] += 1
                    refused[item] = error.reason
                    continue
                verdict = apply(reading)
                if type(verdict) is list:
                    if verdict:
                        number = len(stored)
                        stored.append(Place(Term(origin, route.kind, Fate.STORED, ""), chunk, item))
                        for observation in verdict:
                            observations.append((number, observation))
                    else:
                        terms[Term(origin, route.kind, Fate.COUNTED, "")] += 1
                elif type(verdict) is Reason:
                    terms[Term(origin, route.kind, Fate.SUPPRESSED, verdict)] += 1
                else:
                    terms[Term(origin, route.kind, Fate.DUPLICATE, "")] += 1
        return Batch(outcome, terms, stored, refusals)

    def _read(self, route: Route, payload: bytes, received_at: Instant) -> Reading:
        """Decode and date one uplink (decisions 14); raises `PayloadError`."""
        device = route.device
        values, device_time, counter = route.decode(payload, device)
        if device_time is None:
            if counter is None and self._personal[route.kind]:
                raise PayloadError(Reason.UNDATED, "personal kinds need t or seq")
            observed_at = received_at
        elif device_time > received_at + AHEAD or device_time < device.registered_at:
            observed_at = received_at
        else:
            observed_at = device_time
        return Reading(
            device,
            values,
            observed_at,
            device_time,
            counter,
            blake2b(payload, digest_size=8).digest(),
            received_at,
            observed_at < received_at - BEHIND,
        )

    def _reject(
        self, route: Route, payload: bytes, at: Instant, reason: Reason, outcome: Outcome
    ) -> None:
        """A personal kind leaves a count per day; a thing of the city leaves a row (decisions 3)."""
        if self._personal[route.kind]:
            self._count_refusal(reason, at, outcome)
            return
        device: Device = route.device
        outcome.rejections.append(
            Rejection(
                at,
                "decode",
                reason.value,
                device.device,
                len(payload),
                blake2b(payload, digest_size=8).digest(),
            )
        )

    def _count_refusal(self, reason: Reason, at: Instant, outcome: Outcome) -> None:
        key = (local_day(at, self._zone).isoformat(), reason.value)
        outcome.refusals_per_day[key] = outcome.refusals_per_day.get(key, 0) + 1
