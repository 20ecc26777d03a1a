"""`sekisho privacy scan`: what it finds in a folder, what it says, and how it ends."""

import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from gateway.canary import needles
from gateway.canary.canaries import Canaries, Hit, read
from sekisho.__main__ import main
from sekisho.canary_fixture import CanaryScan, look

LAT, LON = 36.695304170318846, 137.21130482957152
PLACE = f"{LAT},{LON}"
CANARIES = Canaries(positions=((LAT, LON),))


def scan(capsys: Any, monkeypatch: pytest.MonkeyPatch, *words: object) -> tuple[int, str, str]:
    """Exit code, output and errors of the verb."""
    monkeypatch.setattr(sys, "argv", ["sekisho", "privacy", "scan", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a clean file in it."""
    made = tmp_path / "searched"
    made.mkdir()
    (made / "clean.txt").write_text("36.70000 137.20000, nothing else")
    return made


def test_a_clean_folder_ends_with_0_and_the_number_of_controls(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    code, out, _ = scan(capsys, monkeypatch, folder, "--canary", PLACE)
    assert code == 0
    assert out.startswith("nothing found · 1 canary, ")
    assert "1 file" in out


def test_a_hit_ends_with_1_and_tells_where_but_not_what(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """Place, offset, form and number of the canary stand in the table; no digit of it anywhere."""
    (folder / "a.log").write_text(f"fix at {LAT:.5f} {LON:.5f}")
    code, out, err = scan(capsys, monkeypatch, folder, "--canary", PLACE)
    assert code == 1
    row = next(line for line in out.splitlines() if line.startswith("a.log"))
    assert row.split() == ["a.log", "7", "decimal", "text", "position", "0"]
    assert f"{LAT:.3f}" not in out + err


def test_json_holds_every_hit_and_what_was_not_looked_for(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setitem(sys.modules, "h3", None)
    (folder / "a.gz").write_bytes(gzip.compress(f"{LAT:.7f}".encode()))
    code, out, _ = scan(capsys, monkeypatch, folder, "--canary", PLACE, "--json")
    said = json.loads(out)
    assert code == 1
    hit = {
        "where": "a.gz > gzip",
        "coat": "decimal text",
        "canary": "position 0",
        "offset": 0,
    }
    assert hit in said["hits"]
    assert said["files"] == 2
    assert said["controls"] > 80
    assert "H3" in said["not_looked_for"][0]


def test_a_scanner_that_misses_a_control_ends_with_3(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """With the search for pairs broken, it names the forms it is blind to and searches nothing."""
    monkeypatch.setattr(needles, "NEAR", -1)
    monkeypatch.setattr(needles, "NEXT", -1)
    (folder / "a.log").write_text(f"{LAT:.9f}")
    code, out, err = scan(capsys, monkeypatch, folder, "--canary", PLACE)
    assert code == 3
    assert "blind" in err
    assert "float32 BE" in err
    assert out == ""


def test_canaries_of_a_file_are_named_by_their_sort(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path
) -> None:
    listed = tmp_path / "canaries.txt"
    listed.write_text(
        f"# a drill\n\nhome {PLACE}\nplace 36.70123456,137.20123456\ntag 30751FEB705C\nword qzkxw-token\n"
    )
    (folder / "log").write_bytes(b"qzkxw-token, 30751feb705c, 36.70123456, 36.695304170")
    code, out, _ = scan(capsys, monkeypatch, folder, "--canaries", listed, "--json")
    assert code == 1
    assert {hit["canary"] for hit in json.loads(out)["hits"]} == {
        *("home 0", "position 0", "tag 0", "word 0")
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "nothing to look for"),
        (("--canary", "36.7,137.2"), "five decimals"),
        (("--canary", "north"), "line 1: it begins with none"),
        (("--canary", "tag 00ff"), "at least 6 bytes"),
        (("--canary", "tag 000000000000"), "four of them different"),
        (("--canary", "91.00001,5.00001"), "within 85"),
        (("--canary", "word qzkxw-token", "--window"), "--window needs a home"),
        (("--canary", "home 0.51234567,0.1234567", "--window"), "equator"),
        (("--canary", PLACE, "--window", "--radius", "1"), "--radius takes 10"),
        (("--canaries", "missing.txt"), "cannot be read"),
    ],
)
def test_usage_ends_with_2(
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    given: tuple[str, ...],
    said: str,
) -> None:
    code, _, err = scan(capsys, monkeypatch, folder, *given)
    assert code == 2
    assert said in err


def test_a_list_of_canaries_inside_the_folder_is_refused(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """It would find itself."""
    (folder / "canaries").write_text(PLACE)
    code, _, err = scan(capsys, monkeypatch, folder, "--canaries", folder / "canaries")
    assert code == 2
    assert "would be found there" in err


def test_window_mode_finds_a_place_near_a_home_that_is_no_canary(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """Twenty metres from the home in any form; a hundred metres from it in none."""
    home = ("--canary", f"home {PLACE}", "--window")
    (folder / "far").write_text(f"{LAT + 0.0009:.6f} {LON:.6f}")
    assert scan(capsys, monkeypatch, folder, *home)[0] == 0
    (folder / "near").write_text(f"{LON:.6f},{LAT + 0.00018:.6f}")
    code, out, _ = scan(capsys, monkeypatch, folder, *home)
    assert code == 1
    assert "decimal text, in the circle" in out
    assert "far" not in out


def test_mesh_codes_may_stand_where_they_are_published(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    (folder / "open.csv").write_text("5537013624,12")
    assert scan(capsys, monkeypatch, folder, "--canary", PLACE)[0] == 1
    code, _, _ = scan(
        capsys, monkeypatch, folder, "--canary", PLACE, "--mesh-published", "open*.csv"
    )
    assert code == 0


def test_without_numpy_it_says_what_brings_it(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    code, _, err = scan(capsys, monkeypatch, folder, "--canary", PLACE)
    assert code == 2
    assert "sekisho[scan]" in err


def test_the_end_of_a_sparse_file_is_searched_at_once(tmp_path: Path) -> None:
    """64 GiB of nothing and a place behind it: found at its offset; the hole is not read."""
    with (tmp_path / "sparse").open("wb") as file:
        file.seek(1 << 36)
        file.write(f"{LAT:.9f}".encode())
    (hit, *_) = look(tmp_path, CANARIES)
    assert hit == Hit("sparse", "decimal text", "position 0", 1 << 36)


def test_what_cannot_be_read_is_a_hit_and_links_are_not_followed(tmp_path: Path) -> None:
    """Nobody knows what is in it; a link's target is a name."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").write_text(f"{LAT:.9f}")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "leak").symlink_to(f"{LAT:.9f}")
    os.mkfifo(root / "pipe")
    assert look(root, CANARIES) == [Hit("target of leak", "decimal text", "position 0", 0)]


def test_a_locked_zip_entry_is_a_hit(tmp_path: Path) -> None:
    """The second of two, though the first can be opened."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("open", b"harmless " * 20)
        archive.writestr("locked", b"harmless " * 20)
    data = bytearray(whole.getvalue())
    second = data.index(b"PK\x03\x04", 4)
    data[second + 6] |= 1  # general purpose bit 0: encrypted (APPNOTE 4.4.4)
    (tmp_path / "locked.zip").write_bytes(data)
    assert look(tmp_path, CANARIES) == [
        Hit("locked.zip > zip", "cannot be opened", "unknown", second)
    ]


@pytest.mark.needs("zstd")
def test_zstd_is_opened_in_the_middle_of_other_data(tmp_path: Path) -> None:
    """Also where something else follows, which is nothing that zstd could read."""
    packed = zstandard(b"digits " * 99 + f"{LAT:.9f}".encode() + b" digits" * 99)
    (tmp_path / "mixed").write_bytes(b"before " + packed + b" behind")
    assert "mixed > zstd" in {hit.where for hit in look(tmp_path, CANARIES)}


def zstandard(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True).stdout


def test_the_fixture_looks_through_folders_and_bytes(
    canary_scan: CanaryScan, tmp_path: Path
) -> None:
    assert canary_scan(tmp_path, CANARIES) == []
    assert canary_scan(f"{LAT!r}".encode(), CANARIES) != []


def test_one_file_may_be_searched(tmp_path: Path) -> None:
    """Its name, which may hold anything, is not told."""
    (tmp_path / "x").write_text(f"{LAT:.9f}")
    assert look(tmp_path / "x", CANARIES) == [Hit("the file", "decimal text", "position 0", 0)]


def test_lines_are_told_by_number_never_by_value() -> None:
    with pytest.raises(ValueError, match=r"^line 2: a place is LAT,LON in degrees$"):
        read(["# homes", "home 36.123456;137.123456"])
