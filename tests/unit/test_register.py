"""What a city files and tells: every lane is in it, in both languages, and what nobody said is a blank."""

import json
from pathlib import Path

import pytest

from gateway.rules import words, words_ja
from gateway.settings.rule_set import load_rules
from sekisho.register_pages import Facts, page
from tests.fakes.front_door import Sekisho

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "config" / "privacy").glob("*.yaml"))
EXAMPLES = sorted((ROOT / "tests" / "golden" / "rules").glob("example_*.yaml"))
GOLDEN = ROOT / "tests" / "golden" / "register"


@pytest.mark.parametrize("file", [*SHIPPED, *EXAMPLES], ids=lambda file: file.stem)
def test_every_rule_has_words_in_japanese(file: Path) -> None:
    """As many as in English, none empty, and none of them English."""
    for lane in load_rules(file, invented=True).lanes:
        for _stage, rule in lane.steps():
            said = words_ja.sentence(rule)
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
