"""A family that moved: its old home stays known, sealed, and hidden, until no row is from before the move."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date
from pathlib import Path

import pytest

from gateway.app.checkpoint import Checkpoint, Tempo
from gateway.app.housekeeping import retain
from gateway.keys.ring import KeyRing
from gateway.model.device import Household
from gateway.model.identity import DeviceId, HouseholdId
from gateway.model.instant import DAY, SECOND, day_begins
from gateway.model.position import Position
from gateway.model.reason import Reason
from gateway.privacy.mesh import MESHES
from gateway.privacy.shelter import HIDDEN, Shelters
from gateway.registry.family_book import homes_in
from gateway.registry.registry import Registry
from gateway.statedir import StateDir
from sekisho.homes import strange, unusable, wanting
from tests.fakes.clock import ManualClock
from tests.fakes.front_door import Sekisho
from tests.fakes.loop import in_virtual_time
from tests.fakes.readings import NOON, policy
from tests.fakes.store import outcome_of, sealed_row
from tests.fakes.zones import PIN, zoned

SHIPPED = Path(__file__).parents[2] / "config" / "privacy"
OLD = (36.712_345_678_9, 137.212_345_678_9)
NEW = (36.722_345_678_9, 137.222_345_678_9)


class Town:
    """A directory with one child, its keys and its clock."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(NOON)
        self.state = StateDir.create(folder / "state", None, self.clock)
        self.keys = KeyRing.create(folder / "keys", self.state.id, self.clock, UTC)
        self.registry = Registry.open(self.state, self.keys)
        self.registry.put_device("child-1", "child_tracker", "16201", 0, "h-1")

    def family(self) -> Household:
        found = self.registry.directory().devices[DeviceId("child-1")].household
        assert found is not None
        return found

    def sealed(self) -> list[bytes]:
        """What stands of former homes on disk."""
        with closing(sqlite3.connect(self.state.registry_db)) as db:
            return [row for (row,) in db.execute("SELECT sealed FROM former_homes")]

    def is_on_disk(self, said: bytes) -> bool:
        return any(said in path.read_bytes() for path in self.state.path.glob("registry.db*"))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.registry.close()


@pytest.mark.channel("C33")
def test_the_home_before_is_remembered_sealed(town: Town) -> None:
    """Each one that was left, oldest first; in memory alone it can be read."""
    assert not town.registry.put_home("h-1", *OLD, 80.0, at=NOON)
    assert town.registry.put_home("h-1", *NEW, at=NOON + DAY)
    assert town.registry.put_home("h-1", *OLD, at=NOON + 2 * DAY)

    first, second = town.family().former
    assert first.home is not None
    assert second.home is not None
    assert (first.home.lat, first.home.lon, first.radius_m) == (*OLD, 80.0)
    assert (second.home.lat, second.home.lon) == NEW
    assert len({len(sealed) for sealed in town.sealed()}) == 1
    assert not town.is_on_disk(b"36.7")


def test_the_same_home_again_is_no_move(town: Town) -> None:
    """An import twice remembers nothing; another radius does, since rows from before show another circle."""
    town.registry.put_home("h-1", *OLD, 80.0, at=NOON)
    assert not town.registry.put_home("h-1", *OLD, 80.0, at=NOON + DAY)
    assert town.family().former == ()
    assert town.registry.put_home("h-1", *OLD, 120.0, at=NOON + DAY)


def test_within_a_zone_nobody_moves(town: Town) -> None:
    """Rows are a function of the zone: only another one is remembered; none, where nothing was kept."""
    assert not town.registry.put_zone("h-1", "", PIN, at=NOON)
    assert not town.registry.put_zone("h-1", "z-0001", PIN, at=NOON)
    assert not town.registry.put_zone("h-1", "z-0001", PIN, at=NOON)
    assert town.registry.put_zone("h-1", "z-0002", PIN, at=NOON)
    assert [one.zone for one in town.family().former] == ["z-0001"]


def test_other_rules_are_no_move(town: Town) -> None:
    """A circle for a zone, and a zone of another partition: nobody can say whether those are the same place."""
    town.registry.put_home("h-1", *OLD, at=NOON)
    assert not town.registry.put_zone("h-1", "z-0001", PIN, at=NOON)
    assert not town.registry.put_zone("h-1", "z-0001", "8" * 64, at=NOON)
    assert not town.registry.put_home("h-1", *NEW, at=NOON)
    assert town.family().former == ()


def test_under_zone_rules_a_former_home_is_its_zone_too(town: Town) -> None:
    """Decisions 11: no exact place stays, of one size on disk as before; outside all zones none hides anything."""
    town.registry.put_home("h-1", *OLD, at=NOON)
    town.registry.put_home("h-1", *NEW, at=NOON)
    (before,) = town.sealed()
    checkpoint = Checkpoint(
        town.state, town.keys, town.registry, zoned(), town.clock, Tempo()
    )  # forgets exact homes as it begins
    (after,) = town.sealed()
    assert len(before) == len(after)
    assert not town.is_on_disk(before)
    family = checkpoint.directory.devices[DeviceId("child-1")].household
    assert family is not None
    assert family.home is None
    assert [(one.home, one.zone, one.partition) for one in family.former] == [(None, "", PIN)]


@pytest.mark.channel("C33")
@in_virtual_time
async def test_it_is_forgotten_when_the_last_row_from_before_is(town: Town) -> None:
    """The week of the move is kept 28 days from its Monday; the home goes in that round, overwritten. One that was left
    later stays."""
    town.registry.put_home("h-1", *OLD, at=NOON)
    checkpoint = Checkpoint(town.state, town.keys, town.registry, policy(), town.clock, Tempo())
    for number, week in enumerate(("store-2026-W20", "store-2026-W21", "store-2026-W23")):
        town.keys.file_key(week)
        await checkpoint.store.commit(outcome_of(sealed_row(number, week)))
    town.registry.put_home("h-1", *NEW, at=NOON)
    town.registry.put_home("h-1", *OLD, at=NOON + 21 * DAY)
    first, second = town.sealed()

    town.clock.advance(26 * DAY / SECOND)  # the Sunday before week 20 is over
    await retain(checkpoint)
    assert town.sealed() == [first, second]

    town.clock.advance(7 * DAY / SECOND)  # week 21, in which it moved in no row, is over as well
    await retain(checkpoint)
    checkpoint.settle_homes()
    assert town.sealed() == [second]
    assert not town.is_on_disk(first)
    assert checkpoint.facts.counts["former homes forgotten"] == 1
    await checkpoint.store.close()


@pytest.mark.parametrize("under", ["another partition", "a circle"])
def test_a_former_zone_that_cannot_be_laid_out_keeps_nothing(under: str) -> None:
    """Nobody knows what it hid, so no fix passes; outside all zones it hid nothing, and hides nothing."""
    name = HouseholdId("h-1")
    circle = under == "a circle"
    rules = Shelters(policy() if circle else zoned())
    home, here = (Position(*NEW), None) if circle else (None, "z-0002")
    pin = PIN if circle else "8" * 64

    def moved(zone: str, of: str) -> Household:
        before = Household(name, None, None, "EPSG:4326", zone, of)
        return Household(name, home, None, "EPSG:4326", here, PIN, (before,))

    assert isinstance(rules.of(moved("z-0001", pin)), Reason)
    assert not isinstance(rules.of(moved("", PIN)), Reason)


def test_an_older_registry_gets_its_table(town: Town) -> None:
    """A registry of the form before knows no former homes, and remembers them from its next opening on."""
    town.registry.put_home("h-1", *OLD, at=NOON)
    town.registry.close()
    with closing(sqlite3.connect(town.state.registry_db)) as db:
        db.execute("DROP TABLE former_homes")
        db.execute("DROP TABLE taken_back")
        db.execute("DROP TABLE epochs")
        db.execute("PRAGMA user_version = 4")
    read = homes_in(town.state.registry_db, town.keys.households)
    assert [one.former for one in read.values()] == [()]
    town.registry = Registry.open(town.state, town.keys)
    assert town.registry.put_home("h-1", *NEW, at=NOON)
    assert len(town.family().former) == 1


def test_a_move_is_told_and_handed_over(tmp_path: Path, sekisho: Sekisho) -> None:
    """The import says how many moved, and `privacy access` hands over where the household lived."""
    where = ("--state", str(tmp_path / "state"))
    assert sekisho("keys", "init", "--mark", "SIM", *where).code == 0
    for lat, lon in (OLD, NEW):
        homes = f"household,lat,lon\nh-1,{lat},{lon}\nh-2,{OLD[0]},{OLD[1]}\n"
        answer = sekisho("devices", "import-homes", "-", *where, "--json", stdin=homes)
        assert answer.code == 0, answer.err
    assert json.loads(answer.out) == {"sealed": 2, "moved": 1}

    held = json.loads(sekisho("privacy", "access", "h-1", *where, "--json").out)
    (left,) = held["former_homes"]
    assert (left["lat"], left["lon"], left["zone"]) == (*OLD, None)
    assert held["home"]["lat"] == NEW[0]


def test_a_home_given_anew_to_the_metre_is_the_same(town: Town) -> None:
    """A geocoder that is asked each night answers with other centimetres: nothing is written, and nothing adds up."""
    town.registry.put_home("h-1", *OLD, at=NOON)
    before = (town.state.path / "registry.db-wal").stat().st_size
    for night in range(1, 9):
        shifted = OLD[0] + 0.8 * night / 8 / 111_320.0
        assert not town.registry.put_home("h-1", shifted, OLD[1], at=NOON + night * DAY)
    assert (town.state.path / "registry.db-wal").stat().st_size == before
    assert town.registry.put_home("h-1", OLD[0] + 2.0 / 111_320.0, OLD[1], at=NOON)
    assert len(town.family().former) == 1


def test_a_home_that_was_left_twice_is_remembered_once(town: Town) -> None:
    """Back and forth between two parents: two former homes at most, each from when it was left last."""
    for day in range(7):
        town.registry.put_home("h-1", *(NEW if day % 2 else OLD), at=NOON + day * DAY)
    held = town.registry.families.held("h-1")
    assert [one.left_at for one in held.former] == [NOON + 5 * DAY, NOON + 6 * DAY]


def test_rounding_beside_a_former_home_is_asked_of_it_too() -> None:
    """Each question of a shelter is asked of the home and of all before it."""
    name = HouseholdId("h-1")
    before = Household(name, Position(*OLD), None, "EPSG:4326")
    moved = Household(name, Position(*NEW), None, "EPSG:4326", former=(before,))
    shelter = Shelters(policy()).of(moved)
    assert not isinstance(shelter, Reason)
    cell = MESHES["125m"]
    for lat, lon in (OLD, NEW):
        assert shelter.ring(lat, lon, 5.0) == HIDDEN
        assert shelter.hides(lat, lon, 5.0)
        assert shelter.hides_cell(cell, cell.cell(lat, lon))
    assert not shelter.hides(OLD[0] + 0.003, OLD[1], 5.0)


@pytest.mark.channel("C33")
@in_virtual_time
async def test_a_key_without_its_file_keeps_a_former_home(town: Town) -> None:
    """As long as somebody can still read rows from before, in a backup; and the week that begins within two days of the move
    counts as from before, for clocks and late commits."""
    town.registry.put_home("h-1", *OLD, at=NOON)
    checkpoint = Checkpoint(town.state, town.keys, town.registry, policy(), town.clock, Tempo())
    town.keys.file_key("store-2026-W21")  # from Monday the 18th on
    town.registry.put_home("h-1", *NEW, at=NOON + 5 * DAY)  # Sunday the 17th
    town.clock.advance(10 * DAY / SECOND)
    await retain(checkpoint)
    assert len(town.sealed()) == 1
    town.clock.advance(30 * DAY / SECOND)
    await retain(checkpoint)
    assert town.sealed() == []
    await checkpoint.store.close()


@in_virtual_time
async def test_a_clock_that_is_behind_dates_no_move_before_the_rows(
    town: Town, sekisho: Sekisho
) -> None:
    """An import says now; where the files are newer than that, the move was in the newest at least."""
    checkpoint = Checkpoint(town.state, town.keys, town.registry, policy(), town.clock, Tempo())
    future = "store-2090-W10"
    town.keys.file_key(future)
    await checkpoint.store.commit(outcome_of(sealed_row(1, future)))
    await checkpoint.store.close()
    town.registry.put_home("h-1", *OLD, at=NOON)
    config = town.state.path.parent / "gateway.yaml"
    config.write_text(
        f'state: {town.state.path}\nkeys: {town.keys.path.parent}\nowner: "16201"\ntimezone: Asia/Tokyo\n'
        'service_area: {municipality: "16201"}\n'
        "doors: [{name: devices, kind: mqtt_listener, bind: 127.0.0.1, port: 0}]\n"
        f"privacy: {SHIPPED}/legacy-50m.yaml\n"
    )
    homes = f"household,lat,lon\nh-1,{NEW[0]},{NEW[1]}\n"
    answer = sekisho("devices", "import-homes", "-", "--config", str(config), stdin=homes)
    assert answer.code == 0, answer.err
    (left,) = town.registry.families.held("h-1").former
    assert left.left_at >= day_begins(date(2090, 3, 6), UTC)


def test_a_former_home_that_keeps_everything_back_is_named() -> None:
    """It was a zone, and a circle is in force now: doctor, list, check and start say why nothing is stored, and until when."""
    name = HouseholdId("h-1")
    before = Household(name, None, None, "EPSG:4326", "z-0001", PIN)
    moved = Household(name, Position(*NEW), None, "EPSG:4326", former=(before,))
    why = unusable(moved, policy())
    assert why is not None
    assert "moved from" in why
    assert unusable(Household(name, Position(*NEW), None, "EPSG:4326"), policy()) is None
    said = strange([moved], policy())
    assert said is not None
    assert "1 household" in said
    assert "goes by itself" in said
    assert wanting({"h-1": moved}, policy()) == {"h-1": "home"}
