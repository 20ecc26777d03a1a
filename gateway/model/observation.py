"""What may be kept: rows after the mask, and rejections that carry no payload."""

from typing import Any, NamedTuple

from gateway.model.instant import Instant


class Observation(NamedTuple):
    """One masked row. Constructed in `privacy/` and nowhere else: by the mask, and of a cassette's fiction.

    Attributes:
        kind: the device kind, which is also its table's name.
        period: None for `city.db`; else the personal file it belongs to, for example "store-2026-W20".
        row: the values in the order of the kind's table columns (`DeviceKind.table`).
    """

    kind: str
    period: str | None
    row: tuple[Any, ...]


REJECTIONS_KEPT = 100
"""Distinct payloads kept of a device, day and reason; beyond them only how many there were, so that a
device that sends nonsense without end fills no disk."""


class Rejection(NamedTuple):
    """One refused uplink of a non-personal device; personal and unknown ones are only counted.

    Attributes:
        day: of the arrival, in local time, as 2026-05-12.
        received_at: our clock on arrival.
        stage: "decode" or "route".
        reason: a `Reason` value.
        device: the device's id.
        size: payload bytes.
        digest: 8-byte digest of the payload.
    """

    day: str
    received_at: Instant
    stage: str
    reason: str
    device: str
    size: int
    digest: bytes
