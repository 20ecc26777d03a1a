"""A bicycle parking lot: in before the trains of the morning, out in the evening, counted by two beams."""

from gateway.model.instant import DAY, HOUR, MINUTE, SECOND, Instant
from simulators.calendar import day_of, hour_of, is_day_off, midnight
from simulators.speaker import Speaker
from simulators.streams import stream
from simulators.timeline import Timeline
from simulators.weather import Weather

_EVERY = 10 * MINUTE
_FILL = 0.92
_RESIDUE = 0.12
_MORNING_SHARE = 0.6
_WEEKEND = 0.35
_RAIN = 0.55
_WALKERS = 0.12
_MISSED, _TURNED_ABOUT, _UNSURE = 0.008, 0.003, 0.02
_MULTI_DAY, _SHORT = 0.1, 0.2


class BicycleParking:
    """Each bicycle of a day has its hour to come and its hour to leave; the beams see most of them.

    Lots with a gate say every passage at once, the others count and report every ten minutes.
    """

    def __init__(self, seed: int, speaker: Speaker, timeline: Timeline, weather: Weather) -> None:
        self._seed = seed
        self._speaker = speaker
        self._timeline = timeline
        self._weather = weather
        self._dice = stream(seed, speaker.device.device, "beam")
        facts = speaker.device.attributes
        self._room = int(facts["capacity"])
        self._one_by_one = "gate" in facts
        self._battery_v = round(self._dice.uniform(3.5, 3.7), 2)
        self._counted = [0, 0]
        self._since = timeline.now

    def begin(self) -> None:
        """Plan yesterday's leavers and today; each midnight plans its day."""
        today = midnight(day_of(self._timeline.now))
        self._plan_day(today - DAY)
        self._plan_day(today)
        if not self._one_by_one:
            first = self._timeline.now + round(self._dice.uniform(62, 600)) * SECOND
            self._timeline.plan(first, self._report)
        self._timeline.plan(today + DAY, self._at_midnight)

    def _at_midnight(self, now: Instant) -> None:
        self._plan_day(now)
        self._timeline.plan(now + DAY, self._at_midnight)

    def _plan_day(self, begin: Instant) -> None:
        """Everybody who comes on the day that begins, with the way back; what is over is over."""
        dice = stream(self._seed, self._speaker.device.device, "day", str(begin // DAY))
        many = self._room * (_FILL - _RESIDUE) * dice.gauss(1.0, 0.05)
        if is_day_off(day_of(begin)):
            many *= _WEEKEND
        for _ in range(round(many)):
            came = begin + round(_came_h(dice.random(), dice.gauss(0, 1)) * HOUR)
            left = came + round(_stayed_h(dice.random(), dice.gauss(0, 1)) * HOUR)
            dry = dice.random() < _RAIN or self._weather.rain_mm_h(came) < 0.5
            if dry:
                self._plan(came, "in", "bicycle")
                self._plan(left, "out", "bicycle")
            if dice.random() < _WALKERS:
                self._plan(came + round(dice.uniform(30, 400)) * SECOND, "out", "person")

    def _plan(self, at: Instant, direction: str, passer: str) -> None:
        if at > self._timeline.now:
            self._timeline.plan(at, lambda now: self._pass(now, direction, passer))

    def _pass(self, at: Instant, direction: str, passer: str) -> None:
        dice = self._dice
        missed, about, unsure = dice.random(), dice.random(), dice.random()
        shaded = dice.uniform(0.9, 1.8) if passer == "bicycle" else dice.uniform(0.25, 0.6)
        if missed < _MISSED:
            return
        seen = {"in": "out", "out": "in"}[direction] if about < _TURNED_ABOUT else direction
        if not self._one_by_one:
            if passer == "bicycle":
                self._counted[seen == "out"] += 1
            return
        self._speaker.say(
            at,
            at - SECOND,
            {"direction": direction, "passer": passer},
            direction=seen,
            passer="unknown" if unsure < _UNSURE else passer,
            shaded_s=round(shaded, 2),
            battery_v=self._battery_v,
        )

    def _report(self, sent: Instant) -> None:
        until = sent - SECOND
        into, out = self._counted
        self._speaker.say(
            sent,
            until,
            None,
            in_count=into,
            out_count=out,
            interval_s=(until - self._since) // SECOND,
            blocked=self._dice.random() < 0.002,
            battery_v=self._battery_v,
        )
        self._counted, self._since = [0, 0], until
        quiet = 3 if hour_of(sent) < 5 else 1
        pause = quiet * _EVERY + round(self._dice.uniform(-2, 2)) * SECOND
        self._timeline.plan(sent + pause, self._report)


def _came_h(share: float, spread: float) -> float:
    """Hour of coming: six of ten from 07:20 to 08:10, the others over the day."""
    if share < _MORNING_SHARE:
        return min(8.6, max(6.6, 7.75 + 0.25 * spread))
    return min(20.0, max(5.5, 11.5 + 3.5 * spread))


def _stayed_h(share: float, spread: float) -> float:
    """Hours of stay: most a working day, some an errand, some for days."""
    if share < _MULTI_DAY:
        return 24.0 + abs(spread) * 20.0
    if share < _MULTI_DAY + _SHORT:
        return 0.2 + abs(spread) * 1.5
    return max(1.0, 10.3 + 1.2 * spread)
