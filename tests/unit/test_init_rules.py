"""The rules that `sekisho init` lays down: what we recommend, as far as a city without zones can have it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.rules.masks import Circle, Zone
from gateway.rules.model import Lane
from gateway.settings.load import load_settings
from gateway.settings.rule_set import load_rules
from tests.fakes.front_door import Sekisho

SHIPPED = Path(__file__).parents[2] / "config" / "privacy"


@pytest.fixture
def laid(sekisho: Sekisho) -> Path:
    """A configuration of one's own, by no more than its place."""
    answer = sekisho("init", "town", "--area", "16201", "--yes")
    assert answer.code == 0, answer.err
    return Path("town/config").absolute()


def shipped(name: str) -> Lane:
    (lane,) = load_rules(SHIPPED / f"{name}.yaml").lanes
    return lane


def test_it_is_the_recommended_rule_set_with_a_circle_for_the_zone(laid: Path) -> None:
    """Stays, shortest run, cells, steps and what is believed are those of `toyama-zone`; tags are counted as in `ridership`."""
    store, ridership = load_rules(laid / "privacy.yaml").lanes
    wanted = shipped("toyama-zone")
    circle, stay = store.suppress
    zone, wanted_stay = wanted.suppress
    assert isinstance(circle, Circle)
    assert isinstance(zone, Zone)

    assert (circle.radius_m, circle.reopen, circle.gap_us) == (50.0, zone.reopen, zone.gap_us)
    assert stay == wanted_stay
    theirs: dict[str, Any] = {"suppress": (), "retain_us": None, "audit": None}
    assert replace(store, **theirs) == replace(wanted, **theirs)
    assert ridership == shipped("ridership")


def test_answers_stand_in_it_and_it_says_where_to_go_next(sekisho: Sekisho) -> None:
    """Radius, retention and purpose; the circle is called the floor, and the way to zones is named."""
    words = ("--radius", "80 m", "--retain", "14 d", "--purpose", "for: #1 {all}", "--yes")
    assert sekisho("init", "town", "--area", "16201", *words).code == 0
    settings = load_settings(Path("town/config/gateway.yaml"))

    assert (settings.policy.home_radius_m, settings.policy.retain_days) == (80.0, 14)
    assert settings.rules.lanes[0].purpose == "for: #1 {all}"
    text = Path("town/config/privacy.yaml").read_text()
    for said in (
        "# Hides:",
        "# Does not hide:",
        "sekisho privacy partition build",
        "It is the floor",
    ):
        assert said in text


def test_a_radius_below_the_floor_is_refused(sekisho: Sekisho) -> None:
    answer = sekisho("init", "town", "--area", "16201", "--radius", "30 m", "--yes")

    assert answer.code == 2
    assert "the floor is 50 m round home" in answer.err
    assert not Path("town").exists()
