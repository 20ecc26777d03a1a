"""The front door as a person meets it: files of uplinks, and a configuration with mistakes."""

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.processes import ROOT, sekisho

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def simulated(folder: Path, name: str, children: int) -> Path:
    """One simulated morning, two hours long, in a file."""
    words = ["--seed", "7", "--children", str(children), "--for", "2h", "--to", f"file:{name}"]
    code, _, err = sekisho(folder, "simulate", *words)
    assert code == 0, err
    return folder / name


def test_the_same_seed_makes_the_same_bytes(tmp_path: Path) -> None:
    """`simulate --seed 7 --to file:` twice: byte for byte the same."""
    one, other = (simulated(tmp_path, name, 20).read_bytes() for name in ("one", "other"))
    assert one == other
    assert one.count(b"\n") > 1000


def test_more_children_change_nothing_about_the_first_ten(tmp_path: Path) -> None:
    """Among 100 children the first ten send, at the same times, the same bytes as when alone."""
    ten, hundred = (
        [json.loads(line) for line in simulated(tmp_path, f"of-{n}", n).read_text().splitlines()]
        for n in (10, 100)
    )
    for n in range(1, 11):
        topic = f"sekisho/v1/child-{n:04}/"
        alone = [line for line in ten if line["topic"].startswith(topic)]
        among = [line for line in hundred if line["topic"].startswith(topic)]
        assert len(alone) > 50
        assert alone == among


@pytest.mark.parametrize(
    ("file", "right", "wrong", "says"),
    [
        ("gateway.yaml", "|owner:", "|ownr:", "Did you mean owner?"),
        ("gateway.yaml", "tick: |4 ms", "tick: |4 km", "not a unit of time"),
        ("gateway.yaml", "kind: |mqtt_listener", "kind: |mqtt_listner", "Did you mean mqtt_listener?"),
        ("gateway.yaml", "privacy: |privacy.yaml", "privacy: |privcy.yaml", "does not exist"),
        ("devices.yaml", "kind: |wildlife_camera", "kind: |wildlife_camra", "Did you mean wildlife_camera?"),
        ("devices.yaml", "[river-12, |river-13]", "[river-12, |river-31]", "Did you mean river-13?"),
        ("privacy.yaml", "radius: |50 m", "radius: |50 kg", "not a unit of length"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_file_line_and_column(
    tmp_path: Path, file: str, right: str, wrong: str, says: str
) -> None:
    """A misspelt key, wrong unit, unknown kind or bad reference: one sentence with file, line and
    column (here marked |) and what was meant, exit code 2, and nothing else is complained of."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    path = tmp_path / "config" / file
    text = path.read_text()
    assert text.count(right.replace("|", "")) == 1
    marked = text.replace(right.replace("|", ""), wrong)
    path.write_text(text.replace(right.replace("|", ""), wrong.replace("|", "")))
    before = marked[: marked.index(wrong) + wrong.index("|")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    code, out, err = sekisho(tmp_path, "check")
    said = (out + err).splitlines()
    assert code == 2
    assert said[0].startswith(f"config/{file}:{line}:{column} "), said
    assert says in said[0]
    assert len(said) == 2, said
    code, out, _ = sekisho(tmp_path, "check", "--json")
    assert code == 2
    assert len(json.loads(out)["faults"]) == 1


def test_the_shipped_configuration_has_no_fault(tmp_path: Path) -> None:
    """`sekisho check` on what is shipped: exit 0."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    code, out, err = sekisho(tmp_path, "check")
    assert code == 0, err
    assert "ok" in out
