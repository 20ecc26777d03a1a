"""A configuration is either resolved whole or refused with every fault in its place."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.settings.area import shipped_municipalities
from gateway.settings.complaints import SettingsError
from gateway.settings.load import load_devices, load_settings

AREA = 'service_area:\n  municipality: "16201"'
SHIPPED = Path(__file__).parents[2] / "config"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped configuration in `config/` below the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    for name in ("gateway.yaml", "privacy.yaml", "devices.yaml"):
        shutil.copy(SHIPPED / name, tmp_path / "config" / name)
    return tmp_path / "config"


def change(file: Path, *pairs: tuple[str, str]) -> None:
    text = file.read_text("utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    file.write_text(text, "utf-8")


def faults() -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(Path("config/gateway.yaml"))
    assert caught.value.exit_code == 2
    *lines, count = str(caught.value).splitlines()
    assert count.startswith(f"{len(lines)} fault")
    return lines


def test_the_shipped_configuration_loads(folder: Path) -> None:
    """config/*.yaml is whole, and comes out in SI units with files found."""
    loaded = load_settings(folder / "gateway.yaml")

    (door,) = loaded.doors
    assert (door.port, door.packet_bytes, door.keep_alive_s) == (1883, 65_536, 3600.0)
    assert (loaded.tick_s, loaded.batch) == (0.004, 8192)
    assert loaded.zone.key == "Asia/Tokyo"
    assert loaded.policy.in_area(36.6953, 137.2137)
    assert not loaded.policy.in_area(35.68, 139.76)
    assert loaded.policy.retain_days == 28
    assert loaded.policy.gap_minutes == 30.0
    assert loaded.entries.devices[0].attributes["datum_m"] == 4.2
    assert loaded.entries.credentials["rivers"] == {"river-12", "river-13"}


def test_four_mistakes_four_sentences(folder: Path) -> None:
    """A misspelt key, a wrong unit, an unknown kind and a bad reference: one sentence each."""
    change(folder / "gateway.yaml", ("    pending:", "    pendign:"))
    change(
        folder / "devices.yaml",
        ("datum: 4.2 m ", "datum: 3.2 ft"),
        ("kind: wildlife_camera", "kind: wildlife_camra"),
        ("devices: [camera-03]", "devices: [camera-3]"),
    )

    assert faults() == [
        (
            "config/devices.yaml:13:12 devices[0].datum: 3.2 ft is not a unit of length here: "
            "write metres, for example 0.975 m."
        ),
        (
            'config/devices.yaml:29:11 devices[3].kind: no kind named "wildlife_camra". '
            "Did you mean wildlife_camera?"
        ),
        (
            'config/devices.yaml:65:15 credentials[2].devices[0]: no device named "camera-3" in '
            "this file. Did you mean camera-03?"
        ),
        "config/gateway.yaml:41:5 doors[0].pendign: unknown setting. Did you mean pending?",
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("gateway", 'owner: "16201"', "owner: 16201", 'write it in quotes, "16201".'),
        ("gateway", "timezone: Asia/Tokyo", "timezone: Asia/Tokio", "Did you mean Asia/Tokyo?"),
        ("gateway", "state: /var", "sttae: /var", "sttae: unknown setting. Did you mean state?"),
        ("gateway", "kind: sqlite", "kind: sqllite", "Did you mean sqlite?"),
        ("gateway", "kind: mqtt_listener", "kind: mqtt_listner", "Did you mean mqtt_listener?"),
        ("gateway", "tick: 4 ms", "tick: 4", "the unit is missing"),
        ("gateway", "tick: 4 ms", "tick: 4 h", "4 h is outside 1 ms to 1 s."),
        ("gateway", "batch: 8192", "batch: many", "a whole number is needed here."),
        ("gateway", "port: 1883", "port: 99999", "99999 is outside 0 to 65535."),
        ("gateway", "bind: 127.0.0.1", "bind: everywhere", "an IP address is needed here"),
        ("gateway", "privacy: privacy.yaml", "privacy: p.yaml", "(looked in config/ and /etc/"),
        ("gateway", AREA, 'service_area:\n  municipality: "99999"', "no outline of a munic"),
        ("gateway", AREA, "service_area:\n  bbox: [37, 137, 36, 138]", "south < north"),
        ("gateway", AREA, "service_area:\n  geojson: a.json", 'file "a.json" does not exist'),
        ("gateway", AREA, "service_area:\n  {}", "exactly one of"),
        ("gateway", "# keys: /etc", "keys: /var/lib/sekisho/keys #", "inside the state directory"),
        ("gateway", "port: 1883  ", "port: null  ", "a door needs a port"),
        ("gateway", "intake:", "intake: [", "not readable as YAML"),
        ("gateway", "store:", "privacy: x\nstore:", "privacy is set twice here."),
        ("privacy", "purpose: See", "purpse: See", "Did you mean purpose?"),
        ("privacy", "    retain: 28 d\n", "", "the setting retain is missing here."),
        ("privacy", "retain: 28 d", "retain: 36 h", "whole days only"),
        ("privacy", "radius: 50 m", "radius: 50 miles", "not a unit of length here"),
        ("devices", "household: h-0001", "houshold: h-0001", "Did you mean household?"),
        ("devices", "river: Jinzu", "household: h-1", "belongs to no household"),
        ("devices", "mount: stop", "# mount", "bus_stop_reader needs the attribute mount."),
        ("devices", "id: river-13", "id: river-12", "river-12 stands in this file already."),
        ("devices", "id: river-13", "id: River 13", "not a name"),
        ("devices", "river: Jinzu", "river: 7", "a text is needed here"),
    ],
)
def test_each_mistake_has_its_sentence(
    folder: Path, file: str, old: str, new: str, sentence: str
) -> None:
    """Every mistake is answered in its file, by a sentence that helps."""
    change(folder / f"{file}.yaml", (old, new))

    found = [line for line in faults() if sentence in line]

    assert len(found) == 1
    assert found[0].startswith(f"config/{file}.yaml:")


@pytest.mark.parametrize("word", ["home", "lat", "longitude"])
def test_homes_in_devices_yaml_are_shown_the_way_out(folder: Path, word: str) -> None:
    """A home in a file is refused, its value is not repeated, and the command is named."""
    change(
        folder / "devices.yaml",
        ("household: h-0001", f"household: h-0001\n    {word}: 36.69531"),
    )

    (line,) = faults()

    assert "sekisho devices import-homes" in line
    assert "36.69" not in line


def test_anonymous_only_at_home(folder: Path) -> None:
    """A door that others reach takes tokens only."""
    change(
        folder / "gateway.yaml",
        ("bind: 127.0.0.1 ", "bind: 0.0.0.0 "),
        ("anonymous: false", "anonymous: true"),
    )

    (line,) = faults()

    assert "doors[0].anonymous" in line


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    """No configuration: one sentence, no stack trace."""
    with pytest.raises(SettingsError, match="no such file"):
        load_settings(tmp_path / "gateway.yaml")


@pytest.mark.channel("C30")
def test_rule_sets_follow_the_rules(folder: Path) -> None:
    """The digest changes with the numbers, the area, and what rows are kept for and how long: a row stays under
    the purpose it was taken for."""

    def ruleset() -> str:
        return load_settings(folder / "gateway.yaml").policy.ruleset

    first = ruleset()
    change(folder / "privacy.yaml", ("retain: 28 d", "retain: 28 d # days"))
    assert ruleset() == first
    change(folder / "privacy.yaml", ("See that", "Know that"))
    purpose = ruleset()
    change(folder / "privacy.yaml", ("retain: 28 d", "retain: 35 d"))
    longer = ruleset()
    change(folder / "privacy.yaml", ("radius: 50 m", "radius: 60 m"))
    second = ruleset()
    change(folder / "gateway.yaml", (AREA, 'service_area:\n  municipality: "16202"'))

    assert len({first, purpose, longer, second, ruleset()}) == 5


def test_a_misspelt_kind_hides_no_other_fault_of_its_device(folder: Path) -> None:
    """The device is checked as the kind that was meant: one round of mending is enough."""
    change(
        folder / "devices.yaml",
        ("kind: river_gauge\n    name: Kamidaki", "kind: river_guage\n    name: Kamidaki"),
        ("datum: 4.2 m", "datum: 3.2 ft"),
    )

    kind, datum = faults()[:2]

    assert kind.endswith('no kind named "river_guage". Did you mean river_gauge?')
    assert "3.2 ft is not a unit of length here: write metres, for example 0.975 m." in datum


def test_a_reader_that_hangs_nowhere_is_a_fault(folder: Path) -> None:
    """`mount` is stop or door, and the place it names must be said."""
    change(folder / "devices.yaml", ("mount: stop", "mount: pole"))

    assert faults()[0].endswith("devices[2].mount: mount is stop or door.")


@pytest.mark.parametrize(("before", "after"), [("28 d", "27 d"), ("27 d", "28 d")])
def test_files_of_another_form_are_another_rule_set(folder: Path, before: str, after: str) -> None:
    """From 28 days on a file holds a week, below it a day: what was stored in one would not be known
    in the other, so the rule sets differ, and nothing observed before enters the new files."""
    change(folder / "privacy.yaml", ("retain: 28 d", f"retain: {before}"))
    first = load_settings(folder / "gateway.yaml").policy
    change(folder / "privacy.yaml", (f"retain: {before}", f"retain: {after}"))
    second = load_settings(folder / "gateway.yaml").policy
    assert first.ruleset != second.ruleset
    assert first.weekly is not second.weekly


def test_codes_keep_their_zero(folder: Path) -> None:
    """A municipality of the north keeps its leading zero even without quotes."""
    change(folder / "gateway.yaml", ('owner: "16201"', "owner: 06201"))

    assert load_settings(folder / "gateway.yaml").owner == "06201"


@pytest.mark.parametrize("code", shipped_municipalities())
def test_every_shipped_outline_is_an_area(folder: Path, code: str) -> None:
    """Each shipped municipality can be a service area."""
    change(folder / "gateway.yaml", (AREA, f'service_area:\n  municipality: "{code}"'))

    assert not load_settings(folder / "gateway.yaml").policy.in_area(0.0, 0.0)


_ODD_LINES = [
    *("- [", "}", "a: b", "  x: *y", "? [1]", "!!set {a}", "? {a: b} : c", "&a [*a]", "- - -"),
    *("null", "kind:", "doors: 3", "lanes: {}", "devices: [1, null]", "tick: 1.5", "<<: {}"),
    *("attributes: {1: 2}", "radius: .nan", "owner: 2026-01-01", "port: true", "%TAG"),
]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["gateway", "privacy", "devices"]),
    st.integers(0, 80),
    st.one_of(
        st.text(max_size=20),
        st.sampled_from(_ODD_LINES),
    ),
    st.integers(0, 8),
)
def test_no_file_breaks_the_reader(file: str, at: int, line: str, indent: int) -> None:
    """Whatever stands in a line, the answer is settings or a list of faults with places."""
    with TemporaryDirectory() as place:
        for name in ("gateway", "privacy", "devices"):
            lines = (SHIPPED / f"{name}.yaml").read_text("utf-8").splitlines()
            if name == file:
                lines[at % len(lines)] = " " * indent + line
            (Path(place) / f"{name}.yaml").write_text("\n".join(lines), "utf-8")
        try:
            load_settings(Path(place) / "gateway.yaml")
        except SettingsError as error:
            assert error.complaints  # noqa: PT017 - some files are fine
            assert all(fault.sentence.endswith((".", "?")) for fault in error.complaints)  # noqa: PT017


def test_devices_alone(folder: Path) -> None:
    """One devices.yaml can be read for itself; its devices take the owner they are given."""
    entries = load_devices(folder / "devices.yaml", "16202")

    assert {entry.owner for entry in entries.devices} == {"16202"}
