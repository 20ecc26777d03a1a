"""What guardians are told of their own child: a place while it is fresh, near home when seen, else unknown."""

from dataclasses import replace

import pytest

from gateway.model.device import Device
from gateway.model.identity import DeviceId
from gateway.model.instant import DAY, HOUR, MINUTE, SECOND
from gateway.privacy.live import LivePlaces
from gateway.privacy.mask import Mask
from gateway.privacy.policy import Live, Policy
from tests.fakes.readings import HOME, NOON, ROWS, Keys, child, fix, policy
from tests.fakes.zones import zoned

CHILD = DeviceId("child-1")
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
    word = by.say(CHILD, seen + 119 * SECOND)
    assert (word.state, word.since) == ("place", seen)
    assert word.lat is not None
    assert word.lat > HOME[0] + 0.008
    assert by.say(CHILD, seen + 121 * SECOND) == ("unknown", seen, None, None)
    by.forget_older(seen + 121 * SECOND)
    assert by.say(CHILD, seen) == ("unknown", seen, None, None)


@pytest.mark.channel("C35")
def test_near_home_is_said_only_after_it_was_seen() -> None:
    """After a start it is unknown since then, also where the first fixes are good; a fix in hiding says near home."""
    by = places()
    assert by.say(CHILD, NOON) == ("unknown", BEGUN, None, None)
    by.hear(fix(400, 0, AGREED))
    assert by.say(CHILD, NOON) == ("unknown", BEGUN, None, None)
    by.hear(fix(10, 60, AGREED))
    assert by.say(CHILD, NOON + 10 * MINUTE) == ("near_home", NOON + MINUTE, None, None)
    assert by.say(CHILD, NOON + 2 * DAY).state == "unknown"


def test_a_silence_is_unknown_since_the_last_word() -> None:
    by = places()
    walk_out(by)
    by.hear(fix(900, 4 * 60 + 3600, AGREED))
    assert by.say(CHILD, NOON + HOUR + 5 * MINUTE) == ("unknown", NOON + 4 * MINUTE, None, None)


def test_nobody_is_shown_without_a_guardian_who_agreed() -> None:
    """Consent for another lane is none, and a withdrawal is in force with the next uplink."""
    by = places()
    walk_out(by, child())
    assert by.say(CHILD, NOON + 4 * MINUTE).state == "unknown"
    walk_out(by)
    by.hear(fix(910, 301, replace(child(), consents=frozenset({"store"}))))
    assert by.say(CHILD, NOON + 4 * MINUTE) == ("unknown", BEGUN, None, None)


def test_a_delay_shows_nothing_younger() -> None:
    by = LivePlaces(Live(policy(), ttl=5 * MINUTE, delay=MINUTE), BEGUN)
    walk_out(by)
    seen = NOON + 4 * MINUTE
    assert by.say(CHILD, seen + 59 * SECOND).state == "unknown"
    assert by.say(CHILD, seen + 61 * SECOND).state == "place"


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
