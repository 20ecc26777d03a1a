"""A node of a planned network: whom its frames reach, how fast it sends, and when."""

from collections.abc import Callable, Mapping
from math import inf

from gateway.lorawan.air_law import AirLaw
from gateway.lorawan.plan import Plan
from simulators.lorawan.air import SENSITIVITY_DBM
from simulators.lorawan.links import FADING_DB, FORWARDER_GAIN_DB, SHADOW_DB, shadow_db
from simulators.lorawan.radio import CRYSTAL_PPM, STEP_DB
from simulators.lorawan.square import EXTRA_LOSS_DB, Site, Stand, open_loss_db
from simulators.lorawan.tuning import slowest
from simulators.streams import stream
from simulators.streets import Point, distance

JITTER = 0.05
MARGIN_DB = 10.0
"""What a data rate must have to spare at the best forwarder, on the average (the usual margin of ADR)."""

RATES = ("adr", "adr+power", "join")
"""How nodes come to their data rates: by the margin at the best forwarder; then the power, too; or as they joined."""

_PER_STEP_DB = 3.0
_HARMLESS_DBM = SENSITIVITY_DBM[12] - 6.0
"""Weaker than this nothing is heard anywhere, and nothing that is heard is harmed."""

_DRAWS = 4.0
_EARSHOT_M = 3000.0
"""Nobody hears a carrier at −80 dBm from farther away: that would be a shadow of minus six sigmas."""

_AT_FULL_S = 0.5


class Talker:
    """One node among antennas.

    Args:
        masts: antennas by name.
        rates: one of `RATES`; what rides on a car stays as it joined.
        eirp_dbm: at full power.

    Attributes:
        near: antenna → mean strength there, dBm, where it can matter at all.
        spare_db: that its best forwarder has above the sensitivity, on the average.
        sent, heard: uplinks; `receptions` all together.
        at_full: it reports when the clock strikes, as a cron job does.
    """

    def __init__(self, seed: int, plan: Plan, site: Site, masts: Mapping[str, Point], rates: str, eirp_dbm: float, *, at_full: bool) -> None:  # fmt: skip
        self.site = site
        self.at_full = at_full
        self.law = AirLaw(plan.rules)
        self.dice = stream(seed, "talker", site.name)
        self.sent = self.heard = self.receptions = 0
        self._seed = seed
        self._ppm = self.dice.uniform(-CRYSTAL_PPM, CRYSTAL_PPM)
        moves = site.stand is Stand.CAR
        self._fading_db = FADING_DB if not moves else (FADING_DB**2 + SHADOW_DB**2) ** 0.5
        means = {}
        for name, place in masts.items():
            loss = open_loss_db(site, place)
            if not moves:
                loss += shadow_db(seed, site.name, name)
            means[name] = eirp_dbm + FORWARDER_GAIN_DB - loss
        self.dr, steps = slowest(plan), 0
        if rates != "join" and not moves:
            self.dr, steps = _adjusted(plan, max(means.values()), power=rates == "adr+power")
        self.eirp_dbm = eirp_dbm - STEP_DB * steps
        saved = STEP_DB * steps
        floor = _HARMLESS_DBM - _DRAWS * self._fading_db + saved
        self.near = {name: mean - saved for name, mean in means.items() if mean >= floor}
        weakest = SENSITIVITY_DBM[plan.data_rates[self.dr].sf]
        self.spare_db = max(means.values()) - saved - weakest

    def first_us(self, every_us: int) -> int:
        """When it reports first."""
        if self.at_full:
            return self._struck_us(every_us)
        return round(self.dice.random() * every_us)

    def next_us(self, at_us: int, every_us: int) -> int:
        """When it reports after that."""
        if self.at_full:
            return self._struck_us((at_us // every_us + 1) * every_us)
        jitter = self.dice.uniform(1 - JITTER, 1 + JITTER)
        return at_us + round(every_us * jitter * (1 + self._ppm / 1e6))

    def _struck_us(self, full_us: int) -> int:
        return full_us + round(self.dice.random() * _AT_FULL_S * 1e6)

    def strength(self, others: Mapping[str, Site]) -> Callable[[str], float]:
        """How strongly one frame of it arrives at an antenna, or at another node."""
        drawn: dict[str, float] = {}

        def strength(listener: str) -> float:
            if listener not in drawn:
                drawn[listener] = self._draw(listener, others)
            return drawn[listener]

        return strength

    def _draw(self, listener: str, others: Mapping[str, Site]) -> float:
        mean = self.near.get(listener, -inf)
        other = others.get(listener)
        if other is not None and distance(self.site.place, other.place) < _EARSHOT_M:
            loss = open_loss_db(self.site, other.place) + EXTRA_LOSS_DB[other.stand]
            mean = self.eirp_dbm - loss - shadow_db(self._seed, self.site.name, listener)
        return mean if mean == -inf else mean + self.dice.gauss(0.0, self._fading_db)


def _adjusted(plan: Plan, best_dbm: float, *, power: bool) -> tuple[int, int]:
    """The fastest data rate that has its margin, and steps of power that may be saved then."""
    fastest = max(channel.high for channel in plan.channels)
    for dr in range(fastest, slowest(plan), -1):
        spare = best_dbm - SENSITIVITY_DBM[plan.data_rates[dr].sf] - MARGIN_DB
        if spare >= 0:
            saved = int(spare / _PER_STEP_DB) if power and dr == fastest else 0
            return dr, min(plan.weakest, saved)
    return slowest(plan), 0
