"""Recordings of our own topics: read in every form they are written in, and dated where nobody wrote a time."""

import json
import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.devices.decode import time_of
from gateway.model.errors import Refusal
from gateway.model.instant import DAY, MINUTE, Instant, parse_rfc3339, to_rfc3339
from gateway.transports.replay.documents import Said
from gateway.transports.replay.own_log import OwnLog, own_line
from sekisho.replay import replay

CONFIG = Path(__file__).parents[2] / "config"
NOON = parse_rfc3339("2026-05-12T12:00:00Z")
UP, BIN = "sekisho/v1/river-12/up", "sekisho/v1/river-12/up/bin"
JSON_FORM = b'{"t":"2026-05-12T12:00:00Z","seq":7,"distance_m":2.41}'
BINARY = bytes.fromhex("01 6a031640 00000007 00 096a 8000 b4 00")
"""The same reading: version 1, 2026-05-12T12:00:00Z, counter 7; a gauge's seven bytes (docs/kinds.md)."""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"{UP} {JSON_FORM.decode()}", Said(None, UP, JSON_FORM)),
        (f"{UP} {JSON_FORM.hex()}", Said(None, UP, JSON_FORM)),
        (f"{BIN} {BINARY.hex()}", Said(None, BIN, BINARY)),
        (f"{BIN} {BINARY.hex().upper()}", Said(None, BIN, BINARY)),
        (f"2026-05-12T21:00:00+0900 {BIN} {BINARY.hex()}", Said(NOON, BIN, BINARY)),
        (json.dumps({"at": NOON, "topic": BIN, "hex": BINARY.hex()}), Said(NOON, BIN, BINARY)),
        (
            json.dumps({"at": NOON, "topic": UP, "text": JSON_FORM.decode()}),
            Said(NOON, UP, JSON_FORM),
        ),
        (
            json.dumps({"tst": "2026-05-12T21:00:00.000000Z+0900", "topic": UP, "qos": 1, "payload": JSON_FORM.decode()}),
            Said(NOON, UP, JSON_FORM),
        ),
        (f'{{"topic":"{UP}","payload":{JSON_FORM.decode()}}}', Said(None, UP, JSON_FORM)),
        (f"{UP} abc", Said(None, UP, b"abc")),
        (f"{UP} ", Said(None, UP, b"")),
        ('{"topic": 3}', Said(None, "", b'{"topic": 3}')),
        ('{"topic": "a", "hex": "0"}', Said(None, "", b'{"topic": "a", "hex": "0"}')),
    ],
)  # fmt: skip
def test_each_form_of_a_line_says_topic_payload_and_time(line: str, said: Said) -> None:
    """Text, hexadecimal, JSON lines of mosquitto_sub and of the simulator; what is none of them has no topic."""
    assert own_line(line.encode()) == said


@pytest.mark.parametrize("payload", [JSON_FORM, BINARY])
def test_either_form_says_its_time(payload: bytes) -> None:
    assert time_of(payload) == NOON


@pytest.mark.parametrize(
    "payload",
    [b"", b"\1\0\0", b"\1\0\0\0\0\0\0\0\1", b"{", b'{"seq":1}', b'{"t":"2026-05-12T12:00:00"}',
     b'{"t":"9999-12-31T23:59:59Z"}', b"\xff\xfe", b"[1]"],
)  # fmt: skip
def test_what_says_no_sound_time_has_none(payload: bytes) -> None:
    """No clock, a broken document, a time without offset or of other centuries."""
    assert time_of(payload) is None


def dated(times: Iterable[Instant | None]) -> list[Instant | None]:
    """When lines without a written time are taken to have come, the payloads saying these times."""
    log = OwnLog()
    lines = [
        f'{UP} {{"t":"{to_rfc3339(at)}"}}'.encode() if at is not None else f"{UP} {{}}".encode()
        for at in times
    ]
    log.begun(lines)
    return [log.read(line).at for line in lines]


def test_a_line_without_a_time_comes_when_its_device_says() -> None:
    """What says none comes when the one before came, and time never goes back."""
    minutes = [NOON, None, NOON + 2 * MINUTE, NOON + MINUTE, NOON + 3 * MINUTE]

    assert dated(minutes) == [
        NOON, NOON, NOON + 2 * MINUTE, NOON + 2 * MINUTE, NOON + 3 * MINUTE,
    ]  # fmt: skip


def test_one_wrong_clock_does_not_date_what_follows() -> None:
    """A time more than a day ahead counts once the next one agrees; also at the very beginning."""
    one, two = NOON + MINUTE, NOON + 2 * MINUTE
    far, gap = NOON + 400 * DAY, NOON + 3 * DAY

    assert dated([NOON, one, far, two]) == [NOON, one, one, two]
    assert dated([far, NOON, one]) == [NOON, NOON, one]
    assert dated([NOON, one, gap, gap + MINUTE]) == [NOON, one, one, gap + MINUTE]


@given(st.lists(st.none() | st.integers(NOON - 900 * DAY, NOON + 900 * DAY), max_size=30))
def test_time_never_goes_back(times: list[Instant | None]) -> None:
    """Whatever devices say, lines come one after another."""
    said = [at for at in dated(times) if at is not None]

    assert said == sorted(said)


@given(st.binary(max_size=60))
def test_no_line_breaks_the_reader(line: bytes) -> None:
    """Any bytes are a line; what they say may be refused later."""
    log = OwnLog()
    log.begun([line])
    log.read(line)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The shipped configuration; its gauge river-12 speaks in the recordings."""
    shutil.copytree(CONFIG, tmp_path / "config")
    return tmp_path / "config" / "gateway.yaml"


def replayed(capsys: Any, config: Path, *lines: str) -> dict[str, Any]:
    """The figures of a replay."""
    file = config.parents[1] / "log.txt"
    file.write_text("".join(f"{line}\n" for line in lines))
    state = config.parents[1] / "r" / "state"
    replay(file=file, format_="sekisho", config=config, state=state, json_=True)
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_what_was_heard_on_our_topics_is_stored(capsys: Any, config: Path) -> None:
    """Both forms of one uplink are one row each by their bytes; strangers and other topics have their counts;
    replayed again, every row is there already."""
    lines = (
        f"{BIN} {BINARY.hex()}",
        f"{UP} {JSON_FORM.decode().replace(':7', ':8')}",
        f"sekisho/v1/nobody/up {JSON_FORM.decode()}",
        f"weather/today {JSON_FORM.decode()}",
        f"{BIN} 02ff",
    )
    said = replayed(capsys, config, *lines)
    again = replayed(capsys, config, *lines)

    assert (said["stored"], said["rejected"]) == (2, 3)
    assert said["reasons"]["rejected"] == {
        "unknown device": 1,
        "unknown topic": 1,
        "undecodable": 1,
    }
    assert (again["stored"], again["duplicate"]) == (0, 2)
    with sqlite3.connect(config.parents[1] / "r" / "state" / "city.db") as db:
        rows = db.execute("SELECT observed_at, counter, distance_m, clock FROM river_gauge ORDER BY 2").fetchall()  # fmt: skip
    db.close()
    assert rows == [(NOON, 7, 2.41, "device"), (NOON, 8, 2.41, "device")]


def test_a_log_without_any_time_is_refused(config: Path, tmp_path: Path) -> None:
    """Nobody can say when it was; the sentence shows how such a log is written."""
    log = tmp_path / "log.txt"
    log.write_text(f'{UP} {{"seq":1}}\n')
    with pytest.raises(Refusal, match=r"dated uplink of sekisho.*%t %x"):
        replay(file=log, format_="sekisho", config=config, state=tmp_path / "r" / "state")
