"""A network server's log through the whole gateway: every record has its fate, as often as it is replayed."""

import gzip
import json
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.model.errors import Refusal
from gateway.model.instant import from_datetime
from gateway.transports.replay.documents import said_by
from sekisho.replay import replay
from tests.conftest import SHARED_DATA

CONFIG = Path(__file__).parents[2] / "config"
LOG = SHARED_DATA / "lorawan" / "sainteynard_33_chirpstackv3.ndjson.gz"
EUI = "d1d1e80000000033"
BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
DEVICES = f"""\
devices:
  - id: station
    kind: weather_station
    dev_eui: {EUI}
    codec: wyres_base
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The shipped configuration, with one station that a network server hears."""
    shutil.copytree(CONFIG, tmp_path / "config")
    (tmp_path / "config" / "devices.yaml").write_text(DEVICES)
    return tmp_path / "config" / "gateway.yaml"


def uplink(minute: float, f_cnt: int, **said: Any) -> str:
    """An uplink of the station, so many minutes after BEGIN."""
    at = BEGIN + timedelta(minutes=minute)
    return json.dumps({
        "deviceInfo": {"devEui": EUI}, "devAddr": "00189440", "fPort": 1, "fCnt": f_cnt, "rxInfo": [],
        "time": at.isoformat(), "data": "qg==", "object": said or {"temperature": 20.5},
    })  # fmt: skip


STATUS = json.dumps({"deviceInfo": {"devEui": EUI}, "margin": 10})
STRANGER = uplink(3, 3).replace(EUI, "0101010101010101")


def replayed(
    capsys: Any, config: Path, file: Path, format_: str = "chirpstack_v4"
) -> dict[str, Any]:
    """The figures of a replay into one directory; the conservation law is checked on the way."""
    state = config.parents[1] / "r" / "state"
    replay(file=file, format_=format_, config=config, state=state, json_=True)
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    fates = ("stored", "duplicate", "suppressed", "held", "counted", "rejected")
    assert said["records"] == said["uplinks"] + sum(said["events"].values())
    assert said["uplinks"] == sum(said[fate] for fate in fates)
    return said


def rows(config: Path, columns: str = "*") -> list[tuple[Any, ...]]:
    with sqlite3.connect(config.parents[1] / "r" / "state" / "city.db") as db:
        found = db.execute(f"SELECT {columns} FROM weather_station ORDER BY 1, 2, 3").fetchall()  # noqa: S608
    db.close()
    return found


def write(path: Path, *lines: str) -> Path:
    text = "".join(line + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


@pytest.mark.needs("shared data")
@pytest.mark.timeout(60)
def test_a_real_log_of_a_season_is_kept_to_the_row(capsys: Any, config: Path) -> None:
    """14,204 records = 436 status + 13,768 uplinks: 13,108 stored, 23 of them light alone, and 660 without
    a reading. Replayed again, all of them are there already, and no row has changed."""
    said = replayed(capsys, config, LOG, "chirpstack_v3_hex")
    assert (said["records"], said["uplinks"], said["events"]) == (14_204, 13_768, {"status": 436})
    assert (said["stored"], said["rejected"]) == (13_108, 660)
    assert said["reasons"] == {"rejected": {"no reading": 660}}
    assert said["before_the_first_record"] == 0
    stored = rows(config)
    light = rows(config, "temperature_c, pressure_hpa, brightness")
    assert sum(t is None and p is None and b is not None for t, p, b in light) == 23
    again = replayed(capsys, config, LOG, "chirpstack_v3_hex")
    assert (again["stored"], again["duplicate"]) == (0, 13_108)
    assert rows(config) == stored


def test_what_mosquitto_sub_printed_is_read(capsys: Any, config: Path, tmp_path: Path) -> None:
    """A topic, a blank and a document a line; events, strangers and broken lines have their counts."""
    topic = f"application/1/device/{EUI}/event"
    file = write(
        tmp_path / "log.txt",
        *(f"{topic}/status {STATUS}", f"{topic}/up {uplink(0, 0)}", "", f"{topic}/join {STATUS}"),
        *(f"{topic}/up {uplink(1, 1)}", f"{topic}/up {uplink(1.01, 1)}", f"{topic}/up (null)"),
        *(f"{topic}/up {uplink(2, 2, willListen=True)}", f"{topic}/up {STRANGER}"),
    )
    said = replayed(capsys, config, file)
    assert said["events"] == {"status": 1, "join": 1}
    assert (said["stored"], said["duplicate"], said["rejected"]) == (2, 1, 3)
    assert said["reasons"]["rejected"] == {"undecodable": 1, "no reading": 1, "unknown device": 1}


def test_devices_that_nobody_knows_here_are_told_where_to_be_written(capsys: Any, config: Path, tmp_path: Path) -> None:  # fmt: skip
    """A replay has a directory of its own: what was registered in another one is unknown to it."""
    line = f"application/1/device/{EUI}/event/up {STRANGER}"
    state = config.parents[1] / "r" / "state"
    replay(
        file=write(tmp_path / "log.txt", line), format_="chirpstack_v4", config=config, state=state
    )
    assert "the configuration lists (devices.yaml)" in capsys.readouterr().err


def test_a_line_may_begin_with_its_time(capsys: Any, config: Path, tmp_path: Path) -> None:
    """What `mosquitto_sub -F '%I %t %p'` printed: of messages that carry no time of a server, this is theirs."""
    codecs = config.parent / "codecs"
    text = "name: wyres_base\nkind: weather_station\nfields: {temperature_c: temperature}\n"
    (codecs / "wyres_base.yaml").write_text(text)
    lines = [
        f'2026-05-12T0{hour}:00:00+0900 zigbee2mqtt/station {{"temperature": {hour}}}'
        for hour in (7, 8)
    ]
    said = replayed(capsys, config, write(tmp_path / "log.txt", *lines), "flat_json")
    assert (said["stored"], said["before_the_first_record"]) == (2, 0)
    hours = [int(datetime(2026, 5, 11, 22 + n, tzinfo=UTC).timestamp() * 1e6) for n in (0, 1)]
    assert rows(config, "observed_at, temperature_c, clock, received_at") == [
        (hour, degrees, "gateway", hour) for hour, degrees in zip(hours, (7.0, 8.0), strict=True)
    ]
    again = replayed(capsys, config, tmp_path / "log.txt", "flat_json")
    assert (again["stored"], again["duplicate"]) == (0, 2)


@pytest.mark.parametrize(
    ("line", "at", "topic"),
    [
        (b'a/b {"n": 1}', False, "a/b"),
        (b'{"n": 1}', False, ""),
        (b'2026-05-12T07:00:00+09:00 a/b {"n": 1}', True, "a/b"),
        (b'2026-05-12T07:00:00Z {"n": 1}', True, ""),
        (b'2026-05-12T07:00:00 {"n": 1}', False, "2026-05-12T07:00:00"),
        (b'20/up {"n": 1}', False, "20/up"),
    ],
)
def test_a_line_is_time_topic_and_document(line: bytes, at: bool, topic: str) -> None:
    """A time names an instant only with its offset; a topic may begin with a number."""
    said = said_by(line)
    assert (said.at is not None, said.topic, said.document) == (at, topic, b'{"n": 1}')


def test_a_vendor_s_script_decodes_what_was_recorded(
    capsys: Any, config: Path, tmp_path: Path
) -> None:
    """The payload 0xaa goes through the script in its worker; what the server made of it counts for nothing."""
    codecs = config.parent / "codecs"
    (codecs / "wyres_base.yaml").write_text(
        "name: wyres_base\nkind: weather_station\nscript: s.js\nfields: {temperature_c: t}\none_of: [temperature_c]\n"
    )
    script = "function decodeUplink(input) { return {data: {t: input.bytes[0] / 10}}; }"
    (codecs / "s.js").write_text(script)
    said = replayed(capsys, config, write(tmp_path / "log", uplink(0, 0), uplink(1, 1)))
    assert said["stored"] == 2
    assert [row[1] for row in rows(config, "counter, temperature_c, clock")] == [17.0, 17.0]


def test_a_row_has_the_recording_s_own_time(capsys: Any, config: Path, tmp_path: Path) -> None:
    """Years later, a row is observed and received when the network server took it in."""
    replayed(capsys, config, write(tmp_path / "log.ndjson.gz", uplink(0, 0), uplink(10, 1)))
    at = from_datetime(BEGIN)
    later = at + 600_000_000
    assert rows(config, "observed_at, received_at, clock, late") == [
        (at, at, "network", 0),
        (later, later, "network", 0),
    ]


def test_a_late_uplink_is_late_by_the_recording_s_clock(
    capsys: Any, config: Path, tmp_path: Path
) -> None:
    """What comes more than seven days behind the record before it keeps its time, flagged."""
    week = 7 * 24 * 60
    lines = (uplink(0, 0), uplink(week + 60, 1), uplink(10, 2), uplink(61, 3))
    replayed(capsys, config, write(tmp_path / "log.ndjson", *lines))
    assert rows(config, "observed_at, counter, late") == [
        (from_datetime(BEGIN + timedelta(minutes=minute)), counter, late)
        for minute, counter, late in ((0, 0, 0), (10, 2, 1), (61, 3, 0), (week + 60, 1, 0))
    ]


def test_a_replay_that_was_cut_off_goes_on(capsys: Any, config: Path, tmp_path: Path) -> None:
    """Cut in the middle of a packed file it keeps what it read and says so; run again with the whole one,
    it adds the rest and ends with the very rows of a replay without a cut."""
    lines = [uplink(n * 5, n, temperature=n / 10) for n in range(300)]
    whole = write(tmp_path / "log.ndjson.gz", *lines)
    cut = tmp_path / "cut" / "log.ndjson.gz"
    cut.parent.mkdir()
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    with pytest.raises(Refusal, match="cannot be unpacked to its end"):
        replayed(capsys, config, cut)
    before = len(rows(config))
    assert 0 < before < 300
    said = replayed(capsys, config, whole)
    assert (said["duplicate"], said["stored"]) == (before, 300 - before)
    resumed = rows(config)
    shutil.rmtree(config.parents[1] / "r")
    replayed(capsys, config, whole)
    assert rows(config) == resumed


def test_uplinks_before_the_first_record_are_told(
    capsys: Any, config: Path, tmp_path: Path
) -> None:
    """Nothing is believed from before a device was registered: an unsorted recording is to be sorted."""
    file = write(tmp_path / "log.ndjson", uplink(10, 1), uplink(0, 0))
    assert replayed(capsys, config, file)["before_the_first_record"] == 1
    replay(file=file, format_="chirpstack_v4", config=config, state=tmp_path / "q" / "state")
    assert "sort the recording by time" in capsys.readouterr().err


def test_the_summary_says_what_became_of_every_record(
    capsys: Any, config: Path, tmp_path: Path
) -> None:
    file = write(tmp_path / "log.ndjson", uplink(0, 0), STATUS, uplink(1, 1, willListen=True))
    replay(file=file, format_="chirpstack_v4", config=config, state=tmp_path / "r" / "state")
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "3 records = 2 uplinks + 1 status"
    assert [line.split() for line in said[2:4]] == [
        ["stored", "1"],
        ["rejected", "1", "no", "reading", "1"],
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "None of the first lines"),
        (STATUS.encode(), "None of the first lines"),
        (b'{"uplink_message": {}}', "None of the first lines"),
        (b"x" * (2 << 20), "more than a megabyte"),
        (b"\x1f\x8b\x08 broken", "cannot be unpacked"),
    ],
)
def test_a_file_of_another_format_is_refused(
    content: bytes, sentence: str, config: Path, tmp_path: Path
) -> None:
    """Before a directory is made, and without a word out of the file."""
    (tmp_path / "log").write_bytes(content)
    with pytest.raises(Refusal, match=sentence):
        replay(file=tmp_path / "log", format_="chirpstack_v4", config=config, state=tmp_path / "s")
    assert not (tmp_path / "s").exists()
