"""The oracle on cases made by hand from docs/mask.md."""

from collections import Counter
from typing import Any

import pytest

from gateway.model.instant import DAY, HOUR, MINUTE, SECOND
from simulators.area import in_municipality
from simulators.ledger import roster_line, uplink_line
from simulators.oracle import judge_ledger
from simulators.oracle_mesh import distance_m
from simulators.oracle_rules import Rules
from simulators.oracle_verdict import Verdict, battery_class
from simulators.scenario import DEFAULT_START, Scenario

HOME = (36.7400, 137.2200)
T0 = DEFAULT_START
_M = 1 / 110_972.8  # degrees of latitude per metre at 36.74°


def child(**changes: Any) -> dict[str, Any]:
    """A roster line of a child with consent and a home."""
    line = {
        "roster": "child-0001", "kind": "child_tracker", "owner": "16201",
        "registered_at": T0 - DAY, "attributes": {}, "household": "h-1", "home": HOME,
        "crs": "EPSG:4326", "radius_m": None, "consent": True,
    }  # fmt: skip
    return line | changes


def fix(n: int, north_m: float, minute: float | None = None, **changes: Any) -> dict[str, Any]:
    """The `n`-th uplink, so many metres north of home, `minute` minutes after T0 (default n)."""
    t = T0 + round((n if minute is None else minute) * MINUTE)
    values = {"lat": HOME[0] + north_m * _M, "lon": HOME[1], "accuracy_m": 5.0, "battery_pct": 60.0}
    line = {
        "n": n, "device": "child-0001", "kind": "child_tracker", "sent": t + SECOND, "t": t,
        "seq": n, "digest": f"{n:016x}", "harm": None, "values": values,
    }  # fmt: skip
    return line | changes


def fates(*lines: dict[str, Any], roster: dict[str, Any] | None = None, **more: Any) -> list[str]:
    """Reason or fate of each uplink."""
    return [
        str(verdict.reason or verdict.fate)
        for verdict in judge_ledger([roster or child(), *lines], **more)
    ]


INSIDE, CLOSED = "inside the home radius", "not yet reopened"


def test_a_child_leaves_home() -> None:
    """Three good fixes 300 m beyond the buffer reopen; the fourth is the first one stored."""
    assert fates(*(fix(n, 500) for n in (1, 2, 3, 4))) == [CLOSED, CLOSED, CLOSED, "stored"]


def test_displacement_reopens_nearer_home() -> None:
    """Nearer than 300 m beyond the buffer, more than 150 m from the first to this fix is needed."""
    walk = [fix(n, 100 + 45 * n) for n in range(1, 7)]

    assert fates(*walk) == [CLOSED] * 5 + ["stored"]
    assert fates(*(fix(n, 200) for n in range(1, 30))) == [CLOSED] * 29


def test_coming_home_closes() -> None:
    """One fix that is not provably outside closes; radius + 2 × accuracy + 1 m is the line."""
    open_first = [fix(n, 500) for n in (1, 2, 3)]

    assert fates(*open_first, fix(4, 62), fix(5, 60), fix(6, 500))[3:] == ["stored", INSIDE, CLOSED]


def test_a_late_fix_near_home_closes() -> None:
    """Step 6: what comes out of order is late; only a place near home closes."""
    away = [fix(n, 500) for n in (1, 2, 3, 4)]

    assert fates(*away, fix(5, 62, minute=3.5), fix(6, 500))[4:] == ["late", "stored"]
    assert fates(*away, fix(5, 60, minute=3.5), fix(6, 500))[4:] == ["late", CLOSED]


def test_what_is_older_than_a_row_may_stay_is_late() -> None:
    """Step 3: with rows that stay two days, three days are too many."""
    old = fix(1, 500) | {"sent": T0 + 3 * DAY}

    assert fates(old) == [CLOSED]
    assert fates(old, rules=Rules(in_municipality, retain_days=2)) == ["late"]


def test_a_radius_of_ones_own() -> None:
    """A household's own radius stands in for the policy's."""
    lines = [*(fix(n, 500) for n in (1, 2, 3)), fix(4, 105)]

    assert fates(*lines)[-1] == "stored"
    assert fates(*lines, roster=child(radius_m=100.0))[-1] == INSIDE


def test_accuracy_that_is_not_said_counts_ten_metres() -> None:
    """Ten metres make a margin of 21 m; above 50 m nothing is stored."""
    away = [fix(n, 500) for n in (1, 2, 3)]
    unsaid, poor = fix(4, 70), fix(4, 500)
    unsaid["values"]["accuracy_m"] = None
    poor["values"]["accuracy_m"] = 50.5

    assert fates(*away, unsaid)[-1] == INSIDE
    assert fates(*away, poor)[-1] == "poor accuracy"


def test_a_gap_closes() -> None:
    """More than 30 minutes of silence, and the child starts closed again."""
    away = [fix(n, 500) for n in (1, 2, 3, 4)]

    assert fates(*away, fix(5, 500, minute=34))[-1] == "stored"
    assert fates(*away, fix(5, 500, minute=34.1))[-1] == CLOSED


def test_duplicates_come_before_the_mask() -> None:
    """A resent fix is a duplicate, changes nothing, and does not count towards reopening."""
    first = fix(1, 500)
    again = first | {"n": 2, "sent": first["sent"] + 30 * SECOND, "harm": "duplicate"}

    assert fates(first, again, *(fix(n, 500) for n in (3, 4, 5))) == [
        CLOSED, "duplicate", CLOSED, CLOSED, "stored",
    ]  # fmt: skip
    assert fates(first, again, roster=child(consent=False)) == ["no consent", "duplicate"]


def test_what_a_restart_forgets() -> None:
    """After a restart a child starts inside; a stored row that is sent again is not stored twice."""
    away = [fix(n, 500) for n in range(1, 9)]

    assert fates(*away, restarts={5}) == [CLOSED] * 3 + ["stored"] * 2 + [CLOSED] * 3
    resent = away[4] | {"n": 9, "sent": away[4]["sent"] + MINUTE}
    assert fates(*away[:5], resent, restarts={5})[-1] == CLOSED


def test_what_was_not_acknowledged_counts_again_after_a_restart() -> None:
    """Committed up to 5, acknowledged up to 3: the new mask meets 4 and 5 first, then 6 reopens."""
    away = [fix(n, 500) for n in range(1, 9)]

    found = fates(*away, restarts={5: 3})

    assert found == [CLOSED] * 3 + ["stored"] * 2 + [CLOSED] + ["stored"] * 2


@pytest.mark.parametrize(
    ("changes", "roster", "reason"),
    [
        ({}, {"consent": False}, "no consent"),
        ({"sent": T0 + 8 * DAY}, {}, "late"),
        ({}, {"household": None, "home": None}, "no home known"),
        ({}, {"home": None}, "no home known"),
        ({}, {"crs": "EPSG:4612"}, "unknown coordinate system"),
        ({"values": {"battery_pct": 50.0}}, {}, "no position"),
        ({"values": {"lat": float("nan"), "lon": 137.2}}, {}, "the mask failed closed"),
        ({"values": {"lat": 0.0, "lon": 0.0009}}, {}, "position (0, 0)"),
        ({"values": {"lat": 35.68, "lon": 139.76}}, {}, "outside the service area"),
        ({"harm": "corrupt", "values": None}, {}, "undecodable"),
        ({"harm": "out_of_range"}, {}, "out of range"),
        ({"harm": "unknown_device", "device": "ghost-0001"}, {}, "unknown device"),
        ({"t": None, "seq": None}, {}, "neither time nor counter"),
    ],
)
def test_every_reason(changes: dict[str, Any], roster: dict[str, Any], reason: str) -> None:
    """Each step of the page has its reason."""
    assert fates(fix(1, 500, **changes), roster=child(**roster)) == [reason]


def test_rules_in_force_and_time_that_goes_back() -> None:
    """Nothing observed before the rules is stored; a fix older than the newest is late."""
    assert fates(fix(1, 500), rules=Rules(in_municipality, T0 + HOUR)) == [
        "observed before these rules"
    ]
    assert fates(fix(1, 500), fix(2, 500, minute=0.5))[-1] == "late"


def test_a_stored_row() -> None:
    """The minute's start, five decimals, the battery's class, and nothing else."""
    lines = [child(), *(fix(n, 500, minute=n + 0.4) for n in (1, 2, 3, 4))]
    verdict: Verdict = list(judge_ledger(lines))[-1]

    assert verdict.rows[0].at == T0 + 4 * MINUTE
    assert verdict.rows[0].values == {
        "lat": round(HOME[0] + 500 * _M, 5), "lon": 137.22, "battery_class": 3, "cell": None, "leg": None,
    }  # fmt: skip


def test_battery_classes() -> None:
    """Four classes, their tops included; unknown stays unknown."""
    assert [battery_class(p) for p in (0.0, 25.0, 25.5, 50.0, 75.0, 75.5, 100.0)] == [
        1, 1, 2, 2, 3, 4, 4,
    ]  # fmt: skip
    assert battery_class(None) is None


def test_reads_and_gauges() -> None:
    """One row per read, none for a sign of life; a distance becomes a stage."""
    roster = [
        child(roster="stop-1", kind="bus_stop_reader", attributes={"mount": "stop", "stop": "1_1"}),
        child(roster="river-01", kind="river_gauge", attributes={"datum_m": 4.2}),
    ]
    reads = [{"epc": "30" * 12, "antenna": a, "rssi_dbm": -60} for a in (1, 2)]
    reader: dict[str, Any] = {"device": "stop-1", "kind": "bus_stop_reader"}
    gauge: dict[str, Any] = {
        "device": "river-01",
        "kind": "river_gauge",
        "values": {"distance_m": 2.41},
    }
    lines = [
        fix(1, 0, **reader, values={"reads": reads}),
        fix(2, 0, **reader, values={"reads": []}),
        fix(1, 0, **reader, values={"reads": reads}) | {"n": 3},
        fix(4, 0, **gauge),
    ]
    verdicts = list(judge_ledger([*roster, *lines]))

    assert [str(v.fate) for v in verdicts] == ["stored", "counted", "duplicate", "stored"]
    assert [row.values["antenna"] for row in verdicts[0].rows] == [1, 2]
    assert verdicts[3].rows[0].values["stage_m"] == 1.79


def test_distance() -> None:
    """On WGS 84 a second of latitude at 36.74° is 30.83 m, one of longitude 24.81 m."""
    second = 1 / 3600

    assert distance_m(36.74, 137.0, 36.74 + second, 137.0) == pytest.approx(30.826, abs=0.001)
    assert distance_m(36.74, 137.0, 36.74, 137.0 + second) == pytest.approx(24.810, abs=0.002)
    assert distance_m(*HOME, *HOME) == 0.0


def test_a_simulated_morning() -> None:
    """Every uplink has exactly one fate; schoolchildren are seen at school, and nobody near home."""
    scenario = Scenario(seed=7, children=30, harm=0.01)
    roster = {device.device: roster_line(device) for device in scenario.fleet()}
    lines = [
        uplink_line(n, uplink)
        for n, uplink in enumerate(scenario.uplinks(DEFAULT_START + 2 * HOUR), 1)
    ]
    verdicts = list(judge_ledger([*roster.values(), *lines]))

    assert [verdict.n for verdict in verdicts] == [line["n"] for line in lines]
    places: Counter[str] = Counter()
    for verdict, line in zip(verdicts, lines, strict=True):
        if verdict.rows and verdict.kind == "child_tracker":
            places[line["truth"]["place"]] += 1
            truth, home = line["truth"], roster[line["device"]]["home"]
            assert distance_m(truth["lat"], truth["lon"], *home) > 50.0
    assert places["school"] > 200
    assert places["walk"] > 20
    assert places["home"] == 0
