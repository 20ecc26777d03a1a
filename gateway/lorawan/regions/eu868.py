"""EU868: RP002-1.0.4 §2.4; ERC/REC 70-03 annex 1 and ETSI EN 300 220-2 table B.1 (duty cycle and power by sub-band).

Powers there are ERP; EIRP is 2.15 dB more: 25 mW are 16.15 dBm, 500 mW (869.4 to 869.65 MHz) 29.15 dBm. The gaps are of alarms.

Basics Station 2.0.6 keeps three purses: a tenth for 869.4 to 869.65 MHz, a hundredth for 868.0 to 868.6 and 869.7 to 870 together, and
a thousandth for all the rest together, so that after an answer on 867.x it drops others there for a thousand times the airtime.
"""

from gateway.lorawan.plan import Channel, DataRate, Plan, Window
from gateway.lorawan.rules import HOUR, Share, SubBand

_HIGHEST_OFFSET = 5


def _band(low_hz: int, high_hz: int, per_mille: int, station_rest: int, eirp_dbm: float = 16.15) -> SubBand:  # fmt: skip
    where = f"{low_hz / 1e6:g} to {high_hz / 1e6:g} MHz"
    law = f"ERC/REC 70-03 annex 1, {where}: {per_mille / 10:g} % of an hour"
    share = Share(HOUR // 1000 * per_mille, HOUR)
    return SubBand(low_hz, high_hz, law, eirp_dbm, share=share, station_rest=station_rest)


RULES = (
    _band(863_000_000, 865_000_000, 1, 1000),
    _band(865_000_000, 868_000_000, 10, 1000),
    _band(868_000_000, 868_600_000, 10, 100),
    _band(868_700_000, 869_200_000, 1, 1000),
    _band(869_400_000, 869_650_000, 100, 10, 29.15),
    _band(869_700_000, 870_000_000, 10, 100),
)


def rx1(freq_hz: int, dr: int, offset: int) -> tuple[int, int]:
    """RX1 lies where the uplink was, so many data rates slower."""
    return freq_hz, max(0, dr - min(offset, _HIGHEST_OFFSET))


PLAN = Plan(
    name="EU868",
    data_rates={
        **{number: DataRate(12 - number, 125_000) for number in range(6)},
        6: DataRate(7, 250_000),
    },
    channels=tuple(Channel(hz, 0, 5) for hz in (868_100_000, 868_300_000, 868_500_000)),
    cf_list=(867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000),
    rx1=rx1,
    rx2=Window(869_525_000, 0, 2.0),
    rx1_delay_s=1.0,
    join_delay_s=5.0,
    max_eirp_dbm=16.0,
    max_payload={0: 51, 1: 51, 2: 51, 3: 115, 4: 242, 5: 242, 6: 242},
    rules=RULES,
)
