"""Ways to leak a home that no other test shuts: what rows may hold at all, order, repetition, siblings, long walks."""

import os
import re
from dataclasses import replace
from importlib.resources import files
from math import cos, hypot, radians
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gateway.devices.catalog import catalog
from gateway.devices.tables import table_columns
from gateway.model.device import Household
from gateway.model.identity import HouseholdId
from gateway.model.instant import DAY, MINUTE
from gateway.model.reading import Reading
from gateway.privacy.mask import Mask
from gateway.privacy.mesh import Bounds
from gateway.privacy.policy import Noise, Shape
from tests.fakes.readings import (
    HOME,
    METRE_NORTH,
    NOON,
    ROWS,
    Keys,
    child,
    document,
    household,
    policy,
    reading,
)
from tests.fakes.zones import EIGHTH, PARTITION, PIN, zoned
from tests.laws.test_zone_laws import kept, said, way

ROOT = Path(__file__).parents[2]
_EAST = METRE_NORTH / cos(radians(HOME[0]))
WALKS = int(os.environ.get("SEKISHO_WALKS", "4000"))
"""10⁵ in the long form (`make walks`)."""


def commute(day: int = 0, device: Any = None) -> list[Reading]:
    """A child's morning: home, 1,860 m north by 62 m a minute, and a while at the gate of a school."""
    device = device or child()
    ways = [*(62.0 * n for n in range(31)), *(1860.0 for _ in range(20))]
    return [
        reading(
            device,
            document(
                lat=HOME[0] + north * METRE_NORTH, lon=HOME[1], accuracy_m=6.0, battery_pct=80.0
            ),
            NOON + day * DAY + minute * MINUTE,
            day * 100 + minute,
        )
        for minute, north in enumerate(ways)
    ]


@pytest.mark.channel("C2", "C4", "C11", "C12", "C13")
def test_a_row_about_a_person_holds_what_this_list_names() -> None:
    """No heading, speed, height, accuracy, counter, data rate, forwarder, temperature: a new column must be thought about here."""
    held = {
        name: {column.name for column in table_columns(kind)}
        for name, kind in catalog().items()
        if kind.personal
    }
    assert held == {
        "child_tracker": {
            "minute",
            "identity",
            "pseudonym",
            "lat",
            "lon",
            "battery_class",
            "cell",
            "leg",
        },
        "bus_stop_reader": {"minute", "identity", "stop", "vehicle", "antenna", "tag"},
    }


@pytest.mark.channel("C2", "C4", "C6", "C12")
def test_under_the_recommended_rules_a_row_says_cell_step_and_leg_alone() -> None:
    """Neither place nor pseudonym nor battery; times ten minutes apart, so that no speed can be worked out of two rows."""
    rows = kept(zoned(), commute())
    assert len(rows) >= 3
    for minute, _identity, *rest in rows:
        assert minute % (10 * MINUTE) == 0
        assert [value is None for value in rest] == [True, True, True, True, False, False]


@pytest.mark.channel("C3")
def test_forty_days_show_what_one_day_shows() -> None:
    """Nothing is drawn anew: the same way gives the same cells and steps each day, over restarts too."""
    days = []
    for day in range(40):
        by = Mask(zoned(), Keys(), ROWS)
        rows = [row for one in commute(day) for row in _rows(by.apply(one))]
        days.append([((row[0] - NOON) % DAY, row[6]) for row in rows])
    assert days[0]
    assert all(day == days[0] for day in days)


@pytest.mark.channel("C3")
def test_noise_is_drawn_once_for_a_household_and_a_cell() -> None:
    """And not per fix, day or start; another household and another epoch draw another."""
    noisy = replace(policy(), shape=Shape(frozenset({"place"}), noise=Noise(200.0, "school-2026")))

    def places(rules: Any = noisy, name: str = "h-1", day: int = 0) -> set[tuple[float, float]]:
        device = child(family=household(name=name))
        return {(row[3], row[4]) for row in kept(rules, commute(day, device))}

    once = places()
    assert 2 <= len(once) <= 20  # cells of 125 m along 1,860 m, however many fixes
    assert places(day=7) == once
    assert not places(name="h-2") & once
    later = replace(noisy, shape=replace(noisy.shape, noise=Noise(200.0, "school-2027")))
    assert not places(later) & once


@pytest.mark.channel("C8")
def test_identities_carry_no_order() -> None:
    """Their order has nothing to do with time: no rank correlation; and no table about people numbers its rows."""
    rows = kept(policy(), [one for day in range(40) for one in commute(day)])
    assert len(rows) > 500
    by_time = sorted(rows, key=lambda row: row[0])
    ranks = {row[1]: rank for rank, row in enumerate(sorted(rows, key=lambda row: row[1]))}
    n = len(rows)
    apart = sum((position - ranks[row[1]]) ** 2 for position, row in enumerate(by_time))
    assert abs(1 - 6 * apart / (n * (n * n - 1))) < 0.12
    scripts = files("gateway.stores").joinpath("migrations", "personal")
    text = "\n".join(script.read_text("utf-8") for script in scripts.iterdir())
    assert "AUTOINCREMENT" not in text
    about_people = re.findall(r"CREATE TABLE (\w+) \((.*?)\)( WITHOUT ROWID)?;", text, re.DOTALL)
    assert all(without for name, _columns, without in about_people if name != "rules")


@pytest.mark.channel("C32")
def test_siblings_show_no_second_edge() -> None:
    """Two children of one home, or of one zone: each alone shows what both show; under a circle their circles are one."""
    sister, brother = child("child-1"), child("child-2")
    for rules in (zoned(), policy()):
        alone = [
            [row[3:7] for row in kept(rules, commute(device=device))]
            for device in (sister, brother)
        ]
        assert alone[0]
        assert alone[0] == alone[1]


@pytest.mark.channel("C14")
def test_no_walk_with_drift_is_kept_inside_its_zone() -> None:
    """Random walks with stays, drift of up to 20 m and silences: no cell that is told touches zone or buffer."""
    device = child()
    told = 0
    for seed in range(WALKS):
        for row in kept(zoned(), said(device, way(Random(seed), 24))):
            told += 1
            cell = _bounds(row[6])
            assert PARTITION.gap_m(cell, "z-0001") > 100.0
    assert told > WALKS / 100


@pytest.mark.channel("C33")
@pytest.mark.parametrize("ground", ["zone", "circle"])
def test_a_family_that_moved_shows_nothing_of_its_old_home(ground: str) -> None:
    """Random walks that cross both homes: no row touches the old one; without the memory of the move some would."""
    if ground == "zone":
        rules, lived = (
            zoned(staying=None),
            [Household(_OURS, None, None, "EPSG:4326", name, PIN) for name in ("z-0001", "z-0002")],
        )
    else:
        there = (HOME[0] + 400.0 * METRE_NORTH, HOME[1])
        rules, lived = policy(home_radius_m=100.0), [household(HOME), household(there)]
    old, new = lived
    new_alone = child(family=new)
    moved = child(family=_with_former(new, (old,)))

    def touches(row: Any) -> bool:
        if ground == "zone":
            return PARTITION.gap_m(_bounds(row[6]), "z-0001") <= 100.0
        return hypot((row[3] - HOME[0]) / METRE_NORTH, (row[4] - HOME[1]) / _EAST) <= 100.0

    told = inside = 0
    for seed in range(600):
        walk = way(Random(seed), 60)
        rows = kept(rules, said(moved, walk))
        assert not any(touches(row) for row in rows)
        told += len(rows)
        inside += sum(touches(row) for row in kept(rules, said(new_alone, walk)))
    assert told > 100
    assert inside > 100


def _with_former(home: Household, former: tuple[Household, ...]) -> Household:
    said = (home.household, home.home, home.radius_m, home.crs, home.zone, home.partition)
    return Household(*said, former)


_OURS = HouseholdId("h-1")

_BOXES = {
    "a made-up walk on the open sea": (36.87, 137.17, 36.93, 137.23),
    "a mountain, for what must be outside": (36.11, 137.11, 36.13, 137.13),
    "a railway station, for what must be outside": (35.67, 139.75, 35.69, 139.77),
    "the small town, and what else is invented there": (36.70, 137.15, 36.80, 137.28),
    "the district": (36.655, 137.145, 36.685, 137.185),
    "the village": (36.50, 137.10, 36.66, 137.40),
    "a public square of Toyama, in vendors' and our examples": (
        36.6950,
        137.2100,
        36.6960,
        137.2140,
    ),
}
_PAIR = re.compile(r"(?<![\d.])(3[0-9]\.\d{4,})\D{1,40}?(1[23]\d\.\d{4,})(?!\d)")
_ELSEWHERE = {
    "tests/unit/test_mesh.py": "corners of the public mesh",
    "tests/unit/test_canary_codes.py": "check values of public codes",
    "tests/unit/test_nmea.py": "a receiver's own example sentence",
    "tests/unit/test_gwmp.py": "a forwarder's own example",
    "simulators/data": "outlines and stops of public bodies",
    "gateway/settings/areas": "outlines of municipalities",
}


@pytest.mark.channel("C40")
def test_no_fixture_is_somebodys_home() -> None:
    """Every exact pair of degrees in the project lies in a fictional town, on a public square, or in a file that says why."""
    strangers = []
    for folder in (
        "tests",
        "config",
        "docs",
        "simulators",
        "sekisho",
        "benchmarks",
        "firmware_stubs",
    ):
        for path in sorted((ROOT / folder).rglob("*")):
            name = str(path.relative_to(ROOT))
            skipped = "node_modules" in name or any(name.startswith(where) for where in _ELSEWHERE)
            if skipped or path.suffix not in {
                ".py",
                ".yaml",
                ".json",
                ".jsonl",
                ".md",
                ".csv",
                ".gpx",
            }:
                continue
            for lat, lon in _PAIR.findall(path.read_text("utf-8", "replace")):
                if not any(
                    s <= float(lat) <= n and w <= float(lon) <= e for s, w, n, e in _BOXES.values()
                ):
                    strangers.append(f"{name}: {lat[:4]}…, {lon[:5]}…")
    assert strangers == []


def _rows(verdict: Any) -> list[tuple[Any, ...]]:
    if isinstance(verdict, list):
        return [observation.row for observation in verdict]
    return [observation.row for _origin, observation in getattr(verdict, "kept", ())]


def _bounds(code: str) -> Bounds:
    return EIGHTH.bounds(EIGHTH.of_code(code))
