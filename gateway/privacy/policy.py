"""The numbers of the mask's first form, and the service area; loaded from `config/privacy.yaml`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo

from gateway.model.instant import Instant

_WEEKLY_FROM_DAYS = 28


@dataclass(frozen=True, slots=True)
class Policy:
    """One lane's rules, compiled. Lengths in metres.

    Attributes:
        ruleset: hex SHA-256 of the canonical rules.
        generation: 1 for the first rule set a state directory ever used, then 2, 3 …
        rules_since: nothing observed before this moment may be stored under these rules.
        in_area: whether (lat, lon) lies in the service area.
        zone: local time zone of periods and service days.
        retain_days: how long a row may stay; under 28, files are cut by day instead of ISO week.
        service_day_starts_h: local hour at which a service day begins.
    """

    ruleset: str
    in_area: Callable[[float, float], bool]
    generation: int = 1
    rules_since: Instant = 0
    zone: tzinfo = UTC
    retain_days: int = 28
    service_day_starts_h: int = 3
    home_radius_m: float = 50.0
    default_accuracy_m: float = 10.0
    accuracy_limit_m: float = 50.0
    buffer_m: float = 20.0
    reopen_fixes: int = 3
    reopen_net_m: float = 150.0
    reopen_far_m: float = 300.0
    gap_minutes: float = 30.0

    @property
    def weekly(self) -> bool:
        """Whether files hold an ISO week each; else a day."""
        return self.retain_days >= _WEEKLY_FROM_DAYS
