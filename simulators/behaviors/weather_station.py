"""A weather station: every ten minutes what the air does, and the rain that moves the river too."""

from gateway.model.instant import MINUTE, SECOND, Instant
from simulators.air import Sky
from simulators.speaker import Speaker
from simulators.streams import stream
from simulators.timeline import Timeline

_EVERY = 10 * MINUTE
_TIP_MM = 0.5
"""One tip of the rain gauge's bucket."""


class WeatherStation:
    """Sensors with small errors of their own; stations without a sun sensor say nothing of the sun."""

    def __init__(self, seed: int, speaker: Speaker, timeline: Timeline, sky: Sky) -> None:
        self._speaker = speaker
        self._timeline = timeline
        self._sky = sky
        self._dice = stream(seed, speaker.device.device, "station")
        self._offset_c = self._dice.gauss(0.0, 0.15)
        self._has_sun = "site" in speaker.device.attributes
        self._bucket_mm = self._dice.uniform(0.0, _TIP_MM)
        self._last = timeline.now
        self._battery_v = round(self._dice.uniform(3.5, 3.7), 2)

    def begin(self) -> None:
        """Plan the first report."""
        first = self._timeline.now + round(self._dice.uniform(5, 600)) * SECOND
        self._timeline.plan(first, self._report)

    def _report(self, sent: Instant) -> None:
        dice, measured = self._dice, sent - 2 * SECOND
        air = self._sky.at(measured)
        fell = self._sky.rain_mm(self._last, measured)
        self._bucket_mm += fell
        tips, self._bucket_mm = divmod(self._bucket_mm, _TIP_MM)
        self._last = measured
        wind = max(0.0, round(air.wind_m_s + dice.gauss(0.0, 0.1), 1))
        fields: dict[str, float] = {
            "temperature_c": round(air.temperature_c + self._offset_c + dice.gauss(0.0, 0.05), 1),
            "humidity_pct": round(min(100.0, max(0.0, air.humidity_pct + dice.gauss(0.0, 0.8)))),
            "pressure_hpa": round(air.pressure_hpa + dice.gauss(0.0, 0.1), 1),
            "wind_m_s": wind,
            "gust_m_s": round(wind * dice.uniform(1.3, 1.9), 1),
            "wind_from_deg": round(air.wind_from_deg),
            "rain_mm": round(tips * _TIP_MM, 1),
            "rain_mm_h": round(self._sky.rain_mm_h(measured), 1),
            "battery_v": self._battery_v,
        }
        if self._has_sun:
            fields["solar_w_m2"] = round(max(0.0, air.solar_w_m2 * (1 + dice.gauss(0.0, 0.02))))
        self._speaker.say(sent, measured, {"rain_mm": round(fell, 2)}, **fields)
        self._timeline.plan(sent + _EVERY + round(dice.uniform(-3, 3)) * SECOND, self._report)
