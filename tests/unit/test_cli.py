"""The front door: verbs answer fast, mistakes end as sentences, and what they print can be used."""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.devices.catalog import catalog
from gateway.keys.ring import KeyRing
from gateway.model.identity import DeviceId
from gateway.model.observation import Observation
from gateway.registry.registry import Registry
from gateway.statedir import StateDir
from gateway.stores.sqlite_file import SqliteFile
from sekisho import place
from tests.fakes.clock import ManualClock
from tests.fakes.front_door import Answer, Sekisho
from tests.fakes.gateway import simulated_time
from tests.fakes.sealed import put

ROOT = Path(__file__).parents[2]
MINUTE = 60_000_000
T = 1_778_540_400_000_000  # 2026-05-12T08:00:00+09:00


def test_the_list_of_verbs_costs_nothing() -> None:
    """`sekisho --help` imports no verb and none of their libraries, and names the exit codes."""
    script = (
        "import sys\nfrom sekisho.__main__ import main\nsys.argv = ['sekisho', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print([m for m in ('pydantic', 'ruamel', 'sqlite3', 'cryptography') if m in sys.modules])"
    )
    command = [sys.executable, "-c", script]

    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert shown.endswith("[]\n")
    assert "2 usage or settings, 3 work left, 130" in shown
    assert shown.count("\n") <= 40


def test_help_breaks_its_lines_where_the_screen_ends() -> None:
    """A paragraph of a verb's help is one run of text, however the source breaks it; examples keep their lines."""
    command = [sys.executable, "-m", "sekisho"]
    wide = {**os.environ, "COLUMNS": "200"}

    replay, simulate = (
        subprocess.run(
            [*command, verb, "--help"],
            cwd=ROOT, capture_output=True, text=True, env=wide, check=True,
        ).stdout.splitlines()
        for verb in ("replay", "simulate")
    )  # fmt: skip

    assert any("own clock. Replayed again, every row is there already" in line for line in replay)
    assert any(line.endswith("one day into uplinks-7.jsonl") for line in map(str.strip, simulate))


def test_the_shell_completes_verbs() -> None:
    """Completion knows the verbs without importing them."""
    environment = {
        "_SEKISHO_COMPLETE": "complete_bash",
        "COMP_WORDS": "sekisho qu",
        "COMP_CWORD": "1",
    }
    command = [sys.executable, "-m", "sekisho"]

    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.stdout.split() == ["query"]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("chek",), 2, 'No verb "chek". Did you mean check?'),
        (("check", "none.yaml"), 2, "none.yaml:1:1 no such file."),
        (("devices", "list"), 2, "No state directory is named"),
        (("devices", "list", "--state", "none"), 1, "does not exist"),
        (("keys", "init", "--state", "s", "--mark", "TEST"), 2, "SIM, REPLAY or none"),
        (("decode", "-k", "river_guage", "{}"), 2, "Did you mean river_gauge?"),
        (("decode", "-k", "river_gauge", "zz"), 2, "neither a JSON document nor hex"),
        (("decode", "-k", "river_gauge", "{}"), 1, "rejected, undecodable"),
        (("decode", "-k", "river_gauge", "{}", "-a", "datun=1m"), 2, "Did you mean datum?"),
        (("decode", "-k", "river_gauge", "{}", "-a", "datum_m=nan"), 2, "number"),
        (("decode", "-k", "river_gauge", "\udcff"), 2, "neither a JSON document nor hex"),
        (
            ("decode", "-k", "river_gauge", '{"t":"0001-01-01T00:00:00+10:00","stage_m":1}'),
            2,
            "years 1 to 9999",
        ),
        (
            ("decode", "-k", "river_gauge", '{"t":"9999-12-31T23:59:59-10:00","stage_m":1}'),
            2,
            "years 1 to 9999",
        ),
        (
            ("simulate", "--start", "9999-12-31T23:59:59Z", "--to", "file:-"),
            2,
            "between 1970 and 2200",
        ),
        (("simulate", "--kinds", "nowhere"), 2, "there is no such folder"),
        (("simulate", "--extra", "snow_gauge=3"), 2, 'no kind "snow_gauge" is declared. None is'),
        (("simulate", "--extra", "snow_gauge"), 2, "write KIND=N"),
        (("simulate", "--start", "0001-01-01T00:00:00+10:00"), 2, "between 1970 and 2200"),
        (("simulate", "--for", "9" * 12 + "d", "--to", "file:-"), 2, "between 1970 and 2200"),
        (("query", "river", "--limit", "1" + 20 * "0", "--state", "none"), 2, "--limit"),
    ],
)
def test_mistakes_end_as_sentences(
    sekisho: Sekisho, words: tuple[str, ...], code: int, sentence: str
) -> None:
    """A person's mistake is a sentence on standard error and an exit code, never a stack trace."""
    answer = sekisho(*words)

    assert answer.code == code
    assert sentence in answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("query", "river", "--last", "99999999999d"),
            "--last 99999999999d: that begins before 1970",
        ),
        (("query", "river", "--last", "9" * 400 + "d"), "too large to be meant"),
        (("query", "river", "--last", "-1h"), "no row comes out of the future"),
        (("query", "river", "--since", "0001-01-01T00:00:00+10:00"), ""),
    ],
)
def test_no_time_is_too_far_to_be_asked_for(
    sekisho: Sekisho, stored: StateDir, words: tuple[str, ...], sentence: str
) -> None:
    """Asked for rows of all ages, `query` shows them or says why not; it never breaks."""
    answer = sekisho(*words, "--state", str(stored.path))

    assert (answer.code, sentence in answer.err) == (2 if sentence else 0, True)


@pytest.mark.parametrize(
    ("clock", "sentence"),
    [
        ("sim://9999-12-31T23:59:59+00:00", "between 1970 and 2200"),
        ("sim://1960-01-01T00:00:00Z", "between 1970 and 2200"),
        ("sim://0001-01-01T00:00:00+10:00", "between 1970 and 2200"),
        ("sim://2026-05-12T07:00:00+09:00?pace=60", "Write sim://2026-05-12T07:00+09:00."),
        ("sim://2026-05-12T07:00:00", "Write sim://2026-05-12T07:00+09:00."),
        ("2026-05-12T07:00:00+09:00", "Write sim://2026-05-12T07:00+09:00."),
    ],
)
def test_simulated_time_stays_within_the_calendar(
    sekisho: Sekisho, state: StateDir, clock: str, sentence: str
) -> None:
    """A start near the end of all calendars, or none at all, is refused before anything runs."""
    config = str(ROOT / "config" / "gateway.yaml")
    answer = sekisho("run", "--config", config, "--state", str(state.path), "--clock", clock)

    assert answer.code == 2
    assert sentence in answer.err


def test_check_accepts_the_shipped_configuration(sekisho: Sekisho) -> None:
    """The shipped configuration is fine, in words and as JSON, and quiet is quiet."""
    config = str(ROOT / "config" / "gateway.yaml")

    assert "ok rules" in sekisho("check", config).out
    assert json.loads(sekisho("check", config, "--json").out)["ok"] is True
    assert sekisho("check", config, "--quiet") == Answer(0, "", "")


def test_check_as_json_has_every_fault(sekisho: Sekisho, tmp_path: Path) -> None:
    """The JSON of a faulty configuration has file, line, column, path and sentence."""
    (tmp_path / "gateway.yaml").write_text("state: /s\ncolour: red\n")

    answer = sekisho("check", "gateway.yaml", "--json")

    faults = json.loads(answer.out)["faults"]
    assert answer.code == 2
    assert {"file": "gateway.yaml", "line": 2, "column": 1, "path": "colour"}.items() <= faults[
        -1
    ].items()


def test_keys_outside_the_state_directory_only(sekisho: Sekisho) -> None:
    """Keys inside the directory they open are refused, before anything is made."""
    answer = sekisho("keys", "init", "--state", "s", "--keys", "s/keys")

    assert answer.code == 2
    assert "inside the state directory" in answer.err
    assert not Path("s").exists()


def test_keys_are_made_once_and_their_loss_is_told(sekisho: Sekisho, state: StateDir) -> None:
    """Init says what is lost with the keys, status finds them, a second init changes nothing."""
    status = json.loads(sekisho("keys", "status", "--state", str(state.path), "--json").out)

    assert (status["mark"], status["files"]) == ("SIM", 0)
    again = sekisho("keys", "init", "--state", str(state.path), "--keys", "town/keys")
    assert "exist already" in again.err
    other = sekisho("keys", "init", "--state", str(state.path), "--mark", "REPLAY")
    assert "mark cannot be changed" in other.err
    assert (
        "loses the homes, consents, device tokens and rows about people"
        in sekisho("keys", "init", "--state", "s2/state", "--keys", "k").out
    )


def test_a_device_added_by_another_process_is_noticed(state: StateDir) -> None:
    """A registration is in the directory that a running gateway reads next (decisions 11)."""
    ring = KeyRing.open(Path("town/keys"), state.id, ManualClock(T), ZoneInfo("Asia/Tokyo"))
    with Registry.open(state, ring) as registry:
        registry.directory()
        words = ("devices", "add", "river-9", "--kind", "river_gauge", "-a", "datum=4.2m")
        subprocess.run(
            [sys.executable, "-m", "sekisho", *words, "--owner", "16201", "--state", state.path],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )

        assert registry.changed()
        assert registry.directory().devices[DeviceId("river-9")].attributes == {"datum_m": 4.2}


def test_adding_shows_how_to_send(sekisho: Sekisho, state: StateDir) -> None:
    """Adding prints a line that such a device may send (without a datum no distance), on the clock and
    at the door of the gateway that runs."""
    door = {
        "kind": "mqtt_listener",
        "host": "127.0.0.1",
        "port": 41883,
        "tls_port": None,
        "ca": None,
    }
    running = {"pid": 1, "doors": {"mqtt": door}, "clock": {"start_us": T - MINUTE}}
    state.run_file.write_text(json.dumps(running))
    words = ("devices", "add", "river-9", "-k", "river_gauge", "--owner", "16201")

    with simulated_time(state, T):
        shown = json.loads(sekisho(*words, "--state", str(state.path), "--json").out)

    assert shown["try"] == (
        f"mosquitto_pub -h 127.0.0.1 -p 41883 -u river-9 -P {shown['token']} -V 5 -q 1 "
        "-t sekisho/v1/river-9/up -m "
        '\'{"t":"2026-05-11T23:00:00Z","seq":1,"stage_m":1.27,"battery_v":3.0}\''
    )


def test_a_child_from_registration_to_consent(sekisho: Sekisho, state: StateDir) -> None:
    """What a personal device still lacks is said until it lacks nothing; homes are never shown."""
    where = ("--state", str(state.path))

    def missing() -> object:
        return json.loads(sekisho("devices", "show", "child-1", *where, "--json").out)["missing"]

    words = ("devices", "add", "child-1", "-k", "child_tracker", "--household", "h-1")
    added = sekisho(*words, "--owner", "16201", *where)
    assert "import-homes" in added.out
    assert missing() == "home, consent"
    homes = "household,lat,lon\nh-1,36.69531,137.21371\n"
    assert sekisho("devices", "import-homes", "-", *where, stdin=homes).code == 0
    assert missing() == "consent"
    sekisho("devices", "consent", "child-1", "--by", "guardian", "--text", "sheet 1", *where)
    assert missing() is None
    sekisho("devices", "withdraw", "child-1", *where)
    assert missing() == "consent"
    shown = (
        sekisho("devices", "show", "child-1", *where).out + sekisho("devices", "list", *where).out
    )
    assert "36.69" not in shown


def test_which_directory_is_meant(
    sekisho: Sekisho, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--state, then the environment, then .demo/state, then the configuration's directory."""

    def meant(*words: str) -> str:
        return str(json.loads(sekisho("keys", "status", "--json", *words).out)["state"])

    config = (ROOT / "config" / "gateway.yaml").read_text("utf-8")
    (tmp_path / "config").mkdir()
    for name in ("privacy.yaml", "devices.yaml"):
        (tmp_path / "config" / name).write_bytes((ROOT / "config" / name).read_bytes())
    (tmp_path / "config" / "gateway.yaml").write_text(
        config.replace("state: /var/lib/sekisho", "state: ../d/state"), "utf-8"
    )
    for name in ("a", "b", ".demo"):
        sekisho("keys", "init", "--state", f"{name}/state", "--keys", f"{name}/keys")
    sekisho("keys", "init", "--state", "d/state", "--keys", "d/keys")

    monkeypatch.setenv("SEKISHO_STATE", "b/state")
    assert meant("--state", "a/state") == str(tmp_path / "a" / "state")
    assert meant() == str(tmp_path / "b" / "state")
    monkeypatch.delenv("SEKISHO_STATE")
    assert meant() == str(tmp_path / ".demo" / "state")
    (tmp_path / ".demo").rename(tmp_path / "away")
    assert meant() == str(tmp_path / "d" / "state")


def test_homes_need_a_service_area_in_earnest(sekisho: Sekisho) -> None:
    """A real directory takes homes only where a configuration says what the area is."""
    sekisho("keys", "init", "--state", "real/state", "--keys", "real/keys")
    homes = "household,lat,lon\nh-1,35.68,139.76\n"
    words = ("devices", "import-homes", "--state", "real/state")

    assert "service area is not known" in sekisho(*words, stdin=homes).err
    config = ("--config", str(ROOT / "config" / "gateway.yaml"))
    refused = sekisho(*words, *config, stdin=homes)

    assert "standard input:2 it lies outside the service area" in refused.err
    assert "35.68" not in refused.err


def test_import_shows_its_difference_first(sekisho: Sekisho, state: StateDir) -> None:
    """A dry run prints what would change and changes nothing; the import prints and does it."""
    where = ("--state", str(state.path), "--config", str(ROOT / "config" / "gateway.yaml"))
    file = str(ROOT / "config" / "devices.yaml")

    dry = sekisho("devices", "import", file, "--dry-run", *where)
    wet = sekisho("devices", "import", file, *where)
    again = json.loads(sekisho("devices", "import", file, "--json", *where).out)

    assert "+ river-12  river_gauge" in dry.out
    assert "Nothing was changed" in dry.out
    assert "9 added" in wet.out
    assert again == {"difference": [], "same": 9, "done": True}
    assert "shown once" in sekisho("devices", "token", "rivers", *where).out
    assert "Did you mean rivers?" in sekisho("devices", "token", "riverz", *where).err


@pytest.fixture
def stored(state: StateDir) -> StateDir:
    """Three river rows and one child row, a minute apart."""
    return store_rows(state)


def store_rows(state: StateDir) -> StateDir:
    city = SqliteFile(state.city_db, "city")
    for n in range(3):
        city.db.execute(
            "INSERT INTO river_gauge VALUES (?,'river-1',?,x'00',0,?,'device',0,?,NULL,11.5,3.6)",
            (T + n * MINUTE, n, T, 1.5 + n),
        )
    city.close()
    personal = SqliteFile(state.personal_dir / "store-2026-W20.db", "personal")
    child = (T, b"i" * 16, b"p" * 16, 36.70001, 137.20001, 3)
    personal.db.execute("INSERT INTO child_tracker VALUES (?,?,?,?,?,?,NULL,NULL)", child)
    personal.close()
    return state


def test_query_speaks_three_tongues(sekisho: Sekisho, stored: StateDir) -> None:
    """A table for people with local time, JSON and CSV with every column for scripts."""
    where = ("--state", str(stored.path))

    text = sekisho("query", "river", *where).out.splitlines()
    rows = json.loads(sekisho("query", "river", "--json", *where).out)
    sheet = list(csv.DictReader(io.StringIO(sekisho("query", "river", "--csv", *where).out)))

    assert text[1].split()[:3] == ["2026-05-12", "08:00:00+09:00", "river-1"]
    assert [row["stage_m"] for row in rows] == [1.5, 2.5, 3.5]
    assert rows[0]["observed_at"] == "2026-05-12T08:00:00.000+09:00"
    assert rows[0]["distance_m"] is None
    assert list(sheet[0]) == list(rows[0])


@pytest.mark.parametrize(
    ("words", "stages"),
    [
        (("--limit", "1"), [3.5]),
        (("--since", "2026-05-12T08:01"), [2.5, 3.5]),
        (("--until", "2026-05-12T08:01:00+09:00"), [1.5]),
        (("--last", "90s"), [2.5, 3.5]),
        (("--device", "river-2"), []),
    ],
)
def test_query_narrows(
    sekisho: Sekisho, stored: StateDir, words: tuple[str, ...], stages: list[float]
) -> None:
    """Time, device and number narrow the rows; --last counts from the gateway's clock."""
    stored.run_file.write_text(json.dumps({"doors": {}, "clock": {"start_us": T}}))

    with simulated_time(stored, T + 2 * MINUTE):
        answer = sekisho("query", "river", "--json", "--state", str(stored.path), *words)
    rows = json.loads(answer.out)

    assert [row["stage_m"] for row in rows] == stages


def test_long_answers_come_in_pages(
    sekisho: Sekisho, stored: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many rows there are, each comes once and in order."""
    monkeypatch.setattr("sekisho.rows._PAGE", 2)

    rows = json.loads(sekisho("query", "river", "--json", "--state", str(stored.path)).out)

    assert [row["stage_m"] for row in rows] == [1.5, 2.5, 3.5]


def test_rows_about_people_need_a_word(sekisho: Sekisho, stored: StateDir, tmp_path: Path) -> None:
    """Synthetic children are shown, real ones only on --personal; a device never."""
    assert "707070" in sekisho("query", "child", "--state", str(stored.path)).out
    named = sekisho("query", "child", "--device", "child-1", "--state", str(stored.path))
    assert "name no device" in named.err
    real = StateDir.create(tmp_path / "real", None, ManualClock(T))
    ring = KeyRing.create(tmp_path / "keys", real.id, ManualClock(T), UTC)
    row = (T, b"i" * 16, b"p" * 16, 36.70001, 137.20001, 3)
    put(real, ring, [Observation("child_tracker", "store-2026-W20", row)])

    refused = sekisho("query", "child", "--state", "real")

    assert (refused.code, refused.out) == (1, "")
    assert "--personal" in refused.err
    asked = ("query", "child", "--state", "real", "--personal")
    assert "say which with --purpose" in sekisho(*asked).err
    assert "707070" in sekisho(*asked, "--purpose", "a parent asked").out
    show = ("privacy", "log", "show", "--state", "real", "--json")
    (entry,) = json.loads(sekisho(*show).out)
    assert (entry["act"], entry["purpose"], entry["rows"]) == ("query", "a parent asked", "1 to 9")
    assert "1 entry" in sekisho("privacy", "log", "verify", "--state", "real").out
    head = tmp_path / "head.json"
    head.write_text(sekisho("privacy", "log", "head", "--state", "real").out)
    verify = ("privacy", "log", "verify", "--state", "real", "--head", str(head))
    assert sekisho(*verify).code == 0
    (log,) = (real.path / "access").glob("*.jsonl")
    log.write_bytes(b"")
    assert (sekisho(*verify).code, "cut off" in sekisho(*verify).err) == (1, True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("river",), "No row of river_gauge is stored yet."),
        (("river", "--since", "2026-05-12"), "No row of river_gauge is stored in this time."),
        (
            ("river", "--device", "rivr-1"),
            "No row of river_gauge from rivr-1 is stored yet. No such device is registered. Did you mean river-1?",
        ),
        (("river", "--device", "river-1"), "No row of river_gauge from river-1 is stored yet."),
    ],
)
def test_query_of_nothing_says_why(
    sekisho: Sekisho, state: StateDir, words: tuple[str, ...], sentence: str
) -> None:
    """Where there is no row there is an answer, not an error, and it is true."""
    where = ("--state", str(state.path))
    add = ("devices", "add", "river-1", "-k", "river_gauge", "--owner", "16201")
    assert sekisho(*add, *where).code == 0
    SqliteFile(state.city_db, "city").close()

    answer = sekisho("query", *words, *where)

    assert (answer.code, answer.out) == (0, sentence + "\n")
    assert json.loads(sekisho("query", *words, "--json", *where).out) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("river", "--limit", "0"), "--limit 0 asks for no row"),
        (("river", "--since", "2026-05-13", "--until", "2026-05-12"), "--until is not after"),
        (("rivergauge",), "Did you mean river_gauge?"),
        (("rivr",), "Did you mean river_gauge?"),
        (("wether",), "Did you mean weather_station?"),
        (("zzz",), "There are "),
    ],
)
def test_query_refuses_what_cannot_be_meant(
    sekisho: Sekisho, state: StateDir, words: tuple[str, ...], sentence: str
) -> None:
    answer = sekisho("query", *words, "--state", str(state.path))
    assert answer.code == 2
    assert sentence in answer.err


def test_query_of_no_kind_lists_them(sekisho: Sekisho, state: StateDir) -> None:
    listed = sekisho("query", "--state", str(state.path)).out.splitlines()
    assert [line.split()[0] for line in listed] == ["kind", *catalog()]


def test_one_row_is_one_row(sekisho: Sekisho, stored: StateDir) -> None:
    answer = sekisho("query", "river", "--limit", "1", "--state", str(stored.path))
    assert answer.err == "The newest 1 row; --limit N shows more.\n"


def test_a_configuration_with_faults_is_named_as_such(sekisho: Sekisho, tmp_path: Path) -> None:
    """It is there: that no directory is named is its fault, and where to look is said."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "gateway.yaml").write_text("colour: [\n")

    answer = sekisho("query", "river")

    assert answer.code == 2
    assert "config/gateway.yaml has 1 fault: sekisho check." in answer.err


def test_decode_shows_fields_and_row(sekisho: Sekisho) -> None:
    """Both forms of one reading say the same; --schema prints the document's JSON Schema."""
    words = ("decode", "-k", "river_gauge", "-a", "datum=4.2m", "--json")

    from_json = json.loads(sekisho(*words, '{"distance_m": 2.41, "battery_v": 3.6}').out)
    from_hex = json.loads(sekisho(*words, "00 096a 8000 b4 00").out)
    with_head = json.loads(sekisho(*words, "01 6a000000 00000007 00 096a 8000 b4 00").out)

    assert from_json["values"] == from_hex["values"] == with_head["values"]
    assert from_json["row"]["stage_m"] == 1.79
    assert with_head["seq"] == 7
    assert "Values" in json.loads(sekisho("decode", "-k", "river_gauge", "--schema").out)["$defs"]


def test_decode_warns_of_people(sekisho: Sekisho) -> None:
    """Decoding a child's payload says beside the result that these are exact values."""
    answer = sekisho("decode", "-k", "child_tracker", '{"lat": 36.7, "lon": 137.2}')

    assert answer.code == 0
    assert "about people" in answer.err


def test_a_circle_does_not_shrink_by_omission(sekisho: Sekisho, state: StateDir) -> None:
    """A home imported again without a radius keeps the household's own; another radius replaces it."""
    where = ("--state", str(state.path))
    radii = []
    for line in ("h-3,36.7,137.2,500", "h-3,36.7,137.2,", "h-3,36.7,137.2,80"):
        homes = f"household,lat,lon,radius_m\n{line}\n"
        assert sekisho("devices", "import-homes", "-", *where, stdin=homes).code == 0
        with place.find(state.path, None, None).registry() as registry:
            radii.append(registry.families.own_radii())

    assert radii == [{"h-3": 500.0}, {"h-3": 500.0}, {"h-3": 80.0}]


def test_a_shell_completes_verbs_options_and_kinds(tmp_path: Path) -> None:
    """A real bash takes the script that --show-completion prints, and offers what fits."""
    front = tmp_path / "sekisho"
    front.write_text(f'#!/bin/sh\nexec {sys.executable} -m sekisho "$@"\n')
    front.chmod(0o755)
    (tmp_path / "try.sh").write_text(
        'eval "$(sekisho --show-completion bash)"\n'
        'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))\n_sekisho_completion sekisho\n'
        "printf '%s\\n' \"${COMPREPLY[@]}\"\n"
    )

    def offered(*words: str) -> list[str]:
        done = subprocess.run(
            ["bash", str(tmp_path / "try.sh"), "sekisho", *words],
            env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()

    assert offered("que") == ["query"]
    assert "import-homes" in offered("devices", "imp")
    assert offered("run", "--clock-is") == ["--clock-is-right"]
    assert offered("query", "ri") == ["river_gauge"]


def test_the_version_is_said(sekisho: Sekisho) -> None:
    answer = sekisho("--version")
    assert answer.code == 0
    assert answer.out.startswith("sekisho ")
