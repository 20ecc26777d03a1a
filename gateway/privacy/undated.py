"""Uplinks whose place in time our own clock gave: their identities, for two hours.

The store's key begins with a time. Where the device sent none that we believe, the same uplink sent
again gets another time and the store cannot know it; so it is known here (decisions 9).
"""

from collections.abc import Hashable

from gateway.model.instant import HOUR, Instant

MEMORY: Instant = 2 * HOUR


class Undated:
    """Identities of the last two hours, by time of receipt."""

    __slots__ = ("_older", "_since", "_times")

    def __init__(self) -> None:
        self._times: dict[Hashable, Instant] = {}
        self._older: dict[Hashable, Instant] = {}
        self._since: Instant = 0

    def seen(self, identity: Hashable, now: Instant) -> bool:
        """Whether this identity was remembered within two hours before `now`."""
        at = self._times.get(identity)
        if at is None:
            at = self._older.get(identity)
        return at is not None and now - at <= MEMORY

    def remember(self, identity: Hashable, now: Instant) -> None:
        """Keep an identity; a repetition does not renew it."""
        if now - self._since > MEMORY:
            # Two generations: whatever is dropped here is older than two hours.
            self._older, self._times, self._since = self._times, {}, now
        self._times.setdefault(identity, now)
