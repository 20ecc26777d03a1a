"""People in a shopping street: sums of ten minutes, to the station in the evening, fewer in the rain."""

from gateway.model.instant import MINUTE, SECOND, Instant
from simulators.calendar import day_of, hour_of, is_day_off
from simulators.draws import poisson
from simulators.speaker import Speaker
from simulators.streams import stream
from simulators.timeline import Timeline
from simulators.weather import Weather

_EVERY = 10 * MINUTE
_WEEKDAY = (
    0.02, 0.01, 0.01, 0.01, 0.02, 0.06, 0.2, 0.7, 1.0, 0.6, 0.6, 0.8,
    1.1, 0.9, 0.7, 0.8, 1.0, 1.4, 1.5, 1.1, 0.7, 0.4, 0.2, 0.06,
)  # fmt: skip
_WEEKEND = (
    0.04, 0.02, 0.01, 0.01, 0.01, 0.03, 0.08, 0.15, 0.3, 0.6, 1.0, 1.3,
    1.5, 1.6, 1.7, 1.7, 1.6, 1.4, 1.1, 0.8, 0.5, 0.3, 0.2, 0.08,
)  # fmt: skip
_BUSY_PER_H = 420.0
_RAIN = 0.7


class PeopleFlowCounter:
    """Counts both ways with a sensor that misses a few in a crowd."""

    def __init__(self, seed: int, speaker: Speaker, timeline: Timeline, weather: Weather) -> None:
        self._speaker = speaker
        self._timeline = timeline
        self._weather = weather
        self._dice = stream(seed, speaker.device.device, "flow")
        self._busy = _BUSY_PER_H * self._dice.lognormvariate(0.0, 0.4)
        self._battery_v = round(self._dice.uniform(3.5, 3.7), 2)
        self._last = timeline.now

    def begin(self) -> None:
        """Plan the first report, at least a minute from now: shorter sums are not sent."""
        first = self._timeline.now + round(self._dice.uniform(62, 600)) * SECOND
        self._timeline.plan(first, self._report)

    def _report(self, sent: Instant) -> None:
        dice, until = self._dice, sent - SECOND
        seconds = (until - self._last) // SECOND
        self._last = until
        hour = hour_of(until)
        profile = _WEEKEND if is_day_off(day_of(until)) else _WEEKDAY
        mean = self._busy * profile[int(hour)] * seconds / 3600
        if self._weather.rain_mm_h(until) > 0.5:
            mean *= _RAIN
        share = 0.62 if hour >= 16 else 0.4 if hour < 10 else 0.5
        towards, away = poisson(dice, mean * share), poisson(dice, mean * (1 - share))
        self._speaker.say(
            sent,
            until,
            {"towards_count": towards, "away_count": away},
            towards_count=sum(dice.random() > 0.03 for _ in range(towards)),
            away_count=sum(dice.random() > 0.03 for _ in range(away)),
            interval_s=seconds,
            battery_v=self._battery_v,
        )
        self._timeline.plan(sent + _EVERY + round(dice.uniform(-2, 2)) * SECOND, self._report)
