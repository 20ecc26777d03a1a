"""What guardians are told of their own child: a place while it is fresh, near home when seen, else unknown."""

from dataclasses import replace

import pytest

from gateway.model.device import Device, Household
from gateway.model.instant import DAY, HOUR, MINUTE, SECOND
from gateway.privacy.live import LivePlaces
from gateway.privacy.mask import Mask
from gateway.privacy.policy import Live, Policy
from tests.fakes.readings import HOME, NOON, ROWS, Keys, child, fix, household, policy
from tests.fakes.zones import zoned

BEGUN = NOON - HOUR
AGREED = replace(child(), consents=frozenset({"guardian_live"}))


def places() -> LivePlaces:
    return LivePlaces(Live(policy(), ttl=2 * MINUTE, delay=0), BEGUN)


def walk_out(by: LivePlaces, device: Device = AGREED) -> None:
    """Home, then out: three fixes that open the guard, and one that is shown, 60 s apart."""
    for minute, north_m in enumerate((0.0, 300.0, 500.0, 700.0, 900.0)):
        by.hear(fix(north_m, minute * 60, device))


def test_a_place_is_shown_while_it_is_fresh() -> None:
    """To live: the lane's ttl, twice the reporting period; then the place is forgotten, and only since when is said."""
    by = places()
    walk_out(by)
    seen = NOON + 4 * MINUTE
    word = by.say(AGREED, seen + 119 * SECOND)
    assert (word.state, word.since) == ("place", seen)
    assert word.lat is not None
    assert word.lat > HOME[0] + 0.008
    assert by.say(AGREED, seen + 121 * SECOND) == ("unknown", seen, None, None)
    by.forget_older(seen + 121 * SECOND)
    assert by.say(AGREED, seen) == ("unknown", seen, None, None)


@pytest.mark.channel("C35")
def test_near_home_is_said_only_after_it_was_seen() -> None:
    """After a start it is unknown since then, also where the first fixes are good; a fix in hiding says near home."""
    by = places()
    assert by.say(AGREED, NOON) == ("unknown", BEGUN, None, None)
    by.hear(fix(400, 0, AGREED))
    assert by.say(AGREED, NOON) == ("unknown", BEGUN, None, None)
    by.hear(fix(10, 60, AGREED))
    assert by.say(AGREED, NOON + 10 * MINUTE) == ("near_home", NOON + MINUTE, None, None)
    assert by.say(AGREED, NOON + 2 * DAY).state == "unknown"


def test_a_silence_is_unknown_since_the_last_word() -> None:
    by = places()
    walk_out(by)
    by.hear(fix(900, 4 * 60 + 3600, AGREED))
    assert by.say(AGREED, NOON + HOUR + 5 * MINUTE) == ("unknown", NOON + 4 * MINUTE, None, None)


def test_nobody_is_shown_without_a_guardian_who_agreed() -> None:
    """Consent for another lane is none, and a withdrawal is in force with the next uplink."""
    by = places()
    walk_out(by, child())
    assert by.say(AGREED, NOON + 4 * MINUTE).state == "unknown"
    walk_out(by)
    by.hear(fix(910, 301, replace(child(), consents=frozenset({"store"}))))
    assert by.say(AGREED, NOON + 4 * MINUTE) == ("unknown", BEGUN, None, None)


def test_a_tracker_of_another_family_says_nothing_of_the_first() -> None:
    """Handed over: what was known is of another child, before and after the first uplink."""
    by = places()
    walk_out(by)
    other = replace(AGREED, household=household(name="h-2"))
    assert by.say(other, NOON + 4 * MINUTE) == ("unknown", BEGUN, None, None)
    by.hear(fix(910, 301, other))
    assert by.say(other, NOON + 6 * MINUTE) == ("unknown", BEGUN, None, None)


def test_under_a_long_delay_the_newest_ripe_place_is_shown() -> None:
    """Fixes keep coming: the one that is old enough is told, and of a younger one not even when it was."""
    by = LivePlaces(Live(policy(), ttl=10 * MINUTE, delay=5 * MINUTE), BEGUN)
    walk_out(by)
    for minute in range(5, 30):
        by.hear(fix(900 + minute, minute * 60, AGREED))
    word = by.say(AGREED, NOON + 29 * MINUTE)
    assert (word.state, word.since) == ("place", NOON + 24 * MINUTE)


def test_a_delay_shows_nothing_younger() -> None:
    by = LivePlaces(Live(policy(), ttl=5 * MINUTE, delay=MINUTE), BEGUN)
    walk_out(by)
    seen = NOON + 4 * MINUTE
    assert by.say(AGREED, seen + 59 * SECOND).state == "near_home"  # what was so before
    assert by.say(AGREED, seen + 61 * SECOND).state == "place"


@pytest.mark.parametrize("rules", [policy(), zoned()], ids=["circle", "zone"])
def test_what_is_shown_live_changes_nothing_that_is_kept(rules: Policy) -> None:
    """The lane reads memory and writes nothing: rows and fates are the same with it and without."""
    both = frozenset({"store", "guardian_live"})
    device = replace(child(), consents=both)
    readings = [fix(n % 40 * 60.0, n * 60, device) for n in range(160)]
    masks = [
        Mask(rules, Keys(), ROWS, live=live)
        for live in (None, LivePlaces(Live(policy(), 2 * MINUTE, 0), BEGUN))
    ]
    verdicts = [[str(by.apply(one)) for one in readings] for by in masks]
    assert verdicts[0] == verdicts[1]


def test_the_old_home_of_a_family_that_moved_is_a_place() -> None:
    """Nothing of it is kept here that a former home must not be seen in: a child there is not near its home."""
    there = household((HOME[0] + 0.1, HOME[1]))
    said = (there.household, there.home, None, there.crs, None, "")
    moved = replace(AGREED, household=Household(*said, (household(),)))
    by = places()
    for minute, north_m in enumerate((11_118.0, 5_000.0, 2_000.0, 1_000.0, 500.0, 0.0)):
        by.hear(fix(north_m, minute * 60, moved))
    assert by.say(moved, NOON + 5 * MINUTE).state == "place"
    assert by.say(moved, NOON + 5 * MINUTE).lat == pytest.approx(HOME[0], abs=1e-4)


def test_a_clock_ahead_makes_no_place_young() -> None:
    """What was observed is never newer than its receipt: to live, and the age that is told, count from there."""
    by = places()
    for minute, north_m in enumerate((0.0, 300.0, 500.0, 700.0, 900.0)):
        at = NOON + minute * MINUTE
        by.hear(fix(north_m, minute * 60 + 3000, AGREED, received_at=at))
    seen = NOON + 4 * MINUTE
    word = by.say(AGREED, seen + MINUTE)
    assert (word.state, word.since) == ("place", seen)
    assert by.say(AGREED, seen + 3 * MINUTE).state == "unknown"
    assert by.say(AGREED, seen + 51 * MINUTE).state == "unknown"
