"""Imports add and change, delete only when asked, and never overwrite what a command set."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.registry import imports
from gateway.registry.home_import import read_homes, read_private
from gateway.registry.imports import DeviceEntry, Entries
from gateway.registry.registry import Registry
from gateway.statedir import StateDir
from tests.fakes.clock import ManualClock

T = 1_778_000_000_000_000
CSV = """device,kind,household,name,datum,river,credential
river-1,river_gauge,,Bridge,4.2 m,Jinzu,rivers
river-2,river_gauge,,,,,rivers
child-1,child_tracker,h-1,,,,
"""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    clock = ManualClock(T)
    state = StateDir.create(tmp_path / "state", None, clock)
    keys = KeyRing.create(tmp_path / "keys", state.id, clock, ZoneInfo("Asia/Tokyo"))
    with Registry.open(state, keys) as opened:
        yield opened


def take(
    registry: Registry, entries: Entries, *, prune: bool = False, force: bool = False
) -> list[str]:
    planned = imports.plan(registry, entries, prune=prune, force=force)
    imports.apply(registry, planned, T + 1)
    return list(planned.lines())


def test_csv_becomes_devices_and_speakers(registry: Registry) -> None:
    """A CSV fills the registry, and importing it again changes nothing."""
    entries = imports.read_csv(CSV, "fleet.csv", "16201")

    assert take(registry, entries) == [
        "+ river-1  river_gauge",
        "+ river-2  river_gauge",
        "+ child-1  child_tracker",
        "+ credential rivers  for 2 devices",
    ]
    assert registry.device("river-1").attributes == {"datum_m": 4.2, "river": "Jinzu"}
    assert registry.device("child-1").household == "h-1"
    assert take(registry, entries) == []


def test_a_file_changes_what_a_file_set(registry: Registry) -> None:
    """A changed line changes its device, and the time of registration stays."""
    take(registry, imports.read_csv(CSV, "fleet.csv", "16201"))
    before = registry.device("river-1").registered_at

    lines = take(registry, imports.read_csv(CSV.replace("4.2 m", "4.3 m"), "fleet.csv", "16201"))

    assert lines == ["~ river-1  attributes"]
    assert registry.device("river-1").registered_at == before


def test_a_file_lends_a_credential_and_takes_nothing_from_it_unasked(registry: Registry) -> None:
    """A smaller file leaves a credential with all its devices, a larger one adds, pruning takes away; each
    change is shown by the device's name."""
    take(registry, imports.read_csv(CSV, "fleet.csv", "16201"))
    other = "device,kind,credential\nriver-12,river_gauge,rivers\n"
    entries = imports.read_csv(other, "more.csv", "16201")

    assert take(registry, entries)[-1] == "~ credential rivers  + river-12"
    assert registry.credentials()["rivers"] == {"river-1", "river-2", "river-12"}
    assert take(registry, entries) == []
    assert "~ credential rivers  - river-1  - river-2" in take(registry, entries, prune=True)
    assert registry.credentials()["rivers"] == {"river-12"}


def test_no_file_brings_back_what_was_revoked(registry: Registry) -> None:
    """A revoked device and a revoked credential stay so, whatever is imported and however."""
    entries = imports.read_csv(CSV, "fleet.csv", "16201")
    take(registry, entries)
    registry.revoke("river-1", T + 2)
    registry.revoke_credential("rivers", T + 2)

    changed = imports.read_csv(CSV.replace("4.2 m", "4.3 m"), "fleet.csv", "16201")
    for again in (entries, changed):
        for forced in (False, True):
            take(registry, again, force=forced)
            assert registry.directory().devices[DeviceId("river-1")].revoked
            assert "rivers" not in registry.directory().credentials
    assert registry.device("river-1").attributes["datum_m"] == 4.3


def test_what_a_command_set_is_kept(registry: Registry) -> None:
    """A command's word stands against the file's, until the file is forced."""
    entries = imports.read_csv(CSV, "fleet.csv", "16201")
    take(registry, entries)
    registry.put_device("river-1", "river_gauge", "16201", T, name="New bridge")
    registry.put_credential("rivers", ["river-1"])

    kept = take(registry, entries)

    assert [line[:9] for line in kept] == ["= river-1", "= credent"]
    assert registry.device("river-1").name == "New bridge"
    assert len(take(registry, entries, force=True)) == 2
    assert registry.device("river-1").name == "Bridge"


def test_a_device_that_a_command_lent_a_credential_stays_with_it(registry: Registry) -> None:
    """`devices add river-99 --credential rivers`: the next import of the file, which is also that of the
    next start, leaves the credential speaking for it."""
    entries = imports.read_csv(CSV, "fleet.csv", "16201")
    take(registry, entries)
    registry.put_device("river-99", "river_gauge", "16201", T)
    registry.allow("rivers", "river-99", T + 2)

    assert take(registry, entries) == []
    assert [line[:19] for line in take(registry, entries, prune=True)] == ["= credential rivers"]
    assert registry.credentials()["rivers"] == {"river-1", "river-2", "river-99"}


@pytest.mark.parametrize(
    "datum", ["nan", "inf", "-inf", "1e400", "9" * 400, "9" * 400 + " m", "2e9"]
)
def test_no_gauge_hangs_at_an_endless_height(datum: str) -> None:
    """What Python reads as a number and is none, or one beyond all measure, is refused by its line: a
    distance below it would become a stage that says nothing."""
    for column in ("datum", "datum_m"):
        with pytest.raises(Refusal, match=rf"fleet.csv:2 {column}: .+\."):
            imports.read_csv(
                f"device,kind,{column}\nriver-1,river_gauge,{datum}\n", "fleet.csv", "16201"
            )


def test_nothing_is_deleted_unasked(registry: Registry) -> None:
    """A device that left the file stays, goes with prune, and one set by a command stays even then."""
    take(registry, imports.read_csv(CSV, "fleet.csv", "16201"))
    registry.put_device("river-9", "river_gauge", "16201", T)
    smaller = Entries(
        (
            DeviceEntry(
                "river-1",
                "river_gauge",
                "16201",
                name="Bridge",
                attributes={"datum_m": 4.2, "river": "Jinzu"},
            ),
        )
    )

    assert take(registry, smaller) == []
    assert take(registry, smaller, prune=True) == [
        "- child-1",
        "- river-2",
        "- credential rivers",
    ]
    assert [row.device for row in registry.devices()] == ["river-1", "river-9"]


def test_every_faulty_line_is_named() -> None:
    """A CSV with faults imports nothing and names each line."""
    text = "device,kind,datum,stop\nriver-1,river_guage,,\nriver-2,river_gauge,3.2 ft,\nriver-3,river_gauge,,red\nRiver 4,river_gauge,,\n"

    with pytest.raises(Refusal) as caught:
        imports.read_csv(text, "fleet.csv", "16201")

    lines = str(caught.value).splitlines()
    assert [line.split(" ", 1)[0] for line in lines] == [
        "fleet.csv:2",
        "fleet.csv:3",
        "fleet.csv:4",
        "fleet.csv:5",
        "4",
    ]
    assert "Did you mean river_gauge?" in lines[0]
    assert "0.975 m" in lines[1]


def test_a_fault_of_the_first_line_is_one_of_line_1() -> None:
    """A column that no kind knows, or that stands twice, is named once, where it stands."""
    with pytest.raises(Refusal) as caught:
        imports.read_csv(
            "device,kind,datim,name,name\nriver-1,river_gauge,1 m,,\n", "fleet.csv", "16201"
        )

    assert str(caught.value).splitlines() == [
        'fleet.csv:1 the column "name" stands here twice.',
        'fleet.csv:1 no kind knows a column "datim". Did you mean datum?',
        "Nothing was imported.",
    ]


@given(st.text())
def test_any_text_is_a_fleet_or_a_refusal(text: str) -> None:
    """No CSV raises anything but a Refusal."""
    try:
        imports.read_csv("device,kind\n" + text, "fleet.csv", "16201")
        read_homes("household,lat,lon\n" + text, "homes.csv", None)
    except Refusal:
        pass


def near_toyama(lat: float, lon: float) -> bool:
    return 36.5 < lat < 36.8 and 137.0 < lon < 137.4


def test_homes_are_read() -> None:
    """Homes in the service area come through with their own radius."""
    first, second = read_homes(
        "household,lat,lon,radius_m\nh-1,36.6953,137.2137,80\nh-2,36.7,137.2,\n",
        "homes.csv",
        near_toyama,
    )

    assert (first.household, first.lat, first.lon, first.radius_m) == ("h-1", 36.6953, 137.2137, 80)
    assert second.radius_m is None
    assert repr(first) == "<home>"


@pytest.mark.channel("C17", "C18")
@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("h-1,0.0,0.0,,", "(0, 0)"),
        ("h-1,nan,137.2,,", "lat is not a number"),
        ("h-1,36.7,inf,,", "lon is not a number"),
        ("h-1,36.71°,137.2,,", "lat is not a number"),
        ("h-1,137.21,36.71,,", "not on earth"),
        ("h-1,35.6812,139.7671,,", "outside the service area"),
        ("H 1,36.71,137.21,,", "not a name"),
        ("h-1,36.71,137.21,49,", "radius_m"),
        ("h-1,36.71,137.21,,EPSG:2449", "EPSG:4326"),
        ("h-1,36.71", "more or fewer cells than line 1; an empty cell still has its comma"),
        ("h-1,36.71,137.21,,,", "more or fewer cells"),
        ("h-0,36.71,137.21,,", "twice"),
    ],
)
def test_wrong_homes_are_refused_by_number_alone(line: str, sentence: str) -> None:
    """A wrong line is named by its number and fault; what stood in it is not repeated."""
    text = f"household,lat,lon,radius_m,crs\nh-0,36.7,137.2,,\n{line}\n"

    with pytest.raises(Refusal) as caught:
        read_homes(text, "homes.csv", near_toyama, 50.0)

    first = str(caught.value).splitlines()[0]
    assert first.startswith("homes.csv:3 ")
    assert sentence in first
    assert not any(cell in first for cell in line.split(",")[1:3] if len(cell) > 3)


def test_homes_come_from_owner_only_files(tmp_path: Path) -> None:
    """A file of homes that others may read is refused with the remedy."""
    file = tmp_path / "homes.csv"
    file.write_text("household,lat,lon\n")
    file.chmod(0o640)

    with pytest.raises(Refusal, match="chmod 600"):
        read_private(file)
    file.chmod(0o600)
    assert read_private(file) == "household,lat,lon\n"
    file.write_bytes("町".encode("cp932"))
    with pytest.raises(Refusal, match=r"not a text in UTF-8. Save it as one; a table as CSV\."):
        read_private(file)  # a passphrase, too, is read so
    with pytest.raises(Refusal, match="cannot be read"):
        read_private(tmp_path / "none.csv")
