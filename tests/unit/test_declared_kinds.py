"""Kinds declared in YAML: what a file may say, and the sentence for everything it may not."""

import shutil
from pathlib import Path

import pytest

from gateway.devices.catalog import catalog, declare, declared
from gateway.devices.kind import DeviceKind
from gateway.model.instant import HOUR
from gateway.settings.complaints import SettingsError
from gateway.settings.kinds import read_kind
from gateway.settings.load import load_settings
from gateway.stores.declared import taken
from sekisho.kinds_in_force import know
from simulators.scenario import DEFAULT_START, Scenario
from tests.fakes.declared import CONFIG, DECLARED, EVERY_SORT

SNOW = (CONFIG / "kinds" / "snow_gauge.yaml").read_text()


def said(tmp_path: Path, text: str, name: str = "snow_gauge") -> list[str]:
    """The complaints about a declaration, as they are printed."""
    path = tmp_path / f"{name}.yaml"
    path.write_text(text)
    kind, complaints = read_kind(path)
    assert (kind is None) == bool(complaints)
    return [str(complaint).removeprefix(f"{path}:") for complaint in complaints]


def test_the_shipped_declaration_holds(tmp_path: Path) -> None:
    assert said(tmp_path, SNOW) == []


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("f_port: 40", "|f_prt: 40", "Did you mean f_port?"),
        ("f_port: 40", "f_port: |4", "port 4 belongs to river_gauge"),
        ("f_port: 40", "f_port: |0", "0 is outside 1 to 223."),
        ("name: snow_gauge", "name: |snow", "the file of this kind is called snow.yaml"),
        ("name: air_c", "name: |counter", "stands in every row or document already"),
        ("name: air_c", "name: |order", "means something to a database"),
        ("name: air_c", "name: |Air", "begin with a letter"),
        ("limits: [0, 600]", "limits: |[600, 0]", "the lower limit comes first"),
        ("limits: [0, 100]", "limits: |[0, 0.5, 100]", "at most 2 here"),
        ("{type: u16, scale: 0.1}", "|{type: u16, scale: 0.001}", "the limit 600 does not fit u16"),
        ("{type: u16, scale: 0.1}", "|{type: u16, scale: 0.7}", "no whole number of steps of 0.7"),
        ("{type: u16, scale: 0.1}", "|{type: u16, scale: 0}", "more than 0"),
        ("type: u8, none: 255", "type: u8, |non: 255", "Did you mean none?"),
        ("{type: u8, none: 255}", "|{type: u8, none: 90}", "90 would be 90, which lies within the limits"),
        ("{type: u8, none: 255}", "|{type: u8, none: 256}", "256 does not fit u8"),
        ("{type: u8, none: 255}", "|{type: u8}", "none is missing"),
        ("{type: u8, none: 255}", "|{type: f32}", "a whole number is no f32"),
        ("{type: i16, scale: 0.1, none: -32768}", "|{type: f32, scale: 0.1}", "f32 takes no scale"),
        ("mast_m: m", "mast_m: |furlong", 'no attribute is measured in "furlong"'),
        ("road: text", "owner: |text", "owner is said of every device already"),
        ("road: text", "id: |text", "id is said of every device already"),
        ("value: 40", "value: |900", "900 lies outside the limits of depth_cm"),
        ("type: i16", "type: |i15", "Did you mean i"),
        ("sensitivity: public        #", "sensitivity: |position      #", "written in Python"),
        ("sensitivity: public        #", "sensitivity: |pubic         #", "Did you mean public?"),
        ("rejected: out of range", "rejected: |out of rage", "Did you mean out of range?"),
        ("binary: 01a9 ffe1\n", "binary: |01a9 ffe\n", "hex digits in pairs"),
        ("way: walk", "way: |wander", "Write constant or walk or step or diurnal"),
        ("    echo: {way", "    |ecko: {way", "Did you mean echo?"),
        ("every: 10 min", "every: |10 m", "not a unit of time"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(
    tmp_path: Path, right: str, wrong: str, sentence: str
) -> None:
    """One sentence for each mistake, at the line and column where it stands (here marked |)."""
    assert SNOW.count(right) == 1
    marked = SNOW.replace(right, wrong)
    before = marked[: marked.index("|")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")

    complaints = said(tmp_path, SNOW.replace(right, wrong.replace("|", "")))

    assert sentence in complaints[0]
    assert complaints[0].startswith(f"{line}:{column} "), complaints[0]


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("values: {depth_cm: 42.5, air_c: -3.1, echo: 88}\n  - name: the same", "values: {depth_cm: 42.6}\n  - name: the same", "a winter morning: depth_cm is 42.5, and should be 42.6."),
        ('json: \'{"depth_cm": 612}\'', 'json: \'{"depth_cm": 600}\'', "an icicle before the sensor: it is accepted, and should be rejected as out of range."),
        ("binary: 01a9 ffe1 58\n", "binary: 01a9 ffe1\n", "the same in five bytes: it is rejected, undecodable: snow_gauge takes 5 bytes."),
    ],
)  # fmt: skip
def test_an_example_that_does_not_hold_is_a_fault(
    tmp_path: Path, right: str, wrong: str, sentence: str
) -> None:
    """Examples are proven before the kind counts: what differs is said."""
    assert right in SNOW
    (complaint,) = said(tmp_path, SNOW.replace(right, wrong, 1))

    assert complaint.endswith(sentence)


def test_examples_of_every_sort_are_needed(tmp_path: Path) -> None:
    text = SNOW[: SNOW.index("  - name: the same in five")] + SNOW[SNOW.index("# How it moves") :]

    assert [line.partition("examples: ")[2] for line in said(tmp_path, text)] == [
        "an accepted binary payload is missing here.",
        "a payload that must be rejected is missing here.",
    ]


def test_more_than_a_frame_carries_is_refused(tmp_path: Path) -> None:
    """LoRaWAN takes 242 bytes in the best case: a longer form would never arrive."""
    field = "{{name: f{n}, meaning: m, limits: [0, 9], sensitivity: public, required: false, binary: {{type: f32}}}}"
    more = "".join(f"  - {field.format(n=n)}\n" for n in range(60))
    complaints = said(tmp_path, SNOW.replace("attributes:\n", f"{more}attributes:\n", 1).replace("\n\n# What the registry", "\n# What the registry"))  # fmt: skip

    assert [c.partition(" ")[2] for c in complaints if "LoRaWAN" in c] == [
        "fields: together they take 245 bytes, and a LoRaWAN frame carries 242 at most."
    ]


def test_a_kind_that_keeps_nothing_is_refused(tmp_path: Path) -> None:
    """Silence about sensitivity means no: a kind of secrets alone would store empty rows."""
    text = "\n".join(line for line in SNOW.splitlines() if "sensitivity" not in line)

    assert any("nothing of this would be kept" in line for line in said(tmp_path, text))


@pytest.mark.parametrize("name", ["river_gauge", "weather", "rejection", "select"])
def test_names_that_are_taken_are_refused(tmp_path: Path, name: str) -> None:
    """Shipped kinds, tables and views of the city's file, and words of SQL."""
    complaints = said(tmp_path, SNOW.replace("snow_gauge", name), name)

    assert len(complaints) >= 1
    assert all(" name: " in line for line in complaints), complaints
    assert {"weather", "rejection", "river_gauge"} <= taken()


def test_a_declared_kind_stands_in_the_catalog() -> None:
    """Beside the shipped ones, in name order; a shipped name is never replaced."""
    shipped = catalog()
    declare(DECLARED.values())

    assert set(catalog()) == set(shipped) | set(DECLARED)
    assert list(catalog()) == sorted(catalog())
    assert declared().keys() == DECLARED.keys()
    with pytest.raises(ValueError, match="Sekisho's own"):
        declare([renamed("river_gauge", 99)])
    with pytest.raises(ValueError, match="port 41 belongs to every_sort"):
        declare([renamed("another", 41)])


def renamed(name: str, f_port: int) -> DeviceKind:
    """Another kind of the same form."""
    changed = {slot: getattr(EVERY_SORT, slot) for slot in EVERY_SORT.__slots__}
    return DeviceKind(**changed | {"name": name, "f_port": f_port})


def test_a_folder_of_broken_declarations_names_every_fault(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(SNOW.replace("f_port: 40", "f_port: 400"))

    with pytest.raises(SettingsError) as refusal:
        know(tmp_path)

    assert len(refusal.value.complaints) == 2
    assert not declared()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The shipped configuration, to be changed."""
    shutil.copytree(CONFIG, tmp_path / "config")
    return tmp_path / "config" / "gateway.yaml"


@pytest.mark.parametrize(
    ("setting", "kinds"),
    [
        ("", ["snow_gauge"]),
        ("kinds: kinds", ["snow_gauge"]),
        ("kinds: [kinds/snow_gauge.yaml]", ["snow_gauge"]),
        ("kinds: []", []),
        ("kinds: areas", []),
    ],
)
def test_the_setting_says_where_declarations_lie(
    config: Path, setting: str, kinds: list[str]
) -> None:
    """A folder, a list of files, or, left out, the folder `kinds/` beside the file."""
    (config.parent / "areas").mkdir()
    config.write_text(f"{config.read_text()}\n{setting}\n")

    assert [one.kind.name for one in load_settings(config).kinds] == kinds
    assert list(declared()) == kinds


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("kinds: kind", 'kinds: no folder named "kind".'),
        ("kinds: [snow_gague.yaml]", 'kinds[0]: file "snow_gague.yaml" does not exist'),
        ("kinds: 3", "kinds: a folder is needed here, or a list of files."),
        ("kinds: [1]", "kinds: a folder is needed here, or a list of files."),
    ],
)
def test_a_setting_that_leads_nowhere_is_a_fault(config: Path, setting: str, sentence: str) -> None:
    config.write_text(f"{config.read_text()}\n{setting}\n")

    with pytest.raises(SettingsError) as refusal:
        load_settings(config)

    assert sentence in str(refusal.value)


def test_two_files_of_one_kind_are_a_fault(config: Path) -> None:
    """Which of them counts must not hang on the order of a list."""
    (config.parent / "more").mkdir()
    shutil.copy(config.parent / "kinds" / "snow_gauge.yaml", config.parent / "more")
    both = "kinds: [kinds/snow_gauge.yaml, more/snow_gauge.yaml]"
    config.write_text(f"{config.read_text()}\n{both}\n")

    with pytest.raises(SettingsError, match=r"kinds/snow_gauge\.yaml declares snow_gauge too"):
        load_settings(config)


def test_a_device_of_a_declared_kind_is_checked_like_any_other(config: Path) -> None:
    """Its facts may be written short and with units; one it has not is refused with the nearest."""
    devices = config.parent / "devices.yaml"
    snow = "devices:\n  - {id: snow-7, kind: snow_gauge, mast: 4 m, road: pass, lat: 36.6, lon: 137.5}\n"
    devices.write_text(devices.read_text().replace("devices:\n", snow, 1))

    (entry,) = (e for e in load_settings(config).entries.devices if e.device == "snow-7")
    assert entry.attributes == {"mast_m": 4.0, "road": "pass", "lat": 36.6, "lon": 137.5}

    devices.write_text(devices.read_text().replace("mast: 4 m", "mats: 4 m"))
    with pytest.raises(SettingsError, match=r"Did you mean mast\?"):
        load_settings(config)


@pytest.mark.parametrize("name", ["lat", "longitude", "lon_deg", "position"])
def test_what_says_where_it_is_cannot_be_declared(tmp_path: Path, name: str) -> None:
    """A tracker in YAML would store exact positions past the mask."""
    complaints = said(tmp_path, SNOW.replace("name: air_c", f"name: {name}"))

    assert "may follow a person" in complaints[0]


def test_a_simulated_declared_device_stays_within_its_limits() -> None:
    """However wildly it walks, it says what its kind can; the rest of the town says what it always says."""
    declare(DECLARED.values())
    until = DEFAULT_START + HOUR
    alone = list(Scenario(seed=3, children=2, harm=0.0).uplinks(until))
    extra = {"every_sort": 3, "snow_gauge": 2}

    both = list(Scenario(seed=3, children=2, harm=0.0, extra=extra).uplinks(until))

    mine = [uplink for uplink in both if uplink.kind in extra]
    assert [uplink for uplink in both if uplink.kind not in extra] == alone
    assert {uplink.device for uplink in mine} == {
        "every-sort-01", "every-sort-02", "every-sort-03", "snow-gauge-01", "snow-gauge-02",
    }  # fmt: skip
    assert len([uplink for uplink in mine if uplink.kind == "every_sort"]) > 100
    assert {uplink.form for uplink in mine} == {"json", "binary"}
    for uplink in mine:
        for field in catalog()[uplink.kind].fields:
            value = (uplink.values or {}).get(field.name, field.low)
            assert field.low is not None
            assert field.high is not None
            assert field.low <= (value or 0.0) <= field.high


def test_a_declared_device_is_harmed_like_any_other() -> None:
    """Every sort of harm meets it too, values beyond the limits that were declared among them."""
    declare(DECLARED.values())
    scenario = Scenario(seed=3, children=0, harm=0.5, extra={"snow_gauge": 6})

    harms = {u.harm for u in scenario.uplinks(DEFAULT_START + 12 * HOUR) if u.kind == "snow_gauge"}

    assert harms == {None, "duplicate", "corrupt", "out_of_range", "unknown_device"}
