"""Tag reads of a bus stop reader: one row per read, the tag under the key of its service day."""

from collections.abc import Sequence
from typing import Any

from gateway.model.reading import Reading
from gateway.model.reason import Fate, Reason
from gateway.privacy.counting import CountingLane
from gateway.privacy.files import Files
from gateway.privacy.generalise import minute_of
from gateway.privacy.periods import Periods
from gateway.privacy.policy import Policy
from gateway.privacy.pseudonym import FileNames, speaker, tag_pseudonym


class TagReads:
    """Judges reads and makes their rows; it remembers nothing of a tag."""

    __slots__ = ("_counting", "_files", "_periods", "_policy")

    def __init__(
        self,
        policy: Policy,
        periods: Periods,
        files: Files,
        counting: Sequence[CountingLane] = (),
    ) -> None:
        self._policy = policy
        self._periods = periods
        self._files = files
        self._counting = counting

    def rows(  # noqa: PLR0911 one return for each step of the specification
        self, reading: Reading
    ) -> tuple[str, list[tuple[Any, ...]]] | Reason | Fate:
        """(period, rows in the order of `PERSONAL_HEAD` and the kind's columns), or why none.

        No rows for an uplink without reads: a sign of life.
        """
        at = reading.observed_at
        if reading.late or (
            not self._counting and self._periods.is_over(at, reading.received_at)
        ):  # a lane that counts has periods of its own
            return Reason.LATE
        if at < self._policy.rules_since:
            return Reason.RULES_CHANGED
        if self._counting:
            taken = [lane.take(reading) for lane in self._counting]
            return Fate.COUNTED if any(taken) or not reading.values.reads else Reason.NO_LANE
        if not self._policy.keeps_reads:
            return Reason.NO_LANE
        day_key = self._files.day_key(self._periods.service_day(at))
        if day_key is None:
            return Reason.KEY_GONE
        period = self._periods.name(at)
        reads = reading.values.reads
        if not reads:
            return period, []
        names = self._files.names(at, reading.received_at)
        who = speaker(reading.device.device)
        first = _identity(names, who, reading, 0)
        if self._files.is_repetition(reading, who, first):
            return Fate.DUPLICATE
        attributes = reading.device.attributes
        stop, vehicle = attributes.get("stop"), attributes.get("vehicle")
        minute = minute_of(at)
        return period, [
            (
                minute,
                _identity(names, who, reading, index) if index else first,
                None if stop is None else str(stop),
                None if vehicle is None else str(vehicle),
                read.antenna,
                tag_pseudonym(day_key, read.epc),
            )
            for index, read in enumerate(reads)
        ]


def _identity(names: FileNames, who: bytes, reading: Reading, index: int) -> bytes:
    return names.identity(who, reading.counter, reading.digest, reading.device_time, index)
