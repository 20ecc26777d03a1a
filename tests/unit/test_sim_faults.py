"""The menu of faults: each does what its name says, and nothing to anybody else."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.model.errors import Refusal
from gateway.model.instant import MINUTE, SECOND
from gateway.settings.complaints import SettingsError
from sekisho import fault_menu
from sekisho.scenario_file import FaultRates, read_scenario
from simulators.faults import MENU, rates
from simulators.ledger import Ledger, read_ledger
from simulators.lorawan.air_faults import MENU as AIR_MENU
from simulators.lorawan.air_faults import AirFaults
from simulators.scenario import DEFAULT_START, Scenario
from simulators.spells import SKEWS
from simulators.uplink import SimUplink

HOURS = 3
UNTIL = DEFAULT_START + HOURS * 60 * MINUTE
PAGE = Path(__file__).parents[2] / "docs" / "ledger.md"


def sent(**faults: float) -> list[SimUplink]:
    """Three hours of a small town with these faults alone."""
    town = Scenario(seed=7, children=12, harm=0.0, faults=faults)
    return list(town.uplinks(UNTIL))


CLEAN = {(u.device, u.seq): u for u in sent()}


def harmed(fault: str, rate: float = 0.02) -> list[SimUplink]:
    """What bears the fault's name, once everything else was found to be as it would have been."""
    uplinks = sent(**{fault: rate})
    for uplink in uplinks:
        if uplink.harm is None:
            assert uplink == CLEAN[uplink.device, uplink.seq]
    found = [uplink for uplink in uplinks if uplink.harm is not None]
    assert {uplink.harm for uplink in found} == {fault}
    assert all(one.sent <= other.sent for one, other in pairwise(uplinks))
    return found


def by_device(uplinks: Iterable[SimUplink]) -> dict[str, list[SimUplink]]:
    found = defaultdict(list)
    for uplink in uplinks:
        found[uplink.device].append(uplink)
    return found


def original(uplink: SimUplink) -> SimUplink:
    """What the device would have said."""
    return CLEAN[uplink.device, uplink.seq]


def test_what_is_lost_is_known_and_never_sent(tmp_path: Path) -> None:
    """It stands in the ledger without a number, with what it would have said."""
    lost = harmed("loss")
    assert all(uplink.lost and uplink.payload == original(uplink).payload for uplink in lost)
    path = tmp_path / "ledger.jsonl"
    with Ledger(path, {"sekisho_ledger": 1}, []) as ledger:
        for uplink in lost:
            ledger.write(uplink)
    _, *lines = read_ledger(path)
    assert [(line["lost"], line["seq"], line["harm"]) for line in lines] == [
        (uplink.device, uplink.seq, "loss") for uplink in lost
    ]
    assert not any("n" in line for line in lines)


def test_a_duplicate_comes_within_ninety_seconds() -> None:
    for uplink in harmed("duplicate"):
        assert uplink == original(uplink)._replace(sent=uplink.sent, harm="duplicate")
        assert 0 < uplink.sent - original(uplink).sent <= 90 * SECOND


def test_reordered_uplinks_come_right_behind_the_next() -> None:
    """The next one of the same device leaves at its own moment, and before."""
    harmed("reorder")
    for uplinks in by_device(sent(reorder=0.05)).values():
        for before, uplink in pairwise(uplinks):
            if uplink.harm == "reorder":
                assert uplink.payload == original(uplink).payload
                assert (before.seq or 0) > (uplink.seq or 0)
                assert before.sent == uplink.sent


def test_delayed_uplinks_say_when_they_were_made() -> None:
    for uplink in harmed("delay"):
        assert uplink == original(uplink)._replace(sent=uplink.sent, harm="delay")
        assert MINUTE <= uplink.sent - original(uplink).sent <= 45 * MINUTE


def test_a_wrong_clock_is_wrong_by_one_length_at_a_time() -> None:
    """From forty days behind to a day ahead; everything else is as it was."""
    seen = set()
    for uplink in harmed("clock_skew"):
        assert (uplink.values, uplink.sent) == (original(uplink).values, original(uplink).sent)
        assert uplink.t is not None
        seen.add(uplink.t - (original(uplink).t or 0))
        assert uplink.payload != original(uplink).payload
    assert seen == set(SKEWS)


def test_a_stuck_sensor_says_the_same_again_and_again() -> None:
    """Its clock goes on; in some spells its counter does not."""
    stuck = [u for u in sent(stuck=0.02) if u.harm == "stuck" and u.kind == "child_tracker"]
    still = 0
    for uplinks in by_device(stuck).values():
        for one, other in pairwise(uplinks):
            still += one.values == other.values
            assert one.t != other.t
    assert still > len(stuck) / 2
    repeated = [(u.device, u.seq) for u in stuck]
    assert len(set(repeated)) < len(repeated)


def test_a_battery_runs_down_and_the_device_falls_silent_for_good() -> None:
    """Trackers say it with their last words; what would have been said after is lost."""
    uplinks = [u for u in sent(battery_death=0.01) if u.kind == "child_tracker"]
    dead = {u.device for u in uplinks if u.lost}
    assert dead
    for device, said in by_device(uplinks).items():
        harms = [u.harm for u in said]
        first = harms.index("battery_death") if "battery_death" in harms else len(said)
        assert set(harms[first:]) <= {"battery_death"}
        if device in dead:
            last_words = [u for u in said[first:] if not u.lost]
            assert [(u.values or {})["battery_pct"] for u in last_words] == [4, 3, 2, 1, 0]
            assert all(u.lost for u in said[first + 5 :])


def test_a_flood_is_hundreds_within_seconds_with_counters_of_their_own() -> None:
    for (_device, t), uplinks in grouped(harmed("flood", 0.002)).items():
        assert t is not None
        assert 200 <= len(uplinks) <= 400
        assert len({u.seq for u in uplinks}) == len(uplinks)
        assert uplinks[-1].sent - uplinks[0].sent < 10 * SECOND


def grouped(uplinks: list[SimUplink]) -> dict[tuple[str, int | None], list[SimUplink]]:
    """By device and its time; floods cut off by the end of the hour are left out."""
    found = defaultdict(list)
    for uplink in uplinks:
        found[uplink.device, uplink.t].append(uplink)
    return {key: group for key, group in found.items() if group[-1].sent < UNTIL - MINUTE}


def test_a_tracker_with_a_dead_gps_reports_no_place_or_none_that_is() -> None:
    """Other kinds have no place to lose."""
    uplinks = harmed("dead_gps")
    assert {u.kind for u in uplinks} == {"child_tracker"}
    places = {((u.values or {}).get("lat"), (u.values or {}).get("lon")) for u in uplinks}
    assert places == {(None, None), (0.0, 0.0)}


@pytest.mark.parametrize("fault", ["half_open", "unknown_device"])
def test_the_bytes_stay_as_they_are(fault: str) -> None:
    """Harm of the way, not of the uplink."""
    for uplink in harmed(fault):
        true = CLEAN[uplink.origin or uplink.device, uplink.seq]
        assert uplink.payload == true.payload
        assert (uplink.device == true.device) == (fault == "half_open")


def test_one_fault_more_moves_no_other_s_dice() -> None:
    """Which uplinks are lost does not change when duplicates are on, and the other way round."""
    alone = {(u.device, u.seq) for u in sent(loss=0.02) if u.lost}
    both = sent(loss=0.02, duplicate=0.02)
    assert {(u.device, u.seq) for u in both if u.lost} == alone
    again = {(u.device, u.seq) for u in both if u.harm == "duplicate"}
    assert again <= {(u.device, u.seq) for u in sent(duplicate=0.02) if u.harm == "duplicate"}


def test_harm_is_the_usual_four_in_equal_parts() -> None:
    """A fault named for itself replaces its part; what never happens is not on the list."""
    assert set(rates(0.04, {}).values()) == {0.01}
    assert len(rates(0.04, {})) == 4
    assert rates(0.0, {}) == {}
    assert rates(0.04, {"corrupt": 0.0, "loss": 0.5}) == {
        "loss": 0.5, "duplicate": 0.01, "out_of_range": 0.01, "unknown_device": 0.01,
    }  # fmt: skip


# -- how it is asked for ----------------------------------------------------------------------


def test_the_menu_is_the_same_everywhere() -> None:
    """On the command line, in scenario files, on the page about the ledger."""
    town, _, air = PAGE.read_text().partition("| harm |")[2].partition("| fault |")
    for page, menu in ((town, MENU), (air, AIR_MENU)):
        named = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
        assert sorted(named) == sorted(menu)
        assert all(
            f"{name}: {what}" in fault_menu.HELP + fault_menu.AIR_HELP
            for name, what in menu.items()
        )
    assert list(FaultRates.model_fields) == list(MENU)
    assert [field.name for field in fields(AirFaults)] == list(AIR_MENU)


def test_faults_of_the_command_line() -> None:
    assert fault_menu.read("loss=0.01,delay=1") == {"loss": 0.01, "delay": 1.0}
    assert fault_menu.read("all=0.1, loss=0") == {**dict.fromkeys(MENU, 0.1), "loss": 0.0}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("los=0.1", 'there is no fault "los". Did you mean loss?'),
        ("xyzzy=0.1", "The menu: loss, duplicate"),
        ("loss", "write a rate from 0 to 1, as loss=0.01"),
        ("loss=2", "write a rate from 0 to 1"),
        ("loss=nan", "write a rate from 0 to 1"),
        ("loss=many", "write a rate from 0 to 1"),
    ],
)
def test_faults_that_cannot_be_understood(text: str, sentence: str) -> None:
    with pytest.raises(Refusal, match=re.escape(sentence)):
        fault_menu.read(text)


def test_faults_of_a_scenario_file(tmp_path: Path) -> None:
    """Only those that are named; a wrong name is answered with the right one and its place."""
    file = tmp_path / "town.yaml"
    file.write_text("faults:\n  loss: 0.01\n  corrupt: 0\n")
    assert read_scenario(file).faults == {"loss": 0.01, "corrupt": 0.0}
    file.write_text("faults:\n  los: 0.01\n")
    with pytest.raises(SettingsError, match=r"town\.yaml:2:3.*loss"):
        read_scenario(file)
