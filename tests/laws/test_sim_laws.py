"""Laws of the simulated town: dice, time, ways, water."""

from datetime import date, timedelta
from functools import partial
from itertools import islice, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.instant import HOUR, MINUTE, SECOND
from simulators.calendar import midnight
from simulators.childday import plan_day
from simulators.families import families
from simulators.river import Reach
from simulators.scenario import DEFAULT_START, Scenario
from simulators.streams import stream
from simulators.streets import Point, between, distance
from simulators.timeline import Timeline
from simulators.town import town
from simulators.weather import Weather

NAMES = st.lists(st.text(max_size=6), min_size=1, max_size=4).map(tuple)


@given(st.integers(), NAMES, NAMES)
def test_streams_are_independent(seed: int, one: tuple[str, ...], other: tuple[str, ...]) -> None:
    """The same names give the same dice, any other names give others."""
    draws = [stream(seed, *names).random() for names in (one, one, other)]

    assert draws[0] == draws[1]
    assert (draws[0] == draws[2]) == (one == other)


def note(seen: list[tuple[int, int]], number: int, at: int) -> None:
    """A happening that only says that it happened."""
    seen.append((at, number))


@given(st.lists(st.integers(min_value=0, max_value=50)))
def test_a_timeline_keeps_order(moments: list[int]) -> None:
    """Happenings come in order of time, equal moments in the order they were planned."""
    timeline = Timeline(0)
    seen: list[tuple[int, int]] = []
    for number, moment in enumerate(moments):
        timeline.plan(moment, partial(note, seen, number))

    while timeline.next_at is not None:
        timeline.step()

    assert seen == sorted((moment, number) for number, moment in enumerate(moments))


def off_street(point: Point) -> float:
    """Metres from a point to the nearest street."""
    streets = town().streets
    return min(off_edge(point, streets.nodes[a], streets.nodes[b]) for a, b in streets.edges)


def off_edge(p: Point, a: Point, b: Point) -> float:
    """Metres from `p` to the nearest point of the street a–b."""
    dx, dy = b.x - a.x, b.y - a.y
    square = dx * dx + dy * dy
    share = 0.0 if square == 0 else ((p.x - a.x) * dx + (p.y - a.y) * dy) / square
    return distance(p, between(a, b, min(1.0, max(0.0, share))))


@settings(max_examples=25)
@given(
    st.integers(min_value=0, max_value=10_000),
    st.integers(min_value=0, max_value=29),
    st.integers(min_value=0, max_value=27),
    st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_walks_stay_on_the_streets(seed: int, number: int, ahead: int, share: float) -> None:
    """A walking child is on a street, or on the few metres between street and house or school."""
    day = plan_day(
        town(), seed, families(town(), seed, 30)[number], date(2026, 5, 4) + timedelta(days=ahead)
    )

    for leg in day.legs:
        if leg.place == "walk":
            point = leg.where(leg.begin + round((leg.end - leg.begin) * share))
            assert off_street(point) <= 18.5


@settings(max_examples=25)
@given(st.integers(min_value=0, max_value=10_000), st.integers(min_value=0, max_value=27))
def test_a_day_has_no_gaps(seed: int, ahead: int) -> None:
    """Legs follow one another from midnight to midnight, and nobody jumps between two of them."""
    when = date(2026, 5, 4) + timedelta(days=ahead)
    for child in families(town(), seed, 5):
        legs = plan_day(town(), seed, child, when).legs

        assert legs[0].begin == midnight(when)
        assert legs[-1].end == midnight(when + timedelta(days=1))
        for before, after in pairwise(legs):
            assert before.end == after.begin
            assert before.points[-1] == after.points[0]


@settings(max_examples=20)
@given(
    st.floats(min_value=5.0, max_value=60.0),
    st.floats(min_value=1.1, max_value=3.0),
    st.floats(min_value=5.0, max_value=200.0),
)
def test_a_stage_answers_rain(mm_per_h: float, factor: float, area: float) -> None:
    """Without rain the river is still; with rain it rises, with more rain higher, and falls again."""

    def stages(rain: float) -> list[float]:
        reach = Reach(lambda at: rain if 0 <= at < 3 * HOUR else 0.0, 0, area, 2.0, 10.0)
        return [reach.stage_m(hour * HOUR) for hour in range(48)]

    dry, wet, wetter = stages(0.0), stages(mm_per_h), stages(mm_per_h * factor)

    assert max(dry) - min(dry) < 1e-6
    assert max(wet) > dry[0] + 0.01
    assert max(wetter) > max(wet)
    assert wet[-1] < max(wet)


@given(st.integers(min_value=0, max_value=500), st.integers(min_value=0, max_value=3000))
def test_rain_is_never_negative(seed: int, minutes: int) -> None:
    """Rain falls or does not, and asking twice gives the same."""
    weather = Weather(seed, DEFAULT_START)
    at = DEFAULT_START + minutes * MINUTE

    assert weather.rain_mm_h(at) == weather.rain_mm_h(at) >= 0.0


@settings(max_examples=5)
@given(st.integers(min_value=0, max_value=1000))
def test_more_children_change_nothing_for_those_before(seed: int) -> None:
    """With 10 or 100 children, the first ten children and the whole city send the same bytes."""
    until = DEFAULT_START + HOUR
    few, many = (
        [
            (uplink.device, uplink.sent, uplink.payload)
            for uplink in Scenario(seed, children).uplinks(until)
            if not uplink.device.startswith("ghost")
            and not "child-0010" < uplink.device < "child-9999"
        ]
        for children in (10, 100)
    )

    assert len(few) > 400
    assert sorted(few) == sorted(many)


@settings(max_examples=5)
@given(st.integers(min_value=0, max_value=1000), st.sampled_from([30.0, 60.0, 180.0]))
def test_town_time_never_goes_back(seed: int, every: float) -> None:
    """Uplinks leave in order of town time, and a device's counter grows with its own time."""
    last = DEFAULT_START
    newest: dict[str, tuple[int, int]] = {}
    for uplink in islice(Scenario(seed, 5, report_every_s=every).uplinks(), 1500):
        assert uplink.sent >= last
        assert uplink.t is not None
        assert uplink.seq is not None
        assert uplink.t <= uplink.sent + SECOND
        last = uplink.sent
        if uplink.harm is None:
            before = newest.get(uplink.device, (0, 0))
            assert uplink.seq > before[0]
            assert uplink.t >= before[1]
            newest[uplink.device] = (uplink.seq, uplink.t)
