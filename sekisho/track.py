"""What verbs that take a recorded way have in common: its home, its rules, and the caution beside it."""

import math

from gateway.model.errors import Refusal
from gateway.privacy.policy import Policy
from gateway.settings.load import Settings
from sekisho import place

CAREFUL = (
    "  careful  This rule hides the points, not the home: the shown track starts on a circle round it.\n"
    "           In a synthetic district one school day left 19 dwellings possible, twenty days two."
)


def rules(settings: Settings | None) -> Policy:
    """The configured rules, else the shipped ones; the service area is drawn round the recording later."""
    return settings.policy if settings else Policy("", _nowhere, zone=place.zone_of(None))


def _nowhere(_lat: float, _lon: float) -> bool:
    """The service area before the box round the recording is known."""
    return False


def home(text: str) -> tuple[float, float]:
    """Latitude and longitude; the refusal does not repeat them."""
    try:
        lat, lon = (float(part) for part in text.split(","))
    except ValueError:
        lat = lon = math.nan
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        raise Refusal(
            "--home takes latitude and longitude in degrees, with a comma between them, "
            "for example 36.90,137.20.",
            exit_code=2,
        )
    return lat, lon
