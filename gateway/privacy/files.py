"""The personal files as the mask knows them: their keyed names, and repetitions across a boundary."""

from collections.abc import Hashable, Iterable
from datetime import date
from typing import Protocol

from gateway.model.instant import DAY, Instant
from gateway.privacy.keysource import KeySource
from gateway.privacy.periods import BOUNDARY, Periods
from gateway.privacy.pseudonym import FileNames
from gateway.privacy.undated import Undated


class Said(Protocol):
    """When an uplink was said, and what tells it from others of its device."""

    @property
    def at(self) -> Instant: ...
    @property
    def received_at(self) -> Instant: ...
    @property
    def device_time(self) -> Instant | None: ...
    @property
    def counter(self) -> int | None: ...
    @property
    def digest(self) -> bytes: ...


class Files:
    """Keyed names per file, made at the first row a file is to hold, and the undated memory."""

    __slots__ = ("_keys", "_names", "_periods", "undated")

    def __init__(self, periods: Periods, keys: KeySource) -> None:
        self._periods = periods
        self._keys = keys
        self._names: dict[str, FileNames] = {}
        self.undated = Undated()

    def names(self, at: Instant, now: Instant) -> FileNames:
        """The names of the file that holds `at`."""
        period = self._periods.name(at)
        names = self._names.get(period)
        if names is None:
            names = FileNames(period, self._keys.file_key(period))
            self._names[period] = names
        names.heard = now
        return names

    def ready(self, said: Said) -> None:
        """Have every key at hand that a row of this uplink may ask for.

        Raises:
            KeysUnavailable: one can be neither read nor made just now.
        """
        at, now = said.at, said.received_at
        self.names(at, now)
        before = at - BOUNDARY
        if at != said.device_time and not self._periods.is_over(before, now):
            self.names(before, now)

    def day_key(self, day: date) -> bytes | None:
        """The key of a service day, None once it is destroyed; asked each time, never kept."""
        return self._keys.day_key(day)

    def is_repetition(self, said: Said, who: bytes, identity: bytes) -> bool:
        """Whether this uplink came before, where the store's key cannot tell because time was ours.

        `identity` is that of its first row under the file it would go to; `who` its speaker part.
        """
        at, now = said.at, said.received_at
        dated = at == said.device_time
        if dated and at <= now:
            return False
        if self.undated.seen(identity, now):
            return True
        before = at - BOUNDARY
        if self._periods.name(before) != self._periods.name(at) and not self._periods.is_over(
            before, now
        ):
            older = self._names.get(self._periods.name(before))
            if older is None:
                older = self.names(before, now)
            repeated = older.identity(who, said.counter, said.digest, said.device_time, 0)
            if self.undated.seen(repeated, now):
                return True
        if not dated:
            self.undated.remember(identity, now)
        return False

    def recall(self, identities: Iterable[tuple[Instant, Hashable]]) -> None:
        """Take up what the store's newest bins hold, after a start."""
        for at, identity in identities:
            self.undated.remember(identity, at)

    def forget_older(self, now: Instant) -> None:
        """Drop the names of files no row went to for a day: their keys may be gone by now."""
        self._names = {
            period: names for period, names in self._names.items() if now - names.heard <= DAY
        }
