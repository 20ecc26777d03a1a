"""Channel plans against published tables (RP002-1.0.4; figures as LoRaMac-node, Apache-2.0/BSD, and brocaar/lorawan, MIT, have them)."""

from pathlib import Path

import pytest

from gateway.lorawan.air_law import AirLaw, Transmission
from gateway.lorawan.airtime import airtime_us
from gateway.lorawan.plan import DataRate, Plan
from gateway.lorawan.regions import PLANS, as923_1

AS923 = ["AS923-1", "AS923-1-128us", "AS923-2", "AS923-3", "AS923-4"]
EVERY = pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))


def mhz(*freqs_hz: int) -> list[float]:
    return [freq_hz / 1e6 for freq_hz in freqs_hz]


@pytest.mark.parametrize(
    ("name", "join", "rx2"),
    [
        ("AS923-1", [923.2, 923.4], (923.2, "SF10BW125")),
        ("AS923-2", [921.4, 921.6], (921.4, "SF10BW125")),
        ("AS923-3", [916.6, 916.8], (916.6, "SF10BW125")),
        ("AS923-4", [917.3, 917.5], (917.3, "SF10BW125")),
        ("EU868", [868.1, 868.3, 868.5], (869.525, "SF12BW125")),
        ("US915-1", [902.3, 902.5, 902.7, 902.9, 903.1, 903.3, 903.5, 903.7, 903.0], (923.3, "SF12BW500")),
        ("US915", [903.9, 904.1, 904.3, 904.5, 904.7, 904.9, 905.1, 905.3, 904.6], (923.3, "SF12BW500")),
        ("US915-8", [913.5, 913.7, 913.9, 914.1, 914.3, 914.5, 914.7, 914.9, 914.2], (923.3, "SF12BW500")),
    ],
)  # fmt: skip
def test_a_region_joins_and_listens_where_it_is_published(
    name: str, join: list[float], rx2: tuple[float, str]
) -> None:
    plan = PLANS[name]
    assert mhz(*(channel.freq_hz for channel in plan.channels)) == join
    assert (plan.rx2.freq_hz / 1e6, str(plan.data_rates[plan.rx2.dr])) == rx2
    assert (plan.rx1_delay_s, plan.rx2.delay_s, plan.join_delay_s) == (1.0, 2.0, 5.0)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("AS923-1", [51, 51, 115, 115, 242, 242]),
        ("AS923-1-128us", [None, None, 11, 53, 125, 242]),
        ("AS923-2", [None, None, 11, 53, 125, 242]),
        ("EU868", [51, 51, 51, 115, 242, 242, 242]),
        ("US915", [11, 53, 125, 242, 242, None, None, None, 53, 129, 242, 242, 242, 242]),
    ],
)
def test_the_longest_payload_is_the_published_one(name: str, payload: list[int | None]) -> None:
    plan = PLANS[name]
    assert [plan.max_payload.get(number) for number in range(len(payload))] == payload
    assert len(plan.max_payload) == len([size for size in payload if size is not None])


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("AS923-1", {0: [0, 0, 0, 0, 0, 0, 1, 2], 3: [3, 2, 1, 0, 0, 0, 4, 5], 4: [4, 3, 2, 1, 0, 0, 5, 5], 5: [5, 4, 3, 2, 1, 0, 5, 5]}),
        ("AS923-1-128us", {2: [2, 2, 2, 2, 2, 2, 3, 4], 3: [3, 2, 2, 2, 2, 2, 4, 5], 5: [5, 4, 3, 2, 2, 2, 5, 5]}),
        ("EU868", {0: [0, 0, 0, 0, 0, 0], 3: [3, 2, 1, 0, 0, 0], 5: [5, 4, 3, 2, 1, 0], 6: [6, 5, 4, 3, 2, 1]}),
        ("US915", {0: [10, 9, 8, 8], 1: [11, 10, 9, 8], 2: [12, 11, 10, 9], 3: [13, 12, 11, 10], 4: [13, 13, 12, 11]}),
    ],
)  # fmt: skip
def test_the_first_window_has_the_published_data_rate(
    name: str, table: dict[int, list[int]]
) -> None:
    plan = PLANS[name]
    up_hz = plan.channels[0].freq_hz
    for dr, row in table.items():
        assert [plan.rx1(up_hz, dr, offset)[1] for offset in range(len(row))] == row


def test_the_first_window_lies_where_the_uplink_was_but_in_us915() -> None:
    """There it is the downlink channel with the same number modulo eight, at 500 kHz."""
    for name in [*AS923, "EU868"]:
        for channel in PLANS[name].channels:
            assert PLANS[name].rx1(channel.freq_hz, 5, 0)[0] == channel.freq_hz
    us = PLANS["US915"].rx1
    assert us(914_900_000, 3, 0)[0] == 927_500_000
    assert us(903_000_000, 4, 0)[0] == 923_300_000
    assert us(902_500_000, 0, 0)[0] == us(902_504_000, 0, 0)[0] == 923_900_000


@EVERY
def test_every_window_is_one_that_the_plan_has_and_the_law_permits(plan: Plan) -> None:
    """RX1 of each channel, data rate and offset, and RX2; and each channel of a join-accept."""
    first = plan.channels[0]
    up = [*plan.channels, *(first._replace(freq_hz=freq_hz) for freq_hz in plan.cf_list)]
    heard = [(one.freq_hz, dr) for one in up for dr in range(one.low, one.high + 1)]
    windows = [plan.rx1(freq_hz, dr, offset) for freq_hz, dr in heard for offset in range(4)]
    for freq_hz, dr in [*heard, *windows, (plan.rx2.freq_hz, plan.rx2.dr)]:
        bw_hz = plan.data_rates[dr].bw_hz
        assert any(rule.holds(freq_hz, bw_hz) for rule in plan.rules), (freq_hz, dr)
        assert plan.max_eirp_dbm <= max(rule.eirp_dbm for rule in plan.rules)
    for freq_hz in plan.cf_list:
        assert any(rule.holds(freq_hz, 125_000) for rule in plan.rules)


@EVERY
def test_a_join_is_answered_within_the_law_in_either_window(plan: Plan) -> None:
    """With the channels that it adds, to a request of any data rate that devices of the region have."""
    size = 17 + len(plan.cf_list_wire())
    windows = [(plan.rx2.freq_hz, plan.rx2.dr)]
    for channel in plan.channels:
        windows += [plan.rx1(channel.freq_hz, dr, 0) for dr in range(channel.low, channel.high + 1)]
    for freq_hz, dr in windows:
        rate = plan.data_rates[dr]
        air_us = airtime_us(size, rate, crc=False)
        asked = Transmission(0.0, freq_hz, rate, air_us, plan.max_eirp_dbm)
        assert AirLaw(plan.rules).allow(asked) is None, rate


def test_japan_keeps_within_thirteen_decibels_and_its_own_channels() -> None:
    """Channels 24 to 38 with 5 ms of carrier sense, 33 to 61 with 128 µs; and no 250 kHz."""
    for name in ("AS923-1", "AS923-1-128us"):
        plan = PLANS[name]
        assert (plan.name, plan.max_eirp_dbm) == ("AS923-1", 13.0)
        assert all(rate.bw_hz == 125_000 for rate in plan.data_rates.values())
    permitted = [n for n in range(20, 70) if as923_1.LONG_SENSE.holds(915_800_000 + 200_000 * n, 125_000)]  # fmt: skip
    assert (permitted[0], permitted[-1]) == (24, 38)
    permitted = [n for n in range(20, 70) if as923_1.SHORT_SENSE.holds(915_800_000 + 200_000 * n, 125_000)]  # fmt: skip
    assert (permitted[0], permitted[-1]) == (33, 61)
    spread = [*PLANS["AS923-1"].cf_list, 923_400_000]
    assert max(spread) - min(spread) == 1_200_000


def test_a_channel_list_has_the_published_bytes() -> None:
    """Frequencies in steps of 100 Hz and type 0; masks of sixteen channels and type 1 (its row of the EU868 list: LoRaWAN 1.0 §7.1.4)."""
    eu = PLANS["EU868"].cf_list_wire()
    assert eu.hex() == "184f84e85684b85e84886684586e8400"
    assert PLANS["US915"].cf_list_wire().hex() == "00ff0000000000000200000000000001"
    assert PLANS["US915-1"].cf_list_wire().hex() == "ff000000000000000100000000000001"
    assert PLANS["AS923-1-128us"].cf_list_wire() == b""


@EVERY
def test_a_data_rate_that_is_heard_has_one_number(plan: Plan) -> None:
    for number, rate in plan.data_rates.items():
        assert plan.number(rate) == number or number in plan.down_only
    assert plan.number(DataRate(6, 125_000)) is None


def test_a_channel_is_numbered_as_devices_count() -> None:
    """From 0 on, the join channels first; in US915 by the whole table of 72."""
    assert PLANS["AS923-1"].channel(923_400_000) == 1
    assert PLANS["AS923-1"].channel(922_200_000) == 2
    assert PLANS["AS923-1"].channel(920_000_000) is None
    us = PLANS["US915"]
    assert [us.channel(channel.freq_hz) for channel in us.channels] == [*range(8, 16), 65]
    assert us.channel(914_900_000) == 63


def test_the_page_about_regions_names_each_with_its_channels() -> None:
    """And no other."""
    page = (Path(__file__).parents[2] / "docs" / "lorawan.md").read_text()
    table = page.partition("## Regions")[2].partition("\n## ")[0]
    for name, plan in PLANS.items():
        if name.startswith("US915"):
            continue
        (row,) = [line for line in table.splitlines() if line.startswith(f"| `{name}` |")]
        joins = ", ".join(f"{channel.freq_hz / 1e6:g}" for channel in plan.channels)
        adds = "none"
        if plan.cf_list:
            adds = f"{plan.cf_list[0] / 1e6:.1f} to {plan.cf_list[-1] / 1e6:.1f}"
        rx2 = f"{plan.rx2.freq_hz / 1e6:g}, SF{plan.data_rates[plan.rx2.dr].sf}"
        assert row.split(" | ")[2:] == [joins, adds, rx2, f"{plan.max_eirp_dbm:g} dBm |"]
    assert "`US915`, `US915-1` to `US915-8`" in table
