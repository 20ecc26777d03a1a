"""`sekisho simulate --shrink`: what is left is the least that fails, and it can be sent again."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.errors import Refusal
from gateway.model.instant import HOUR
from sekisho.progress import Progress
from sekisho.scenario_file import read_scenario
from sekisho.shrink import Shrunk, shrink
from simulators.scenario import DEFAULT_START, Scenario
from simulators.shrinking import minimal, stretch

TOWN = Scenario(seed=7, children=8, harm=0.05, faults={"loss": 0.02})
UNTIL = DEFAULT_START + HOUR

LATER_DUPLICATE = """
import json, sys
seen = False
for line in open(sys.argv[1]):
    harm = json.loads(line).get("harm")
    if harm == "duplicate" and seen:
        sys.exit(1)
    seen = seen or harm == "out_of_range"
"""
"""Fails where an uplink out of range is followed, at any distance, by a duplicate."""


@given(st.sets(st.integers(0, 60), min_size=1, max_size=6))
def test_the_smallest_part_is_what_it_takes(needed: set[int]) -> None:
    """Whatever a check needs, in whatever order it stands, nothing else is left."""

    def fails(part: list[int]) -> bool:
        return needed <= set(part)

    assert minimal(list(range(61)), fails) == sorted(needed)
    lo, hi = min(needed), max(needed)
    assert stretch(list(range(61)), fails) == list(range(lo, hi + 1))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(1, 40))
def test_no_single_item_can_be_taken_from_the_smallest(items: list[int], least: int) -> None:
    """Also where many parts fail: at least so large a sum."""

    def fails(part: list[int]) -> bool:
        return sum(part) >= least

    if fails(items):
        found = minimal(items, fails)
        assert fails(found)
        assert not any(fails(found[:n] + found[n + 1 :]) for n in range(len(found)))


def search(tmp_path: Path, check: str, tries: int = 1000) -> tuple[Shrunk, Scenario]:
    """Shrink the town; what was found, and the scenario that was written."""
    out = tmp_path / "small.yaml"
    quiet = Progress(sys.stderr, quiet=True)
    return shrink(TOWN, UNTIL, check, out, tries, quiet), read_scenario(out)


def script(tmp_path: Path, text: str) -> str:
    """A check as a command."""
    file = tmp_path / "check it.py"
    file.write_text(text)
    return f"{sys.executable} '{file}'"


def test_two_uplinks_are_left_of_a_town(tmp_path: Path) -> None:
    """An uplink out of range, then a duplicate: those two and nobody else, of two devices at most, with
    the faults that it takes; sent again from the file they fail again."""
    check = script(tmp_path, LATER_DUPLICATE) + " {ledger}"
    found, scenario = search(tmp_path, check)
    again = list(scenario.uplinks())
    assert [uplink.harm for uplink in again] == ["out_of_range", "duplicate"]
    assert found.finished
    assert (found.before > 300, found.after) == (True, 2)
    assert found.devices == len({uplink.device for uplink in again}) <= 2
    assert (scenario.harm, scenario.faults) == (0.0, {"duplicate": 0.0125, "out_of_range": 0.0125})


def test_faults_that_are_not_needed_are_turned_off(tmp_path: Path) -> None:
    """A check that no fault brings about leaves none; here, any uplink of a certain gauge."""
    check = script(tmp_path, "import sys; sys.exit(b'river-02' in open(sys.argv[1], 'rb').read())")
    found, scenario = search(tmp_path, check + " {uplinks}")
    (uplink,) = scenario.uplinks()
    assert uplink.device == "river-02"
    assert (found.after, found.devices, found.lasts) == (1, 1, 0)
    assert (scenario.harm, dict(scenario.faults)) == (0.0, {})


def test_files_are_also_named_in_the_environment(tmp_path: Path) -> None:
    """What is in the uplinks was not lost, and stands in the ledger too."""
    text = """
import json, os, sys
uplinks = [json.loads(line) for line in open(os.environ["SEKISHO_UPLINKS"])]
ledger = [json.loads(line) for line in open(os.environ["SEKISHO_LEDGER"])]
assert len(uplinks) == sum("n" in line for line in ledger)
sys.exit(any("lost" in line for line in ledger))
"""
    found, scenario = search(tmp_path, script(tmp_path, text))
    (lost,) = scenario.uplinks()
    assert lost.lost
    assert found.after == 1


def test_a_bound_on_tries_keeps_the_best_so_far(tmp_path: Path) -> None:
    found, scenario = search(tmp_path, script(tmp_path, LATER_DUPLICATE) + " {ledger}", tries=12)
    assert (found.finished, found.tries) == (False, 12)
    assert 2 < found.after < found.before
    assert len(list(scenario.uplinks())) == found.after
    assert "stopped there: allow more --tries" in found.sentence()


@pytest.mark.parametrize(
    ("check", "sentence"),
    [("true", "The check passes on all"), ("no-such-command-here", "The check cannot be run")],
)
def test_nothing_to_shrink(tmp_path: Path, check: str, sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        search(tmp_path, check)


def test_a_shrunk_scenario_is_readable(tmp_path: Path) -> None:
    """Exactly what it was, to the last digit of a rate."""
    from sekisho.scenario_text import written

    whole = Scenario(
        *(3, 2, DEFAULT_START, 30.5, 1 / 3, {}, {"loss": 0.1 + 0.2}),
        *(60, ("child-0001#3", "river-01"), DEFAULT_START, UNTIL),
    )
    file = tmp_path / "scenario.yaml"
    file.write_text(written(whole))
    assert read_scenario(file) == whole
