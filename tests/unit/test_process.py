"""Decode, date, mask: which clock is believed, and what a refusal leaves behind."""

from dataclasses import replace
from datetime import UTC
from hashlib import blake2b
from zoneinfo import ZoneInfo

import pytest

from gateway.interfaces import Outcome
from gateway.model.device import Device
from gateway.model.forwarded import Forwarded
from gateway.model.instant import DAY, HOUR, MINUTE, SECOND, Instant, to_rfc3339
from gateway.model.observation import Rejection
from gateway.model.reason import Fate, Reason
from gateway.model.uplink import Route, Uplinks
from gateway.pipeline.process import Process
from gateway.recent import Recent
from gateway.telemetry import Facts, Term
from tests.fakes.readings import NOON, child, gauge, leave_home, mask, policy, stop
from tests.fakes.uplinks import Item, route, uplink


def decided(
    *items: Item, at: Instant = NOON, zone: str = "UTC"
) -> tuple[Outcome, list[Term], dict[int, Reason]]:
    """What one chunk comes to, received at `at`: outcome, fates that are certain, refusals."""
    chunk = Uplinks("own", at, list(items), lambda _refused: None)
    batch = Process(mask(policy(UTC)), ZoneInfo(zone)).decide([chunk])
    return batch.outcome, list(batch.terms.elements()), batch.refusals[0]


def said(device: Device, at: Instant | None, counter: int | None = None) -> Item:
    """A gauge's stage with this time and counter."""
    parts = [] if at is None else [f'"t": "{to_rfc3339(at)}"']
    parts += [] if counter is None else [f'"seq": {counter}']
    return route(device), "{{{}}}".format(", ".join([*parts, '"stage_m": 1.5'])).encode()


def dated(at: Instant | None, registered_at: Instant = 0) -> tuple[Instant, str, int]:
    """(observed_at, clock, late) of a gauge's row, received at NOON."""
    outcome, _, _ = decided(said(replace(gauge(), registered_at=registered_at), at))
    (row,) = [observation.row for observation in outcome.rows[None, "river_gauge"].observations]
    return row[0], row[6], row[7]


@pytest.mark.parametrize("ahead", [-7 * DAY, -DAY, 0, MINUTE, HOUR])
def test_a_device_s_own_time_is_believed(ahead: Instant) -> None:
    """From a week behind to an hour ahead."""
    assert dated(NOON + ahead) == (NOON + ahead, "device", 0)


@pytest.mark.parametrize("at", [None, NOON + HOUR + 1000, NOON + 400 * DAY])
def test_a_time_that_is_missing_or_too_far_ahead_is_ours(at: Instant | None) -> None:
    assert dated(at) == (NOON, "gateway", 0)


def test_a_time_before_the_registration_is_ours() -> None:
    """A clock that begins in 1970 after a reset says nothing."""
    assert dated(NOON - 1000, registered_at=NOON) == (NOON, "gateway", 0)
    assert dated(NOON, registered_at=NOON) == (NOON, "device", 0)


def test_the_city_keeps_what_is_late_and_says_so() -> None:
    late = NOON - 7 * DAY - 1000
    assert dated(late) == (late, "device", 1)


READS = b'"reads": [{"epc": "30751FEB705C5904E3D50D70", "antenna": 1, "rssi_dbm": -55}]}'


@pytest.mark.parametrize("head", [b"{", b'{"colour": 1, '])
def test_a_person_s_uplink_with_neither_time_nor_counter_is_refused(head: bytes) -> None:
    """It could not be known again; either of the two is enough."""
    _, terms, refused = decided((route(stop()), head + READS))
    assert terms == [("own", "bus_stop_reader", Fate.REJECTED, Reason.UNDATED)]
    assert refused == {0: Reason.UNDATED}

    outcome, _, refused = decided((route(stop()), b'{"seq": 1, ' + READS))
    assert refused == {}
    assert len(outcome.rows) == 1


def test_a_refused_uplink_of_the_city_leaves_a_row_without_its_payload() -> None:
    payload = b'{"stage_m": 99}'
    outcome, terms, refused = decided((route(gauge()), payload))

    digest = blake2b(payload, digest_size=8).digest()
    assert outcome.rejections == [
        Rejection("2026-05-12", NOON, "decode", "out of range", "river-1", 15, digest)
    ]
    assert outcome.refusals_per_day == {}
    assert terms == [("own", "river_gauge", Fate.REJECTED, Reason.OUT_OF_RANGE)]
    assert refused == {0: Reason.OUT_OF_RANGE}


@pytest.mark.parametrize(
    ("sort", "reason"),
    [
        ("child broken", "undecodable"),
        ("child out of range", "out of range"),
        ("unknown device", "unknown device"),
        ("someone else's device", "not this credential's device"),
        ("no topic", "unknown topic"),
    ],
)
def test_a_person_s_or_a_stranger_s_leaves_a_count_of_the_day_and_no_more(
    sort: str, reason: str
) -> None:
    """Decisions 3: no device, no time, no digest. The day is the local one: 00:30 in Japan."""
    late_evening = NOON + 12 * HOUR + 30 * MINUTE  # 15:30 UTC
    outcome, _, _ = decided(uplink(sort, 1), uplink(sort, 2), at=late_evening, zone="Asia/Tokyo")

    assert outcome.refusals_per_day == {("2026-05-13", reason): 2}
    assert outcome.rejections == []
    assert outcome.rows == {}


def test_a_child_s_button_is_counted_and_leaves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Decisions 20: until there is somebody to tell, a press is counted in memory, at home too, once for
    what comes twice; no log line tells its hour, and nothing of it is written."""
    facts = Facts()
    pressed = [
        (route(child()), b'{"seq": %d, "button": true, "lat": 36.7, "lon": 137.2}' % n)
        for n in (1, 2, 2)
    ]
    idle = (route(child()), b'{"seq": 3, "lat": 36.7, "lon": 137.2}')
    process = Process(mask(policy(UTC)), ZoneInfo("UTC"), facts)
    batch = process.decide([Uplinks("own", NOON, [*pressed, idle], lambda _refused: None)])

    assert facts.counts == {"button pressed": 2}
    assert not batch.outcome
    assert caplog.records == []


@pytest.mark.parametrize("sort", ["child at home", "child without consent", "child without home"])
def test_what_is_suppressed_leaves_nothing_to_write(sort: str) -> None:
    """Not even an empty outcome is committed."""
    outcome, terms, refused = decided(uplink(sort, 1))

    assert not outcome
    assert refused == {}
    assert [fate for _, _, fate, _ in terms] == [Fate.SUPPRESSED]


def test_uplinks_of_one_chunk_are_judged_in_order_and_apart() -> None:
    """A broken one costs nothing of its neighbours; refusals name their places."""
    sorts = ["gauge", "gauge broken", "gauge", "unknown device", "child broken", "camera"]
    outcome, _, refused = decided(*(uplink(sort, n) for n, sort in enumerate(sorts)))

    assert sorted(refused) == [1, 3, 4]
    assert {kind: len(rows.observations) for (_, kind), rows in outcome.rows.items()} == {
        "river_gauge": 2,
        "wildlife_camera": 1,
    }


def test_a_bug_behind_the_mask_closes_and_harms_nobody_else() -> None:
    """The mask fails closed for one device; the chunk goes on."""
    broken = replace(child(), household=object())  # type: ignore[arg-type]
    fix = b'{"seq": 1, "lat": 36.9, "lon": 137.2}'
    outcome, terms, _ = decided((route(broken), fix), uplink("gauge", 1))

    assert terms == [("own", "child_tracker", Fate.SUPPRESSED, Reason.FAULT)]
    assert list(outcome.rows) == [(None, "river_gauge")]


def test_the_digest_is_that_of_the_whole_payload() -> None:
    """Two uplinks that say the same in other bytes are two."""
    one, other = b'{"seq": 1, "stage_m": 1.5}', b'{"seq": 1, "stage_m": 1.50}'
    outcome, _, _ = decided((route(gauge()), one), (route(gauge()), other), at=NOON + SECOND)
    rows = outcome.rows[None, "river_gauge"].observations
    assert [len(row.row[3]) for row in rows] == [8, 8]
    assert rows[0].row[3] != rows[1].row[3]


@pytest.mark.parametrize(("exact", "fate"), [(False, Reason.SIMULATED), (True, None)])
def test_what_a_server_invents_of_a_child_is_no_row_among_real_ones(
    exact: bool, fate: Reason | None
) -> None:
    """Suppressed like any other, so that the answer is the same; where nobody is real, it is shown."""
    by = mask(policy(UTC))
    leave_home(by)
    item = uplink("child away", 1)
    route_, payload = item
    assert isinstance(route_, Route)
    assert isinstance(payload, bytes)
    said = Forwarded(1, 900, "s", payload, None, NOON + MINUTE, simulated=True)
    told = Route(
        route_.device, route_.kind, lambda uplink, device: route_.decode(uplink.data, device)
    )
    process = Process(by, ZoneInfo("UTC"), Facts(Recent(exact=exact)))
    batch = process.decide([Uplinks("own", NOON + MINUTE, [(told, said)], lambda _refused: None)])
    assert [term[3] for term in batch.terms] == ([fate] if fate else [])
    assert bool(batch.outcome.rows) is (fate is None)
