"""A decoded uplink, exact: it never leaves memory. Only devices, pipeline and privacy may import this."""

from typing import Any, NoReturn

from gateway.model.device import Device
from gateway.model.instant import Instant


class Reading:
    """What one uplink says, before the mask.

    Attributes:
        device: who speaks (registry entry).
        values: the kind's `values` struct, exact (see `gateway.devices.kinds.<kind>`).
        observed_at: the accepted time of observation (decisions 14).
        device_time: the device's own time as sent, None where it sent none: part of the identity.
        counter: the device's `seq` / uplink counter, None where it sent none.
        digest: 8-byte digest of the payload, part of the identity.
        received_at: our clock on arrival.
        late: more than seven days behind our clock.
        network_at: when a network server took it in, None where none did; never part of the identity.
        simulated: that server says that no radio was involved.
        origin: whose credential handed it over, as in the conservation law's terms.
    """

    __slots__ = (
        "counter",
        "device",
        "device_time",
        "digest",
        "late",
        "network_at",
        "observed_at",
        "origin",
        "received_at",
        "simulated",
        "values",
    )

    def __init__(
        self,
        device: Device,
        values: Any,
        observed_at: Instant,
        device_time: Instant | None,
        counter: int | None,
        digest: bytes,
        received_at: Instant,
        late: bool,
        network_at: Instant | None = None,
        simulated: bool = False,
        origin: str = "own",
    ) -> None:
        self.device = device
        self.values = values
        self.observed_at = observed_at
        self.device_time = device_time
        self.counter = counter
        self.digest = digest
        self.received_at = received_at
        self.late = late
        self.network_at = network_at
        self.simulated = simulated
        self.origin = origin

    @property
    def at(self) -> Instant:
        """The accepted time of observation."""
        return self.observed_at

    def __repr__(self) -> str:
        return "<reading>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a reading is never serialised")
