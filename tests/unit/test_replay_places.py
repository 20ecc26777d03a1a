"""Where a replay goes when nobody says where."""

from pathlib import Path

import pytest

from sekisho.replay import replay

WALK = Path(__file__).parents[1] / "golden" / "made_up_walk.gpx"


def test_each_home_gets_a_directory_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two homes in one directory would show together what each of them hides; the same one comes again."""
    monkeypatch.chdir(tmp_path)

    for home in ("36.90,137.20", "36.91,137.21", "36.90,137.20"):
        replay(file=WALK, home=home, quiet=True)

    made = sorted(path.name for path in (tmp_path / ".replay").iterdir() if path.name != "keys")
    assert made == ["made_up_walk", "made_up_walk-2"]
