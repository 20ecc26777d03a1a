"""What a configuration allows and may not be meant: secrets that cross a network in plain, a home that a circle hides."""

import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.settings.complaints import SettingsError
from gateway.settings.load import load_settings
from sekisho.cautions import CIRCLE, in_plain, notes

ROOT = Path(__file__).parents[2]
_LISTENER = "  - kind: mqtt_listener\n    name: mqtt\n"
_PUSH = "  - {{kind: http_push, name: push, bind: {bind}, port: 8080{more}}}\n"
_BROKER = """\
  - kind: mqtt_client
    name: city
    url: {url}
    user: us
    password_file: broker.password
    subscriptions: [{{topic: up, format: flat_json}}]
"""


def said(folder: Path, doors: str) -> list[str]:
    """What is cautioned of a configuration with these doors."""
    shutil.copytree(ROOT / "config", folder / "config")
    file = folder / "config" / "gateway.yaml"
    head, _, rest = file.read_text().partition("doors:\n")
    _, _, tail = rest.partition("# The queue in front of the disk.")
    file.write_text(f"{head}doors:\n{doors}\n{tail}")
    password = folder / "config" / "broker.password"
    password.write_text("secret\n")
    password.chmod(0o640)
    return in_plain(load_settings(file))


@pytest.mark.parametrize("bind", ["127.0.0.1", "::1"])
def test_nobody_listens_on_the_way_to_this_machine_itself(tmp_path: Path, bind: str) -> None:
    """Plain ports that only this machine reaches are nobody's concern, nor is a broker beside us."""
    doors = _LISTENER + _PUSH.format(bind=f'"{bind}"', more="")

    assert said(tmp_path, doors + _BROKER.format(url="mqtt://localhost")) == []


def test_a_plain_port_that_others_reach_is_named_with_the_ways_out(tmp_path: Path) -> None:
    """Each such door is named: TLS, a proxy on this machine, or a reason in words."""
    doors = f"{_LISTENER}    bind: 0.0.0.0\n" + _PUSH.format(bind='"::"', more="")

    mqtt, push = said(tmp_path, doors)

    assert mqtt.startswith("door mqtt: ")
    assert "plain port 1883 reads tokens" in mqtt
    assert push.startswith("door push: ")
    assert all(way in push for way in ("port: null", "a proxy", "plain_accepted"))


@pytest.mark.parametrize(("rules", "floor"), [("legacy-50m", True), ("toyama-zone", False), ("open-data", False)])  # fmt: skip
def test_a_circle_is_named_as_the_floor(tmp_path: Path, rules: str, floor: bool) -> None:
    """`check` notes what a circle does not do; zones, and sets that keep no ways, are not noted."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "f.geojson").write_text('{"features": []}')
    pin = sha256(b'{"features": []}').hexdigest()
    file = tmp_path / "config" / "gateway.yaml"
    text = file.read_text().replace("privacy: privacy.yaml", f"privacy: privacy/{rules}.yaml")
    file.write_text(f"{text}\ncounting: {{facilities: {{file: ../f.geojson, pin: {pin}}}}}\n")

    assert (CIRCLE in notes(load_settings(file))) == floor


def test_a_reason_in_words_is_believed(tmp_path: Path) -> None:
    """Where a proxy ends TLS, whoever runs it says so, and is not told again."""
    why = "plain_accepted: our proxy ends TLS in front of it"
    doors = (
        f"{_LISTENER}    bind: 0.0.0.0\n    {why}\n"
        + _PUSH.format(bind='"::"', more=f", {why}")
        + _BROKER.format(url=f"mqtt://broker.example.jp\n    {why}")
    )

    assert said(tmp_path, doors) == []


def test_a_reason_of_one_word_is_none(tmp_path: Path) -> None:
    """As with every setting that accepts a risk, a reason is asked for."""
    with pytest.raises(SettingsError, match="a reason in words is needed here"):
        said(tmp_path, f"{_LISTENER}    bind: 0.0.0.0\n    plain_accepted: yes_\n")


def test_a_password_in_plain_is_named_and_never_shown(tmp_path: Path) -> None:
    """A broker elsewhere that is told our password without TLS is named with its address."""
    (one,) = said(tmp_path, _LISTENER + _BROKER.format(url="mqtt://broker.example.jp"))

    assert one.startswith("broker city: ")
    assert "mqtt://broker.example.jp:1883 reads our password" in one
    assert "mqtts://" in one
    assert "secret" not in one


def test_positions_in_plain_are_named_too(tmp_path: Path) -> None:
    """Raw positions that somebody accepted at a broker are not accepted on the way there by that."""
    url = "mqtt://broker.example.jp\n    raw_on_broker_accepted: the broker is our own"
    (one,) = said(tmp_path, _LISTENER + _BROKER.format(url=url))

    assert "reads our password and people's raw positions" in one


def test_a_broker_over_tls_is_no_concern(tmp_path: Path) -> None:
    """mqtts:// needs no reason."""
    assert said(tmp_path, _LISTENER + _BROKER.format(url="mqtts://broker.example.jp")) == []
