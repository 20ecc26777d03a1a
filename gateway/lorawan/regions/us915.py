"""US915: RP002-1.0.4 §2.5; FCC 47 CFR §15.247 (hopping: 400 ms a channel within 20 s; digital modulation: 500 kHz and more).

Channels are fixed: 64 of 125 kHz from 902.3 MHz on, 8 of 500 kHz from 903.0 MHz on, and 8 down from 923.3 MHz on. A forwarder with eight
demodulators hears one sub-band of eight, with the 500 kHz channel among them; a join-accept switches the others off.
"""

from gateway.lorawan.plan import Channel, DataRate, Plan, Window
from gateway.lorawan.rules import MILLISECOND, SECOND, Share, SubBand

SUB_BANDS = range(1, 9)
USUAL = 2
"""The second one: channels 8 to 15 and 65, what most networks of the region listen to."""

_UP_HZ, _UP_STEP_HZ = 902_300_000, 200_000
_WIDE_HZ, _WIDE_STEP_HZ = 903_000_000, 1_600_000
_DOWN_HZ, _DOWN_STEP_HZ = 923_300_000, 600_000
_NARROW, _WIDE = 64, 8
_WIDE_DR = 4
_SLOWEST_DOWN, _FASTEST_DOWN = 8, 13

NUMBERS = {
    **{_UP_HZ + _UP_STEP_HZ * n: n for n in range(_NARROW)},
    **{_WIDE_HZ + _WIDE_STEP_HZ * n: _NARROW + n for n in range(_WIDE)},
}
"""Frequency → number of an uplink channel."""

RULES = (
    SubBand(
        *(902_000_000, 928_000_000, "FCC 47 CFR §15.247(a)(1)(i)"),
        eirp_dbm=30.0,
        widest_hz=250_000,
        longest_us=400 * MILLISECOND,
        share=Share(400 * MILLISECOND, 20 * SECOND, by_channel=True),
    ),
    SubBand(902_000_000, 928_000_000, "FCC 47 CFR §15.247(b)(3)", eirp_dbm=30.0),
)


def rx1(freq_hz: int, dr: int, offset: int) -> tuple[int, int]:
    """RX1 lies on the downlink channel with the uplink channel's number modulo eight, at 500 kHz."""
    channel = NUMBERS.get(freq_hz, round((freq_hz - _UP_HZ) / _UP_STEP_HZ)) % _WIDE
    found = min(_FASTEST_DOWN, max(_SLOWEST_DOWN, dr + 10 - offset))
    return _DOWN_HZ + _DOWN_STEP_HZ * channel, found


def plan(sub_band: int) -> Plan:
    """The plan of a sub-band, 1 to 8."""
    at = sub_band - 1
    narrow = [_UP_HZ + _UP_STEP_HZ * (8 * at + n) for n in range(8)]
    masks = [0, 0, 0, 0, 1 << at]
    masks[at // 2] = 0xFF << 8 * (at % 2)
    return Plan(
        name="US915",
        data_rates={
            **{number: DataRate(10 - number, 125_000) for number in range(_WIDE_DR)},
            _WIDE_DR: DataRate(8, 500_000),
            **{number: DataRate(20 - number, 500_000) for number in range(_SLOWEST_DOWN, 14)},
        },
        down_only=frozenset(range(_SLOWEST_DOWN, _FASTEST_DOWN + 1)),
        channels=(
            *(Channel(freq_hz, 0, 3) for freq_hz in narrow),
            Channel(_WIDE_HZ + _WIDE_STEP_HZ * at, _WIDE_DR, _WIDE_DR),
        ),
        cf_list=(),
        masks=tuple(masks),
        numbers=NUMBERS,
        rx1=rx1,
        rx2=Window(_DOWN_HZ, _SLOWEST_DOWN, 2.0),
        rx1_delay_s=1.0,
        join_delay_s=5.0,
        max_eirp_dbm=26.0,
        max_payload={0: 11, 1: 53, 2: 125, 3: 242, 4: 242, 8: 53, 9: 129, 10: 242, 11: 242, 12: 242, 13: 242},
        rules=RULES,
        weakest=10,
    )  # fmt: skip
