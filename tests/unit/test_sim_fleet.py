"""A large fleet: wards that do not move each other, and a rate that is counted honestly."""

from itertools import pairwise

import pytest

from gateway.model.instant import MINUTE, SECOND
from simulators.outlets.endpoint import Endpoint
from simulators.outlets.fleet import FleetOutlet
from simulators.outlets.mqtt import MqttOutlet
from simulators.rate import Rate
from simulators.scenario import DEFAULT_START, Scenario
from simulators.selection import numbered
from simulators.streams import stream
from simulators.uplink import SimUplink

UNTIL = DEFAULT_START + 4 * MINUTE


def fleet(devices: int, **more: float) -> Scenario:
    return Scenario(seed=7, children=5, devices=devices, **more)  # type: ignore[arg-type]


def test_a_fleet_has_as_many_devices_as_asked_for_all_of_them_different() -> None:
    for devices in (1, 57, 58, 59, 300):
        names = [device.device for device in fleet(devices).fleet()]
        assert len(names) == len(set(names)) == devices


def test_households_of_two_wards_are_two() -> None:
    """Nobody lives with somebody of another ward, and no two wards have the same homes."""
    homes = [(d.household, d.home) for d in fleet(116).fleet() if d.kind == "child_tracker"]
    first, second = homes[:5], homes[5:]
    assert not {household for household, _ in first} & {household for household, _ in second}
    assert [home for _, home in first] != [home for _, home in second]


@pytest.mark.parametrize("harm", [0.0, 0.1])
def test_a_larger_fleet_begins_with_the_smaller_one(harm: float) -> None:
    """The town alone, two wards, two and a half: those before send the same bytes."""
    town = list(Scenario(seed=7, children=5, harm=harm).uplinks(UNTIL))
    two, more = (list(fleet(n, harm=harm).uplinks(UNTIL)) for n in (116, 140))
    first = {device.device for device in fleet(58).fleet()}
    known = {device.device for device in fleet(116).fleet()}
    assert [u for u in two if (u.origin or u.device) in first] == town
    assert [u for u in more if (u.origin or u.device) in known] == two
    assert len(more) > len(two) > len(town) > 20
    assert all(one.sent <= other.sent for one, other in pairwise(more))


def test_a_part_is_the_same_as_in_the_whole() -> None:
    """Some devices, single uplinks by name, a stretch of time; alone and together."""
    whole = list(numbered(Scenario(seed=7, children=5, harm=0.2).uplinks(UNTIL)))

    def part(**selection: object) -> list[SimUplink]:
        scenario = Scenario(seed=7, children=5, harm=0.2, **selection)  # type: ignore[arg-type]
        return list(scenario.uplinks(UNTIL))

    begins, ends = DEFAULT_START + MINUTE, DEFAULT_START + 3 * MINUTE
    assert part(only=("child-0002",)) == [u for n, u in whole if n.startswith("child-0002#")]
    assert part(only=("child-0002#2", "child-0004")) == [
        u for n, u in whole if n == "child-0002#2" or n.startswith("child-0004#")
    ]
    assert part(begins=begins, ends=ends) == [u for _, u in whole if begins <= u.sent < ends]
    assert part(begins=begins, only=("child-0002#2",)) == [
        u for n, u in whole if n == "child-0002#2" and u.sent >= begins
    ]


def test_the_worst_second_is_the_one_in_which_most_were_late() -> None:
    """Four a second for three seconds; in the second one, one leaves too late and one just in time."""
    rate = Rate()
    for number in range(13):
        due = number / 4
        late = {5: 1.001, 6: 0.999}.get(number, 0.0)
        rate.note(due, due + late)
    assert (rate.wanted, rate.held, rate.seconds, rate.worst) == (13, 12, 3, 0.75)
    assert rate.figures() == {
        "wanted_per_s": 4.3, "held_per_s": 4.0, "worst_second": 0.75, "latest_s": 1.001,
    }  # fmt: skip


async def test_a_device_always_speaks_on_the_same_connection() -> None:
    """And one that poses as another, on its own."""
    outlets = [
        MqttOutlet(Endpoint("127.0.0.1", 1, window=10_000), stream(n, "test")) for n in range(4)
    ]
    together = FleetOutlet(outlets)
    said = list(fleet(300, harm=0.3).uplinks(DEFAULT_START + 30 * SECOND))
    where: dict[str, set[int]] = {}
    for uplink in said:
        before = [outlet.sent for outlet in outlets]
        await together.send(uplink)
        moved = [n for n, outlet in enumerate(outlets) if outlet.sent != before[n]]
        where.setdefault(uplink.origin or uplink.device, set()).update(moved)
    assert {len(numbers) for numbers in where.values()} == {1}
    assert len({n for numbers in where.values() for n in numbers}) == 4
    assert (together.sent, together.acked) == (len(said), 0)
