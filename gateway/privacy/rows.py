"""Rows about one child: keyed names, a time bin, and of the fix what the rules leave."""

from gateway.model.identity import DeviceId
from gateway.model.instant import Instant, local_day
from gateway.model.observation import Observation
from gateway.privacy.files import Files
from gateway.privacy.generalise import bin_of
from gateway.privacy.policy import Policy
from gateway.privacy.pseudonym import FileNames, speaker
from gateway.privacy.trip import Fix

_KIND = "child_tracker"
_observe = tuple.__new__


class ChildRows:
    """Makes the rows of one child's device, and remembers its names."""

    __slots__ = ("_device", "_files", "_household", "_names", "_policy", "_pseudonym")

    def __init__(self, policy: Policy, files: Files, device: DeviceId) -> None:
        self._policy = policy
        self._files = files
        self._device = device
        self._names: FileNames | None = None
        self._household = ""
        self._pseudonym = b""

    def __repr__(self) -> str:
        return "<rows>"

    def ready(self, fix: Fix) -> None:
        """Have every key at hand that the row of a fix may ask for, so that of several rows all are made or none.

        Raises:
            KeysUnavailable: one can be neither read nor made just now.
        """
        self._files.ready(fix)

    def row(self, fix: Fix, household: str) -> Observation | None:
        """The row of a fix; None for one that came before.

        Raises:
            KeysUnavailable: its file's key can be neither read nor made just now.
        """
        at, device_time = fix.at, fix.device_time
        names = self._files.names(at, fix.received_at)
        who = speaker(self._device)
        identity = names.identity(who, fix.counter, fix.digest, device_time, 0)
        if (at != device_time or at > fix.received_at) and self._files.is_repetition(
            fix, who, identity
        ):
            return None
        shape = self._policy.shape
        fields = shape.fields
        lat, lon, cell = fix.place
        row = (
            bin_of(at, shape.step, self._policy.zone),
            identity,
            self._named(names, household, at) if "pseudonym" in fields else None,
            lat,
            lon,
            fix.battery if "battery_class" in fields else None,
            cell,
            fix.leg if "leg_class" in fields else None,
        )
        return _observe(Observation, (_KIND, names.period, row))

    def _named(self, names: FileNames, household: str, at: Instant) -> bytes:
        """The pseudonym; kept as long as neither the file nor the household changes."""
        if self._policy.shape.daily:
            day = local_day(at, self._policy.zone).isoformat()
            return names.child(household, f"{self._device} {day}")
        if names is not self._names or household != self._household:
            self._pseudonym = names.child(household, self._device)
            self._names, self._household = names, household
        return self._pseudonym
