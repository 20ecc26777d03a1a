"""Examples that stand in a configuration: `check` runs them through its own decoders and its own mask."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.settings.load import load_settings
from sekisho.examples import run

ROOT = Path(__file__).parents[2]

GAUGE = """
examples:
  - name: a bridge
    device: river-12
    uplinks:
      - received_at: 2026-05-12T12:00:05+09:00
        json: '{"t": "2026-05-12T12:00:00+09:00", "seq": 1, "distance_m": 2.41}'
        expect: {stored: {stage_m: 1.79}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The shipped configuration with no examples but the test's own."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    for file in (tmp_path / "config" / "tests").glob("*.yaml"):
        file.unlink()
    return tmp_path / "config"


def complaints(config: Path, text: str) -> list[str]:
    """What is said about one file of examples, without its name."""
    (config / "tests" / "mine.yaml").write_text(text)
    _, found = run(load_settings(config / "gateway.yaml"))
    return [str(one).partition("mine.yaml:")[2] for one in found]


def test_the_shipped_examples_hold() -> None:
    """Stored, rejected, suppressed and duplicate are all among them."""
    held, found = run(load_settings(ROOT / "config" / "gateway.yaml"))

    assert [str(one) for one in found] == []
    assert held == 8
    text = "".join(path.read_text() for path in (ROOT / "config" / "tests").glob("*.yaml"))
    for word in ("stored:", "rejected:", "suppressed:", "duplicate:"):
        assert word in text


def test_an_example_that_holds_is_counted(config: Path) -> None:
    (config / "tests" / "mine.yaml").write_text(GAUGE)
    assert run(load_settings(config / "gateway.yaml")) == (1, [])


@pytest.mark.parametrize(
    ("right", "wrong", "line", "sentence"),
    [
        ("stage_m: 1.79", "stage_m: 1.8", 8, "a bridge: stage_m is 1.79, and should be 1.8."),
        ("stage_m: 1.79", 'stage_m: "1.79"', 8, 'stage_m is 1.79, and should be the text "1.79".'),
        ("stage_m: 1.79", "stag_m: 1.79", 8, "river_gauge keeps no stag_m. Did you mean stage_m?"),
        ("stage_m: 1.79", "clock: gateway", 8, "clock is device, and should be gateway."),
        ("stage_m: 1.79", "observed_at: 2026-05-12T13:00+09:00", 8, "observed_at is 2026-05-12T12:00:00.000+09:00"),
        ("{stored: {stage_m: 1.79}}", "{rejected: undecodable}", 8, "it is stored, and should be rejected, undecodable."),
        ("{stored: {stage_m: 1.79}}", "{duplicate: true}", 8, "it is stored, and should be duplicate."),
        ("{stored: {stage_m: 1.79}}", "{stored: [{}, {}]}", 8, "it is 1 row, and should be 2."),
        ("{stored: {stage_m: 1.79}}", "{rejected: undecodeable}", 8, "Did you mean undecodable?"),
        ("{stored: {stage_m: 1.79}}", "{}", 8, "one of stored, rejected"),
        ("2.41", "32.5", 8, "it is rejected, out of range, and should be stored."),
        ("river-12", "rivr-12", 4, 'no device named "rivr-12". Did you mean river-12?'),
        ("2026-05-12T12:00:05+09:00", "2026-05-12T12:00:05", 6, "a time with its offset"),
        ("json:", "f_port: 5\\n        json:", 7, "a port belongs to binary alone"),
        ("json: '", "binary: '", 7, "hex digits in pairs"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_said_with_its_place(
    config: Path, right: str, wrong: str, line: int, sentence: str
) -> None:
    """What it came to, what it should have come to, and the line of the expectation."""
    text = GAUGE.replace(right, wrong.replace("\\n", "\n"), 1)

    (complaint,) = complaints(config, text)

    assert sentence in complaint
    assert complaint.startswith(f"{line}:")


def test_a_port_that_is_another_kinds_is_said(config: Path) -> None:
    text = GAUGE.replace("json: '{\"t\": \"2026-05-12T12:00:00+09:00\", \"seq\": 1, \"distance_m\": 2.41}'",
                         "f_port: 5\n        binary: 00 096a 047e b4 00")  # fmt: skip

    (complaint,) = complaints(config, text)

    assert "river_gauge speaks on port 4" in complaint


FAMILY = """
households:
  h-9: {home: [36.7, 137.2], consent: true}
devices:
  - {id: child-9, kind: child_tracker, household: h-9}
examples:
  - name: at home
    device: child-9
    uplinks:
      - received_at: 2026-05-12T07:30:02+09:00
        json: '{"seq": 1, "lat": 36.7001, "lon": 137.2, "accuracy_m": 5}'
        expect: {suppressed: inside the home radius}
"""


def test_a_home_must_be_invented_and_said_to_be(config: Path) -> None:
    """A file that many can read holds no real home: without the word nothing runs."""
    (complaint,) = complaints(config, FAMILY)

    assert "must be invented" in complaint
    assert complaints(config, f"fictional: true\n{FAMILY}") == []


@pytest.mark.parametrize("home", ["[137.2, 36.7]", "[36.7, 237.2]", "[89, 137.2]"])
def test_a_home_that_is_no_place_is_a_fault(config: Path, home: str) -> None:
    """Latitude first, in degrees; said where it stands, and not by a mask that fails closed."""
    text = FAMILY.replace("[36.7, 137.2]", home)
    (complaint,) = complaints(config, f"fictional: true\n{text}")
    assert "households.h-9.home: latitude and longitude in degrees" in complaint


def test_the_rules_are_those_of_the_configuration(config: Path) -> None:
    """A wider circle suppresses what a narrower one lets through: the example notices the change."""
    text = f"fictional: true\n{FAMILY}".replace("suppressed: inside the home radius", "suppressed: not yet reopened").replace("36.7001", "36.7020")  # fmt: skip
    assert complaints(config, text) == []

    rules = config / "privacy.yaml"
    rules.write_text(rules.read_text().replace("radius: 50 m", "radius: 500 m"))

    (complaint,) = complaints(config, text)
    assert "it is suppressed, inside the home radius" in complaint


@pytest.mark.parametrize("name", ["identity", "pseudonym"])
def test_a_keyed_column_cannot_be_expected(config: Path, name: str) -> None:
    """Its value differs from directory to directory, so an example that names it proves nothing."""
    way = "".join(
        f"      - received_at: 2026-05-12T07:3{n}:02+09:00\n"
        f'        json: \'{{"seq": {n}, "lat": 36.7{n}, "lon": 137.2, "accuracy_m": 5}}\'\n'
        f"        expect: {{{'stored: {' + name + ': 0a}' if n > 4 else 'suppressed: not yet reopened'}}}\n"
        for n in range(2, 6)
    )
    text = "fictional: true\n" + FAMILY[: FAMILY.index("      - received")] + way

    (complaint,) = complaints(config, text)

    assert f"{name} is keyed" in complaint


def test_check_ends_with_2_and_prints_the_difference(config: Path) -> None:
    """As any other fault of a configuration; `--json` has the same."""
    (config / "tests" / "mine.yaml").write_text(GAUGE.replace("1.79", "1.8"))
    command = [sys.executable, "-m", "sekisho", "check", "config/gateway.yaml"]

    said, as_json = (
        subprocess.run(
            [*command, *more],
            cwd=config.parent,
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        for more in ([], ["--json"])
    )

    assert said.returncode == as_json.returncode == 2
    assert said.stderr.startswith("config/tests/mine.yaml:8:")
    assert "stage_m is 1.79, and should be 1.8." in said.stderr
    assert len(json.loads(as_json.stdout)["faults"]) == 1
