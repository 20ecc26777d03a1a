"""A tracker on a school bag: where its child truly is, and what the receiver makes of it."""

from datetime import date
from random import Random

from gateway.model.instant import MINUTE, SECOND, Instant
from simulators.calendar import day_of, hour_of
from simulators.childday import Day, plan_day
from simulators.families import Child
from simulators.gps import SKIES, Receiver
from simulators.speaker import Speaker
from simulators.streams import stream
from simulators.timeline import Timeline
from simulators.town import Town

_SKY = {"home": "indoor", "school": "indoor", "walk": "street", "park": "open"}
_BUTTON_PER_WALK_MINUTE = 0.0004
_DRAIN_PCT_H = 0.9
_CHARGE_PCT_H = 14.0


class ChildTracker:
    """Reports every `every_s` seconds, day and night, with a small jitter of its own."""

    def __init__(
        self,
        here: Town,
        seed: int,
        child: Child,
        speaker: Speaker,
        timeline: Timeline,
        every_s: float,
    ) -> None:
        self._here = here
        self._seed = seed
        self._child = child
        self._speaker = speaker
        self._timeline = timeline
        self._every = round(every_s * SECOND)
        self._dice: Random = stream(seed, child.device, "tracker")
        self._receiver = Receiver(stream(seed, child.device, "gps"))
        self._battery = self._dice.uniform(45.0, 100.0)
        self._plan: tuple[date, Day] | None = None
        self._turn = timeline.now + round(self._dice.uniform(0.0, every_s) * SECOND)

    def begin(self) -> None:
        """Plan the first report."""
        self._timeline.plan(self._turn, self._report)

    def _day(self, day: date) -> Day:
        if self._plan is None or self._plan[0] != day:
            self._plan = (day, plan_day(self._here, self._seed, self._child, day))
        return self._plan[1]

    def _charge(self, at: Instant, place: str) -> float:
        """Battery in per cent: on the cradle at home between 21:00 and 06:00."""
        hour = hour_of(at)
        on_cradle = place == "home" and (hour >= 21.0 or hour < 6.0)
        rate = _CHARGE_PCT_H if on_cradle else -_DRAIN_PCT_H
        moved = self._battery + rate * self._every / (60 * MINUTE)
        self._battery = min(100.0, max(1.0, moved))
        return round(self._battery * 2) / 2

    def _report(self, sent: Instant) -> None:
        dice = self._dice
        fixed = sent - round(dice.uniform(0.4, 3.0) * SECOND)
        fixed -= fixed % SECOND
        leg = self._day(day_of(fixed)).at(fixed)
        point = leg.where(fixed)
        fix = self._receiver.fix(fixed / SECOND, point, SKIES[_SKY[leg.place]])
        button = dice.random() < _BUTTON_PER_WALK_MINUTE * self._every / MINUTE and (
            leg.place == "walk"
        )
        lat, lon = self._here.plane.degrees(point)
        truth = {"place": leg.place, "lat": round(lat, 7), "lon": round(lon, 7)}
        battery = self._charge(fixed, leg.place)
        if fix is None:
            self._speaker.say(sent, fixed, truth, battery_pct=battery, button=button)
        else:
            believed, accuracy = fix
            lat, lon = self._here.plane.degrees(believed)
            self._speaker.say(
                sent,
                fixed,
                truth,
                lat=round(lat, 7),
                lon=round(lon, 7),
                accuracy_m=round(accuracy, 1),
                battery_pct=battery,
                button=button,
            )
        self._turn += self._every
        jitter = round(dice.uniform(0.0, 0.03) * self._every)
        self._timeline.plan(max(self._turn + jitter, sent + SECOND), self._report)
