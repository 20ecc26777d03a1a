"""What a city files and tells: every lane is in it, in both languages, and what nobody said is a blank."""

import json
import re
from pathlib import Path

import pytest

from gateway.rules import words, words_ja
from gateway.rules.learned import unhidden
from gateway.settings.rule_set import load_rules
from sekisho import register_parents
from sekisho.register_pages import Facts, Part, page
from sekisho.register_words import Language
from tests.fakes.front_door import Sekisho

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "config" / "privacy").glob("*.yaml"))
EXAMPLES = sorted((ROOT / "tests" / "golden" / "rules").glob("example_*.yaml"))
FIRST = ROOT / "config" / "privacy.yaml"
GOLDEN = ROOT / "tests" / "golden" / "register"


@pytest.mark.parametrize("file", [*SHIPPED, *EXAMPLES], ids=lambda file: file.stem)
def test_every_rule_has_words_in_japanese(file: Path) -> None:
    """As many as in English, none empty, and none of them English."""
    for lane in load_rules(file, invented=True).lanes:
        for _stage, rule in lane.steps():
            said = words_ja.sentence(rule, lane)
            assert any("\u3040" <= letter <= "\u9fff" for letter in said), said
            assert words.sentence(rule)
        assert words_ja.stay(lane)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("part", ["register", "pia", "parents"])
def test_the_pages_of_the_recommended_rules(part: str, language: str) -> None:
    """Golden: a change of words is looked at."""
    rules = load_rules(ROOT / "config" / "privacy" / "toyama-zone.yaml")
    made = page(Facts(rules, "16201", "0" * 64), part, language)  # type: ignore[arg-type]
    assert made == (GOLDEN / f"{part}.{language}.md").read_text("utf-8")


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_every_lane_is_told_of(file: Path) -> None:
    """Purpose, audience and legal basis stand in the register word by word; what the city must say is a blank."""
    rules = load_rules(file)
    made = page(Facts(rules, "16201", "0" * 64), "register", "en")
    for lane in rules.lanes:
        assert all(said in made for said in (lane.purpose, lane.audience, lane.legal_basis))
    assert made.count("(the city)") == len(rules.lanes)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("file", [*SHIPPED, FIRST], ids=lambda file: file.stem)
def test_no_promise_is_told_without_its_limits(file: Path, language: Language) -> None:
    """What a lane does not hide stands in the annex and on the parents' page, in words that somebody reads who knows no
    rule set: no name of a reader or field as a file writes it."""
    rules = load_rules(file)
    facts = Facts(rules, "16201", "0" * 64)
    annex, parents = page(facts, "pia", language), page(facts, "parents", language)
    for lane in rules.lanes:
        limits = words_ja.limits(lane) if language == "ja" else words.limits(lane)
        assert [said for said in limits if said not in annex] == []
        assert list(register_parents.unhidden(unhidden(lane), language)) == [
            said for said in register_parents.unhidden(unhidden(lane), language) if said in parents
        ]
        if lane.count:
            k = 10 if lane.name in ("open", "research") else 5
            least = (
                f"{k} に満たない数は、誰にも示しません" if language == "ja" else f"None below {k}"
            )
            assert least in parents
    for word in (
        "guardian:own",
        "operator",
        "school:",
        "good fixes",
        "fictional-",
        "_class",
        "time_bin",
        "epoch",
    ):
        assert word not in parents


@pytest.mark.parametrize(
    ("name", "stands"),
    [("patrol-analysis", True), ("open-data", True), ("research", True), ("ridership", False), ("toyama-zone", False), ("guardian-live", False)],
)  # fmt: skip
def test_the_circle_that_stands_by_itself_is_told(
    name: str, stands: bool, sekisho: Sekisho
) -> None:
    """Where children are counted and no lane `store` says what hides them: in the register, the annex, to parents, and to
    who reads the rules, as people and as programs do."""
    file = ROOT / "config" / "privacy" / f"{name}.yaml"
    facts = Facts(load_rules(file), "16201", "0" * 64)
    parts: tuple[Part, ...] = ("register", "pia", "parents")
    told = [page(facts, part, "en") for part in parts]
    told.append(sekisho("privacy", "rules", "explain", str(file)).out)
    told.append(sekisho("privacy", "rules", "explain", str(file), "--json").out)
    assert [("counted within 50 m of home" in one) for one in told] == [stands] * 5
    japanese = [page(facts, part, "ja") for part in parts]
    assert [("自宅から 50 m 以内、または世帯が" in one) for one in japanese] == [stands] * 3
    assert "数える。" not in japanese[2]


def test_parents_are_told_in_which_steps_numbers_are() -> None:
    """Rounded numbers and classes are told as such, in both languages."""
    analysis, opened = (
        Facts(load_rules(ROOT / "config" / "privacy" / f"{name}.yaml"), "16201", "0" * 64)
        for name in ("patrol-analysis", "open-data")
    )
    assert "Numbers are told in steps of 5." in page(analysis, "parents", "en")
    assert "5 の倍数に丸めて示します" in page(analysis, "parents", "ja")
    assert "only the class is told in which it lies" in page(opened, "parents", "en")
    assert "数は段階で示します" in page(opened, "parents", "ja")


def test_a_circle_says_that_the_home_can_be_worked_out() -> None:
    """Whatever else hides: parents are told of the one thing that the floor does not do."""
    rules = load_rules(FIRST)
    told = page(Facts(rules, "16201", "0" * 64), "parents", "en")
    assert "where you live, from somebody who sees the record for weeks" in told


@pytest.mark.parametrize(
    ("name", "items", "safety"),
    [
        ("legacy-50m", "the battery in four classes, a pseudonym", "sealed under the household's key"),
        ("toyama-zone", "a time, a cell of the mesh, which leg of the way, a keyed identity", "sealed under the household's key"),
        ("ridership", "each tag counts once a stop and hour", "no number below 5"),
        ("open-data", "each household counts once a cell of 250 m", "no number below 10"),
        ("guardian-live", "none; the last place in memory", "gone after 2 min"),
        ("../privacy", "tags read at stops", "sealed under the household's key"),
    ],
)  # fmt: skip
def test_items_and_safety_are_those_of_the_lane(name: str, items: str, safety: str) -> None:
    """What a row may say comes from the rules; what is only counted or shown is not kept safe as rows are."""
    rules = load_rules(ROOT / "config" / "privacy" / f"{name}.yaml")
    made = page(Facts(rules, "16201", "0" * 64), "register", "en")
    (held,) = re.findall(r"^\| items \| (.*) \|$", made, re.MULTILINE)
    (safe,) = re.findall(r"^\| safety \| (.*) \|$", made, re.MULTILINE)
    assert items in held
    assert safety in safe
    assert ("battery" in held) == (name in ("legacy-50m", "../privacy"))


def test_where_a_lane_applies_is_told() -> None:
    rules = load_rules(ROOT / "config" / "privacy" / "rural.yaml")
    facts = Facts(rules, "16201", "0" * 64)
    for part in ("pia", "parents"):
        assert "dwellings/km² are below 300" in page(facts, part, "en")
        assert "1 km² に 300 戸未満の所だけ" in page(facts, part, "ja")


def test_it_comes_from_the_configuration(sekisho: Sekisho, tmp_path: Path) -> None:
    config = str(ROOT / "config" / "gateway.yaml")
    printed = sekisho("privacy", "register", config, "--part", "parents", "--language", "ja")
    assert printed.code == 0, printed.err
    assert printed.out.startswith("# 見守り端末の記録について")
    assert set(json.loads(sekisho("privacy", "register", config, "--json").out)) == {
        "register",
        "pia",
        "parents",
    }
    out = tmp_path / "page.md"
    assert sekisho("privacy", "register", config, "--out", str(out), "-q").code == 0
    assert "File register" in out.read_text()
    assert sekisho("privacy", "register", config, "--part", "poster").code == 2
