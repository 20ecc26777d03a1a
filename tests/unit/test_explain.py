"""Explanations: every answer of the mask has its stage, and no word of them depends on a number that went in."""

import json
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.reason import Fate
from gateway.privacy.explain import STAGES, explained
from gateway.rules.model import STAGES as ALL
from tests.fakes.front_door import Sekisho
from tests.fakes.readings import policy
from tests.fakes.zones import zoned
from tests.unit.test_answers import MASKED

ROOT = Path(__file__).parents[2]
RULES = ROOT / "config" / "privacy"
WALK = ROOT / "tests" / "golden" / "made_up_walk.gpx"


def test_every_answer_of_the_mask_is_explained() -> None:
    """A new reason must be thought about here; stages are those of the rule language, in its order."""
    for rules in (policy(), zoned()):
        for end in (*MASKED, Fate.DUPLICATE, Fate.HELD, Fate.COUNTED):
            why = explained(end, rules)
            assert why.stage in STAGES
            assert why.not_reached == STAGES[STAGES.index(why.stage) + 1 :]
        assert explained(None, rules).decision == "KEEP"
    assert [stage for stage in ALL if stage in STAGES] == list(STAGES)
    with pytest.raises(ValueError, match="no answer"):
        explained("invented", policy())


@pytest.mark.channel("C39")
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_number_gets_into_the_words(data: st.DataObject) -> None:
    """Whatever was measured, configured or where a zone lies: there is no digit in an explanation."""
    rules = data.draw(
        st.sampled_from([policy(home_radius_m=data.draw(st.floats(50, 900))), zoned()])
    )
    end = data.draw(
        st.sampled_from([None, *sorted(MASKED), *Fate]).filter(lambda e: e not in _ELSEWHERE)
    )
    assert not re.search(r"\d", str(explained(end, rules)))


_ELSEWHERE = {Fate.STORED, Fate.SUPPRESSED, Fate.REJECTED, Fate.DROPPED}


@pytest.mark.channel("C39")
@pytest.mark.parametrize("fix", [None, "1", "30"])
@pytest.mark.parametrize("rules", ["legacy-50m", "toyama-zone"])
def test_the_form_for_anybody_has_no_digit_of_the_way(
    sekisho: Sekisho, tmp_path: Path, rules: str, fix: str | None
) -> None:
    """But for the rule set's name and digest the output has no digit at all; --numbers has all of them, and only under a
    rule set that says `explain: full`."""
    asked = ("privacy", "explain", str(WALK), "--home", "36.90,137.20")
    asked = (*asked, *(() if fix is None else ("--fix", fix)))
    shipped = RULES / f"{rules}.yaml"
    plain = sekisho(*asked, "--rules", str(shipped))
    assert plain.code == 0, plain.err
    assert not re.search(r"\d", re.sub(r"ruleset \S+ [0-9a-f]+", "", plain.out))
    refused = sekisho(*asked, "--rules", str(shipped), "--numbers")
    assert (refused.code, refused.out, "says explain: reasons" in refused.err) == (2, "", True)

    shutil.copytree(RULES / "partitions", tmp_path / "partitions")
    loud = tmp_path / shipped.name
    loud.write_text(shipped.read_text().replace("lanes:", "explain: full\nlanes:", 1))
    full = sekisho(*asked, "--rules", str(loud), "--numbers", "--json")
    numbers = json.loads(full.out)["numbers"]
    assert numbers["fix"] == f"{fix or 1} of 159"
    if rules == "legacy-50m":
        assert numbers["hidden_within_m"] == 50 + 2 * 10 + 1
    else:
        assert numbers["hidden_within_m"] is None  # this home lies in no zone of the partition
    against = sekisho(*asked, "--rules", str(loud), "--against", str(shipped), "--numbers")
    assert (against.code, "says explain: reasons" in against.err) == (2, True)


def test_which_fix_it_is_is_said(sekisho: Sekisho, tmp_path: Path) -> None:
    """In words; by its number, with units and with what a sum is made of, where numbers may be told."""
    asked = ("privacy", "explain", str(WALK), "--home", "36.90,137.20")
    shipped = RULES / "legacy-50m.yaml"
    loud = tmp_path / "loud.yaml"
    loud.write_text(shipped.read_text().replace("lanes:", "explain: full\nlanes:", 1))

    first = sekisho(*asked, "--rules", str(shipped)).out
    assert first.startswith("Of the first fix that is not kept:\n")
    named = sekisho(*asked, "--rules", str(loud), "--fix", "3", "--numbers").out
    assert named.startswith("Of the fix that --fix names:\n")
    assert "\n  fix: 3 of 159\n" in named
    assert "hidden within: 71 m of home: radius 50 m + twice the accuracy that the rules suppose, 10 m + 1 m" in named  # fmt: skip


def test_two_rule_sets_are_held_against_each_other(sekisho: Sekisho) -> None:
    asked = (
        "privacy",
        "explain",
        str(WALK),
        "--home",
        "36.90,137.20",
        "--rules",
        str(RULES / "legacy-50m.yaml"),
    )
    answer = sekisho(*asked, "--against", str(RULES / "toyama-zone.yaml"))
    assert answer.code == 0, answer.err
    assert answer.out.count("lane store") == 2
    assert re.search(r"Both decide alike|The two decide otherwise", answer.out)


def test_what_cannot_be_explained_is_refused(sekisho: Sekisho) -> None:
    asked = ("privacy", "explain", str(WALK), "--home", "36.90,137.20")
    far = sekisho(*asked, "--rules", str(RULES / "legacy-50m.yaml"), "--fix", "100000")
    assert (far.code, "fewer fixes" in far.err) == (2, True)
    counts = sekisho(*asked, "--rules", str(RULES / "open-data.yaml"))
    assert (counts.code, "keeps nothing of a way" in counts.err) == (2, True)
