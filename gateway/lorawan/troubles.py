"""What went wrong last with each device of ours, until it is believed again; in memory alone, for `doctor`."""

from typing import NamedTuple

from gateway.lorawan.refusals import Refused
from gateway.lorawan.unserved import Unserved
from gateway.model.identity import DeviceId
from gateway.model.instant import Instant


class Trouble(NamedTuple):
    """Of one device.

    Attributes:
        why: the last refusal; None where joins were answered and nothing came after them.
        at: when.
        joins: joins that were answered since it was believed last.
    """

    why: Refused | None
    at: Instant
    joins: int


class Troubles:
    """Of all of them.

    Attributes:
        of: what went wrong last.
        vain: what devices asked for that is not done here.

    A DevAddr is not one device's alone, and anybody can send under one: a trouble is a hint and no more.
    """

    def __init__(self) -> None:
        self.of: dict[DeviceId, Trouble] = {}
        self.vain: dict[DeviceId, Unserved] = {}

    def doubt(self, device: DeviceId, why: Refused, at: Instant) -> None:
        """A frame under its name was refused."""
        before = self.of.get(device)
        self.of[device] = Trouble(why, at, 0 if before is None else before.joins)

    def welcome(self, device: DeviceId, at: Instant) -> None:
        """Its join was answered; whether it heard that only its first uplink tells."""
        before = self.of.get(device)
        self.of[device] = Trouble(None, at, 1 if before is None else before.joins + 1)

    def believe(self, device: DeviceId) -> None:
        """A frame of its own came."""
        self.of.pop(device, None)
