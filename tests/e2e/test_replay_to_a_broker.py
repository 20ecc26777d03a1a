"""A recording sent through a real Mosquitto: what it says arrives, and a gateway behind it keeps the same rows."""

import json
import sqlite3
import subprocess
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.statedir import Mark
from tests.conftest import SHARED_DATA, tool
from tests.e2e.brokers import mosquitto
from tests.e2e.processes import ROOT, Gateway, sekisho
from tests.e2e.town import Town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150), pytest.mark.needs("mosquitto")]

LOG = SHARED_DATA / "lorawan" / "sainteynard_33_chirpstackv3.ndjson.gz"
EUI = "d1d1e80000000033"
BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
_CLIENT = """\
  - kind: mqtt_client
    name: city
    url: mqtt://127.0.0.1:{broker}
    subscriptions:
      - {{topic: application/#, format: {format}}}
"""
_MORE = """\
codecs: {root}/config/codecs
devices: {folder}/devices.yaml
"""
_DEVICES = f"""\
devices:
  - id: station
    kind: weather_station
    dev_eui: {EUI}
    codec: wyres_base
"""


def document(n: int) -> dict[str, Any]:
    """The n-th record of a made-up log: every tenth is a status, every seventh has no reading."""
    who = {"deviceInfo": {"devEui": EUI}}
    if n % 10 == 9:
        return {**who, "margin": 10}
    said = {"willListen": True} if n % 7 == 6 else {"temperature": n / 10}
    at = (BEGIN + timedelta(minutes=10 * n)).isoformat()
    return {**who, "devAddr": "00189440", "fPort": 1, "fCnt": n, "rxInfo": [], "time": at, "object": said}  # fmt: skip


def town(folder: Path, broker: int | None, format_: str) -> Town:
    """A town whose gateway listens to the broker, or takes the documents at its own door, in a directory
    marked REPLAY.
    """
    topics = f"[{{topic: application/#, format: {format_}}}]"
    made = Town(
        folder, Mark.REPLAY, anonymous="true", server_topics=topics if broker is None else "[]"
    )
    (folder / "devices.yaml").write_text(_DEVICES)
    client = "" if broker is None else _CLIENT.format(broker=broker, format=format_)
    more = client + _MORE.format(root=ROOT, folder=folder)
    text = made.config.read_text()
    made.config.write_text(text.replace("privacy:", f"{more}privacy:"))
    return made


def rows(state: Path) -> list[tuple[Any, ...]]:
    """Every column of every row but when this gateway's clock says that it came."""
    with sqlite3.connect(f"file:{state / 'city.db'}?mode=ro", uri=True) as db:
        names = [r[1] for r in db.execute("PRAGMA table_info(weather_station)")]
        kept = ", ".join(name for name in names if name != "received_at")
        found = db.execute(f"SELECT {kept} FROM weather_station ORDER BY 1, 2, 3").fetchall()  # noqa: S608
    db.close()
    return found


def same_rows(
    folder: Path, log: Path, format_: str, begin: str, topic: str, step: str, *, own_door: bool
) -> int:
    """Replay a log directly, and into a gateway through a broker or its own door: how many rows both have."""
    with nullcontext() if own_door else mosquitto(folder) as broker:
        here = town(folder / "town", broker, format_)
        direct = folder / "direct" / "state"
        config = ("--format", format_, "--config", str(here.config), "--state", str(direct))
        code, _, said = sekisho(folder, "replay", str(log), *config)
        assert code == 0, said
        with Gateway(here, "--clock", f"sim://{begin}") as gateway:
            to = (
                "--to",
                f"mqtt://127.0.0.1:{broker or gateway.port}",
                "--follow",
                str(here.state.path),
            )
            how = ("--topic", topic, "--step", step, "--json")
            line = ("replay", str(log), "--format", format_, *to, *how)
            code, out, said = sekisho(folder, *line, patience_s=120)
            assert code == 0, said
            assert json.loads(out)["sent"] > 0
        assert rows(here.state.path) == rows(direct)
    return len(rows(direct))


BOTH = pytest.mark.parametrize("own_door", [False, True], ids=["mosquitto", "own door"])


@BOTH
def test_a_recording_stores_the_same_rows_whichever_way_it_comes(
    tmp_path: Path, own_door: bool
) -> None:
    """400 records of three days: directly, and through Mosquitto, or its own door, into a gateway whose
    clock moves along."""
    log = tmp_path / "log.ndjson"
    log.write_text("".join(json.dumps(document(n)) + "\n" for n in range(400)))
    topic = "application/1/device/{dev_eui}/event/{event}"
    stored = same_rows(
        tmp_path, log, "chirpstack_v4", "2026-05-01T00:00Z", topic, "1h", own_door=own_door
    )
    assert stored == sum("temperature" in document(n).get("object", {}) for n in range(400))


@BOTH
@pytest.mark.needs("shared data")
def test_a_real_log_stores_the_same_rows_whichever_way_it_comes(
    tmp_path: Path, own_door: bool
) -> None:
    """14,204 records of a season of one weather station: 13,108 rows each way."""
    begin = "2023-06-23T10:01:57Z"
    stored = same_rows(
        tmp_path, LOG, "chirpstack_v3_hex", begin, "application/rx", "1d", own_door=own_door
    )
    assert stored == 13_108


@pytest.mark.needs("mosquitto_pub")
def test_what_mosquitto_sub_printed_is_published_as_it_was(tmp_path: Path) -> None:
    """Topics and payloads of any system, at QoS 1, in order; blank lines are none."""
    lines = [f'rivers/{n % 3}/up {{"n": {n}, "it\'s": "a  b"}}' for n in range(50)]
    log = tmp_path / "log.txt"
    log.write_text("\n\n".join(lines) + "\n")
    with mosquitto(tmp_path) as broker:
        program = tool("mosquitto_sub")
        assert program is not None
        line = [program, "-h", "127.0.0.1", "-p", str(broker), "-t", "rivers/#", "-q", "1"]
        line += ["-c", "-i", "witness"]  # the broker keeps what comes for it
        subprocess.run([*line, "-E"], check=True, timeout=60)
        code, out, said = sekisho(
            tmp_path, "replay", str(log), "--to", f"mqtt://127.0.0.1:{broker}"
        )
        assert code == 0, said
        assert "50 records sent, and acknowledged" in out
        heard = subprocess.run(
            [*line, "-v", "-C", "50", "-W", "20"],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert heard.stdout.splitlines() == lines


@pytest.mark.parametrize(
    ("topic", "more"), [("a/{name}/b", ("--format", "chirpstack_v4")), ("a/{dev_eui}", ())]
)
def test_a_topic_with_a_word_that_stands_for_nothing_is_refused(
    tmp_path: Path, topic: str, more: tuple[str, ...]
) -> None:
    """Published as it is, it would be a topic nobody subscribes to; without --format no document has a DevEUI."""
    log = tmp_path / "log.ndjson"
    log.write_text('{"a": 1}\n')
    to = ("--to", "mqtt://127.0.0.1:1", "--topic", topic)
    code, _, said = sekisho(tmp_path, "replay", str(log), *to, *more)
    assert code == 2
    assert "stands for nothing" in said


def test_a_line_without_a_topic_is_named(tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    log.write_text('\n{"a": 1}\n')
    with mosquitto(tmp_path) as broker:
        code, _, said = sekisho(tmp_path, "replay", str(log), "--to", f"mqtt://127.0.0.1:{broker}")
    assert code == 2
    assert "log.ndjson:2 has no topic" in said
