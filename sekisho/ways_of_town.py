"""The ways of a fictional town's children, as their trackers would report them; nothing is sent anywhere."""

from collections.abc import Callable

from gateway.model.instant import DAY, Instant
from sekisho.ways import Fix, Way
from simulators.behaviors.child_tracker import ChildTracker
from simulators.families import Child, families
from simulators.fleet import SimDevice
from simulators.speaker import Speaker
from simulators.timeline import Timeline
from simulators.town import MUNICIPALITY, Town
from simulators.uplink import SimUplink


def ways_of(
    here: Town,
    seed: int,
    children: int,
    begin: Instant,
    days: int,
    every_s: float,
    done: Callable[[int], None],
) -> list[Way]:
    """So many children for so many days, all of them with a home that is known and a consent.

    Args:
        done: told after each child how many there are.
    """
    found = []
    for child in families(here, seed, children):
        found.append(_way(here, seed, child, begin, begin + days * DAY, every_s))
        done(len(found))
    return found


def _way(here: Town, seed: int, child: Child, begin: Instant, end: Instant, every_s: float) -> Way:
    timeline = Timeline(begin)
    fixes: list[Fix] = []
    trip = 0
    walked = False

    def note(uplink: SimUplink) -> None:
        nonlocal trip, walked
        assert uplink.truth is not None
        assert uplink.t is not None
        walks = uplink.truth["place"] == "walk"
        trip += walks and not walked
        walked = walks
        values = uplink.values or {}
        place = values.get("lat"), values.get("lon"), values.get("accuracy_m")
        fixes.append(Fix(uplink.t, *place, trip if walks else None))

    device = SimDevice(child.device, "child_tracker", "json", MUNICIPALITY, begin - DAY)
    ChildTracker(here, seed, child, Speaker(device, note), timeline, every_s).begin()
    while (due := timeline.next_at) is not None and due < end:
        timeline.step()
    return Way(child.device, here.plane.degrees(child.household.dwelling.house), fixes)
