"""What verbs that take a recorded way have in common: its home, its rules, and the caution beside it."""

import math
from collections.abc import Sequence
from itertools import pairwise

from gateway.model.errors import Refusal
from gateway.privacy.distance import HIGHEST_LATITUDE, Plane
from gateway.privacy.policy import Policy
from gateway.settings.load import Settings
from gateway.transports.replay.track import Point
from sekisho import place

CAREFUL = (
    "  careful  This rule hides the points, not the home: the shown track starts on a circle round it.\n"
    "           Measured for a plain circle of 50 m in a synthetic district: one school day left 19 dwellings\n"
    "           possible, twenty days two."
)


def rules(settings: Settings | None) -> Policy:
    """The configured rules, else the shipped ones; the service area is drawn round the recording later."""
    return settings.policy if settings else Policy("", _nowhere, zone=place.zone_of(None))


def minutes(points: Sequence[Point]) -> float:
    """From the earliest to the latest fix, in whatever order they stand."""
    return (max(point.at for point in points) - min(point.at for point in points)) / 60e6


def length_m(points: Sequence[Point]) -> float:
    """Along the way, in metres."""
    legs = (Plane(a.lat, a.lon).squared(b.lat, b.lon) for a, b in pairwise(points))
    return sum(map(math.sqrt, legs))


def _nowhere(_lat: float, _lon: float) -> bool:
    """The service area before the box round the recording is known."""
    return False


def home(text: str) -> tuple[float, float]:
    """Latitude and longitude of `--home`; the refusal does not repeat them."""
    return degrees("--home", text)


def degrees(option: str, text: str) -> tuple[float, float]:
    """Latitude and longitude that an option takes; the refusal does not repeat them."""
    try:
        lat, lon = (float(part) for part in text.split(","))
    except ValueError:
        lat = lon = math.nan
    if not (abs(lat) <= HIGHEST_LATITUDE and abs(lon) <= 180):
        raise Refusal(
            f"{option} takes latitude and longitude in degrees, with a comma between them, "
            f"for example 36.90,137.20; latitudes to {HIGHEST_LATITUDE:g}, for beyond nothing is measured.",
            exit_code=2,
        )
    return lat, lon
