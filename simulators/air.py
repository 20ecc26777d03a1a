"""The air over the town: warmth, moisture, pressure, wind and sun, in step with the rain."""

from functools import cache
from math import cos, exp, pi, sin
from typing import NamedTuple

from gateway.model.instant import DAY, HOUR, MINUTE, Instant
from simulators.calendar import day_of, hour_of
from simulators.streams import stream
from simulators.weather import Weather

_MONTHLY_C = (3.0, 3.4, 6.9, 12.3, 17.5, 21.4, 25.5, 26.9, 22.8, 17.0, 11.2, 5.7)
"""Mean temperature of Toyama, January to December."""

_LATITUDE = 36.74 * pi / 180
_NOON_H = 11.85
_CLEAR_SKY_W = 1050.0


class Air(NamedTuple):
    """The air at one moment: °C, per cent, hPa at the station, m/s, degrees, W/m²."""

    temperature_c: float
    humidity_pct: float
    pressure_hpa: float
    wind_m_s: float
    wind_from_deg: float
    solar_w_m2: float


class Sky:
    """The air that one seed brings; it asks the weather when it rains, as the river does."""

    def __init__(self, seed: int, weather: Weather) -> None:
        self._seed = seed
        self._weather = weather
        self._knot = cache(self._draw)

    def _draw(self, name: str, number: int) -> float:
        return stream(self._seed, "air", name, str(number)).gauss(0.0, 1.0)

    def _noise(self, name: str, at: Instant, every: Instant) -> float:
        """Smooth noise of about unit size that turns every so often."""
        number, into = divmod(at, every)
        share = (1 - cos(pi * into / every)) / 2
        return self._knot(name, number) * (1 - share) + self._knot(name, number + 1) * share

    def at(self, at: Instant) -> Air:
        """The air at an instant; the same for whoever asks."""
        rain = self._weather.rain_mm_h(at)
        wet = 1 - exp(-rain / 2.0)
        cloud = max(wet, min(1.0, max(0.0, 0.45 + 0.35 * self._noise("cloud", at, 5 * HOUR))))
        hour = hour_of(at)
        swing = 4.5 * (1 - 0.7 * cloud) * cos((hour - 14.5) / 24 * 2 * pi)
        warm = _season_c(at) + 2.5 * self._noise("mass", at, 2 * DAY) + swing - 1.5 * wet
        moist = 68 - 3.0 * swing + 6 * self._noise("moisture", at, 9 * HOUR)
        wind = 2.2 * exp(0.5 * self._noise("wind", at, 3 * HOUR)) * (1 + 0.8 * wet)
        sea_breeze = (
            20.0 if 9 <= hour < 18 else 200.0
        )  # from the bay by day, down the valleys by night
        return Air(
            round(min(41.0, warm), 2),
            round(min(100.0, max(18.0, moist + 30 * wet)), 1),
            round(1009.0 + 6 * self._noise("pressure", at, DAY) - 5 * wet, 1),
            round(min(40.0, wind), 1),
            round((sea_breeze + 45 * self._noise("direction", at, 2 * HOUR)) % 360, 0),
            round(_sun(at) * (1 - 0.75 * cloud**2), 0),
        )

    def rain_mm(self, since: Instant, until: Instant) -> float:
        """Rain that fell in between, minute by minute."""
        minutes = range(since, until, MINUTE)
        return sum(self._weather.rain_mm_h(at) * (min(until - at, MINUTE) / HOUR) for at in minutes)

    def rain_mm_h(self, at: Instant) -> float:
        """How hard it rains."""
        return self._weather.rain_mm_h(at)


def _season_c(at: Instant) -> float:
    """Mean temperature of the day of the year, between the middles of two months."""
    day = day_of(at)
    place = day.month - 1 + (day.day - 15) / 30.5
    month = int(place // 1)
    share = place - month
    return _MONTHLY_C[month % 12] * (1 - share) + _MONTHLY_C[(month + 1) % 12] * share


def _sun(at: Instant) -> float:
    """Radiation of a clear sky by the height of the sun."""
    turn = (day_of(at).timetuple().tm_yday - 81) / 365 * 2 * pi
    declination = 0.409 * sin(turn)
    angle = (hour_of(at) - _NOON_H) / 24 * 2 * pi
    height = sin(_LATITUDE) * sin(declination) + cos(_LATITUDE) * cos(declination) * cos(angle)
    return _CLEAR_SKY_W * max(0.0, height)
