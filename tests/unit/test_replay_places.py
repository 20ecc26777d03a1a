"""Where a replay goes when nobody says where."""

import gzip
from pathlib import Path

import pytest

from sekisho.replay import replay

WALK = Path(__file__).parents[1] / "golden" / "made_up_walk.gpx"


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("2026.05.12 walk.gpx", "2026.05.12 walk"),
        ("walk.gpx.gz", "walk"),
        ("walk.GPX", "walk"),
        (".gpx", "replay"),
        ("..gpx", "replay"),
        (".hidden.gpx", "hidden"),
        ("keys.gpx", "keys-replay"),
    ],
)
def test_a_replay_never_lands_among_the_keys_or_out_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, folder: str
) -> None:
    """Its directory is named after the recording, whatever that is called."""
    monkeypatch.chdir(tmp_path)
    recording = tmp_path / name
    walk = WALK.read_bytes()
    recording.write_bytes(gzip.compress(walk) if name.endswith(".gz") else walk)

    replay(file=recording, home="36.90,137.20", quiet=True)

    made = {path.name for path in (tmp_path / ".replay").iterdir()}
    assert made == {folder, "keys"}
    assert (tmp_path / ".replay" / folder / "sekisho.json").exists()


def test_each_home_gets_a_directory_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two homes in one directory would show together what each of them hides; the same one comes again."""
    monkeypatch.chdir(tmp_path)

    for home in ("36.90,137.20", "36.91,137.21", "36.90,137.20"):
        replay(file=WALK, home=home, quiet=True)

    made = sorted(path.name for path in (tmp_path / ".replay").iterdir() if path.name != "keys")
    assert made == ["made_up_walk", "made_up_walk-2"]
