"""`query --geojson` by the letter of RFC 7946, read by a checker of its own."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.clock import SystemClock
from gateway.devices.catalog import catalog
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.registry.attributes import attribute_faults, read
from gateway.registry.registry import Registry
from gateway.settings.load import SettingsError, load_devices
from gateway.statedir import Mark, StateDir
from gateway.stores.sqlite_file import SqliteFile
from sekisho.query import query

T = 1_778_555_820_000_000
BRIDGE = (36.712345678, 137.212345678)


def checked(text: str) -> list[dict[str, Any]]:
    """The Features of a text that keeps RFC 7946, section by section."""

    def no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({name for name, _ in pairs}) == len(pairs), "a member twice"
        return dict(pairs)

    found = json.loads(text, object_pairs_hook=no_twice, parse_constant=pytest.fail)
    assert found["type"] == "FeatureCollection"  # section 3.3
    assert isinstance(found["features"], list)
    assert "crs" not in found  # section 4: WGS 84, nothing else
    for feature in found["features"]:
        assert feature["type"] == "Feature"  # section 3.2
        assert isinstance(feature["properties"], dict)
        assert not {"coordinates", "geometries", "features"} & feature.keys()  # section 7.1
        geometry = feature["geometry"]  # section 3.2: a member it must have, null where unlocated
        if geometry is None:
            continue
        assert geometry.keys() == {"type", "coordinates"}
        places = [geometry["coordinates"]]
        if geometry["type"] == "Polygon":  # section 3.1.6: rings, the first one without
            (places,) = places[0]
        else:
            assert geometry["type"] == "Point"
        for lon, lat in places:  # section 3.1.1: longitude first, no more than needed
            assert -180 <= lon <= 180
            assert -90 <= lat <= 90
        for number in (lon, lat):
            assert len(f"{number!r}".partition(".")[2]) <= 7  # section 11.2
    features: list[dict[str, Any]] = found["features"]
    return features


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateDir:
    """A gauge with a place, one without, one that nobody registered, and a child's masked row."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    state = StateDir.create(tmp_path / "state", Mark.SIM, SystemClock())
    keys = KeyRing.create(tmp_path / "keys", state.id, SystemClock(), ZoneInfo("Asia/Tokyo"))
    with Registry.open(state, keys) as registry:
        place = {"lat": BRIDGE[0], "lon": BRIDGE[1]}
        registry.put_device("river-1", "river_gauge", "16201", 0, attributes=place)
        registry.put_device("river-2", "river_gauge", "16201", 0)
    city = SqliteFile(state.city_db, "city")
    for n in (1, 2, 3):
        sql = "INSERT INTO river_gauge VALUES (?,?,?,x'00',0,?,'device',0,1.5,NULL,11.5,NULL)"
        city.db.execute(sql, (T + n, f"river-{n}", n, T))
    city.close()
    personal = SqliteFile(state.personal_dir / "store-2026-W20.db", "personal")
    child = (T, b"i" * 16, b"p" * 16, 36.70001, 137.20001, 3)
    personal.db.execute("INSERT INTO child_tracker VALUES (?,?,?,?,?,?,NULL,NULL)", child)
    tag = (T, b"j" * 16, "12_1", None, 2, b"t" * 16)
    personal.db.execute("INSERT INTO bus_stop_reader VALUES (?,?,?,?,?,?)", tag)
    personal.close()
    return state


def asked(kind: str, state: StateDir, capsys: pytest.CaptureFixture[str], **more: Any) -> Any:
    query(kind, state=state.path, geojson=True, **more)
    return checked(capsys.readouterr().out)


def test_the_citys_things_stand_where_they_are_registered(
    state: StateDir, capsys: pytest.CaptureFixture[str]
) -> None:
    """Longitude first, seven decimals at most; without a registered place the geometry is null."""
    one, two, three = asked("river", state, capsys)

    assert one["geometry"]["coordinates"] == [137.2123457, 36.7123457]
    assert one["properties"]["urn"] == "urn:ngsi-ld:Device:16201:river-1"
    assert one["properties"]["stage_m"] == 1.5
    assert one["properties"]["distance_m"] is None
    assert two["geometry"] is None
    assert two["properties"]["urn"] == "urn:ngsi-ld:Device:16201:river-2"
    assert three["geometry"] is None
    assert "urn" not in three["properties"]


def test_peoples_rows_stand_at_their_masked_place(
    state: StateDir, capsys: pytest.CaptureFixture[str]
) -> None:
    """No device, no URN; the place is the row's own, and a tag at a stop has none."""
    (child,) = asked("child", state, capsys)
    (tag,) = asked("bus", state, capsys)

    assert child["geometry"] == {"type": "Point", "coordinates": [137.20001, 36.70001]}
    assert not {"lat", "lon", "urn", "device"} & child["properties"].keys()
    assert tag["geometry"] is None
    assert tag["properties"]["stop"] == "12_1"


def test_a_row_that_says_a_cell_fills_it(
    state: StateDir, capsys: pytest.CaptureFixture[str]
) -> None:
    """A ring with its corners, counter-clockwise and closed (RFC 7946 §3.1.6); no point that would be taken for a fix."""
    file = SqliteFile(state.personal_dir / "store-2026-W20.db", "personal")
    row = (T + 1, b"k" * 16, "55370136244")
    file.db.execute("INSERT INTO child_tracker (minute, identity, cell) VALUES (?,?,?)", row)
    file.close()
    _point, cell = asked("child", state, capsys)

    (ring,) = cell["geometry"]["coordinates"]
    assert (cell["geometry"]["type"], len(ring)) == ("Polygon", 5)
    assert ring[0] == ring[-1]
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))
    assert area > 0
    assert ring[0][1] <= 36.6953 < ring[2][1]
    assert ring[0][0] <= 137.2113 < ring[2][0]
    assert cell["properties"]["cell"] == "55370136244"


def test_nothing_is_an_empty_collection(
    state: StateDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked("wildlife", state, capsys) == []
    assert len(asked("river", state, capsys, limit=2)) == 2
    assert len(asked("river", state, capsys, device="river-1")) == 1


def test_three_forms_exclude_each_other(state: StateDir) -> None:
    with pytest.raises(Refusal, match="exclude each other"):
        query("river", state=state.path, geojson=True, json=True)


def test_people_of_the_real_thing_need_a_word_here_too(tmp_path: Path, state: StateDir) -> None:
    real = StateDir.create(tmp_path / "real", None, SystemClock())
    with pytest.raises(Refusal, match="--personal"):
        query("child", state=real.path, geojson=True)
    assert state.mark is Mark.SIM


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"lat": 36.7}, "both of them"),
        ({"lon": 137.2}, "both of them"),
        ({"lat": 96.7, "lon": 137.2}, "from -90 to 90"),
        ({"lat": 36.7, "lon": 237.2}, "from -180 to 180"),
        ({"lat": 36.7, "lon": 137.2}, ""),
        ({}, ""),
    ],
)
def test_a_place_is_whole_and_on_this_earth(facts: dict[str, float], sentence: str) -> None:
    """For every kind of the city's things, the declared ones among them."""
    for kind in (kind for kind in catalog().values() if not kind.personal):
        faults = attribute_faults(kind, facts)
        assert sentence in " ".join(faults.values())
        assert bool(faults) == bool(sentence)


@pytest.mark.parametrize("kind", ["child_tracker", "bus_stop_reader"])
def test_no_kind_about_people_has_a_place(kind: str, tmp_path: Path) -> None:
    """Neither by command nor by file: a tracker's place in the registry would be somebody's home."""
    with pytest.raises(ValueError, match="unknown attribute"):
        read(catalog()[kind], "lat", "36.7")
    file = tmp_path / "devices.yaml"
    file.write_text(f"devices:\n  - {{id: x-1, kind: {kind}, mount: stop, stop: a, lat: 36.7}}\n")
    with pytest.raises(SettingsError, match="homes do not belong in a file"):
        load_devices(file, "16201")


def test_a_file_may_say_where_a_thing_stands(tmp_path: Path) -> None:
    file = tmp_path / "devices.yaml"
    file.write_text(
        "devices:\n  - {id: river-1, kind: river_gauge, lat: 36.712, lon: 137.212}\n"
        "  - {id: river-2, kind: river_gauge, lat: 36.712}\n"
    )
    with pytest.raises(
        SettingsError, match=r"devices\.yaml:3:\d+ devices\[1\]\.lat: a place is"
    ) as found:
        load_devices(file, "16201")
    assert len(found.value.complaints) == 1
