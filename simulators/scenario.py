"""What is simulated, and the town set going: options → fleet and uplinks in order of town time."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

from gateway.devices.catalog import catalog
from gateway.model.instant import Instant, parse_rfc3339
from simulators import ledger, wards
from simulators.air import Sky
from simulators.behaviors.bicycle_parking_counter import BicycleParking
from simulators.behaviors.bus_stop_reader import Buses
from simulators.behaviors.child_tracker import ChildTracker
from simulators.behaviors.declared import DeclaredDevice
from simulators.behaviors.people_flow_counter import PeopleFlowCounter
from simulators.behaviors.river_gauge import RiverGauge
from simulators.behaviors.service_counter import ServiceCounter
from simulators.behaviors.weather_station import WeatherStation
from simulators.behaviors.wildlife_camera import WildlifeCamera
from simulators.families import families
from simulators.faults import DEFAULT_RATE, rates
from simulators.fleet import SimDevice, build_fleet
from simulators.harm import Harm
from simulators.selection import selected
from simulators.speaker import Speaker
from simulators.timeline import Timeline
from simulators.town import SMALL, Town, town
from simulators.uplink import SimUplink
from simulators.weather import Weather

DEFAULT_START = parse_rfc3339("2026-05-12T07:00:00+09:00")
"""A Tuesday morning just before the way to school; fixed, so that files are reproducible."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What to simulate.

    Attributes:
        seed: of every dice stream.
        children: how many children carry a tracker.
        start: town time at which it begins.
        report_every_s: trackers report this often (Toyama's rate is 60 s).
        harm: share of uplinks harmed on purpose in the usual ways, 0 to 1.
        extra: declared kind → how many devices of it.
        faults: fault of the menu → share of uplinks at which it happens or begins, 0 to 1.
        devices: so many devices in as many wards as they need; None: one town.
        only: the devices, and single uplinks as `river-01#17`, that are sent; empty: all.
        begins, ends: town time between which they are sent; None: without bound.
        town: its name, one of `simulators.town.TOWNS`.
    """

    seed: int = 7
    children: int = 50
    start: Instant = DEFAULT_START
    report_every_s: float = 60.0
    harm: float = DEFAULT_RATE
    extra: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[str, float] = field(default_factory=dict)
    devices: int | None = None
    only: tuple[str, ...] = ()
    begins: Instant | None = None
    ends: Instant | None = None
    town: str = SMALL

    @property
    def ground(self) -> Town:
        """Its streets and dwellings."""
        return town(self.town)

    def fleet(self) -> tuple[SimDevice, ...]:
        """Every device of this scenario."""
        if self.devices is None:
            return build_fleet(self.ground, self.seed, self.start, self.children, self.extra)
        parts = (wards.named(ward.fleet(), n) for n, ward in enumerate(self._wards()))
        return tuple(islice(chain.from_iterable(parts), self.devices))

    def _wards(self) -> list["Scenario"]:
        """As many towns as the devices need."""
        ward = replace(self, devices=None, only=(), begins=None, ends=None)
        if self.devices is None:
            return [ward]
        many = -(-self.devices // len(ward.fleet()))
        return [replace(ward, seed=wards.ward_seed(self.seed, n)) for n in range(many)]

    def ledger_header(self, step: Instant = 0) -> dict[str, Any]:
        """The ledger's first line for this scenario; `step`: in lock-step, by such a grid."""
        head = ledger.header(
            *(self.town, self.seed, self.start, self.children, self.report_every_s),
            self.harm,
            self.faults,
            step,
        )
        return {**head, "extra": dict(self.extra), "devices": self.devices, "only": self.only}

    def uplinks(self, until: Instant | None = None) -> Iterator[SimUplink]:
        """Everything the fleet sends from `start` to before `until` (None: without end), in order."""
        uplinks = self._town(until)
        if self.devices is not None:
            parts = [ward.uplinks(until) for ward in self._wards()]
            known = frozenset(device.device for device in self.fleet())
            uplinks = wards.together(parts, known, until)
        if self.only or self.begins is not None or self.ends is not None:
            uplinks = selected(uplinks, self.only, self.begins, self.ends)
        return uplinks

    def _town(self, until: Instant | None) -> Iterator[SimUplink]:
        timeline = Timeline(self.start)
        said: deque[SimUplink] = deque()
        devices = {device.device: device for device in self.fleet()}
        chances = rates(self.harm, self.faults)
        harm = Harm(self.seed, chances, timeline, devices, said.append)
        speakers = {name: Speaker(device, harm.pass_on) for name, device in devices.items()}
        self._set_going(timeline, speakers)
        while (due := timeline.next_at) is not None and (until is None or due < until):
            timeline.step()
            while said:
                uplink = said.popleft()
                if until is None or uplink.sent < until:
                    yield uplink

    def _set_going(self, timeline: Timeline, speakers: dict[str, Speaker]) -> None:
        """Let every device plan its first happening; children last, so that they may be many."""
        by_kind: dict[str, dict[str, Speaker]] = {}
        for name, speaker in speakers.items():
            by_kind.setdefault(speaker.device.kind, {})[name] = speaker
        self._set_city_going(timeline, by_kind)
        for kind in self.extra:
            for speaker in by_kind.get(kind, {}).values():
                DeclaredDevice(self.seed, catalog()[kind], speaker, timeline).begin()
        Buses(self.seed, by_kind["bus_stop_reader"], timeline).begin()
        for child in families(self.ground, self.seed, self.children):
            speaker = speakers[child.device]
            ChildTracker(
                self.ground, self.seed, child, speaker, timeline, self.report_every_s
            ).begin()

    def _set_city_going(
        self, timeline: Timeline, by_kind: Mapping[str, Mapping[str, Speaker]]
    ) -> None:
        """What stands about the town, all of it under one weather."""
        weather = Weather(self.seed, self.start)
        for speaker in by_kind["river_gauge"].values():
            RiverGauge(self.seed, speaker, timeline, weather).begin()
        for speaker in by_kind["wildlife_camera"].values():
            WildlifeCamera(self.seed, speaker, timeline).begin()
        for speaker in by_kind["bicycle_parking_counter"].values():
            BicycleParking(self.seed, speaker, timeline, weather).begin()
        for speaker in by_kind["service_counter"].values():
            ServiceCounter(self.seed, speaker, timeline).begin()
        for speaker in by_kind["people_flow_counter"].values():
            PeopleFlowCounter(self.seed, speaker, timeline, weather).begin()
        sky = Sky(self.seed, weather)
        for speaker in by_kind["weather_station"].values():
            WeatherStation(self.seed, speaker, timeline, sky).begin()
