"""What may be known of the air beside real people's devices: nothing that tells a masked uplink from a stored one."""

import json

from gateway.app.radio_health import (
    Hourly,
    are_real,
    counts,
    joins,
    refusals,
    roofs,
    troubles,
    unserved,
)
from gateway.lorawan.refusals import Refused
from gateway.lorawan.troubles import Troubles
from gateway.lorawan.unserved import Unserved
from gateway.model.device import Directory
from gateway.model.identity import DeviceId
from gateway.model.instant import MINUTE, parse_rfc3339
from gateway.recent import Recent
from gateway.wire.lorawan.identifiers import Eui
from tests.fakes.readings import child, gauge

NOON = parse_rfc3339("2026-05-12T12:00:00Z")
ROOF = Eui.of("aa555a0000000001")


def heard(exact: bool, frames: int, said_us: int = 0) -> Recent:
    recent = Recent(exact)
    roof = recent.roofs[str(ROOF)]
    roof.said = roof.back = NOON - said_us
    roof.frames = frames
    return recent


def test_one_frame_more_is_not_to_be_seen_where_people_are_real() -> None:
    """Neither its count nor its moment; where nobody is real both are said."""
    one, two = heard(False, 1), heard(False, 2, said_us=MINUTE)
    assert roofs(one, [ROOF], NOON) == roofs(two, [ROOF], NOON)
    (exact,) = roofs(heard(True, 2), [ROOF], NOON)
    assert exact["frames"] == 2


def test_a_forwarder_is_gone_after_five_minutes() -> None:
    (gone,) = roofs(heard(False, 1, said_us=6 * MINUTE), [ROOF], NOON)
    assert (gone["seen"], gone["there"], gone["reachable"]) == (True, False, False)
    (never,) = roofs(Recent(), [ROOF], NOON)
    assert (never["seen"], never["there"]) == (False, False)


def test_of_real_people_s_devices_no_trouble_is_told() -> None:
    """Of things of the city, and where nobody is real, all; and one that is believed has none."""
    person, thing = child(), gauge()
    directory = Directory({one.device: one for one in (person, thing)}, {})
    of = Troubles()
    for device in (person.device, thing.device):
        of.doubt(device, Refused.WRONG_KEY, NOON)
    shown = troubles(Recent(), directory, of.of)
    assert [one["device"] for one in shown] == [thing.device]
    assert str(person.device) not in json.dumps(shown)
    assert len(troubles(Recent(exact=True), directory, of.of)) == 2
    of.believe(DeviceId(thing.device))
    assert troubles(Recent(), directory, of.of) == []


def test_people_are_real_where_one_device_of_theirs_may_speak() -> None:
    """Or one that is of no known kind; not in a directory in which nobody is real."""
    person, thing = child(), gauge()
    directory = Directory({one.device: one for one in (person, thing)}, {})
    assert not are_real(Recent(), directory, [thing.device])
    assert are_real(Recent(), directory, [thing.device, person.device])
    assert are_real(Recent(), directory, [DeviceId("nobody")])
    assert not are_real(Recent(exact=True), directory, [person.device])


def test_where_people_are_real_a_count_is_a_power_of_ten_from_a_hundred_on() -> None:
    """Of answers to joins the number is told: no mask stands behind a join."""
    known = {"answer sent": 99, "downlink sent": 734, "law": 1000, "join-accept sent": 3}
    assert counts(known, people=False) == known
    assert counts(known, people=True) == {"downlink sent": 100, "law": 1000}
    assert joins(known) == {"join-accept sent": 3}


def test_what_would_move_with_a_frame_is_told_anew_once_an_hour() -> None:
    """The hundredth frame, or the first refused one, would else tell the moment at which it came."""
    hourly, told = Hourly(), iter(range(10))
    for minutes, expected in ((0, 0), (1, 0), (59, 0), (60, 1), (61, 1), (600, 2)):
        assert hourly.told(NOON + minutes * MINUTE, lambda: {"n": next(told)}) == {"n": expected}


def test_frames_of_nobody_may_be_counted_as_they_come() -> None:
    """A join, or a frame of another network, is no uplink of a person whom the mask may hide."""
    known = {Refused.UNKNOWN_DEVICE: 3, Refused.REPLAYED: 2, Refused.WRONG_KEY: 1}
    at_once, slowly = refusals(known, people=True)
    assert at_once == {"join of an unknown device": 3}
    assert slowly == {"replayed": 2, "wrong MIC": 1}
    assert refusals(known, people=False) == ({why.value: n for why, n in known.items()}, {})


def test_of_real_people_s_devices_it_is_not_told_what_they_ask_for() -> None:
    person, thing = child(), gauge()
    directory = Directory({one.device: one for one in (person, thing)}, {})
    asked = {one.device: Unserved.CLASS_B for one in (person, thing)}
    assert unserved(Recent(), directory, asked) == [{"device": thing.device, "what": "Class B"}]
    assert len(unserved(Recent(exact=True), directory, asked)) == 2
