"""Tables of readings through the whole gateway: columns become fields, times become the rows' own."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.model.errors import Refusal
from gateway.model.instant import parse_rfc3339
from gateway.transports.replay.columns import moment
from sekisho.replay import replay
from tests.conftest import SHARED_DATA

CONFIG = Path(__file__).parents[2] / "config"
RIVER = SHARED_DATA / "river" / "kyushu2017" / "water_level_log.csv"
JAPAN = ZoneInfo("Asia/Tokyo")
LEVELS = """\
station,time,level (m),note
east,2026/05/12 7:00,1.25,
west,2026-05-12T06:00:00+09:00,0.75,"a, b"
east,2026-05-12 08:00,1.5,
east,2026-05-12 08:00,1.5,
east,2026-05-12 09:00,99,
east,2026-05-12 10:00,,
east,soon,1.5,
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the shipped configuration (Japanese time)."""
    shutil.copytree(CONFIG, tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def replayed(capsys: Any, file: Path, **options: Any) -> dict[str, Any]:
    """The figures of a replay into `r/state`."""
    replay(file=file, as_="river_gauge", state=Path("r/state"), json_=True, **options)
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    fates = ("stored", "duplicate", "suppressed", "held", "counted", "rejected")
    assert said["records"] == said["uplinks"] == sum(said[fate] for fate in fates)
    return said


def rows() -> list[tuple[Any, ...]]:
    with sqlite3.connect("r/state/city.db") as db:
        asked = "SELECT device, observed_at, stage_m, clock, late FROM river_gauge ORDER BY 1, 2"
        found = db.execute(asked).fetchall()
    db.close()
    return found


def at(hour: int) -> int:
    return parse_rfc3339(f"2026-05-12T{hour:02}:00:00+09:00")


def test_columns_fill_fields(capsys: Any, place: Path) -> None:
    """Stations that nobody registered are registered; a line twice is a duplicate; a value off limits and
    an empty line are rejected; a line without a time is left out and told."""
    (place / "levels.csv").write_text(LEVELS)
    columns = "t=time,stage_m=level (m),device=station"
    said = replayed(capsys, place / "levels.csv", columns=columns)
    assert rows() == [
        ("east", at(7), 1.25, "device", 0),
        ("east", at(8), 1.5, "device", 0),
        ("west", at(6), 0.75, "device", 0),
    ]
    assert (said["stored"], said["duplicate"], said["without_time"]) == (3, 1, 1)
    assert said["reasons"]["rejected"] == {"out of range": 1, "undecodable": 1}
    again = replayed(capsys, place / "levels.csv", columns=columns)
    assert (again["stored"], again["duplicate"]) == (0, 4)


def test_a_declared_codec_reads_columns_too(capsys: Any, place: Path) -> None:
    """Centimetres become metres, the maker's word for "none" is refused, and a spreadsheet's encoding is read."""
    (place / "config" / "codecs" / "levels.yaml").write_text(
        "name: levels\nkind: river_gauge\nfields:\n  t: 時刻\n"
        "  stage_m: {from: 水位, scale: 0.01, refuse: [-9999]}\n"
    )
    text = "時刻,水位\n2026-05-12 07:00,125\n2026-05-12 08:00,-9999\n"
    (place / "levels.csv").write_bytes(text.encode("cp932"))
    options = {"codec": "levels", "device": "river-12", "encoding": "cp932"}
    said = replayed(capsys, place / "levels.csv", **options)
    assert rows() == [("river-12", at(7), 1.25, "device", 0)]
    assert said["reasons"]["rejected"] == {"out of range": 1}


@pytest.mark.needs("shared data")
def test_a_real_flood_is_kept_hour_by_hour(capsys: Any, place: Path) -> None:
    """One station of a river authority's wide table, in local time."""
    del place
    station = "s309061289901010"
    said = replayed(capsys, RIVER, columns=f"t=datetime,stage_m={station}", device=station)
    assert said["stored"] + said["rejected"] == said["uplinks"] > 100
    assert rows()[0][1:3] == (parse_rfc3339("2017-07-01T01:00:00+09:00"), 0.81)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"columns": "stage_m=level", "device": "x"}, "Which column is the time"),
        ({"columns": "t=time,stage_m=level (m)"}, "Whose readings"),
        ({"columns": "t=time,device=station", "device": "x"}, "Whose readings"),
        ({"columns": "t=time,stag_m=level (m)", "device": "x"}, "stage_m"),
        ({"columns": "t=time,stage_m=depth", "device": "x"}, "has no column depth"),
        ({"columns": "t=note,stage_m=level (m)", "device": "x"}, "no line with a time"),
        ({"columns": "t=time,stage_m=level (m)", "device": "camera-03"}, "as a wildlife_camera"),
        ({"codec": "wyres_base", "device": "x"}, "declares no codec"),
        ({"columns": "t=time", "device": "x", "encoding": "ascii"}, "is not in ascii"),
    ],
)
def test_what_does_not_fit_is_said(options: dict[str, str], sentence: str, place: Path) -> None:
    (place / "levels.csv").write_text(LEVELS + "北,2026-05-12 08:00,1,\n")
    with pytest.raises(Refusal, match=sentence):
        replay(file=place / "levels.csv", as_="river_gauge", state=place / "s" / "state", **options)  # type: ignore[arg-type]


def test_people_are_in_no_table(place: Path) -> None:
    (place / "ways.csv").write_text("t,lat,lon\n")
    with pytest.raises(Refusal, match="about people"):
        replay(file=place / "ways.csv", as_="child_tracker", columns="t=t,lat=lat,lon=lon")


@pytest.mark.parametrize(
    "text", ["2026/5/12 7:00", "2026-05-12 07:00", "2026-05-11T22:00:00Z", " 2026-05-12T07:00:00.0 "]
)  # fmt: skip
def test_times_are_read_as_tables_have_them(text: str) -> None:
    assert moment(text, JAPAN) == at(7)


@pytest.mark.parametrize(
    "text", ["", "soon", "7:00", "2026-05-12 25:00", "12/05/2026", "2026-02-30"]
)
def test_other_times_are_none(text: str) -> None:
    """Day and month are never guessed."""
    with pytest.raises(ValueError):  # noqa: PT011 whichever part it is
        moment(text, JAPAN)
