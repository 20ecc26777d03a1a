"""AS923, all groups but Japan's: one plan, shifted (RP002-1.0.4 §2.10; offsets in its table of AS923 groups).

AS923-2 (-1.80 MHz) is Indonesia's and Vietnam's, AS923-3 (-6.60) among others Cuba's and the Philippines', AS923-4
(-5.90) Israel's. 16 dBm EIRP, 1 % of any hour, 400 ms for one transmission until a network says otherwise by TxParamSetupReq, which
is not done here: SF12 and SF11 are not used. The limit is kept by downlinks, too, so a join-accept adds no channels: with a
CFList it takes 452 ms at SF10, at which devices of these regions join. Countries differ inside a group: what holds is the country's own law.
"""

from gateway.lorawan.plan import Channel, DataRate, Plan, Window
from gateway.lorawan.rules import HOUR, MILLISECOND, Share, SubBand

DATA_RATES = {number: DataRate(12 - number, 125_000) for number in range(6)}
"""DR0 to DR5, what every device must have; DR6 (250 kHz) and DR7 (FSK) are not used."""

PAYLOAD = {0: 51, 1: 51, 2: 115, 3: 115, 4: 242, 5: 242}
DWELL_PAYLOAD = {2: 11, 3: 53, 4: 125, 5: 242}
DWELL_S = 0.4
_DWELL_LOWEST = 2
_HIGHEST = 5
_OFFSETS = (0, 1, 2, 3, 4, 5, -1, -2)
_BASE_HZ = 923_200_000
_STEP_HZ = 200_000


def rx1(freq_hz: int, dr: int, offset: int) -> tuple[int, int]:
    """RX1 lies where the uplink was; offsets 6 and 7 are faster, not slower."""
    return freq_hz, min(_HIGHEST, max(0, dr - _OFFSETS[offset]))


def dwell_rx1(freq_hz: int, dr: int, offset: int) -> tuple[int, int]:
    """The same with 400 ms: nothing slower than SF10."""
    return freq_hz, max(_DWELL_LOWEST, rx1(freq_hz, dr, offset)[1])


def _plan(group: int, offset_hz: int, low_hz: int, high_hz: int) -> Plan:
    """A group's plan.

    Args:
        low_hz, high_hz: the band of its countries.
    """
    name = f"AS923-{group}"
    join_hz = (_BASE_HZ + offset_hz, _BASE_HZ + offset_hz + _STEP_HZ)
    law = SubBand(
        *(low_hz, high_hz, f"RP002-1.0.4 §2.10, {name}"),
        eirp_dbm=16.0,
        longest_us=400 * MILLISECOND,
        share=Share(HOUR // 100, HOUR),
    )
    return Plan(
        name=name,
        data_rates=DATA_RATES,
        channels=tuple(Channel(freq_hz, _DWELL_LOWEST, _HIGHEST) for freq_hz in join_hz),
        cf_list=(),
        rx1=dwell_rx1,
        rx2=Window(join_hz[0], 2, 2.0),
        rx1_delay_s=1.0,
        join_delay_s=5.0,
        max_eirp_dbm=16.0,
        max_payload=DWELL_PAYLOAD,
        dwell_s=DWELL_S,
        rules=(law,),
    )


PLANS = (
    _plan(2, -1_800_000, 920_000_000, 923_000_000),
    _plan(3, -6_600_000, 915_000_000, 921_000_000),
    _plan(4, -5_900_000, 917_000_000, 920_000_000),
)
