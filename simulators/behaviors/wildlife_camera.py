"""A camera trap at the forest edge: animals, passers-by, and wind that sets it off for nothing."""

from math import exp

from gateway.model.instant import HOUR, SECOND, Instant
from simulators import fauna
from simulators.calendar import day_of, hour_of
from simulators.speaker import Speaker
from simulators.streams import stream
from simulators.timeline import Timeline

_CEILING_PER_H = 12.0  # of all species together; the thinning needs a bound
_BLANK_PER_H = (0.35, 0.9)  # by night, by day
_REACH_M = 9.0


class WildlifeCamera:
    """Draws moments at a fixed high rate and keeps each with the chance its hour and month give."""

    def __init__(self, seed: int, speaker: Speaker, timeline: Timeline) -> None:
        self._speaker = speaker
        self._timeline = timeline
        self._dice = stream(seed, speaker.device.device, "camera")
        self._habitat = self._dice.lognormvariate(0.0, 0.5)
        self._picture = 0

    def begin(self) -> None:
        """Plan the first moment."""
        self._next(self._timeline.now)

    def _next(self, now: Instant) -> None:
        gap = self._dice.expovariate(_CEILING_PER_H)
        self._timeline.plan(now + max(SECOND, round(gap * HOUR)), self._moment)

    def _moment(self, at: Instant) -> None:
        dice = self._dice
        month, hour = day_of(at).month, hour_of(at)
        draw = dice.random() * _CEILING_PER_H
        blank = _BLANK_PER_H[1 if 6.0 <= hour < 18.0 else 0]
        chances = [(name, self._rate(name, month, hour)) for name in fauna.SPECIES]
        for name, rate in [("blank", blank), *chances]:
            draw -= rate
            if draw < 0.0:
                if name == "blank" or dice.random() < 0.85 * exp(
                    -((dice.uniform(1.0, 14.0) / _REACH_M) ** 2)
                ):
                    self._burst(at, name, 0)
                break
        self._next(at)

    def _rate(self, name: str, month: int, hour: float) -> float:
        return self._habitat * fauna.passes_per_hour(name, month, hour)

    def _burst(self, at: Instant, true: str, shot: int) -> None:
        """One picture, and up to four more while the animal is there."""
        dice = self._dice
        seen, confidence = fauna.called(dice, true)
        count = (
            0
            if seen == "blank"
            else dice.randint(1, fauna.SPECIES[seen].group if seen in fauna.SPECIES else 1)
        )
        self._picture += 1
        x, y = dice.uniform(0.0, 0.6), dice.uniform(0.2, 0.6)
        box = None
        if count:
            box = tuple(round(v, 3) for v in (x, y, dice.uniform(0.1, 0.4), dice.uniform(0.1, 0.4)))
        picture = None if seen in ("human", "vehicle") else str(self._picture)
        self._speaker.say(
            at,
            at - SECOND,
            {"species": true},
            species=seen,
            count=count,
            confidence=round(confidence, 3),
            box=box,
            image=picture,
        )
        if shot < 4 and dice.random() < 0.55:
            later = at + round(dice.uniform(2.0, 8.0)) * SECOND
            self._timeline.plan(later, lambda now: self._burst(now, true, shot + 1))
