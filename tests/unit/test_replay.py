"""A recording through the whole gateway: what is kept, what is hidden, and that nothing leaks."""

import asyncio
import gzip
import json
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any

import pytest

from gateway.canary.canaries import Canaries
from gateway.clock import SystemClock
from gateway.model.device import Device
from gateway.model.errors import Refusal
from gateway.model.instant import Instant
from gateway.model.uplink import Route, Uplinks
from gateway.statedir import StateDir
from gateway.transports.replay.clock import RecordedClock
from gateway.transports.replay.door import Replay
from gateway.transports.replay.track import Recording
from gateway.transports.replay.track_file import read_track
from sekisho.canary_fixture import look
from sekisho.replay import replay
from tests.conftest import SHARED_DATA
from tests.fakes.readings import child
from tests.fakes.sealed import opened

WALK = Path(__file__).parents[1] / "golden" / "made_up_walk.gpx"
HOME = (36.9, 137.2)
RIDES = sorted((SHARED_DATA / "gps").glob("*.gpx.gz"))


def haversine(lat_1: float, lon_1: float, lat_2: float, lon_2: float) -> float:
    half = (
        sin(radians(lat_2 - lat_1) / 2) ** 2
        + cos(radians(lat_1)) * cos(radians(lat_2)) * sin(radians(lon_2 - lon_1) / 2) ** 2
    )
    return 2 * 6_371_008.8 * asin(sqrt(half))


def replayed(capsys: Any, file: Path, home: tuple[float, float], state: Path) -> dict[str, Any]:
    """The figures of a replay; every stored point is checked against the radius on the way."""
    replay(file=file, home=f"{home[0]!r},{home[1]!r}", state=state, json_=True)
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    stored = [(row["lat"], row["lon"]) for row in opened(StateDir.open(state), "child_tracker")]
    assert len(stored) == said["shown"]
    assert all(haversine(*home, lat, lon) > 50.3 for lat, lon in stored)
    return said


def point(lat: str, lon: str, time: str) -> bytes:
    """A recording of one point, with a good one behind it."""
    points = ((lat, lon, time), ("36.9", "137.2", "2026-05-12T09:00:00Z"))
    said = "".join(f"<trkpt lat='{a}' lon='{o}'><time>{t}</time></trkpt>" for a, o, t in points)
    return f"<gpx version='1.1'><trk><trkseg>{said}</trkseg></trk></gpx>".encode()


@pytest.fixture
def no_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory: no configuration is found by chance."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_walk_is_kept_outside_and_hidden_at_home(capsys: Any, no_config: Path) -> None:
    said = replayed(capsys, WALK, HOME, no_config / "r" / "state")
    assert said["fixes"] + said["without_time"] == 160
    assert said["fixes"] == said["shown"] + sum(said["hidden"].values()) + said["rejected"]
    assert said["hidden"]["inside the home radius"] >= 12
    assert said["kept_of_beyond_percent"] > 90


def test_no_byte_of_a_hidden_fix_stays_in_the_state_directory(capsys: Any, no_config: Path) -> None:
    state = no_config / "r" / "state"
    home = (36.900_012_345_678, 137.200_023_456_789)
    replayed(capsys, WALK, home, state)
    near = tuple(
        (point.lat, point.lon)
        for point in read_track(WALK).points
        if haversine(*home, point.lat, point.lon) < 50
    )
    assert len(near) > 12
    assert look(state, Canaries(positions=near, homes=(home,))) == []


def test_replayed_again_everything_is_there_already(capsys: Any, no_config: Path) -> None:
    state = no_config / "r" / "state"
    first = replayed(capsys, WALK, HOME, state)
    again = replayed(capsys, WALK, HOME, state)
    assert again["already_stored"] == again["shown"] == first["shown"]


def test_another_home_in_the_same_directory_is_refused(capsys: Any, no_config: Path) -> None:
    state = no_config / "r" / "state"
    replayed(capsys, WALK, HOME, state)
    with pytest.raises(Refusal, match="another home"):
        replayed(capsys, WALK, (36.91, 137.2), state)


def test_another_recording_in_the_same_directory_is_refused(capsys: Any, no_config: Path) -> None:
    """Its box is another service area, and so another rule set: replayed A, B, A, the first would be
    stored twice. Nothing is changed by the refusal: A can be replayed again."""
    state = no_config / "r" / "state"
    other = no_config / "other.gpx"
    other.write_bytes(point("36.95", "137.25", "2026-05-12T08:59:00Z"))
    first = replayed(capsys, WALK, HOME, state)
    for _ in range(2):
        with pytest.raises(Refusal, match="another recording, or under other rules"):
            replayed(capsys, other, HOME, state)
        again = replayed(capsys, WALK, HOME, state)
        assert again["already_stored"] == again["shown"] == first["shown"]


def test_a_radius_below_the_policy_s_is_refused(no_config: Path) -> None:
    """It would be ignored, for a household's own radius may only widen the circle."""
    for radius in (49.9, 0.0, -1.0, float("nan")):
        with pytest.raises(Refusal, match="no smaller than the policy's, 50 m"):
            replay(file=WALK, home="36.9,137.2", radius=radius, state=no_config / "r" / "state")
    assert not (no_config / "r").exists()


def test_a_directory_of_another_sort_is_refused(no_config: Path) -> None:
    StateDir.create(no_config / "real", None, SystemClock())
    with pytest.raises(Refusal, match="not made for replays"):
        replay(file=WALK, home="36.9,137.2", state=no_config / "real")


@pytest.mark.usefixtures("no_config")
def test_the_report_fits_a_screen_and_warns(capsys: Any) -> None:
    replay(file=WALK, home="36.9,137.2")
    said = capsys.readouterr().out
    assert "hides the points, not the home" in said
    assert "box round this recording" in said
    assert ".replay/made_up_walk/personal/store-2026-W20.db" in said
    assert len(said.splitlines()) <= 24
    assert "137.2" not in said


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"home": "somewhere"}, "latitude and longitude"),
        ({"home": "91,0"}, "latitude and longitude"),
        ({"home": "nan,0"}, "latitude and longitude"),
        ({"home": None}, "What is recorded there"),
        ({"as_": "river_gauge"}, "child_tracker only"),
        ({"format_": "chirpstack_v4"}, "are for recorded ways"),
        ({"format_": "chirpstack", "home": None}, "Did you mean chirpstack"),
        ({"format_": "actility", "home": None}, "Whose devices these are"),
        ({"pace": "0"}, "at-once"),
        ({"pace": "fast"}, "at-once"),
        ({"file": Path("missing.gpx")}, "cannot be read"),
    ],
)
def test_mistakes_are_answered_in_sentences(
    options: dict[str, Any], sentence: str, no_config: Path
) -> None:
    with pytest.raises(Refusal, match=sentence) as refusal:
        replay(**{"file": WALK, "home": "36.9,137.2", **options})
    assert refusal.value.exit_code == 2
    assert list(no_config.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not a GPX"),
        (b"\x1f\x8b\x08 broken", "cannot be unpacked"),
        (b"<gpx><trk><trkseg>\n<trkpt lat='secret' lon='1'/></trkseg></trk></gpx>", r"x.gpx:2 track point 1 has no lat that is a number"),
        (b"<gpx><trk><trkseg>\n<trkpt lat='1'/></trkseg></trk></gpx>", r"x.gpx:2 track point 1 has no lon"),
        (point("36.9", "137.2", "secret"), r"x.gpx:1 track point 1 has a time that is none"),
        (point("36.9", "137.2", "2026-13-12T08:00:00Z"), r"track point 1 has a time that is none"),
        (b"<gpx version='1.1'><trk><trkseg>\n<trkpt lat='1' lon='1'>\n<ele>secret</ele></trkpt></trkseg></trk></gpx>", r"x.gpx:3 track point 1 has an ele"),
        (b"<gpx version='1.1'><trk><trkseg>\n<trkpt lat='1' lon", r"x.gpx:2 is not well-formed XML"),
        (b"<html><body>no way</body></html>", "no track point with a time"),
        (b"<gpx version='1.1'><trk><trkseg><trkpt lat='1' lon='1'/></trkseg></trk></gpx>", "no track point"),
        (b"\xff\xfe", "not a GPX"),
        (point("nan", "137.2", "2026-05-12T08:00:00Z"), "point 1 is no position on earth"),
        (point("36.9", "inf", "2026-05-12T08:00:00Z"), "point 1 is no position on earth"),
        (point("36.9", "181", "2026-05-12T08:00:00Z"), "point 1 is no position on earth"),
        (point("36.9", "137.2", "0001-01-01T00:00:00Z"), "point 1 has no time of these centuries"),
        (point("36.9", "137.2", "9999-12-31T23:59:59Z"), "point 1 has no time of these centuries"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_recording_is_refused(
    content: bytes, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "x.gpx").write_bytes(content)
    with pytest.raises(Refusal, match=sentence) as refusal:
        read_track(tmp_path / "x.gpx")
    assert "secret" not in str(refusal.value)


def test_only_time_and_place_leave_the_recording(tmp_path: Path) -> None:
    packed = tmp_path / "walk.gpx.gz"
    packed.write_bytes(gzip.compress(WALK.read_bytes()))
    recording = read_track(packed)
    assert recording.undated == 1
    for number, (_, payload) in enumerate(recording.payloads()):
        said = json.loads(payload)
        assert said.keys() == {"t", "seq", "lat", "lon"}
        assert said["seq"] == number


class Slow:
    """An intake that settles each record only after a while, and counts what waits."""

    def __init__(self) -> None:
        self.waiting = 0
        self.most = 0
        self.times: list[Instant] = []

    def put(self, _sender: object, uplinks: Uplinks) -> None:
        self.waiting += len(uplinks.items)
        self.most = max(self.most, self.waiting)
        self.times.append(uplinks.received_at)
        asyncio.get_running_loop().call_later(0.001, self._settle, uplinks)

    def _settle(self, uplinks: Uplinks) -> None:
        self.waiting -= len(uplinks.items)
        uplinks.settle({})


def route(device: Device) -> Route:
    return Route(device, device.kind, lambda *_: (None, None, None))


async def test_a_replay_waits_while_too_many_are_unsettled() -> None:
    """Each point goes at its own time; no more of them wait for their commit than the window holds."""
    recording = read_track(WALK)
    intake, clock = Slow(), RecordedClock(recording.points[0].at)
    await Replay(recording.records(route(child())), intake, clock, window=64).send()
    assert intake.times == [point.at for point in recording.points]
    assert intake.most == 64
    assert intake.waiting == 0
    assert clock.now() == recording.points[-1].at


async def test_a_paced_replay_takes_its_time() -> None:
    recording = Recording(read_track(WALK).points[:6])
    intake, clock = Slow(), RecordedClock(recording.points[0].at)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await Replay(recording.records(route(child())), intake, clock, pace=500).send()
    assert intake.most == 1
    assert loop.time() - began > 5 * 20 / 500


# -- real recordings, where they may be read -----------------------------------------------------


@pytest.mark.needs("shared data")
@pytest.mark.parametrize("ride", RIDES or [SHARED_DATA / "gps"], ids=lambda path: path.name)
@pytest.mark.parametrize("sixth", range(6))
def test_a_real_ride_is_mostly_kept(capsys: Any, no_config: Path, ride: Path, sixth: int) -> None:
    """≥ 95 % of the fixes beyond radius and margin with the home at its start, else ≥ 85 %."""
    points = read_track(ride).points
    at = points[len(points) * sixth // 6]
    said = replayed(capsys, ride, (at.lat, at.lon), no_config / "r" / "state")
    with capsys.disabled():
        print(f"\n{ride.name}, home at {sixth}/6: {said['kept_of_beyond_percent']} % kept")
    assert said["kept_of_beyond_percent"] >= (95 if sixth == 0 else 85)
