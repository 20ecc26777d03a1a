"""Harm done on purpose, device by device: the menu of `simulators.faults`, thrown with dice.

Each device has dice of its own for each fault, so harming one never moves another, and turning one fault
on moves no other's dice. An uplink is harmed by one fault at most.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Protocol

from gateway.model.instant import MINUTE, SECOND, Instant
from simulators.damage import corrupt, out_of_range, said_again
from simulators.faults import MENU
from simulators.fleet import SimDevice
from simulators.speaker import Sink
from simulators.spells import BatteryDeath, ClockSkew, DeadGps, Spell, Stuck
from simulators.streams import stream
from simulators.uplink import SimUplink

_FLOOD_GAP: Instant = 20_000
"""Microseconds between two uplinks of a flood."""


class _Later(Protocol):
    """What harm needs of the timeline: to send something again later."""

    def plan(self, at: Instant, happening: Callable[[Instant], None]) -> None: ...


class Harm:
    """Stands between the speakers and the outlet.

    Args:
        seed: of the simulation.
        rates: fault → share of uplinks at which it happens or begins.
        timeline: on which a duplicate waits for its moment.
        devices: by id; their registry facts decide what a receiver would make of a payload.
        sink: where uplinks go on to.
    """

    def __init__(
        self,
        seed: int,
        rates: Mapping[str, float],
        timeline: _Later,
        devices: Mapping[str, SimDevice],
        sink: Sink,
    ) -> None:
        self._seed = seed
        self._rates = tuple(rates.get(name, 0.0) for name in MENU) if rates else ()
        self._timeline = timeline
        self._devices = devices
        self._sink = sink
        self._victims: dict[str, _Victim] = {}

    def pass_on(self, uplink: SimUplink) -> None:
        """Hand an uplink on, now and then harmed."""
        if not self._rates:
            self._sink(uplink)
            return
        victim = self._victims.get(uplink.device)
        if victim is None:
            device = self._devices[uplink.device]
            victim = _Victim(self._seed, self._rates, self._timeline, device, self._sink)
            self._victims[uplink.device] = victim
        victim.pass_on(uplink)


class _Victim:
    """One device and what befalls it."""

    def __init__(
        self,
        seed: int,
        rates: Sequence[float],
        timeline: _Later,
        device: SimDevice,
        sink: Sink,
    ) -> None:
        self._seed = seed
        self._rates = rates
        self._timeline = timeline
        self._device = device
        self._sink = sink
        self._throw = stream(seed, device.device, "harm").random
        self._dice: dict[str, Random] = {}
        self._spell: Spell | None = None
        self._held: SimUplink | None = None

    def pass_on(self, uplink: SimUplink) -> None:
        """Throw for every fault of the menu, always: what one fault does moves no other's dice."""
        struck, throw = None, self._throw
        for name, rate in zip(MENU, self._rates, strict=True):
            if throw() < rate and struck is None:
                struck = name
        if self._spell is not None:
            harmed = self._spell(uplink)
            if harmed is not None:
                self._out(harmed)
                return
            self._spell = None
        if struck is None:
            self._out(uplink)
        else:
            _FAULTS[struck](self, uplink)

    def _how(self, fault: str) -> Random:
        """Dice for the particulars of one fault."""
        if fault not in self._dice:
            self._dice[fault] = stream(self._seed, self._device.device, "harm", fault)
        return self._dice[fault]

    def _out(self, uplink: SimUplink) -> None:
        self._sink(uplink)
        held = self._held
        if held is not None and not uplink.lost:
            self._held = None
            self._sink(held._replace(sent=uplink.sent, harm="reorder"))

    def _begin(self, spell: Spell, uplink: SimUplink) -> None:
        self._spell = spell
        self._out(spell(uplink) or uplink)

    def _again(self, at: Instant, uplink: SimUplink) -> None:
        """Say it, on its own, at a later moment."""
        self._timeline.plan(at, lambda now: self._sink(uplink._replace(sent=now)))

    def lose(self, uplink: SimUplink) -> None:
        self._out(uplink._replace(harm="loss", lost=True))

    def duplicate(self, uplink: SimUplink) -> None:
        self._out(uplink)
        after = round(self._how("duplicate").uniform(0.2, 90.0) * SECOND)
        self._again(uplink.sent + after, uplink._replace(harm="duplicate"))

    def reorder(self, uplink: SimUplink) -> None:
        if self._held is None:
            self._held = uplink
        else:
            self._out(uplink)

    def delay(self, uplink: SimUplink) -> None:
        after = round(self._how("delay").uniform(1, 45) * MINUTE)
        self._again(uplink.sent + after, uplink._replace(harm="delay"))

    def out_of_range(self, uplink: SimUplink) -> None:
        self._out(out_of_range(uplink, self._how("out_of_range"), self._device))

    def pose(self, uplink: SimUplink) -> None:
        ghost = f"ghost-{self._how('unknown_device').randrange(1, 10_000):04}"
        self._out(uplink._replace(device=ghost, harm="unknown_device", origin=uplink.device))

    def flood(self, uplink: SimUplink) -> None:
        harmed = uplink._replace(harm="flood")
        self._out(harmed)
        seq = uplink.seq or 0
        for number in range(1, self._how("flood").randint(200, 400)):
            at = uplink.sent + number * _FLOOD_GAP
            self._timeline.plan(at, partial(self._flood_on, harmed, seq + number))

    def _flood_on(self, uplink: SimUplink, seq: int, now: Instant) -> None:
        self._sink(said_again(uplink, seq=seq)._replace(sent=now))

    def half_open(self, uplink: SimUplink) -> None:
        self._out(uplink._replace(harm="half_open"))

    def corrupt(self, uplink: SimUplink) -> None:
        self._out(corrupt(uplink, self._how("corrupt")))

    def set_clock(self, uplink: SimUplink) -> None:
        self._begin(ClockSkew(self._how("clock_skew")), uplink)

    def stick(self, uplink: SimUplink) -> None:
        self._begin(Stuck(self._how("stuck"), uplink), uplink)

    def run_down(self, uplink: SimUplink) -> None:
        self._begin(BatteryDeath(uplink), uplink)

    def lose_sight(self, uplink: SimUplink) -> None:
        if uplink.kind == "child_tracker":
            self._begin(DeadGps(self._how("dead_gps")), uplink)
        else:
            self._out(uplink)


_FAULTS: Mapping[str, Callable[[_Victim, SimUplink], None]] = {
    "loss": _Victim.lose,
    "duplicate": _Victim.duplicate,
    "reorder": _Victim.reorder,
    "delay": _Victim.delay,
    "clock_skew": _Victim.set_clock,
    "stuck": _Victim.stick,
    "corrupt": _Victim.corrupt,
    "out_of_range": _Victim.out_of_range,
    "unknown_device": _Victim.pose,
    "battery_death": _Victim.run_down,
    "flood": _Victim.flood,
    "half_open": _Victim.half_open,
    "dead_gps": _Victim.lose_sight,
}
