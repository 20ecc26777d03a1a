"""Readings, devices and keys as tests need them: a home by the sea, a child, a stop, a gauge."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, tzinfo
from hashlib import blake2b
from typing import Any

from gateway.devices.catalog import catalog
from gateway.model.device import Device, Household
from gateway.model.identity import DeviceId, HouseholdId
from gateway.model.instant import SECOND, Instant, from_datetime
from gateway.model.observation import Observation
from gateway.model.position import Position
from gateway.model.reading import Reading
from gateway.privacy.mask import Mask
from gateway.privacy.policy import Policy
from gateway.privacy.sealed_mask import SealedMask

HOME = (36.7, 137.2)
NOON: Instant = from_datetime(datetime(2026, 5, 12, 3, 0, tzinfo=UTC))
"""12:00 in Japan, a Tuesday in week 20."""

METRE_NORTH = 1 / 110_968.0
"""Degrees of latitude in one metre at HOME, good to one part in a thousand."""

KINDS = catalog()
ROWS = {name: kind.row for name, kind in KINDS.items()}
_AT_STOP: Mapping[str, str | float | bool] = {"mount": "stop", "stop": "12_1"}


class Keys:
    """Keys that anyone can compute, service days that can be ended, and households that can be erased."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gone: set[date] = set()
        self.erased: set[str] = set()

    def file_key(self, period: str) -> bytes:
        self.asked.append(period)
        return blake2b(period.encode(), digest_size=32).digest()

    def day_key(self, day: date) -> bytes | None:
        if day in self.gone:
            return None
        return blake2b(day.isoformat().encode(), digest_size=32).digest()

    def epoch_key(self, epoch: str) -> bytes:
        return blake2b(epoch.encode(), digest_size=32).digest()

    def household_key(self, household: str) -> bytes | None:
        if household in self.erased:
            return None
        return blake2b(household.encode(), digest_size=32, person=b"family").digest()


def document(**said: Any) -> Any:
    """A child tracker's document, unchecked."""
    made: Any = KINDS["child_tracker"].document
    return made(**said)


def everywhere(_lat: float, _lon: float) -> bool:
    return True


def policy(zone: tzinfo = UTC, **rules: Any) -> Policy:
    return replace(Policy("0" * 64, everywhere, zone=zone), **rules)


def mask(rules: Policy | None = None, keys: Keys | None = None) -> Mask:
    return Mask(rules or policy(), keys or Keys(), ROWS)


def sealed_mask(keys: Keys | None = None) -> SealedMask:
    return SealedMask(policy(), keys or Keys(), ROWS)


def household(
    home: tuple[float, float] | None = HOME,
    radius_m: float | None = None,
    crs: str = "EPSG:4326",
    name: str = "h-1",
) -> Household:
    return Household(HouseholdId(name), None if home is None else Position(*home), radius_m, crs)


_FAMILY = household()


def child(
    name: str = "child-1", family: Household | None = _FAMILY, consent: bool = True
) -> Device:
    consents = frozenset({"store"} if consent else ())
    return Device(DeviceId(name), "child_tracker", "16201", 0, family, consents)


def stop(attributes: Mapping[str, str | float | bool] = _AT_STOP) -> Device:
    return Device(DeviceId("stop-1"), "bus_stop_reader", "16201", 0, attributes=attributes)


def gauge() -> Device:
    return Device(DeviceId("river-1"), "river_gauge", "16201", 0, attributes={"datum_m": 4.2})


def reading(
    device: Device,
    values: Any,
    at: Instant,
    counter: int | None = None,
    dated: bool = True,
    received_at: Instant | None = None,
    late: bool = False,
) -> Reading:
    """A reading whose digest follows from its time and counter, as a payload's would."""
    said = f"{at if dated else None} {counter}".encode()
    return Reading(
        device, values, at, at if dated else None, counter,
        blake2b(said, digest_size=8).digest(), at + SECOND if received_at is None else received_at, late,
    )  # fmt: skip


def fix(
    north_m: float,
    at_s: float,
    device: Device | None = None,
    accuracy_m: float | None = 10.0,
    **more: Any,
) -> Reading:
    """A child's fix so many metres north of HOME, so many seconds after NOON."""
    values = document(lat=HOME[0] + north_m * METRE_NORTH, lon=HOME[1], accuracy_m=accuracy_m)
    return reading(device or child(), values, NOON + int(at_s * SECOND), int(at_s), **more)


def row_of(verdict: Any) -> tuple[Any, ...]:
    """The row of a verdict that kept exactly one."""
    assert isinstance(verdict, list), verdict
    (observation,) = verdict
    assert isinstance(observation, Observation)
    return observation.row


def leave_home(by: Mask, device: Device | None = None) -> None:
    """Walk a child's circle open: three fixes, 200 m apart, in the two minutes before NOON."""
    for number, north_m in enumerate((300.0, 500.0, 700.0)):
        by.apply(fix(north_m, number - 120, device))
