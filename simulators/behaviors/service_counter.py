"""A ward office's counter: people come by the hour, draw a number, and are served desk by desk.

M/M/c with arrivals that follow the clock; one desk fewer from 12 to 14, when the staff eat in shifts,
which is what makes a jam out of an ordinary noon.
"""

from collections.abc import Mapping
from datetime import date

from gateway.model.instant import HOUR, MINUTE, SECOND, Instant
from simulators.calendar import day_of, hour_of, is_day_off
from simulators.speaker import Speaker
from simulators.streams import stream
from simulators.timeline import Timeline

_OPENS_H, _CLOSES_H = 8.5, 17.25
_BY_HOUR: Mapping[int, float] = {
    8: 0.6, 9: 0.9, 10: 1.2, 11: 1.35, 12: 1.3, 13: 1.25, 14: 1.0, 15: 0.9, 16: 0.6, 17: 0.3,
}  # fmt: skip
_MONDAY, _MOVING_SEASON = 1.35, 3.0
_CEILING = 1.35 * _MONDAY * _MOVING_SEASON
_LOAD = 0.62
"""Share of the desks' time that an average hour fills."""
_LONG_QUEUE = 40
_NO_SHOW = 0.03
_OPEN_EVERY, _SHUT_EVERY = 2 * MINUTE, 30 * MINUTE

MEAN_MIN: Mapping[str, float] = {"certificates": 4.0, "moving in": 18.0}
"""Service → minutes at the desk."""


def crowd(day: date, hour: float) -> float:
    """How many come, against an average hour; 0 where the office is shut."""
    if is_day_off(day) or not _OPENS_H <= hour < _CLOSES_H:
        return 0.0
    season = (3, 20) <= (day.month, day.day) <= (4, 10)
    return (
        _BY_HOUR[int(hour)]
        * (_MONDAY if day.weekday() == 0 else 1.0)
        * (_MOVING_SEASON if season else 1.0)
    )


class ServiceCounter:
    """One queue, `desks` desks; tickets begin at 1 every day."""

    def __init__(self, seed: int, speaker: Speaker, timeline: Timeline) -> None:
        self._speaker = speaker
        self._timeline = timeline
        self._come = stream(seed, speaker.device.device, "arrivals")
        self._serve = stream(seed, speaker.device.device, "service")
        self._dice = stream(seed, speaker.device.device, "reports")
        facts = speaker.device.attributes
        self._desks = int(facts["desks"])
        self._mean_min = MEAN_MIN[str(facts["service"])]
        self._ceiling_per_min = _LOAD * self._desks / self._mean_min * _CEILING
        self._day = day_of(timeline.now)
        self._waiting = self._busy = self._issued = 0
        self._called: int | None = None

    def begin(self) -> None:
        """Plan the first report and the first person."""
        now = self._timeline.now
        self._timeline.plan(now + round(self._dice.uniform(1, 120)) * SECOND, self._report)
        self._timeline.plan(self._gap(now), self._arrive)

    def _gap(self, now: Instant) -> Instant:
        return now + max(SECOND, round(self._come.expovariate(self._ceiling_per_min) * MINUTE))

    def _arrive(self, at: Instant) -> None:
        """A moment at which somebody may come: kept as often as the hour is busy."""
        wanted = crowd(day_of(at), hour_of(at)) / _CEILING
        if self._waiting > _LONG_QUEUE:  # half turn round at the door
            wanted /= 2
        if self._come.random() < wanted:
            self._new_day(at)
            self._issued += 1
            self._waiting += 1
            self._call(at)
        self._timeline.plan(self._gap(at), self._arrive)

    def _open_desks(self, at: Instant) -> int:
        hour = hour_of(at)
        shut = is_day_off(day_of(at)) or not _OPENS_H <= hour < _CLOSES_H
        if shut and not self._waiting and not self._busy:
            return 0
        return max(1, self._desks - 1) if 12 <= hour < 14 else self._desks

    def _call(self, at: Instant) -> None:
        """Let free desks call the next numbers; whoever is not there costs no time."""
        while self._waiting and self._busy < self._open_desks(at):
            self._waiting -= 1
            self._called = self._issued - self._waiting
            if self._serve.random() < _NO_SHOW:
                continue
            self._busy += 1
            minutes = self._serve.expovariate(1 / self._mean_min)
            self._timeline.plan(at + max(SECOND, round(minutes * MINUTE)), self._free)

    def _free(self, at: Instant) -> None:
        self._busy -= 1
        self._call(at)

    def _new_day(self, at: Instant) -> None:
        if day_of(at) != self._day and not self._waiting and not self._busy:
            self._day, self._issued, self._called = day_of(at), 0, None

    def _report(self, sent: Instant) -> None:
        self._new_day(sent)
        self._call(sent)  # a desk comes back from lunch
        desks = self._open_desks(sent)
        self._speaker.say(
            sent,
            sent - SECOND,
            {"waiting": self._waiting, "at_the_desks": self._busy},
            waiting=min(999, self._waiting),
            open_desks=desks,
            last_called=self._called,
        )
        soon = bool(desks) or crowd(day_of(sent), hour_of(sent + HOUR // 2)) > 0
        every = _OPEN_EVERY if soon else _SHUT_EVERY
        self._timeline.plan(sent + every + round(self._dice.uniform(-2, 2)) * SECOND, self._report)
