"""The mask, step by step as `docs/mask.md` numbers them."""

import ast
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.devices.tables import table_columns
from gateway.model.instant import DAY, HOUR, MINUTE, SECOND
from gateway.model.reason import Fate, Reason
from gateway.privacy.keysource import KeysUnavailable
from gateway.privacy.mask import Mask
from tests.fakes.readings import (
    HOME,
    KINDS,
    NOON,
    Keys,
    child,
    fix,
    gauge,
    household,
    leave_home,
    mask,
    policy,
    reading,
    row_of,
    sealed_mask,
    stop,
)

GATEWAY = Path(__file__).parents[2] / "gateway"


def values(kind: str = "child_tracker", **said: Any) -> Any:
    made: Any = KINDS[kind].document
    return made(**said)


# -- a child tracker ------------------------------------------------------------------------


def test_everything_begins_closed() -> None:
    assert mask().apply(fix(5_000, 0)) is Reason.NOT_REOPENED


def test_three_fixes_and_a_way_open_the_circle_and_are_dropped() -> None:
    by = mask()
    verdicts = [by.apply(fix(north, s)) for s, north in enumerate((200, 300, 360, 361))]
    assert verdicts[:3] == [Reason.NOT_REOPENED] * 3
    assert isinstance(verdicts[3], list)


def test_three_fixes_far_out_open_it_without_a_way() -> None:
    by = mask()
    far = 50 + 21 + 20 + 300 + 5
    assert [by.apply(fix(far, s)) for s in range(3)] == [Reason.NOT_REOPENED] * 3
    assert isinstance(by.apply(fix(far, 3)), list)


@pytest.mark.channel("C14")
def test_drift_just_beyond_the_buffer_never_opens_it() -> None:
    by = mask()
    assert {by.apply(fix(92 + s % 100, s * 60)) for s in range(200)} == {Reason.NOT_REOPENED}


def test_a_fix_between_margin_and_buffer_begins_the_run_anew() -> None:
    by = mask()
    for s, north in enumerate((200, 300, 80, 400, 500)):
        assert by.apply(fix(north, s)) is Reason.NOT_REOPENED
    assert by.apply(fix(600, 5)) is Reason.NOT_REOPENED  # the third since
    assert isinstance(by.apply(fix(601, 6)), list)


def test_the_margin_grows_with_the_accuracy() -> None:
    by = mask()
    leave_home(by)
    assert by.apply(fix(90, 1, accuracy_m=20)) is Reason.INSIDE_HOME  # 50 + 41
    leave_home_again = [by.apply(fix(n, 2 + n / 100)) for n in (300, 400, 500)]
    assert leave_home_again == [Reason.NOT_REOPENED] * 3
    assert isinstance(by.apply(fix(92, 10, accuracy_m=20)), list)


@pytest.mark.channel("C21")
def test_a_fix_that_rounding_would_carry_inside_is_hidden() -> None:
    """71.5 m away with 71.4 m hidden, but five decimals would store it 71.0 m away."""
    by = mask()
    leave_home(by)
    assert by.apply(fix(71.5, 1, accuracy_m=10.2)) is Reason.INSIDE_HOME
    leave_home_again = [by.apply(fix(n, 2 + n / 100)) for n in (300, 400, 500)]
    assert leave_home_again == [Reason.NOT_REOPENED] * 3
    assert isinstance(by.apply(fix(71.5, 10, accuracy_m=9.9)), list)


def test_an_unknown_accuracy_counts_as_ten_metres() -> None:
    by = mask()
    leave_home(by)
    assert isinstance(by.apply(fix(72, 1, accuracy_m=None)), list)
    assert by.apply(fix(70, 2, accuracy_m=None)) is Reason.INSIDE_HOME


@pytest.mark.channel("C16")
@pytest.mark.parametrize("accuracy", [-0.5, float("nan"), float("-inf"), float("inf")])
def test_an_accuracy_that_is_none_is_no_reason_to_keep(accuracy: float) -> None:
    by = mask()
    leave_home(by)
    assert by.apply(fix(900, 1, accuracy_m=accuracy)) in (Reason.FAULT, Reason.INSIDE_HOME)


@pytest.mark.parametrize(
    ("policy_m", "own_m", "hidden_m"),
    [(50, None, 50), (50, 10, 50), (50, 0, 50), (80, 60, 80), (50, 80, 80), (200, 80, 200)],
)
def test_a_household_s_own_radius_may_only_widen(
    policy_m: float, own_m: float | None, hidden_m: float
) -> None:
    """The policy is the floor, whatever an import, a replay or a later policy left in the registry."""
    device = child(family=household(radius_m=own_m))
    by = mask(policy(home_radius_m=float(policy_m)))
    leave_home(by, device)
    assert isinstance(by.apply(fix(hidden_m + 22, 0, device)), list)
    assert by.apply(fix(hidden_m + 20, 1, device)) is Reason.INSIDE_HOME


def test_poor_accuracy_is_suppressed_and_leaves_the_circle_open() -> None:
    by = mask()
    leave_home(by)
    assert by.apply(fix(900, 1, accuracy_m=51)) is Reason.POOR_ACCURACY
    assert isinstance(by.apply(fix(900, 2)), list)


def test_half_an_hour_of_silence_closes_it() -> None:
    by = mask()
    leave_home(by)
    assert isinstance(by.apply(fix(900, 0)), list)
    assert isinstance(by.apply(fix(900, 1800)), list)
    assert by.apply(fix(900, 3601)) is Reason.NOT_REOPENED


def test_a_duplicate_changes_nothing_and_opens_nothing() -> None:
    by = mask()
    first, second = fix(300, 0), fix(500, 1)
    assert by.apply(first) is Reason.NOT_REOPENED
    assert by.apply(second) is Reason.NOT_REOPENED
    assert [by.apply(second) for _ in range(5)] == [Fate.DUPLICATE] * 5
    assert by.apply(first) is Fate.DUPLICATE
    assert by.apply(fix(600, 2)) is Reason.NOT_REOPENED
    assert isinstance(by.apply(fix(601, 3)), list)


def test_the_last_64_uplinks_of_a_device_are_known_again() -> None:
    by = mask()
    sent = [fix(10, s) for s in range(66)]
    for one in sent[:64]:
        by.apply(one)
    assert {by.apply(one) for one in sent[:64]} == {Fate.DUPLICATE}
    by.apply(sent[64])
    assert by.apply(sent[1]) is Fate.DUPLICATE
    assert by.apply(sent[0]) is Reason.LATE


def test_a_fix_older_than_the_newest_is_late() -> None:
    by = mask()
    leave_home(by)
    assert isinstance(by.apply(fix(900, 10)), list)
    assert by.apply(fix(900, 9)) is Reason.LATE
    same_moment = reading(child(), fix(950, 10).values, NOON + 10 * SECOND, 11)
    assert by.apply(same_moment) is Reason.LATE


@pytest.mark.channel("C15")
@pytest.mark.parametrize(
    ("north_m", "accuracy_m", "closes"),
    [(10, 10.0, True), (70, 10.0, True), (72, 10.0, False), (900, 10.0, False), (100, 60.0, True)],
)
def test_a_late_fix_that_may_be_near_home_closes_the_circle(
    north_m: float, accuracy_m: float, closes: bool
) -> None:
    """What arrives out of order still says where the child was a moment ago."""
    by = mask()
    leave_home(by)
    by.apply(fix(900, 10))
    assert by.apply(fix(north_m, 9, accuracy_m=accuracy_m)) is Reason.LATE

    verdict = by.apply(fix(900, 11))

    assert (verdict is Reason.NOT_REOPENED) == closes


@pytest.mark.parametrize(
    ("lat", "lon", "closes"),
    [(None, None, False), (float("nan"), 137.2, True), (36.7, float("inf"), True)],
)
def test_a_late_uplink_closes_by_its_place_alone(
    lat: float | None, lon: float | None, closes: bool
) -> None:
    """Without a position nothing is known; a position that is no number is not provably outside."""
    by = mask()
    leave_home(by)
    by.apply(fix(900, 10))
    assert by.apply(reading(child(), values(lat=lat, lon=lon), NOON)) is Reason.LATE

    verdict = by.apply(fix(900, 11))

    assert (verdict is Reason.NOT_REOPENED) == closes


def test_a_late_fix_near_home_begins_the_run_anew_and_moves_no_time() -> None:
    by = mask()
    by.apply(fix(300, 10))
    by.apply(fix(500, 20))
    assert by.apply(fix(10, 15)) is Reason.LATE
    assert by.apply(fix(700, 18)) is Reason.LATE, "`last` is still the newest"

    assert [by.apply(fix(n, n / 10)) for n in (800, 1000, 1200)] == [Reason.NOT_REOPENED] * 3
    assert isinstance(by.apply(fix(1210, 121)), list)


_OVER = NOON + 45 * HOUR
"""Midnight in UTC: a file of NOON's day has had its two days."""


@pytest.mark.parametrize(
    ("received_at", "reason"), [(_OVER - 1, Reason.NOT_REOPENED), (_OVER, Reason.LATE)]
)
def test_a_fix_of_a_file_that_is_over_is_late(received_at: int, reason: Reason) -> None:
    """Its file may be gone already, and must not be made again (decisions 12)."""
    by = mask(policy(retain_days=2))
    assert by.apply(fix(5_000, 0, received_at=received_at)) is reason


@pytest.mark.channel("C18")
@pytest.mark.parametrize(
    ("device", "more", "reason"),
    [
        (child(consent=False), {}, Reason.NO_CONSENT),
        (child(), {"late": True}, Reason.LATE),
        (child(family=None), {}, Reason.NO_HOME),
        (child(family=household(home=None)), {}, Reason.NO_HOME),
        (child(family=household(crs="EPSG:4301")), {}, Reason.UNKNOWN_CRS),
        (child(family=household(home=(89.0, 0.0))), {}, Reason.FAULT),
        (child(family=household(radius_m=-1.0)), {}, Reason.FAULT),
        (child(family=household(radius_m=float("nan"))), {}, Reason.FAULT),
    ],
)
def test_what_is_missing_suppresses(device: Any, more: dict[str, Any], reason: Reason) -> None:
    by = mask()
    assert {by.apply(fix(5_000 + 200 * s, s, device, **more)) for s in range(9)} == {reason}


@pytest.mark.channel("C17")
@pytest.mark.parametrize(
    ("lat", "lon", "reason"),
    [
        (None, None, Reason.NO_FIX),
        (float("nan"), 137.2, Reason.FAULT),
        (36.7, float("inf"), Reason.FAULT),
        (0.0, -0.0, Reason.ZERO_ZERO),
        (0.0009, -0.0009, Reason.ZERO_ZERO),
        (90.0, 0.0, Reason.OUTSIDE_AREA),
        (137.2, 36.7, Reason.OUTSIDE_AREA),
    ],
)
def test_what_is_no_place_suppresses(lat: float | None, lon: float | None, reason: Reason) -> None:
    def here(lat: float, lon: float) -> bool:
        return 36 < lat < 37 and 137 < lon < 138

    by = mask(policy(in_area=here))
    leave_home(by)
    assert by.apply(reading(child(), values(lat=lat, lon=lon), NOON)) is reason


@pytest.mark.channel("C30")
def test_nothing_from_before_the_rules_is_kept() -> None:
    by = mask(policy(rules_since=NOON))
    assert by.apply(fix(5_000, -1)) is Reason.RULES_CHANGED


@pytest.mark.channel("C33")
def test_a_home_that_moved_closes_the_circle_and_an_unchanged_one_does_not() -> None:
    by = mask()
    leave_home(by)
    assert isinstance(by.apply(fix(900, 1, child(family=household()))), list)
    moved = child(family=household(home=(HOME[0] + 0.1, HOME[1])))
    assert by.apply(fix(901, 2, moved)) is Reason.NOT_REOPENED


def test_a_child_row_holds_what_the_specification_names() -> None:
    by = mask()
    leave_home(by)
    said = values(lat=36.71234567, lon=137.2, accuracy_m=8.0, battery_pct=51.0, button=True)
    row = row_of(by.apply(reading(child(), said, NOON + 61 * SECOND, 7)))

    minute, identity, pseudonym, *rest = row
    assert len(row) == len(table_columns(KINDS["child_tracker"]))
    assert minute == NOON + MINUTE
    assert len(identity) == len(pseudonym) == 16
    assert identity != pseudonym
    assert rest == [36.71235, 137.2, 3, None, None]


def test_a_suppressed_uplink_asks_for_no_key() -> None:
    keys = Keys()
    by = mask(keys=keys)
    by.apply(fix(10, 0))
    leave_home(by)
    assert keys.asked == []


def test_any_fault_suppresses_and_closes() -> None:
    def breaks(_lat: float, _lon: float) -> bool:
        if answers:
            return answers.pop()
        raise RuntimeError("36.7")

    answers = [True] * 3
    by = mask(policy(in_area=breaks))
    leave_home(by)
    assert by.apply(fix(900, 1)) is Reason.FAULT
    answers += [True] * 9
    assert by.apply(fix(900, 2)) is Reason.NOT_REOPENED


def test_silent_devices_are_forgotten_after_a_day() -> None:
    by = mask()
    leave_home(by)
    by.forget_older(NOON + DAY - HOUR)
    assert isinstance(by.apply(fix(900, 1)), list)
    by.forget_older(NOON + 2 * DAY)
    assert by.apply(fix(900, 2)) is Reason.NOT_REOPENED


# -- tag reads ------------------------------------------------------------------------------

TAG = "30751FEB705C5904E3D50D70"


def reads(*tags: str) -> Any:
    said = b'{"reads": [%s]}' % b", ".join(
        b'{"epc": "%s", "antenna": 2, "rssi_dbm": -60}' % tag.encode() for tag in tags
    )
    return msgspec.json.decode(said, type=KINDS["bus_stop_reader"].document)


def test_a_read_becomes_a_row_without_its_tag() -> None:
    row = row_of(mask().apply(reading(stop(), reads(TAG), NOON + SECOND, 1)))
    minute, identity, place, vehicle, antenna, tag = row
    assert (minute, place, vehicle, antenna) == (NOON, "12_1", None, 2)
    assert len(identity) == len(tag) == 16
    assert TAG not in repr(row)
    assert bytes.fromhex(TAG) not in b"".join(part for part in row if isinstance(part, bytes))


def test_a_tag_keeps_its_pseudonym_for_one_service_day() -> None:
    by = mask(policy(service_day_starts_h=3))
    at_one, at_other = 4 * HOUR, 14 * HOUR
    morning = NOON - 3 * HOUR  # 00:00 UTC
    tags = [
        row_of(by.apply(reading(stop(), reads(TAG), morning + ahead, 1)))[5]
        for ahead in (at_one, at_other, DAY + 2 * HOUR, DAY + 3 * HOUR)
    ]
    assert tags[0] == tags[1] == tags[2] != tags[3]


def test_rows_of_one_uplink_differ_in_identity() -> None:
    made = mask().apply(reading(stop(), reads(TAG, TAG, TAG), NOON, 1))
    assert isinstance(made, list)
    assert len({observation.row[1] for observation in made}) == 3


def test_an_uplink_without_reads_is_a_sign_of_life() -> None:
    assert mask().apply(reading(stop(), reads(), NOON)) == []


def test_a_read_of_an_ended_day_is_refused() -> None:
    keys = Keys()
    by = mask(keys=keys)
    keys.gone.add(date(2026, 5, 12))
    assert by.apply(reading(stop(), reads(TAG), NOON)) is Reason.KEY_GONE


def test_late_reads_and_reads_before_the_rules_are_suppressed() -> None:
    assert mask().apply(reading(stop(), reads(TAG), NOON, late=True)) is Reason.LATE
    by = mask(policy(rules_since=NOON + 1))
    assert by.apply(reading(stop(), reads(TAG), NOON)) is Reason.RULES_CHANGED


def test_a_read_of_a_file_that_is_over_is_late() -> None:
    by = mask(policy(retain_days=2))
    assert by.apply(reading(stop(), reads(TAG), NOON, received_at=_OVER)) is Reason.LATE
    assert isinstance(by.apply(reading(stop(), reads(TAG), NOON, received_at=_OVER - 1)), list)


def test_no_file_that_is_over_is_asked_for_repetitions() -> None:
    """Its key is destroyed, and asking would make another."""
    keys = Keys()
    by = mask(policy(retain_days=1), keys)
    midnight = NOON + 21 * HOUR
    undated = reading(stop(), reads(TAG), midnight + MINUTE, 1, dated=False)
    assert isinstance(by.apply(undated), list)
    assert keys.asked == ["store-2026-05-13"]


# -- things of the city -----------------------------------------------------------------------


def test_a_city_row_is_kept_as_it_is() -> None:
    said = values("river_gauge", stage_m=1.79, battery_v=3.6)
    one = reading(gauge(), said, NOON, 41)
    (observation,) = as_list(mask().apply(one))
    assert observation.kind == "river_gauge"
    assert observation.period is None
    assert observation.row == (
        NOON, "river-1", 41, one.digest, 0, NOON + SECOND, "device", 0, 1.79, None, None, 3.6,
    )  # fmt: skip
    assert len(observation.row) == len(table_columns(KINDS["river_gauge"]))


def as_list(verdict: Any) -> Any:
    assert isinstance(verdict, list), verdict
    return verdict


def test_a_city_row_says_whose_clock_it_trusts_and_whether_it_is_late() -> None:
    said = values("river_gauge", stage_m=1.0)
    row = row_of(mask().apply(reading(gauge(), said, NOON, dated=False, late=True)))
    assert row[2] == -1
    assert row[6:8] == ("gateway", 1)


# -- repetitions the store's key cannot know ----------------------------------------------------


def undated(counter: int, at: int) -> Any:
    said = values("river_gauge", stage_m=1.0)
    return reading(gauge(), said, at, counter, dated=False, received_at=at)


def test_an_undated_uplink_is_known_again_for_two_hours() -> None:
    by = mask()
    row_of(by.apply(undated(1, NOON)))
    assert by.apply(undated(1, NOON + HOUR)) is Fate.DUPLICATE
    row_of(by.apply(undated(2, NOON + HOUR)))
    assert by.apply(undated(1, NOON + 2 * HOUR)) is Fate.DUPLICATE
    row_of(by.apply(undated(1, NOON + 2 * HOUR + 1)))


def test_a_restart_knows_undated_uplinks_from_the_store() -> None:
    row = row_of(mask().apply(undated(1, NOON)))
    by = mask()
    by.recall([(row[0], (row[1], row[2], row[3], row[4]))])
    assert by.apply(undated(1, NOON + HOUR)) is Fate.DUPLICATE


def test_an_undated_read_is_known_again_across_the_boundary_of_a_file() -> None:
    week = 7 * DAY
    monday = NOON - NOON % week - 3 * DAY  # 1970-01-01 was a Thursday
    before, after = monday - MINUTE, monday + MINUTE
    by = mask()
    first = as_list(
        by.apply(reading(stop(), reads(TAG), before, 5, dated=False, received_at=before))
    )
    again = reading(stop(), reads(TAG), after, 5, dated=False, received_at=after)
    assert first[0].period != by._files.names(after, after).period
    assert by.apply(again) is Fate.DUPLICATE
    late = reading(stop(), reads(TAG), after, 5, dated=False, received_at=after)
    restarted = mask()
    restarted.recall([(before, first[0].row[1])])
    assert restarted.apply(late) is Fate.DUPLICATE


def test_a_time_once_disbelieved_and_then_believed_is_one_uplink() -> None:
    """The device is 61 minutes ahead; sent again two minutes later, it is 59 minutes ahead."""
    by = mask()
    said = values("river_gauge", stage_m=1.0)
    ahead = NOON + 61 * MINUTE
    first = reading(gauge(), said, ahead, 1, received_at=NOON)
    first.observed_at = NOON
    row_of(by.apply(first))
    assert (
        by.apply(reading(gauge(), said, ahead, 1, received_at=NOON + 2 * MINUTE)) is Fate.DUPLICATE
    )


def test_a_read_once_disbelieved_and_then_believed_is_one_uplink() -> None:
    by = mask()
    ahead = NOON + 61 * MINUTE
    first = reading(stop(), reads(TAG), ahead, 1, received_at=NOON)
    first.observed_at = NOON
    row_of(by.apply(first))
    again = reading(stop(), reads(TAG), ahead, 1, received_at=NOON + 2 * MINUTE)
    assert by.apply(again) is Fate.DUPLICATE


# -- the mask is alone --------------------------------------------------------------------------


def test_nothing_but_the_mask_makes_an_observation() -> None:
    """But for the one that seals what the mask made, and a cassette's fiction, which takes no place outside its own square
    in the open sea. Counts every call that names Observation, `tuple.__new__(Observation …)`, `_make`, `_replace`."""
    makers = {
        str(path.relative_to(GATEWAY.parent))
        for path in GATEWAY.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and _makes_observation(node)
    }
    rooms = {path.removeprefix("gateway/privacy/") for path in makers}
    assert rooms == {"mask.py", "rows.py", "sealed_mask.py", "fiction.py"}


def _makes_observation(call: ast.Call) -> bool:
    named = [part for part in (call.func, *call.args) if _is_observation(part)]
    made_over = (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in {"_make", "_replace"}
        and "observation" in ast.unparse(call.func.value).lower()
    )
    checks = isinstance(call.func, ast.Name) and call.func.id in {"isinstance", "issubclass"}
    return made_over or (bool(named) and not checks)


def _is_observation(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "Observation") or (
        isinstance(node, ast.Attribute) and node.attr == "Observation"
    )


def test_a_personal_kind_without_a_rule_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="no rule"):
        Mask(policy(), Keys(), {"cat_collar": None})


def test_a_kind_the_mask_does_not_know_fails_closed() -> None:
    by = Mask(policy(), Keys(), {})
    assert by.apply(fix(5_000, 0)) is Reason.FAULT


def test_who_is_gone_from_the_registry_is_forgotten() -> None:
    """What was open is closed: the same device, restored, must prove anew that it has left; others go on."""
    by, other = mask(), child("child-2")
    for device in (child(), other):
        leave_home(by, device)
    assert by.forget_left(lambda name: name == "child-2") == []
    assert by.apply(fix(600, 600)) is Reason.NOT_REOPENED
    assert isinstance(by.apply(fix(600, 600, other)), list)


# -- the mask whose rows are sealed ---------------------------------------------------------------


def test_of_a_household_erased_a_moment_ago_nothing_is_kept() -> None:
    """The directory still has its home when its key is gone; what comes then is suppressed, and no new key made."""
    keys = Keys()
    by = sealed_mask(keys)
    leave_home(by)
    assert isinstance(by.apply(fix(600, 600)), list)
    keys.erased.add("h-1")
    by.forget_keys()

    assert by.apply(fix(600, 660)) is Reason.ERASED
    assert by.apply(fix(10, 720)) is Reason.INSIDE_HOME


def test_a_household_s_key_that_cannot_be_read_decides_nothing() -> None:
    """The uplink is handed over again, and comes to what it would have come to."""

    class Away(Keys):
        away = True

        def household_key(self, household: str) -> bytes | None:
            if self.away:
                raise KeysUnavailable("EIO")
            return super().household_key(household)

    keys = Away()
    by = sealed_mask(keys)
    for _ in range(2):
        with pytest.raises(KeysUnavailable):
            by.apply(fix(10, 0))
    keys.away = False
    assert by.apply(fix(10, 0)) is Reason.INSIDE_HOME
    assert by.apply(fix(10, 0)) is Fate.DUPLICATE
