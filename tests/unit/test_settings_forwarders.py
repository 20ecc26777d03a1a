"""Doors for forwarders and who may come in there: each fault at its line."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from gateway.lorawan.forwarder import Forwarder
from gateway.settings.load import SettingsError, load_settings
from gateway.settings.settings import Settings
from gateway.wire.lorawan.identifiers import Eui
from sekisho.cautions import in_plain
from tests.e2e.town import Town

STATION = "  - {kind: basics_station, name: stations, bind: 0.0.0.0, port: 3001}\n"
HERE = "  - {kind: basics_station, name: stations, port: 3001}\n"
UDP = "  - {kind: lorawan_udp, name: udp, port: 0}\n"
ROOF = "eui: 58-A0-CB-FF-FE-80-00-19"


def written(folder: Path, doors: str, *forwarders: str, region: str = "AS923-1") -> Path:
    """A configuration with these doors and forwarders."""
    town = Town(folder)
    listed = "".join(f"    - {{{one}}}\n" for one in forwarders)
    more = f"lorawan:\n  region: {region}\n  forwarders:\n{listed}" if forwarders else ""
    town.more_doors = doors + more
    town.set_door(0)
    return town.config


def loaded(folder: Path, doors: str, *forwarders: str) -> Settings:
    return load_settings(written(folder / "town", doors, *forwarders))


def faults(folder: Path, doors: str, *forwarders: str, **more: str) -> list[str]:
    """What is wrong, without the file's name and line."""
    try:
        load_settings(written(folder / "town", doors, *forwarders, **more))
    except SettingsError as error:
        return [str(one).partition("gateway.yaml:")[2].split(" ", 1)[1] for one in error.complaints]
    return []


def test_forwarders_of_both_protocols_stand_in_one_list(tmp_path: Path) -> None:
    """With what each must show, and where it may come from."""
    settings = loaded(
        tmp_path,
        UDP + STATION,
        f"{ROOF}, credential: roof",
        "eui: aa555a0000000001, from: [192.0.2.0/24], gain_db: 3",
    )
    (door,) = settings.stations
    assert (door.name, door.port, door.tls) == ("stations", 3001, None)
    assert settings.lorawan is not None
    roof, shed = Eui.of("58a0cbfffe800019"), Eui.of("aa555a0000000001")
    assert settings.lorawan.forwarders == {
        roof: Forwarder(roof, credential="roof"),
        shed: Forwarder(shed, (ip_network("192.0.2.0/24"),), 3.0),
    }


@pytest.mark.parametrize("door", [UDP, STATION])
def test_a_door_needs_forwarders_and_they_a_door(tmp_path: Path, door: str) -> None:
    (fault,) = faults(tmp_path / "a", door)
    assert "needs lorawan: with the region and the forwarders" in fault
    (fault,) = faults(tmp_path / "b", "", ROOF)
    assert "no door takes forwarders in: add one of kind lorawan_udp or basics_station" in fault


def test_a_station_that_anybody_could_pretend_to_be_is_no_configuration(tmp_path: Path) -> None:
    """Where the door is open to others; each of the ways out is one."""
    (fault,) = faults(tmp_path / "open", STATION, ROOF)
    assert fault.startswith("lorawan.forwarders[0].eui: anybody may come as this forwarder")
    assert "door stations" in fault
    assert faults(tmp_path / "proven", STATION, f"{ROOF}, credential: roof") == []
    assert faults(tmp_path / "from", STATION, f"{ROOF}, from: [192.0.2.7]") == []
    assert faults(tmp_path / "here", HERE, ROOF) == []


def test_a_credential_that_nobody_can_prove_is_no_configuration(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, UDP, f"{ROOF}, credential: roof")
    assert fault.startswith("lorawan.forwarders[0].credential: over UDP nobody can prove")


@pytest.mark.parametrize(
    ("forwarder", "words"),
    [
        ("eui: 58a0", "sixteen hexadecimal digits"),
        (f"{ROOF}, from: [192.0.2.0/99]", "is no network"),
        (f"{ROOF}, gain_db: 99", "gain_db"),
        (f"{ROOF}, password: x", "password"),
    ],
)
def test_a_forwarder_that_cannot_be_understood_is_named(tmp_path: Path, forwarder: str, words: str) -> None:  # fmt: skip
    assert any(words in fault for fault in faults(tmp_path, HERE, forwarder))


def test_a_forwarder_stands_once_in_the_list(tmp_path: Path) -> None:
    """However it is written."""
    (fault,) = faults(tmp_path, HERE, ROOF, "eui: 58a0cbfffe800019")
    assert fault.startswith("lorawan.forwarders[1].eui: this forwarder is there already")


def test_a_region_is_one_that_we_have(tmp_path: Path) -> None:
    """Plain AS923 is none, and nothing is guessed: the nearest name may be another country's."""
    (fault,) = faults(tmp_path, HERE, ROOF, region="AS923")
    assert "no region of this name" in fault
    assert "There are AS923-1, " in fault


def test_a_plain_door_for_stations_is_named_where_others_can_reach_it(tmp_path: Path) -> None:
    """Their tokens would cross the network in the clear."""
    settings = loaded(tmp_path / "open", STATION, f"{ROOF}, credential: roof")
    (caution,) = in_plain(settings)
    assert caution.startswith("door stations:")
    meant = STATION.replace("3001}", "3001, plain_accepted: our own cable}")
    assert in_plain(loaded(tmp_path / "meant", meant, f"{ROOF}, credential: roof")) == []
    assert in_plain(loaded(tmp_path / "here", HERE, ROOF)) == []


@pytest.mark.parametrize("what", ["class: C", "multicast: []", "roaming: true", "beacon: 1"])
def test_what_is_not_done_here_is_refused_by_its_name(tmp_path: Path, what: str) -> None:
    """Class B and C, multicast, roaming: nobody is left to believe that a misspelt setting is all that is wrong."""
    doors = f"{HERE}lorawan:\n  region: AS923-1\n  {what}\n  forwarders:\n    - {{{ROOF}}}\n"
    (fault,) = faults(tmp_path, doors)
    assert f"{what.partition(':')[0]} is not done here: Class A alone is" in fault


def test_rates_are_set_where_somebody_says_so(tmp_path: Path) -> None:
    """With ten dB of margin unless another is named."""

    def margin(more: str) -> float | None:
        doors = f"{HERE}lorawan:\n  region: AS923-1\n{more}  forwarders:\n    - {{{ROOF}}}\n"
        settings = loaded(tmp_path / str(len(more)), doors)
        assert settings.lorawan is not None
        return settings.lorawan.adr_margin_db

    assert margin("") is None
    assert margin("  adr_margin_db: 5\n") is None
    assert margin("  adr: true\n") == 10
    assert margin("  adr: true\n  adr_margin_db: 5\n") == 5


OPEN_UDP = "  - {kind: lorawan_udp, name: udp, bind: 0.0.0.0, port: 1700}\n"


def test_a_forwarder_over_udp_says_where_it_comes_from(tmp_path: Path) -> None:
    """Nobody proves anything there, and its EUI is on its label: an open door needs an address, or the word for any."""
    (fault,) = faults(tmp_path / "a", OPEN_UDP, ROOF)
    assert "name where this forwarder comes from" in fault
    assert faults(tmp_path / "b", OPEN_UDP, f"{ROOF}, from: [0.0.0.0/0]") == []
    assert faults(tmp_path / "c", UDP, ROOF) == []
