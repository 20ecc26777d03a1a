"""`sekisho privacy try`: what the mask would do to a way, said and drawn, and kept nowhere."""

import json
import math
import os
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from stat import S_IMODE

import pytest

from gateway.model.instant import HOUR, to_rfc3339
from gateway.privacy.partition import Shield
from gateway.privacy.policy import Policy
from gateway.transports.replay.track_file import read_track
from sekisho import picture, trial
from sekisho.__main__ import main
from sekisho.privacy_what_if import BEGIN
from sekisho.ways import Fix, Way
from sekisho.ways_of_town import ways_of
from sekisho.what_if import policy_of
from simulators.calendar import ZONE
from simulators.town import town
from tests.conftest import SHARED_DATA

WALK = Path(__file__).parents[1] / "golden" / "made_up_walk.gpx"
HOME = (36.90, 137.20)


def nowhere(_lat: float, _lon: float) -> bool:
    return False


def haversine_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """On a sphere of 6,371,008.8 m: not the mask's own formula."""
    lat1, lon1, lat2, lon2 = map(math.radians, (*a, *b))
    h = math.sin((lat2 - lat1) / 2) ** 2
    h += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(math.sqrt(h))


class Shapes(HTMLParser):
    """Counts the marks of a page, by shape and colour, and knows whether every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.dots = 0
        self.crosses = 0
        self.triangles = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        self._count(tag, dict(attrs))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._count(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def _count(self, tag: str, has: dict[str, str | None]) -> None:
        self.dots += tag == "circle" and has.get("fill") == picture._SHOWN
        self.crosses += tag == "path" and has.get("stroke") == picture._INSIDE
        self.triangles += tag == "path" and has.get("stroke") == picture._WAITING


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["sekisho", "privacy", "try", *words])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def test_it_says_what_replay_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The trial in memory and the gateway with its files hide and show the same."""
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, str(WALK), "--home", "36.90,137.20", "--json") == 0
    tried = json.loads(capsys.readouterr().out)
    monkeypatch.setattr(sys, "argv", ["sekisho", "replay", str(WALK), "--home", "36.90,137.20", "--json"])  # fmt: skip
    with pytest.raises(SystemExit):
        main()
    replayed = json.loads(capsys.readouterr().out)

    assert tried["shown"] > 0
    assert {key: tried[key] for key in ("fixes", "hidden", "shown")} == {
        key: replayed[key] for key in ("fixes", "hidden", "shown")
    }


@pytest.mark.parametrize("radius", [50.0, 120.0, 400.0])
def test_nothing_shown_lies_within_the_radius_that_was_tried(radius: float) -> None:
    """By a formula of our own; a wider circle shows less, and never something else."""
    tried = trial.run(read_track(WALK), HOME, Policy("", nowhere, home_radius_m=radius))
    shown = [mark for mark in tried.marks if mark.why is None]

    assert len(tried.marks) == tried.shown + sum(tried.hidden.values())
    assert len(shown) == tried.shown
    assert all(haversine_m(HOME, (m.lat, m.lon)) > radius for m in shown)


def test_every_fix_stands_in_the_picture_with_the_shape_of_its_fate() -> None:
    """Twice: once on each plan, where it lies on it; and once each in the list."""
    tried = trial.run(read_track(WALK), HOME, Policy("", nowhere, home_radius_m=50.0))
    shapes = Shapes()
    shapes.feed(picture.page(tried, "walk.gpx"))

    inside = tried.hidden["inside the home radius"]
    waiting = tried.hidden["not yet reopened"]
    assert shapes.open == []
    assert shapes.crosses == 2 * inside + 1
    assert waiting + 1 <= shapes.triangles <= 2 * waiting + 1
    assert tried.shown + 1 <= shapes.dots <= 2 * tried.shown + 1


def test_a_name_with_marks_of_its_own_does_not_break_the_page() -> None:
    """A file's name is text, whatever stands in it."""
    tried = trial.run(read_track(WALK), HOME, Policy("", nowhere))
    page = picture.page(tried, "<script>alert(1)</script>.gpx")
    assert "<script>" not in page


def test_the_picture_is_its_owner_s_alone_and_nothing_else_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It shows the exact way; no state directory, no key, no draft stays behind."""
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, str(WALK), "--home", "36.90,137.20", "--out", "try.html") == 0

    assert [path.name for path in tmp_path.iterdir()] == ["try.html"]
    assert S_IMODE((tmp_path / "try.html").stat().st_mode) == 0o600
    assert "keep it to yourself" in capsys.readouterr().out


def test_where_no_picture_can_be_put_no_draft_of_it_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A draft would show the exact way and the home as well."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, code, why in (
        ("folder", 2, "this is a folder"),
        ("pipe", 2, "this is a device or a pipe"),
        ("nowhere/try.html", 1, "cannot be written: No such file or directory"),
    ):
        words = ("--home", "36.90,137.20", "--out", str(tmp_path / name), "--force")
        assert run(monkeypatch, str(WALK), *words) == code
        assert why in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "pipe"]


def gpx(path: Path, way: list[tuple[float, float]], step_s: int = 60) -> str:
    """A recording of one fix a minute; a negative step turns its time round."""
    at = datetime(2026, 5, 12, tzinfo=UTC)
    points = "".join(
        f'<trkpt lat="{lat}" lon="{lon}"><time>{(at + timedelta(seconds=step_s * n)).isoformat()}</time></trkpt>'
        for n, (lat, lon) in enumerate(way)
    )
    path.write_text(f'<gpx version="1.1" creator="x"><trk><trkseg>{points}</trkseg></trk></gpx>')
    return str(path)


def test_a_way_over_the_180th_meridian_is_drawn_in_one_piece(tmp_path: Path) -> None:
    """Three kilometres are three kilometres there too, and every fix lies on the plan."""
    way = [(51.9, 179.99 + 0.001 * n - (360 if n > 10 else 0)) for n in range(40)]
    tried = trial.run(read_track(Path(gpx(tmp_path / "w.gpx", way))), way[0], Policy("", nowhere))
    shapes = Shapes()
    shapes.feed(picture.page(tried, "w.gpx"))

    assert tried.length_m == pytest.approx(39 * 68.8, rel=0.01)
    assert shapes.dots >= tried.shown + 1
    assert ">500 m</text>" in picture.page(tried, "w.gpx")


def test_what_nobody_can_measure_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Ways and homes at a pole, by a sentence."""
    file = gpx(tmp_path / "pole.gpx", [(89.0, 0.0), (89.9, 90.0)])
    assert run(monkeypatch, file, "--home", "36.90,137.20") == 2
    assert "track point 1 lies too near a pole" in capsys.readouterr().err
    assert run(monkeypatch, str(WALK), "--home", "89,137.20") == 2
    assert "latitudes to 85" in capsys.readouterr().err


def test_a_way_that_runs_backwards_lasted_as_long(tmp_path: Path) -> None:
    """Some editors turn a track round with its times."""
    way = [(36.9 + 0.001 * n, 137.2) for n in range(30)]
    file = Path(gpx(tmp_path / "back.gpx", way, step_s=-60))
    assert trial.run(read_track(file), HOME, Policy("", nowhere)).minutes == 29


def test_a_home_that_is_nowhere_near_the_way_is_doubted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Latitude and longitude changed for one another would hide nothing, and look like a good rule."""
    assert run(monkeypatch, str(WALK), "--home", "36.90,137.20") == 0
    assert "note" not in capsys.readouterr().out
    assert run(monkeypatch, str(WALK), "--home", "36.905,137.20", "--radius", "5") == 0
    assert "is that the home, latitude first?" in capsys.readouterr().out
    assert run(monkeypatch, str(WALK), "--home", "37.20,136.90") == 0
    assert (
        "This way never comes within 1 km of the home: is --home right?" in capsys.readouterr().out
    )


def test_the_caution_stands_beside_what_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Where everything is hidden there is nothing to be careful with; points without a time are counted."""
    file = tmp_path / "home.gpx"
    gpx(file, [HOME, HOME])
    untimed = '<trkpt lat="36.9" lon="137.2"/></trkseg>'
    file.write_text(file.read_text().replace("</trkseg>", untimed))
    assert run(monkeypatch, str(file), "--home", "36.90,137.20") == 0
    said = capsys.readouterr().out
    assert "careful" not in said
    assert "unread   1 without a time" in said
    assert run(monkeypatch, str(WALK), "--home", "36.90,137.20") == 0
    careful = capsys.readouterr().out.partition("careful")[2]
    assert "Measured for a plain circle of 50 m in a synthetic district" in careful


def test_no_picture_is_replaced_unasked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "mine.html"
    out.write_text("mine")
    words = (str(WALK), "--home", "36.90,137.20", "--out", str(out))
    assert run(monkeypatch, *words) == 2
    assert "replace it with --force" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert run(monkeypatch, *words, "--force") == 0
    assert out.read_text() != "mine"


def test_a_smaller_circle_than_the_configured_one_may_be_tried_and_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, str(WALK), "--home", "36.90,137.20", "--radius", "20") == 0
    assert "a gateway with these settings hides 50 m, not less" in capsys.readouterr().out
    assert run(monkeypatch, str(WALK), "--home", "36.90,137.20", "--radius", "0") == 2
    assert run(monkeypatch, str(WALK), "--home", "nonsense") == 2


ZONE_RULES = Path(__file__).parents[2] / "config" / "privacy" / "toyama-zone.yaml"


def morning(path: Path) -> tuple[Path, tuple[float, float]]:
    """A fictional child's way to school, and its home."""
    (way,) = ways_of(town(), 7, 1, BEGIN, 1, 60.0, lambda _: None)
    fixes = [f for f in way.fixes if f.lat and f.lon and 7 * HOUR < f.at - BEGIN < 9 * HOUR]
    points = "".join(
        f'<trkpt lat="{f.lat}" lon="{f.lon}"><time>{to_rfc3339(f.at, ZONE)}</time></trkpt>'
        for f in fixes
    )
    path.write_text(f'<gpx version="1.1" creator="x"><trk><trkseg>{points}</trkseg></trk></gpx>')
    return path, way.home


def test_any_rule_set_can_be_tried(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Zones: what is shown are cells, none of which reaches into the zone or its buffer, and the page draws them."""
    file, home = morning(tmp_path / "w.gpx")
    words = (str(file), "--home", f"{home[0]},{home[1]}", "--rules", str(ZONE_RULES))
    assert run(monkeypatch, *words, "--out", str(tmp_path / "try.html"), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    policy = policy_of(ZONE_RULES, [Way("", home, [Fix(0, *home, None, 0)])])
    tried = trial.run(read_track(file), home, policy)
    cells = {mark.cell for mark in tried.marks if mark.cell is not None}
    assert policy.zoned is not None
    shield = Shield(policy.zoned.partition, said["zone"], policy.buffer_m)

    assert said["shown"] == sum(mark.cell is not None for mark in tried.marks) > 0
    assert said["radius_m"] is None
    assert said["hidden"]["inside the household's zone"] > 0
    assert said["nearest_shown_m"] > policy.buffer_m
    for south, west, north, east in cells:
        assert not any(shield.hides(lat, lon) for lat in (south, north) for lon in (west, east))
    page = (tmp_path / "try.html").read_text()
    shapes = Shapes()
    shapes.feed(page)
    assert shapes.open == []
    assert shapes.crosses >= said["hidden"]["inside the household's zone"]
    assert f"zone {said['zone']} of fictional-250m-k100 and 100 m round it" in page
    assert "cells of 125m, times in steps of 10 min" in page
    assert run(monkeypatch, *words) == 0
    assert "the shown track starts on a circle" not in capsys.readouterr().out


def test_zones_take_no_radius_and_say_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A circle round the home would undo them; and of a home in no zone nothing is kept."""
    words = (str(WALK), "--home", "36.90,137.20", "--rules", str(ZONE_RULES))
    assert run(monkeypatch, *words, "--radius", "80") == 2
    assert "a circle round the home would undo them" in capsys.readouterr().err
    assert run(monkeypatch, *words) == 0
    assert "this home lies in no zone of the partition" in capsys.readouterr().out
    ridership = ZONE_RULES.with_name("ridership.yaml")
    assert run(monkeypatch, *words[:3], "--rules", str(ridership)) == 2
    assert "has no lane store" in capsys.readouterr().err


@pytest.mark.needs("shared data")
def test_a_real_ride_shows_nothing_near_its_start() -> None:
    """A ride that somebody recorded, its first fix taken for the home."""
    recording = read_track(SHARED_DATA / "gps" / "lyon_bike_24_July.gpx.gz")
    home = (recording.points[0].lat, recording.points[0].lon)
    tried = trial.run(recording, home, Policy("", nowhere, home_radius_m=50.0))

    assert tried.nearest_shown_m is not None
    assert tried.nearest_shown_m > 50 + 2 * 10
    assert 0.9 < tried.shown / len(tried.marks) < 1.0
    for mark in tried.marks:
        if mark.why is None:
            assert haversine_m(home, (mark.lat, mark.lon)) > 50
            assert haversine_m((mark.point.lat, mark.point.lon), (mark.lat, mark.lon)) < 0.8
