"""What a station is told to be: every region that we have, and what no board can hear."""

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.lorawan.plan import Channel, DataRate, Plan
from gateway.lorawan.regions import PLANS
from gateway.transports.basics_station.setup import Setup
from gateway.wire.station.configuration import RegionError

NARROW_HZ = 125_000
REACH_HZ = {125_000: 400_000, 250_000: 375_000, 500_000: 300_000}
"""What `src/ral.c` of 2.0.6 allows between a channel and its radio."""

KNOWN = {"EU868", "IL915", "KR920", "AS923-1", "US915", "AU915"}
"""Regions that 2.0.6 knows by name; to a downlink for any other it says that no configuration came, and drops it."""

every_plan = pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))


def told(plan: Plan) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Setup(plan).config(1795229194.5))
    return found


def heard_at(board: dict[str, Any], channel: str) -> int:
    """The frequency that a channel of a board listens at."""
    placed = board[channel]
    radio = board[f"radio_{placed['radio']}"]
    assert radio["enable"]
    return int(radio["freq"] + placed["if"])


def channels(plan: Plan) -> list[Channel]:
    """The default ones and those that a join-accept adds."""
    return [*plan.channels, *(Channel(freq, 0, 5) for freq in plan.cf_list)]


@every_plan
def test_every_channel_of_a_region_is_heard(plan: Plan) -> None:
    """Each of 125 kHz with all its spreading factors, by a radio that reaches it."""
    config = told(plan)
    (board,) = config["sx1301_conf"]
    assert config["hwspec"] == "sx1301/1"
    narrow = {c.freq_hz for c in channels(plan) if plan.data_rates[c.low].bw_hz == NARROW_HZ}
    placed = [f"chan_multiSF_{n}" for n in range(8) if board[f"chan_multiSF_{n}"]["enable"]]
    assert sorted(heard_at(board, channel) for channel in placed) == sorted(narrow)
    assert all(abs(board[channel]["if"]) <= REACH_HZ[NARROW_HZ] for channel in placed)
    assert config["upchannels"] == [list(channel) for channel in channels(plan)]


@every_plan
def test_a_wider_channel_is_heard_beside_them(plan: Plan) -> None:
    """At its one data rate; a board has one modem for that."""
    (board,) = told(plan)["sx1301_conf"]
    wide = [
        (c.freq_hz, plan.data_rates[dr])
        for c in channels(plan)
        for dr in range(c.low, c.high + 1)
        if plan.data_rates[dr].bw_hz > NARROW_HZ
    ]
    std = board["chan_Lora_std"]
    assert std["enable"] == bool(wide)
    for freq_hz, rate in wide:
        assert heard_at(board, "chan_Lora_std") == freq_hz
        assert DataRate(std["spread_factor"], std["bandwidth"]) == rate
        assert abs(std["if"]) <= REACH_HZ[rate.bw_hz]


@every_plan
def test_a_station_is_told_no_member_that_it_refuses(plan: Plan) -> None:
    """Unknown members of a radio or a channel cost the whole configuration."""
    (board,) = told(plan)["sx1301_conf"]
    for name, members in board.items():
        if name.startswith("radio_"):
            assert set(members) == {"enable", "freq"}
        else:
            assert set(members) <= {"enable", "radio", "if", "bandwidth", "spread_factor"}


@every_plan
def test_every_downlink_of_a_region_may_be_sent(plan: Plan) -> None:
    """A station refuses a frequency outside its range and a data rate that it was not told of."""
    config = told(plan)
    low, high = config["freq_range"]
    windows = [
        plan.rx1(c.freq_hz, dr, 0) for c in channels(plan) for dr in range(c.low, c.high + 1)
    ]
    for freq_hz, dr in [*windows, (plan.rx2.freq_hz, plan.rx2.dr)]:
        assert low <= freq_hz <= high
        assert config["DRs"][dr][:2] == [plan.data_rates[dr].sf, plan.data_rates[dr].bw_hz // 1000]


@every_plan
def test_sixteen_data_rates_say_what_they_are(plan: Plan) -> None:
    """Unused ones are -1, and those of downlinks alone say so, because an uplink is numbered by the others."""
    rates = told(plan)["DRs"]
    assert len(rates) == 16
    for number, (sf, khz, down_only) in enumerate(rates):
        if number in plan.data_rates:
            assert (sf, khz * 1000) == plan.data_rates[number]
            assert down_only == (number in plan.down_only)
        else:
            assert (sf, khz, down_only) == (-1, 0, 0)


@every_plan
def test_a_station_knows_the_region_by_the_name_that_it_is_given(plan: Plan) -> None:
    """Every group of AS923 is AS923-1 to it: there it listens before it sends."""
    config = told(plan)
    assert config["region"] in KNOWN
    assert config["region"] == ("AS923-1" if plan.name.startswith("AS923") else plan.name)
    assert config["max_eirp"] == plan.max_eirp_dbm


@every_plan
def test_nothing_that_the_law_asks_for_is_switched_off(plan: Plan) -> None:
    """Neither listening before sending nor duty cycle nor dwell time; stations of test builds would obey."""
    assert not {"nocca", "nodc", "nodwell", "device_mode"} & set(told(plan))


@every_plan
def test_networks_and_join_euis_are_not_filtered(plan: Plan) -> None:
    """A frame of another network is to be seen, and named."""
    config = told(plan)
    assert (config["NetID"], config["JoinEui"]) == (None, None)


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ([(902_300_000 + 200_000 * n, 0, 3) for n in range(9)], "a board hears"),
        ([(903_000_000, 0, 3), (904_000_000, 0, 3), (905_000_000, 0, 3)], "too far apart"),
        ([(903_000_000, 0, 3), (904_600_000, 4, 4)], "out of reach"),
        ([(903_000_000, 4, 4)], "no channel of 125 kHz"),
    ],
)
def test_a_region_that_no_board_covers_is_refused(wanted: list[tuple[int, int, int]], why: str) -> None:  # fmt: skip
    """When it is set up, and not when a station comes."""
    plan = replace(
        PLANS["US915"],
        channels=tuple(Channel(*one) for one in wanted),
        rx1=lambda freq_hz, dr, _offset: (freq_hz, dr),
    )
    with pytest.raises(RegionError, match=why):
        Setup(plan)
