"""One simulated uplink: the bytes that leave, and what the ledger must know about them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.model.instant import Instant


class SimUplink(NamedTuple):
    """What an outlet sends and the ledger writes down.

    Attributes:
        sent: town time at which it leaves the device.
        device: id in the topic.
        kind: device kind.
        form: "json" or "binary".
        payload: the bytes, after harm.
        t: the device's own time as the payload carries it; None where it carries none.
        seq: the device's counter.
        values: field name → value exactly as the receiver decodes it; None where harm left none.
        truth: what was really so (place, position); None where there is nothing to know.
        harm: name of the harm done on purpose, None for none.
        lost: whether it never leaves: it stands in the ledger, and nowhere else.
        origin: who truly sent it, where that is not `device`.
    """

    sent: Instant
    device: str
    kind: str
    form: str
    payload: bytes
    t: Instant | None
    seq: int | None
    values: Mapping[str, Any] | None
    truth: Mapping[str, Any] | None = None
    harm: str | None = None
    lost: bool = False
    origin: str | None = None

    @property
    def topic(self) -> str:
        """Where it is published."""
        tail = "up" if self.form == "json" else "up/bin"
        return f"sekisho/v1/{self.device}/{tail}"
