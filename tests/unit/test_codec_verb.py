"""`sekisho codec`: vendors' scripts on vendors' own examples, equal or different, by device and in all."""

import json
from pathlib import Path

import pytest

from tests.fakes.front_door import Answer, Sekisho

SCRIPT = """
function decodeUplink(input) {
  if (input.fPort != 2) return {errors: ["unknown FPort"]};
  return {data: {mm: input.bytes[0] * 256 + input.bytes[1], on: "on", third: 1 / 3}, warnings: []};
}
"""
YAML = """
uplinkDecoder:
  fileName: box.js
  examples:
    - description: A distance
      input: {fPort: 2, bytes: [0x09, 0x6a]}
      output: {data: {mm: 2410, on: on, third: 0.33333333333}}
    - description: Another port
      input: {fPort: 42, bytes: [0x09]}
      output: {errors: [unknown FPort]}
"""
WRONG = YAML.replace("mm: 2410", "mm: 2411")
CHIRPSTACK = """[
  { // a distance: in JavaScript's looser form
    "name": "http://distance", input: {fPort: 0x02, bytes: [0x09, 0x6a]},
    "expected": {"data": {"mm":2410,"on":"on","third":0.3333333333333333}, "warnings": []},
  },
]"""


@pytest.fixture
def box(tmp_path: Path) -> Path:
    (tmp_path / "box.js").write_text(SCRIPT)
    return tmp_path / "box.js"


def tried(sekisho: Sekisho, box: Path, examples: str, suffix: str, *words: str) -> Answer:
    file = box.with_suffix(suffix)
    file.write_text(examples)
    return sekisho("codec", "test", str(box), "--examples", str(file), *words)


@pytest.mark.parametrize(
    ("examples", "suffix", "count"), [(YAML, ".yaml", "2 of 2"), (CHIRPSTACK, ".json", "1 of 1")]
)
def test_examples_of_either_repository_are_read(
    sekisho: Sekisho, box: Path, examples: str, suffix: str, count: str
) -> None:
    """YAML 1.2, in which `on` is a word; JavaScript's looser lists; floats to nine digits."""
    done = tried(sekisho, box, examples, suffix)
    assert (done.code, done.out) == (0, f"box.js: {count} {'example' if count == '1 of 1' else 'examples'} equal\n")  # fmt: skip


def test_a_difference_is_named_by_its_place_and_fails_only_when_asked_to(
    sekisho: Sekisho, box: Path
) -> None:
    done = tried(sekisho, box, WRONG, ".yaml")
    assert done.code == 0
    assert "different  A distance: data.mm\n" in done.out
    assert tried(sekisho, box, WRONG, ".yaml", "--strict").code == 1


def test_a_script_that_fails_differs_by_its_fault_and_line(sekisho: Sekisho, box: Path) -> None:
    box.write_text("function decodeUplink(input) {\n  return input.none.at;\n}")
    assert "A distance: it raised an error (line 2)" in tried(sekisho, box, YAML, ".yaml").out


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Three devices of one vendor: one that works, one that differs, one without a codec."""
    vendor = tmp_path / "repository" / "vendor" / "acme"
    vendor.mkdir(parents=True)
    device = "firmwareVersions:\n  - profiles:\n      EU863-870: {id: p, codec: %s}\n"
    for name, text in {
        "index.yaml": "endDevices: [box, crate, brick]",
        "box.yaml": device % "box-codec",
        "crate.yaml": device % "crate-codec",
        "brick.yaml": "name: Brick\nfirmwareVersions:\n  - profiles: {EU863-870: {id: p}}\n",
        "box-codec.yaml": YAML,
        "crate-codec.yaml": WRONG,
        "broken-codec.yaml": "uplinkDecoder: {examples: [{input: 5}]}",
        "box.js": SCRIPT,
    }.items():
        (vendor / name).write_text(text)
    return tmp_path / "repository"


def test_a_repository_is_told_by_device_and_in_all(sekisho: Sekisho, repository: Path) -> None:
    done = sekisho("codec", "test", "--repository", str(repository))
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[1:4] == [
        ["acme/box", "box-codec", "2", "0"],
        ["acme/crate", "crate-codec", "1", "1"],
        ["acme/brick", "no", "codec"],
    ]
    assert done.out.splitlines()[-1] == (
        "3 devices, 1 without a codec · 2 codecs · 3 of 4 examples equal, 1 different"
    )
    assert "broken-codec.yaml: example 1 has no input and output." in done.err


def test_a_repository_as_chirpstack_lays_it_out_is_told_alike(
    sekisho: Sekisho, tmp_path: Path
) -> None:
    """Devices and codecs of each vendor; a list of examples that is empty is none, and a broken file is named."""
    vendor = tmp_path / "profiles" / "vendors" / "acme"
    (vendor / "codecs").mkdir(parents=True)
    (vendor / "devices").mkdir()
    (vendor / "vendor.toml").write_text('[vendor]\nname = "Acme"\n')
    codec = '[device]\nname = "Box"\n[[device.firmware]]\nversion = "1"\ncodec = "{}"\n'
    for name, text in {
        "box": codec.format("box.js"), "bare": codec.format("bare.js"), "none": '[device]\nname = "None"\n', "odd": "[",
    }.items():  # fmt: skip
        (vendor / "devices" / f"{name}.toml").write_text(text)
    for name, listed in {"box": CHIRPSTACK, "bare": "[]"}.items():
        (vendor / "codecs" / f"{name}.js").write_text(SCRIPT)
        (vendor / "codecs" / f"test_decode_{name}.json").write_text(listed)
    done = sekisho("codec", "test", "--repository", str(tmp_path / "profiles"))
    *table, last = done.out.splitlines()
    assert [line.split() for line in table[1:]] == [
        ["acme/bare", "bare", "0", "0"],
        ["acme/box", "box", "1", "0"],
        ["acme/none", "no", "codec"],
        ["acme/odd", "no", "codec"],
    ]
    assert last == "4 devices, 2 without a codec · 2 codecs · 1 of 1 example equal, 0 different", (
        done.err
    )
    assert "odd.toml is no TOML" in done.err


def test_a_repository_in_json(sekisho: Sekisho, repository: Path) -> None:
    done = sekisho("codec", "test", "--repository", str(repository), "--json", "--strict")
    said = json.loads(done.out)
    assert done.code == 1
    assert (said["equal"], said["different"], said["without_codec"]) == (3, 1, 1)
    assert said["codecs"]["acme/crate-codec"]["different"] == [
        {"example": "A distance", "why": "data.mm"}
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Give FILE.js with --examples FILE, or --repository DIR alone."),
        (["box.js"], "Give FILE.js with --examples FILE"),
        (["--repository", "."], "holds no vendor/*/index.yaml"),
        (["box.js", "--examples", "none.yaml"], "cannot be read (No such file or directory)"),
    ],
)
def test_what_cannot_be_tried_is_said(
    sekisho: Sekisho, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = sekisho("codec", "test", *words)
    assert done.code == 2
    assert said in done.err


def test_every_product_is_listed_with_what_it_fills(sekisho: Sekisho) -> None:
    done = sekisho("codec", "list", "--json")
    listed = {one["codec"]: one["fills"] for one in json.loads(done.out)}
    assert listed["dragino_lgt92"] == "child_tracker"
    assert listed["milesight_vs350"] == "people_flow_counter"
    assert len(listed) >= 12


def test_a_declared_codec_is_listed_beside_them(sekisho: Sekisho) -> None:
    config = Path(__file__).parents[2] / "config" / "gateway.yaml"
    done = sekisho("codec", "list", "--config", str(config))
    assert any(line.startswith("wyres_base ") for line in done.out.splitlines())
