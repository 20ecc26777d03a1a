"""A device of a declared kind: every number moves as its declaration hints, within its limits."""

from math import cos, pi

from gateway.devices.kind import DeviceKind, Field, Motion
from gateway.model.instant import SECOND, Instant
from simulators.calendar import hour_of
from simulators.speaker import Speaker
from simulators.streams import stream
from simulators.timeline import Timeline

_WARMEST_H = 14.0
_STEP_CHANCE = 0.02


class DeclaredDevice:
    """Reports every `every_s` seconds, a little unpunctually."""

    def __init__(self, seed: int, kind: DeviceKind, speaker: Speaker, timeline: Timeline) -> None:
        assert kind.pretence is not None
        self._kind = kind
        self._pretence = kind.pretence
        self._speaker = speaker
        self._timeline = timeline
        self._dice = stream(seed, speaker.device.device, "declared")
        self._every = round(kind.pretence.every_s) * SECOND
        self._now = {name: motion.value for name, motion in kind.pretence.motions.items()}

    def begin(self) -> None:
        """Plan the first report."""
        first = self._timeline.now + SECOND + round(self._dice.random() * self._every)
        self._timeline.plan(first, self._report)

    def _report(self, sent: Instant) -> None:
        values = {field.name: self._move(field, sent) for field in self._kind.fields}
        self._speaker.say(sent, sent - SECOND, None, **values)
        jitter = min(2.0, self._every / SECOND / 20)
        pause = self._every + round(self._dice.uniform(-jitter, jitter) * SECOND)
        self._timeline.plan(sent + pause, self._report)

    def _move(self, field: Field, at: Instant) -> float | int:
        """The field's next value, rounded as its limits and motion are written."""
        motion = self._pretence.motions[field.name]
        low, high = field.low or 0.0, field.high or 0.0
        before = self._now[field.name]
        self._now[field.name] = min(high, max(low, self._next(motion, before)))
        value = self._now[field.name]
        if motion.way == "diurnal":
            value += motion.by * cos((hour_of(at) - _WARMEST_H) / 24 * 2 * pi)
        value = round(value) if field.name in self._pretence.whole else round(value, 3)
        return min(high, max(low, value))  # behind the rounding, which may leave narrow limits

    def _next(self, motion: Motion, before: float) -> float:
        dice = self._dice
        if motion.way == "walk":
            return before + dice.gauss(0.0, motion.by)
        if motion.way == "step" and dice.random() < _STEP_CHANCE:
            return motion.value + dice.uniform(-motion.by, motion.by)
        return before
