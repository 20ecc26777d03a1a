"""`sekisho privacy partition` and `suggest`: from counts to zones, by files that people have."""

import json
import shlex
from pathlib import Path

import pytest

from tests.fakes.front_door import Answer, Sekisho

HEAD = "KEY_CODE,HTKSYORI,HTKSAKI,GASSAN,T001142001,T001142034\n,,,,人口（総数）,　世帯総数\n"
DAY = "2026-04-01"


def census(path: Path, rows: list[str], head: str = HEAD) -> Path:
    """An invented file in e-Stat's layout."""
    path.write_bytes((head + "".join(f"{row}\n" for row in rows)).encode("cp932"))
    return path


def build(sekisho: Sekisho, *words: str) -> Answer:
    """What a build says; it writes zones.yaml."""
    return sekisho("privacy", "partition", "build", "--date", DAY, "--out", "zones.yaml", "--force", *words)  # fmt: skip


def test_zones_are_made_of_the_census(tmp_path: Path, sekisho: Sekisho) -> None:
    """Households of 250 m cells; an exact total of a cell with hidden details counts where it is; a hidden total is
    counted in another cell, and both stay in one zone; a far cell has no zone, which is said aloud."""
    file = census(
        tmp_path / "tblT001142Q5537.txt",
        ["5537013611,0,,,300,120", "5537013612,1,,5537013613,200,90", "5537013613,2,5537013612,,*,*",
         "5537013614,2,5537013612,,30,15", "5537013699"[:8] + "44,0,,,9,4", "5537013633,0,,,-,-"],
    )  # fmt: skip
    said = build(sekisho, "--cells", str(file))
    content = (tmp_path / "zones.yaml").read_text()

    assert 'cells: "5537013611"' in content
    assert 'cells: "5537013612 5537013613 5537013614"' in content
    assert 'without: "5537013644"' in content
    assert "not_checked: [buildings, discs, entries, gates]" in content
    assert "NO ZONE for 1 cell with 4 dwellings" in said.err
    again = build(sekisho, "--cells", str(file), "--json")
    assert f'sha256: "{json.loads(again.out)["pin"]}"' in content
    assert (tmp_path / "zones.yaml").read_text() == content


def test_finer_cells_are_added_up(tmp_path: Path, sekisho: Sekisho) -> None:
    """A table of 250 m cells makes zones of 500 m cells."""
    file = census(tmp_path / "q.txt", ["5537013611,0,,,1,60", "5537013614,0,,,1,60"])

    assert build(sekisho, "--cells", str(file), "--level", "500m").code == 0
    assert 'cells: "553701361"' in (tmp_path / "zones.yaml").read_text()


@pytest.mark.parametrize(
    ("rows", "head", "sentence"),
    [
        ([], "KEY,a\nb,c\n", ":1 the first line does not begin with KEY_CODE"),
        ([], HEAD.replace("世帯総数", "世帯"), ":2 no column is named 世帯総数"),
        (["5537013611,0,,,1,60"] * 2, HEAD, ":4 the cell 5537013611 is there twice"),
        (["5537013611,0,,,1"], HEAD, ":3 6 columns are needed, 5 are there"),
        (["5537013611,0,,,1,six"], HEAD, ":3 世帯総数 is not a number"),
        (["5537013611,0,,,1,*"], HEAD, ":3 the households are hidden"),
        (["55370136,0,,,1,6"], HEAD, ":3 cells of 1km cannot be told apart by 250m"),
        (["553701,0,,,1,6"], HEAD, ":3 cells of 10km cannot"),
        (["55370,0,,,1,6"], HEAD, ":3 55370 is not a mesh code"),
        (["5537013611,0,,,1,60", "5537013613,2,5537013612,,*,*"], HEAD, ":4 HTKSAKI names the cell 5537013612, which stands in none"),
    ],
)  # fmt: skip
def test_a_faulty_census_is_refused_with_its_line(
    tmp_path: Path, sekisho: Sekisho, rows: list[str], head: str, sentence: str
) -> None:
    """Exit code 2, and where the fault stands."""
    file = census(tmp_path / "q.txt", rows, head)

    said = build(sekisho, "--cells", str(file))
    assert said.code == 2
    assert sentence in said.err
    assert not (tmp_path / "zones.yaml").exists()


def points(path: Path) -> Path:
    """Dwellings of an invented quarter, 20 m apart, as CSV."""
    rows = [f"{36.66 + up * 0.0002:.5f},{137.1 + along * 0.0002:.5f}" for up in range(30) for along in range(30)]  # fmt: skip
    path.write_text("lat,lon\n" + "\n".join(rows) + "\n")
    return path


def test_dwellings_are_read_as_csv_and_as_geojson(tmp_path: Path, sekisho: Sekisho) -> None:
    """Both forms of the same points give the same zones, and buildings are checked with them."""
    table = points(tmp_path / "d.csv")
    features = [
        {"type": "Feature", "properties": None, "geometry": {"type": "Point", "coordinates": [float(lon), float(lat)]}}
        for lat, lon in (line.split(",") for line in table.read_text().splitlines()[1:])
    ]  # fmt: skip
    shapes = tmp_path / "d.geojson"
    shapes.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    words = ("--level", "125m", "--source", "invented")

    assert build(sekisho, "--dwellings", str(table), *words).code == 0
    content = (tmp_path / "zones.yaml").read_text()
    assert "checked: [dwellings, buildings, discs]" in content
    assert build(sekisho, "--dwellings", str(shapes), *words).code == 0
    assert (tmp_path / "zones.yaml").read_text() == content


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("lat,lon,dwellings\n36.66,137.1,4\n36.66,137.2,four\n", "d.csv:3 a latitude, a longitude and"),
        ("lat,lon,dwellings\n36.66,137.1,-1\n", "d.csv:2 dwellings cannot be fewer than 0"),
        ("lat,lon,dwellings\n36.66,137.1\n", "d.csv:2 3 cells are needed"),
        ("lat,lon\n136.66,37.1\n", "d.csv:2 a latitude, a longitude and"),
        ("lat,lon,dwelling\n36.66,137.1,40\n", "d.csv:1 the column dwelling is not known. Did you mean dwellings?"),
        ("lat,lng\n36.66,137.1\n", "d.csv:1 columns named lat, lon are needed, and perhaps dwellings"),
    ],
)  # fmt: skip
def test_faulty_dwellings_are_refused_with_their_line(
    tmp_path: Path, sekisho: Sekisho, content: str, sentence: str
) -> None:
    """A building whose count is misread would hide fewer than the file of zones says."""
    (tmp_path / "d.csv").write_text(content)

    said = build(sekisho, "--dwellings", "d.csv")
    assert said.code == 2
    assert sentence in said.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--date", "2026-13-01"), "--date 2026-13-01: a day of the calendar is needed"),
        (("--date", "today"), "--date today: a day"),
        (("--date", DAY, "--id", "my zones"), "--id my zones: "),
    ],
)
def test_an_option_that_cannot_stand_in_the_file_is_named(
    tmp_path: Path, sekisho: Sekisho, words: tuple[str, ...], sentence: str
) -> None:
    """And no file, which was never there for whoever reads the sentence."""
    file = str(points(tmp_path / "d.csv"))
    said = sekisho("privacy", "partition", "build", "--out", "z.yaml", "--dwellings", file, *words)

    assert said.code == 2
    assert sentence in said.err
    assert "z.yaml" not in said.err


def test_a_partition_is_shown_and_asked(tmp_path: Path, sekisho: Sekisho) -> None:
    """Zones as a table and as GeoJSON; of a place its zone, and whether a child's zone hides it."""
    file = str(points(tmp_path / "d.csv"))
    assert build(sekisho, "--dwellings", file, "--level", "125m", "--quiet").out == ""
    show = ("privacy", "partition", "show", "zones.yaml")
    near, far = (
        ("--at", at, "--zone", "z-0001", "--json") for at in ("36.66,137.1", "36.76,137.1")
    )

    assert "z-0001" in sekisho(*show).out
    shapes = json.loads(sekisho(*show, "--geojson").out)["features"]
    assert shapes[0]["properties"]["zone"] == "z-0001"
    assert json.loads(sekisho(*show, *near).out)["hidden for z-0001"] == "yes"
    answer = json.loads(sekisho(*show, *far).out)
    assert answer["hidden for z-0001"] == "no"
    assert answer["zone of this place"] == "none"


def test_levels_are_compared(tmp_path: Path, sekisho: Sekisho) -> None:
    """A row for each level, and the one that hides the least ground while it leaves nobody without a zone."""
    file = str(points(tmp_path / "d.csv"))

    said = json.loads(sekisho("privacy", "suggest", "--dwellings", file, "--k", "50", "--json").out)
    assert [row["level"] for row in said["levels"]] == ["125m", "250m", "500m"]
    fitting = [row for row in said["levels"] if not row["dwellings_without_zone"]]
    assert said["suggested"] == min(fitting, key=lambda row: row["hidden_ha"])["level"]


def test_any_name_can_be_the_id(tmp_path: Path, sekisho: Sekisho) -> None:
    """Also one that looks like a number or a truth in YAML."""
    file = str(points(tmp_path / "d.csv"))
    for name in ("2026", "1e5", "true", "null", "no"):
        assert build(sekisho, "--dwellings", file, "--id", name).code == 0
        assert sekisho("privacy", "partition", "show", "zones.yaml").out.startswith(f"{name}: ")


def test_the_next_step_can_be_pasted(tmp_path: Path, sekisho: Sekisho) -> None:
    """With the files and figures that were compared, whatever the files are called."""
    points(tmp_path / "our dwellings.csv")
    said = sekisho("privacy", "suggest", "--dwellings", "our dwellings.csv", "--k", "50", "--k-gate", "5")  # fmt: skip
    (line,) = [line for line in said.out.splitlines() if line.startswith("  next ")]
    program, *words = shlex.split(line.removeprefix("  next "))

    assert program == "sekisho"
    assert sekisho(*words).code == 0
    content = (tmp_path / "zones.yaml").read_text()
    assert "\nk: 50\nk_gate: 5\n" in content


def test_a_level_that_leaves_many_without_a_zone_is_not_praised(
    tmp_path: Path, sekisho: Sekisho
) -> None:
    """Where none leaves under 1 %, that is said, and whose children nothing may be kept of."""
    rows = points(tmp_path / "d.csv").read_text().splitlines()
    far = [f"36.{76 + n:02},137.1" for n in range(0, 20, 2)]
    (tmp_path / "d.csv").write_text("\n".join([*rows, *far]) + "\n")
    said = sekisho("privacy", "suggest", "--dwellings", "d.csv", "--k", "50")

    assert "None leaves under 1 % of the dwellings without a zone; the least is 1.1 %" in said.out
    assert "suggested" in said.out


def test_one_source_of_counts_is_needed(sekisho: Sekisho) -> None:
    """Neither is a usage error that names both."""
    said = sekisho("privacy", "suggest")

    assert said.code == 2
    assert "--cells" in said.err
