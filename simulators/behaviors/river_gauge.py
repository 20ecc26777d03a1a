"""A water level gauge: a reach of river, a sensor with noise, and a report every ten minutes."""

from gateway.model.instant import MINUTE, SECOND, Instant
from simulators.calendar import hour_of
from simulators.river import Reach
from simulators.speaker import Speaker
from simulators.streams import stream
from simulators.timeline import Timeline
from simulators.weather import Weather

_EVERY = 10 * MINUTE
_FLOOD_EVERY = 2 * MINUTE  # above the watch level

_REACHES = {
    "river-01": (150.0, 9.0, 22.0),
    "river-02": (120.0, 7.0, 24.0),
    "river-03": (14.0, 0.8, 11.0),
}
"""Gauge → catchment km², base flow m³/s, rating."""


class RiverGauge:
    """Distance from above where the registry has a datum, else stage from a probe in the water."""

    def __init__(self, seed: int, speaker: Speaker, timeline: Timeline, weather: Weather) -> None:
        self._speaker = speaker
        self._timeline = timeline
        self._dice = stream(seed, speaker.device.device, "gauge")
        area, base, rating = _REACHES[speaker.device.device]
        self._reach = Reach(weather.rain_mm_h, timeline.now, area, base, rating)
        self._facts = speaker.device.attributes
        self._battery_v = self._dice.uniform(3.55, 3.68)
        self._warm_c = self._dice.uniform(13.0, 18.0)

    def begin(self) -> None:
        """Plan the first report."""
        first = self._timeline.now + round(self._dice.uniform(0, 600)) * SECOND
        self._timeline.plan(first, self._report)

    def _report(self, sent: Instant) -> None:
        dice = self._dice
        measured = sent - 2 * SECOND
        true = self._reach.stage_m(measured)
        hour = hour_of(measured)
        air = self._warm_c + 5.0 * (1 - abs(hour - 14.0) / 7.0) + dice.gauss(0, 0.2)
        fields: dict[str, float] = {"battery_v": round(self._battery_v + dice.gauss(0, 0.005), 2)}
        datum = self._facts.get("datum_m")
        if isinstance(datum, float):
            fields["distance_m"] = round(max(0.0, datum - true + dice.gauss(0, 0.01)), 2)
            fields["temperature_c"] = round(air, 1)
        else:
            fields["stage_m"] = round(true + dice.gauss(0, 0.005), 3)
        self._speaker.say(sent, measured, {"stage_m": round(true, 3)}, **fields)
        watch = self._facts["watch_m"]
        assert isinstance(watch, float)
        every = _FLOOD_EVERY if true >= watch else _EVERY
        self._timeline.plan(sent + every + round(dice.uniform(-3, 3)) * SECOND, self._report)
