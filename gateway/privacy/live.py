"""Where a child is now, for its own guardians: in memory alone, and gone a moment later (docs/mask.md, Live).

It has a guard of its own, by the rules of the lane `guardian_live`. What it says is one of three words:

    place       the newest fix that the guard lets pass, until it is older than the lane's `ttl`
    near home   a fix in hiding was observed; said only then, never guessed
    unknown     since when: since the gateway began, the guard closed, or the place grew too old
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

from gateway.model.device import Device
from gateway.model.identity import DeviceId
from gateway.model.instant import DAY, Instant
from gateway.model.reading import Reading
from gateway.model.reason import Fate
from gateway.privacy.generalise import rounded
from gateway.privacy.guard import Guard, Shared
from gateway.privacy.periods import Periods
from gateway.privacy.policy import Live
from gateway.privacy.shelter import Shelters

PURPOSE = "guardian_live"


class Word(NamedTuple):
    """What may be said of a child now; never stored.

    Attributes:
        state: `place`, `near_home` or `unknown`.
        since: when that was observed; of `unknown` since when nothing is known.
        lat, lon: degrees, five decimals; None but for a place.
    """

    state: Literal["place", "near_home", "unknown"]
    since: Instant
    lat: float | None = None
    lon: float | None = None

    def __repr__(self) -> str:
        return "<word>"


class _Child:
    __slots__ = ("guard", "household", "words")

    def __init__(self, guard: Guard, household: str | None, begun: Instant) -> None:
        self.guard = guard
        self.household = household
        self.words = [Word("unknown", begun)]  # the newest last; more than one only under a delay


class LivePlaces:
    """What is known of every child just now.

    Args:
        begun: when the gateway started: of nobody is anything known before.
    """

    def __init__(self, rules: Live, begun: Instant) -> None:
        self._rules = rules
        self._begun = begun
        policy = rules.policy
        self._all = Shared(
            policy, Periods(policy), Shelters(policy, former=False), frozenset({PURPOSE})
        )
        self._children: dict[DeviceId, _Child] = {}

    def __repr__(self) -> str:
        return f"<{len(self._children)} live places>"

    def hear(self, reading: Reading) -> None:
        """Take up a tracker's uplink, if a guardian agreed to this lane."""
        device = reading.device
        if PURPOSE not in device.consents:
            self._children.pop(device.device, None)
            return
        child = self._children.get(device.device)
        if child is None or child.household != _family(device):
            guard = Guard(self._all)
            child = self._children[device.device] = _Child(guard, _family(device), self._begun)
        try:
            verdict = child.guard.judge(reading)
        except Exception:
            child.guard.fail()
            child.words = [Word("unknown", reading.received_at)]
            raise
        if verdict is Fate.DUPLICATE:
            return
        values = reading.values
        at = min(
            reading.observed_at, reading.received_at
        )  # a clock ahead makes nothing young again
        if verdict is None:
            self._hold(child, Word("place", at, rounded(values.lat), rounded(values.lon)))
        elif child.guard.closed:
            self._hold(child, Word("near_home", at))
        elif child.guard.lost:
            child.words = [Word("unknown", child.words[-1].since)]

    def _hold(self, child: _Child, word: Word) -> None:
        """A newer word; those before it only as long as the delay may still ask for them."""
        old = [one for one in child.words if word.since - one.since < self._rules.delay]
        ripe = [one for one in child.words if word.since - one.since >= self._rules.delay]
        child.words = [*ripe[-1:], *old[-_MOST:], word] if self._rules.delay else [word]

    def say(self, device: Device, now: Instant) -> Word:
        """What may be said of a child's device at this moment: nothing younger than the lane's delay."""
        child = self._children.get(device.device)
        if child is None or child.household != _family(device):
            return Word("unknown", self._begun)
        rules = self._rules
        ripe = [one for one in child.words if now - one.since >= rules.delay]
        if not ripe:
            return Word("unknown", self._begun)
        word = ripe[-1]
        limit = rules.ttl if word.state == "place" else DAY
        if word.state != "unknown" and now - word.since > limit:
            return Word("unknown", word.since)
        return word

    def forget_left(self, stays: Callable[[DeviceId], bool]) -> None:
        """Drop the devices that do not stay."""
        self._children = {one: child for one, child in self._children.items() if stays(one)}

    def forget_older(self, now: Instant) -> None:
        """Drop places that nobody may be shown any more, and children not heard for a day."""
        self._children = {
            device: child
            for device, child in self._children.items()
            if now - child.guard.heard <= DAY
        }
        for child in self._children.values():
            newest = child.words[-1]
            if newest.state == "place" and now - newest.since > self._rules.ttl:
                child.words = [Word("unknown", newest.since)]


def _family(device: Device) -> str | None:
    return None if device.household is None else device.household.household


_MOST = 120
"""Words that wait for a delay, at most."""
