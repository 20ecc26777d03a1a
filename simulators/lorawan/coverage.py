"""A planned network in virtual time: how much is heard by how many forwarders, and what becomes of the rest.

The same air, losses, law and listening before talk as of `simulate --lorawan`, without a gateway: nodes just report, each
uplink once, and a share of what is heard is acknowledged in RX1 by the forwarder that hears it best. Nobody joins.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf
from typing import Any

from gateway.lorawan.air_law import Transmission
from gateway.lorawan.airtime import FRAME, airtime_us
from gateway.lorawan.plan import Plan
from simulators.lorawan.air import Air, Fate, Frame, whole
from simulators.lorawan.book import CHANNEL_BUSY
from simulators.lorawan.links import FORWARDER_GAIN_DB
from simulators.lorawan.radio import BACK_OFF_S, LISTENS
from simulators.lorawan.square import HABITABLE_KM2, Site, Stand, antennas, sites
from simulators.lorawan.talker import Talker
from simulators.streams import stream
from simulators.streets import Point

NOT_SENT = "not sent"
_ACK_BYTES = 12
_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What is planned.

    Attributes:
        size: bytes of payload.
        every_s: between two uplinks of a node, ± 5 %.
        for_s: how long.
        at_full: share of nodes that report when the clock strikes.
        confirmed: share of uplinks that want an acknowledgement.
        rates: see `Talker`.
        eirp_dbm: of the nodes, at full power.
    """

    plan: Plan
    nodes: int
    seed: int = 7
    size: int = 12
    every_s: float = 600.0
    for_s: float = 7200.0
    area_km2: float = HABITABLE_KM2
    at_full: float = 0.1
    confirmed: float = 0.2
    rates: str = "adr"
    eirp_dbm: float = 13.0


@dataclass(slots=True)
class Covered:
    """What became of it.

    Attributes:
        antennas: where the forwarders stand.
        for_us: simulated time.
        air_us: of all uplinks together.
        fates: how many uplinks had which.
        receptions: by how many forwarders an uplink was heard → uplinks.
        rates: spreading factor → nodes.
        by_stand: how a node stands → its uplinks, and how many of them were lost.
        full: uplinks of those that report when the clock strikes, and how many of them were lost.
        answers: downlinks sent, and those for which no forwarder was free.
    """

    antennas: Mapping[str, Point]
    channels: int
    for_us: int
    talkers: list[Talker]
    air_us: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    receptions: Counter[int] = field(default_factory=Counter)
    rates: Counter[int] = field(default_factory=Counter)
    by_stand: Counter[tuple[Stand, bool]] = field(default_factory=Counter)
    full: Counter[bool] = field(default_factory=Counter)
    answers: Counter[bool] = field(default_factory=Counter)

    @property
    def uplinks(self) -> int:
        return sum(self.fates.values())

    @property
    def heard(self) -> int:
        return self.fates[Fate.HEARD.value]

    @property
    def lost_share(self) -> float:
        """Of all uplinks."""
        return 1 - self.heard / max(1, self.uplinks)

    @property
    def mean_receptions(self) -> float:
        """Of an uplink that was heard at all: what a network can know of itself."""
        return sum(n * many for n, many in self.receptions.items()) / max(1, self.heard)

    @property
    def air_share(self) -> float:
        """Of the time of all channels."""
        return self.air_us / (self.for_us * self.channels)


def cover(wish: Wish, forwarders: int, watch: Callable[[float], None]) -> Covered:
    """Let it run; the same seed has the same nodes wherever the forwarders stand.

    Args:
        watch: is told how much of it is done, 0 to 1.
    """
    return _Run(wish, forwarders).run(watch)


class _Run:
    """One network on one square."""

    def __init__(self, wish: Wish, forwarders: int) -> None:
        plan = wish.plan
        masts = antennas(wish.seed, forwarders, wish.area_km2)
        self._wish = wish
        self._sites: Mapping[str, Site] = {
            site.name: site for site in sites(wish.seed, wish.nodes, wish.area_km2)
        }
        self._talkers = [
            Talker(
                *(wish.seed, plan, site, masts, wish.rates, wish.eirp_dbm),
                at_full=stream(wish.seed, "at full", site.name).random() < wish.at_full,
            )
            for site in self._sites.values()
        ]
        self._of = {talker.site.name: talker for talker in self._talkers}
        self._freqs = [*(channel.freq_hz for channel in plan.channels), *plan.cf_list]
        self._air = Air(masts)
        self._dice = stream(wish.seed, "coverage")
        self._last_us = round(wish.for_s * _SECOND_US)
        self._every_us = round(wish.every_s * _SECOND_US)
        self._events: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._numbers = 0
        self._told = Covered(masts, len(self._freqs), self._last_us, self._talkers)

    def run(self, watch: Callable[[float], None]) -> Covered:
        for talker in self._talkers:
            self._told.rates[self._wish.plan.data_rates[talker.dr].sf] += 1
            self._report(talker.first_us(self._every_us), talker)
        done = 0
        while self._events:
            at_us, _, step, given = heappop(self._events)
            step(at_us, *given)
            if at_us * 100 // self._last_us > done:
                done = at_us * 100 // self._last_us
                watch(min(1.0, done / 100))
        return self._told

    def _at(self, at_us: int, step: Callable[..., None], *given: Any) -> None:
        self._numbers += 1
        heappush(self._events, (at_us, self._numbers, step, given))

    def _report(self, at_us: int, talker: Talker) -> None:
        if at_us < self._last_us:
            self._at(at_us, self._begin, talker)

    def _begin(self, at_us: int, talker: Talker) -> None:
        """A node has something to say."""
        self._report(talker.next_us(at_us, self._every_us), talker)
        talker.sent += 1
        self._try(at_us, talker, LISTENS)

    def _try(self, at_us: int, talker: Talker, tries: int) -> None:
        """Send on a channel where nobody is heard; else wait, as nodes do."""
        plan = self._wish.plan
        rate = plan.data_rates[talker.dr]
        name, air_us = talker.site.name, airtime_us(FRAME + self._wish.size, rate)
        for freq_hz in talker.dice.sample(self._freqs, len(self._freqs)):
            rule = plan.rule(freq_hz, rate)
            sense_us = 0 if rule is None else rule.sense_us
            if sense_us and self._air.is_busy(name, freq_hz, at_us - sense_us, at_us):
                continue
            sending = Transmission(at_us / 1e6, freq_hz, rate, air_us, talker.eirp_dbm)
            if talker.law.allow(sending) is not None:
                self._over(talker, NOT_SENT, 0)
                return
            talker.law.sent(sending)
            strength = talker.strength(self._sites)
            frame = Frame(at_us, air_us, freq_hz, rate, strength, name)
            self._air.begin(frame)
            self._at(frame.end_us, self._end, talker, frame)
            return
        if tries > 1:
            later = at_us + round(talker.dice.uniform(*BACK_OFF_S) * 1e6)
            self._at(later, self._try, talker, tries - 1)
        else:
            self._over(talker, CHANNEL_BUSY, 0)

    def _end(self, at_us: int, talker: Talker, frame: Frame) -> None:
        """A frame is over."""
        fates = self._air.fates(frame, talker.near)
        heard = [name for name, fate in fates.items() if fate is Fate.HEARD]
        self._told.air_us += frame.air_us
        self._over(talker, whole(fates).value, len(heard))
        if heard and self._dice.random() < self._wish.confirmed:
            heard.sort(key=frame.strength, reverse=True)
            begin_us = at_us + round(self._wish.plan.rx1_delay_s * 1e6)
            self._at(begin_us, self._answer, talker, frame, heard)

    def _answer(self, at_us: int, talker: Talker, frame: Frame, heard: list[str]) -> None:
        """The best forwarder that neither sends nor hears a carrier acknowledges, and is deaf meanwhile."""
        plan = self._wish.plan
        freq_hz, dr = plan.rx1(frame.freq_hz, talker.dr, 0)
        rate = plan.data_rates[dr]
        air_us = airtime_us(_ACK_BYTES, rate, crc=False)
        rule = plan.rule(freq_hz, rate)
        sense_us = 0 if rule is None else rule.sense_us
        for name in heard:
            busy = sense_us and self._air.is_busy(name, freq_hz, at_us - sense_us, at_us)
            if not busy and not self._air.is_sending(name, at_us, at_us + air_us):
                self._air.send(name, Frame(at_us, air_us, freq_hz, rate, self._down(name), name))
                self._told.answers[True] += 1
                return
        self._told.answers[False] += 1

    def _down(self, antenna: str) -> Callable[[str], float]:
        """How strongly a forwarder arrives at a node; other forwarders are too far for a carrier."""

        def strength(listener: str) -> float:
            talker = self._of.get(listener)
            if talker is None:
                return -inf
            up_dbm = talker.near.get(antenna, -inf) - FORWARDER_GAIN_DB
            return up_dbm + self._wish.plan.max_eirp_dbm - talker.eirp_dbm

        return strength

    def _over(self, talker: Talker, fate: str, receptions: int) -> None:
        told = self._told
        heard = receptions > 0
        told.fates[fate] += 1
        told.by_stand[talker.site.stand, heard] += 1
        if talker.at_full:
            told.full[heard] += 1
        if heard:
            told.receptions[receptions] += 1
            talker.heard += 1
            talker.receptions += receptions
