"""A region as stations are configured for it, and its data rates by number."""

from gateway.lorawan.plan import DataRate, Plan
from gateway.wire.station.configuration import Region, router_config

_CF_LIST_DRS = (0, 5)
"""Data rates of channels that a join-accept adds (RP002-1.0.4, CFList type 0)."""


class Setup:
    """What stations of one region are told, and what their numbers mean.

    Args:
        plan: the region.

    Raises:
        RegionError: a station's board cannot hear it.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        channels = [
            *((one.freq_hz, one.low, one.high) for one in plan.channels),
            *((freq_hz, *_CF_LIST_DRS) for freq_hz in plan.cf_list),
        ]
        down = [
            plan.rx1(freq_hz, dr, 0)[0]
            for freq_hz, low, high in channels
            for dr in range(low, high + 1)
            if dr in plan.data_rates
        ]
        down.append(plan.rx2.freq_hz)
        self._region = Region(
            *(plan.name, plan.data_rates, plan.down_only, channels),
            *((min(down), max(down)), plan.max_eirp_dbm),
        )
        router_config(self._region, 0.0)

    def config(self, utc_s: float) -> str:
        """What a station is answered that has said its version."""
        return router_config(self._region, utc_s)

    def rate(self, number: int) -> DataRate | None:
        """A data rate by its number; None for one that stations were not told of."""
        return self._plan.data_rates.get(number)

    def number(self, rate: DataRate) -> int | None:
        """The number of a data rate; None for one that stations were not told of."""
        return self._plan.number(rate)
