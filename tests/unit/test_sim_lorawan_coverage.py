"""The planning of a network: strengths by hand-worked values, small runs within what must hold, and the verb's table."""

import itertools
import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.lorawan.airtime import FRAME, airtime_us
from gateway.lorawan.plan import DataRate
from gateway.lorawan.regions import PLANS
from gateway.model.errors import Refusal
from simulators.lorawan.coverage import Covered, Wish, cover
from simulators.lorawan.links import shadow_db
from simulators.lorawan.square import Site, Stand, antennas, degrees, side_m, sites
from simulators.lorawan.talker import Talker
from simulators.streets import Point
from tests.fakes.front_door import Sekisho

PLAN = PLANS["AS923-1"]
SMALL = Wish(PLAN, 120, for_s=1800.0, area_km2=60.0)
HERE = Point(5000, 5000)


def ran(wish: Wish, forwarders: int) -> Covered:
    return cover(wish, forwarders, lambda _share: None)


def talker(metres: float, stand: Stand = Stand.OUTDOORS, rates: str = "adr", *, at_full: bool = False) -> Talker:  # fmt: skip
    site = Site("node-1", Point(HERE.x + metres, HERE.y), stand)
    return Talker(7, PLAN, site, {"mast": HERE}, rates, 13.0, at_full=at_full)


def metres(best_dbm: float) -> float:
    """How far from the mast the node hears it so strongly, its shadow being what it is."""
    loss = 13 + 5 - shadow_db(7, "node-1", "mast") - best_dbm
    return float(1000 * 10 ** ((loss - 128.95) / 23.2))


@pytest.mark.parametrize(
    ("stand", "extra_db"), [(Stand.OUTDOORS, 0.0), (Stand.INDOORS, 15.0)], ids=["outdoors", "in"]
)
def test_the_link_budget_is_power_and_gain_less_loss_walls_and_shadow(stand: Stand, extra_db: float) -> None:  # fmt: skip
    """At a kilometre: 13 + 5 - 128.95 dBm, before shadow."""
    expected = 13 + 5 - 128.95 - extra_db - shadow_db(7, "node-1", "mast")
    assert talker(1000, stand).near["mast"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("best_dbm", "sf"),
    [(-112.9, 7), (-113.1, 8), (-116.1, 9), (-119.1, 10), (-130.0, 10)],
)
def test_a_node_at_rest_takes_the_fastest_rate_with_ten_db_to_spare(best_dbm: float, sf: int) -> None:  # fmt: skip
    """SF7 is heard from -123 dBm, SF8 from -126, SF9 from -129; in Japan nobody goes below SF10 of his own."""
    one = talker(metres(best_dbm))
    assert one.near["mast"] == pytest.approx(best_dbm)
    assert PLAN.data_rates[one.dr].sf == sf


def test_power_is_saved_in_steps_of_2_db_for_every_3_db_to_spare() -> None:
    """At -100 dBm SF7 has 13 dB to spare beyond its ten: four steps, 8 dB."""
    one = talker(metres(-100.0), rates="adr+power")
    assert one.eirp_dbm == 13 - 8
    assert one.near["mast"] == pytest.approx(-108.0)
    assert talker(metres(-100.0)).eirp_dbm == 13


def test_what_rides_on_a_car_keeps_the_rate_at_which_it_joined() -> None:
    assert PLAN.data_rates[talker(10, Stand.CAR).dr].sf == 10


def test_an_antenna_is_left_out_only_where_it_can_neither_hear_nor_be_disturbed() -> None:
    """Weaker than -143 dBm by four times the fading: 6 dB below the weakest frame that is ever heard."""
    assert "mast" in talker(metres(-150.9)).near
    assert talker(metres(-151.1)).near == {}


def test_nodes_keep_their_own_time_or_that_of_the_clock() -> None:
    """Ten minutes, give or take a twentieth and a slow crystal; or within half a second after the full ten minutes."""
    every = 600_000_000
    own, full = talker(1000), talker(1000, at_full=True)
    at = [own.first_us(every)]
    for _ in range(50):
        at.append(own.next_us(at[-1], every))
    gaps = [after - before for before, after in itertools.pairwise(at)]
    assert all(0.9499 * every < gap < 1.0501 * every for gap in gaps)
    assert len(set(gaps)) == len(gaps)
    struck = [full.next_us(n * every + 400_000, every) for n in range(5)]
    assert all(0 <= one - (n + 1) * every <= 500_000 for n, one in enumerate(struck))


def test_every_uplink_has_one_fate_and_airtime_is_that_of_its_rate() -> None:
    told = ran(replace(SMALL, rates="join"), 6)
    assert sum(one.sent for one in told.talkers) == told.uplinks
    assert sum(one.heard for one in told.talkers) == told.heard == sum(told.receptions.values())
    assert told.air_us == told.uplinks * airtime_us(FRAME + 12, DataRate(10, 125_000))
    assert told.rates == {10: 120}
    assert told.by_stand.total() == told.uplinks


def test_the_same_seed_tells_the_same_and_another_one_other_figures() -> None:
    one, same, other = (ran(replace(SMALL, seed=seed), 4) for seed in (7, 7, 8))
    assert (one.fates, one.receptions, one.air_us) == (same.fates, same.receptions, same.air_us)
    assert (one.receptions, one.air_us) != (other.receptions, other.air_us)


def test_more_forwarders_hear_more_and_lose_less() -> None:
    few, many = (ran(SMALL, forwarders) for forwarders in (1, 16))
    assert many.mean_receptions > 3 * few.mean_receptions
    assert many.lost_share < few.lost_share / 2
    assert few.receptions.keys() == {1}
    assert sum(r for r in many.receptions.values()) == many.heard


def test_nodes_with_a_tenth_of_the_power_are_heard_by_fewer_and_are_slower() -> None:
    loud, soft = (ran(replace(SMALL, eirp_dbm=dbm), 9) for dbm in (13.0, 3.0))
    assert soft.mean_receptions < loud.mean_receptions
    assert soft.rates[10] > loud.rates[10]


def test_nodes_that_report_when_the_clock_strikes_lose_each_other() -> None:
    """120 frames within half a second, on seven channels."""
    wish = replace(SMALL, at_full=1.0)
    assert ran(wish, 16).lost_share > 0.2 > 10 * ran(replace(SMALL, at_full=0.0), 16).lost_share


def test_half_of_the_nodes_stand_outdoors_and_six_of_ten_in_the_middle_eighth() -> None:
    placed = sites(7, 2000, 474.0)
    stands = Counter(one.stand for one in placed)
    assert stands[Stand.OUTDOORS] == pytest.approx(1000, abs=100)
    half, dense = side_m(474.0) / 2, side_m(474.0) * 0.12**0.5 / 2
    middle = [one for one in placed if max(abs(one.place.x - half), abs(one.place.y - half)) < dense]  # fmt: skip
    assert len(middle) == pytest.approx(2000 * (0.6 + 0.4 * 0.12), abs=100)


def test_forwarders_stand_on_the_land_and_the_land_on_the_map() -> None:
    side = side_m(474.0)
    assert all(0 < at.x < side and 0 < at.y < side for at in antennas(7, 98, 474.0).values())
    lat, lon = degrees(Point(side / 2, side / 2), 474.0)
    assert (lat, lon) == (36.66, 137.22)
    north, _ = degrees(Point(side / 2, side / 2 + 11_097), 474.0)
    assert north - lat == pytest.approx(0.1, abs=1e-4)


# -- the verb

WORDS = ("lorawan", "coverage", "--nodes", "60", "--area", "60", "--for", "30min", "--forwarders", "9,1")  # fmt: skip


def test_the_table_shows_what_json_holds_with_what_was_measured_beside_it(sekisho: Sekisho) -> None:
    told = json.loads(sekisho(*WORDS, "--json").out)
    shown = sekisho(*WORDS).out
    lines = {line.split("  ")[0].strip(): line.split() for line in shown.splitlines()}
    assert told["fictional"] is True
    assert lines["forwarders"][1:] == ["9", "1"]
    assert lines["uplinks"][1:] == [str(run["uplinks"]) for run in told["runs"]]
    assert lines["an uplink that is heard is heard by"][-2:] == [str(run["receptions"]) for run in told["runs"]]  # fmt: skip
    assert "0.6 % lost" in shown
    assert "31.7 % lost" in shown
    assert "62, 113, 206, 412, 823, 1483 ms  62, 113, 206, 412, 823, 1483 ms" in shown
    for run in told["runs"]:
        assert sum(run["fates"].values()) == run["uplinks"]
        assert run["lost"] == pytest.approx(1 - run["fates"]["heard"] / run["uplinks"], abs=1e-4)


def test_a_map_has_every_node_and_every_forwarder_of_the_first_column(sekisho: Sekisho, tmp_path: Path) -> None:  # fmt: skip
    path = tmp_path / "map.geojson"
    assert sekisho(*WORDS, "--out", str(path)).code == 0
    features = json.loads(path.read_text())["features"]
    nodes = [one["properties"] for one in features if "node" in one["properties"]]
    assert (len(features), len(nodes)) == (69, 60)
    assert all(0 <= one["lost"] <= one["uplinks"] for one in nodes)
    assert "is there already" in sekisho(*WORDS, "--out", str(path)).err


def test_the_map_of_another_town_lies_there_and_the_figures_stay(sekisho: Sekisho, tmp_path: Path) -> None:  # fmt: skip
    """As far from its middle in metres as Toyama's: a degree of longitude is longer farther south."""
    maps = []
    for at in ("36.66,137.22", "26.21,127.68"):
        path = tmp_path / f"{at}.geojson"
        assert sekisho(*WORDS, "--out", str(path), "--at", at).code == 0
        maps.append([one["geometry"]["coordinates"] for one in json.loads(path.read_text())["features"]])  # fmt: skip
    lon, lat = (sum(spot[axis] for spot in maps[1]) / len(maps[1]) for axis in (0, 1))
    assert (lat, lon) == (pytest.approx(26.21, abs=0.02), pytest.approx(127.68, abs=0.02))
    wide, narrow = (max(spot[0] for spot in one) - min(spot[0] for spot in one) for one in maps)
    assert narrow / wide == pytest.approx(math.cos(math.radians(36.66)) / math.cos(math.radians(26.21)), abs=0.002)  # fmt: skip


def test_nodes_heard_as_often_are_counted_of_those_of_all_columns(sekisho: Sekisho) -> None:
    """Three columns of 50 nodes are 150, of which some stand below one column's number or above it."""
    words = ("lorawan", "coverage", "--area", "50", "--nodes", "50", "--for", "1h")
    told = json.loads(sekisho(*words, "--forwarders", "4,2,1", "--json").out)
    assert [one["beside"]["of"] for one in told["measured"]] == [150, 150]
    said = " ".join(sekisho(*words, "--forwarders", "4,2,1").out.split())
    assert (
        f"heard as often {told['measured'][1]['beside']['nodes']} of the 150 nodes of all 3 columns"
        in said
    )
    assert " of the 50 nodes: " in " ".join(sekisho(*words, "--forwarders", "1").out.split())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--region", "EU868", "--every", "30s"), "ERC/REC 70-03"),
        (("--region", "AS923-2", "--size", "20"), "11 at most may be sent, since 400 ms"),
        (("--eirp", "14"), "13 dBm at most may leave an antenna (ARIB STD-T108"),
        (("--region", "US915"), "simulated are AS923-1"),
        (("--every", "3h"), "shorter than --every 3h"),
        (("--rates", "fast"), "adr, adr+power, join"),
        (("--forwarders", "98,few"), "with commas between"),
        (("--at", "35.68,139.76"), "Add --out FILE"),
        (("--at", "Tokyo", "--out", "nowhere.geojson"), "latitude and longitude in degrees"),
        (("--at", "139.76,35.68", "--out", "nowhere.geojson"), "latitude from -85 to 85"),
    ],
    ids=[
        "too often",
        "too long",
        "too loud",
        "fixed channels",
        "nothing to say",
        "rates",
        "forwarders",
        "a middle of nothing",
        "no middle",
        "a middle the other way round",
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(sekisho: Sekisho, words: tuple[str, ...], says: str) -> None:  # fmt: skip
    done = sekisho("lorawan", "coverage", *words)
    assert done.code == 2
    assert says in done.err


def test_a_refusal_of_the_law_names_the_rate_at_which_it_would_be_broken() -> None:
    from sekisho.lorawan_lawful import require_lawful

    require_lawful(PLANS["EU868"], [5], 12, 60.0, "--every")
    with pytest.raises(Refusal, match="1483 ms at SF12BW125 may be sent 24 times an hour"):
        require_lawful(PLANS["EU868"], [5, 0], 12, 60.0, "--every")


@pytest.mark.parametrize("forwarders", [6, 3])
def test_the_figures_on_the_page_are_those_that_are_printed(sekisho: Sekisho, forwarders: int) -> None:  # fmt: skip
    """docs/lorawan.md, "How many forwarders?": of the columns that take a second."""
    page = (Path(__file__).parents[2] / "docs" / "lorawan.md").read_text()
    (row,) = [line for line in page.splitlines() if line.startswith(f"| {forwarders} forwarders |")]
    told = json.loads(sekisho("lorawan", "coverage", "--forwarders", f"{forwarders}", "--json").out)
    (run,) = told["runs"]
    assert [cell.strip() for cell in row.split("|")[2:-1]] == [
        f"{run['uplinks']:,}",
        f"{run['air_s']:,.0f} s",
        f"{100 * run['air_share']:.1f} %",
        f"{run['receptions']:.1f}",
        f"{100 * run['lost']:.1f} %",
    ]
