"""`sekisho export`: files that others open, read back by DuckDB and by GDAL."""

import csv
import json
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyogrio
import pytest

from gateway.clock import SystemClock
from gateway.devices.catalog import catalog
from gateway.devices.tables import table_columns
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.registry.registry import Registry
from gateway.statedir import Mark, StateDir
from gateway.stores.sqlite_file import SqliteFile
from gateway.stores.views import views
from sekisho.export import export
from sekisho.export_files import FORMS
from tests.conftest import tool

T = 1_778_555_820_000_000  # 2026-05-12T03:17:00Z
BRIDGE = (36.712345678, 137.212345678)
MINUTE = 60_000_000
WATER_C = [1.25, None, 1.75]


def made(folder: Path, mark: Mark | None = Mark.SIM) -> StateDir:
    """Three readings of a gauge at a bridge, one of a stranger without a place, and a child's masked row."""
    state = StateDir.create(folder / "state", mark, SystemClock())
    keys = KeyRing.create(folder / "keys", state.id, SystemClock(), ZoneInfo("Asia/Tokyo"))
    with Registry.open(state, keys) as registry, registry.change():
        facts = {"lat": BRIDGE[0], "lon": BRIDGE[1]}
        registry.put_device("river-1", "river_gauge", "16201", 0, attributes=facts)
    city = SqliteFile(state.city_db, "city")
    rows = [gauge("river-1", n, water_c) for n, water_c in enumerate(WATER_C)]
    assert city.insert("river_gauge", [*rows, gauge("=river-2", 3, 0.5)]) == ([], [])
    city.close()
    child = SqliteFile(state.personal_dir / "store-2026-W20.db", "personal")
    row = (T, b"i" * 16, b"p" * 16, 36.70001, 137.20002, 2, None, None)
    assert child.insert("child_tracker", [row]) == ([], [])
    child.close()
    return state


def gauge(device: str, n: int, water_c: float | None) -> tuple[Any, ...]:
    known = {
        "observed_at": T + n * MINUTE, "device": device, "counter": n - 1, "digest": b"\x0a" * 8, "item": 0,
        "received_at": T + n * MINUTE, "clock": "device", "late": 0, "stage_m": 1.5, "temperature_c": water_c,
    }  # fmt: skip
    return tuple(known.get(column.name) for column in table_columns(catalog()["river_gauge"]))


def duck(sql: str) -> list[list[Any]]:
    """What DuckDB answers, in a process of its own: its module says at every exit what it leaves behind."""
    ask = "import duckdb, json, sys; print(json.dumps(duckdb.sql(sys.argv[1]).fetchall(), default=str))"
    line = [sys.executable, "-c", ask, f"SET TimeZone = 'UTC'; {sql}"]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=60)
    found: list[list[Any]] = json.loads(done.stdout)
    return found


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateDir:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    return made(tmp_path)


def exported(state: StateDir, name: str, form: str, **options: Any) -> Path:
    out = state.path.parent / f"rows.{form}"
    export(name, format_=form, out=out, state=state.path, quiet=True, **options)
    return out


def test_csv_is_what_a_spreadsheet_expects(state: StateDir) -> None:
    """A byte order mark for Excel, CRLF, local times with offset, nothing where nothing was measured, and no
    cell that a spreadsheet would compute."""
    content = exported(state, "river_levels", "csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == content.count(b"\n") == 5
    rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    assert [row["temperature_c"] for row in rows] == ["1.25", "", "1.75", "0.5"]
    assert rows[0]["observed_at"] == "2026-05-12T12:17:00.000+09:00"
    assert rows[3]["device"] == "'=river-2"


def test_duckdb_reads_csv_and_parquet_alike(state: StateDir) -> None:
    """Times as times, numbers as numbers, and NULL where nothing was measured."""
    expected = [
        (datetime.fromtimestamp((T + n * MINUTE) / 1e6, UTC), stage)
        for n, stage in enumerate([*WATER_C, 0.5])
    ]
    for form in ("csv", "parquet"):
        file = exported(state, "river", form)
        sql = f"SELECT epoch_us(observed_at::TIMESTAMPTZ), temperature_c FROM '{file}' ORDER BY 1"  # noqa: S608
        found = duck(sql)
        assert [(datetime.fromtimestamp(at / 1e6, UTC), stage) for at, stage in found] == expected


def test_parquet_has_types_of_its_own(state: StateDir) -> None:
    """A time is a time with its zone, bytes are hexadecimal, and a counter that was none is NULL."""
    file = exported(state, "river_gauge", "parquet")
    sorts = {row[0]: row[1] for row in duck(f"DESCRIBE FROM '{file}'")}
    first = duck(f"SELECT counter, digest FROM '{file}' LIMIT 1")  # noqa: S608
    assert list(sorts) == [column.name for column in table_columns(catalog()["river_gauge"])]
    assert (sorts["observed_at"], sorts["stage_m"]) == ("TIMESTAMP WITH TIME ZONE", "DOUBLE")
    assert first == [[None, "0a" * 8]]


@pytest.mark.parametrize("form", ["gpkg", "geojson"])
def test_gdal_reads_places_from_the_registry(state: StateDir, form: str) -> None:
    """WGS 84, longitude first; a gauge that stands nowhere has no geometry."""
    file = exported(state, "river_levels", form)
    about = pyogrio.read_info(file)
    assert (about["features"], about["geometry_type"], about["crs"]) == (4, "Point", "EPSG:4326")
    meta, _, geometry, fields = pyogrio.raw.read(file)
    stages = fields[list(meta["fields"]).index("temperature_c")].tolist()
    assert (stages[0], stages[2], stages[3]) == (1.25, 1.75, 0.5)
    assert geometry[3] is None
    assert pyogrio.read_bounds(file)[1][:, 0].tolist() == pytest.approx(
        [BRIDGE[1], BRIDGE[0], BRIDGE[1], BRIDGE[0]], abs=1e-7
    )


@pytest.mark.needs("ogrinfo")
def test_gdal_s_own_program_reads_a_geopackage(state: StateDir) -> None:
    """`ogrinfo` of Debian names the layer, its geometry, its time column and its four rows."""
    program = tool("ogrinfo")
    assert program is not None
    line = [program, "-so", str(exported(state, "river_levels", "gpkg")), "river_levels"]
    said = subprocess.run(line, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "Geometry: Point" in said
    assert "Feature Count: 4" in said
    assert "observed_at: DateTime" in said
    assert 'ID["EPSG",4326]' in said


@pytest.mark.parametrize("form", FORMS)
def test_no_form_lets_an_identity_out(state: StateDir, form: str) -> None:
    """People's rows are as the mask left them, less what the store knows them by; only the owner reads the file."""
    file = exported(state, "child_tracker", form)
    content = file.read_bytes()
    assert (b"i" * 16).hex().encode() not in content
    assert b"identity" not in content
    assert file.stat().st_mode & 0o777 == 0o600


def test_people_s_view_is_their_masked_place(state: StateDir) -> None:
    (feature,) = json.loads(exported(state, "child_places", "geojson").read_text())["features"]
    assert feature["geometry"]["coordinates"] == [137.20002, 36.70001]
    assert feature["properties"].keys() == {"minute", "pseudonym", "battery_class", "cell", "leg"}


@pytest.mark.parametrize("form", FORMS)
def test_a_real_directory_s_people_need_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """As `query` does, and nothing is left behind by a refusal."""
    monkeypatch.chdir(tmp_path)
    state = made(tmp_path, None)
    with pytest.raises(Refusal, match="about people"):
        exported(state, "child_places", form)
    assert not (tmp_path / f"rows.{form}").exists()
    with pytest.raises(Refusal, match="--purpose"):
        exported(state, "child_places", form, personal=True)
    assert not (tmp_path / f"rows.{form}").exists()
    assert exported(state, "child_places", form, personal=True, purpose="a study").exists()


@pytest.mark.parametrize("form", FORMS)
def test_nothing_stored_is_an_empty_file(state: StateDir, form: str) -> None:
    """A file that opens, with its columns and no row."""
    file = exported(state, "weather", form)
    if form == "csv":
        assert len(file.read_text().splitlines()) == 1
    elif form == "parquet":
        assert duck(f"SELECT count(*) FROM '{file}'") == [[0]]  # noqa: S608
    elif form == "gpkg":
        assert pyogrio.read_info(file)["features"] == 0
    else:
        assert json.loads(file.read_text())["features"] == []


def test_only_what_was_asked_for_is_written(state: StateDir, capsys: Any) -> None:
    out = state.path.parent / "some.csv"
    since = "2026-05-12T12:18"
    export(
        "river", format_="csv", out=out, state=state.path, since=since, device="river-1", json=True
    )
    said = json.loads(capsys.readouterr().out)
    assert said == {"file": str(out), "rows": 2, "bytes": out.stat().st_size}


@pytest.mark.parametrize("form", ["parquet", "gpkg"])
def test_a_missing_extra_is_named(
    state: StateDir, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Refusal, match=r"pip install 'sekisho\[export\]'"):
        exported(state, "river", form)
    assert sorted(path.name for path in state.path.parent.iterdir()) == ["keys", "state"]


def test_a_file_is_replaced_by_force_only_and_never_inside(state: StateDir) -> None:
    exported(state, "river", "csv")
    with pytest.raises(Refusal, match="--force"):
        exported(state, "river", "csv")
    exported(state, "river", "csv", force=True)
    with pytest.raises(Refusal, match="inside the state directory"):
        export("river", format_="csv", out=state.path / "x.csv", state=state.path)
    pipe = state.path.parent / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(Refusal, match="a device or a pipe"):
        export("river", format_="csv", out=pipe, force=True, state=state.path)
    assert pipe.is_fifo()
    with pytest.raises(Refusal, match="there are csv, parquet"):
        export("river", format_="xlsx", out=state.path.parent / "x", state=state.path)
    with pytest.raises(Refusal, match="cannot be written"):
        export("river", format_="gpkg", out=Path("nowhere/x.gpkg"), state=state.path)


def test_the_views_known_are_those_of_the_files(state: StateDir) -> None:
    """Each of a file's views is known with its kind, and shows columns that its kind's table has."""
    found = set()
    for path in (state.city_db, state.personal_dir / "store-2026-W20.db"):
        with sqlite3.connect(path) as db:
            found |= {
                r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'view'")
            }
        db.close()
    assert views().keys() == found
    for kind, columns in views().values():
        assert set(columns) <= {column.name for column in table_columns(catalog()[kind])}
