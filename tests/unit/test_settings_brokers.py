"""Doors that are clients of somebody else's broker, as a configuration describes them."""

import shutil
from pathlib import Path

import pytest

from gateway.settings.complaints import Complaint
from gateway.settings.load import SettingsError, load_settings
from gateway.transports.mqtt_client.broker import Broker, Subscription
from sekisho.check import check

ROOT = Path(__file__).parents[2]
_DOOR = """\
  - kind: mqtt_client
    name: city
    url: mqtt://broker.example.jp
    subscriptions:
      - {topic: application/+/device/+/event/+, format: chirpstack_v4}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped configuration with a broker beside its own door."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    file = tmp_path / "config" / "gateway.yaml"
    head, _, tail = file.read_text().partition("  # A broker that is there already")
    file.write_text(head + _DOOR + "\n  # A broker that is there already" + tail)
    return tmp_path / "config"


def change(folder: Path, old: str, new: str) -> None:
    """Change the broker's own settings."""
    file = folder / "gateway.yaml"
    head, kind, door = file.read_text().partition("  - kind: mqtt_client")
    door = kind + door
    assert old in door
    file.write_text(head + door.replace(old, new, 1))


def complaints(folder: Path) -> list[Complaint]:
    """What is wrong with the configuration."""
    try:
        load_settings(folder / "gateway.yaml")
    except SettingsError as error:
        return error.complaints
    return []


def test_the_least_that_a_broker_needs(folder: Path) -> None:
    """An address and a subscription are enough; the port is the scheme's own."""
    settings = load_settings(folder / "gateway.yaml")

    wanted = Subscription("application/+/device/+/event/+", "chirpstack_v4")
    assert settings.brokers == (Broker("city", "broker.example.jp", 1883, (wanted,)),)
    assert [door.name for door in settings.doors] == ["mqtt"]


def test_every_setting_of_the_shipped_example_is_understood(folder: Path) -> None:
    """What stands in the shipped configuration as a comment can be used, but for what contradicts itself."""
    text = (folder / "gateway.yaml").read_text()
    begin = text.index("  # - kind: mqtt_client")
    end = text.index("\n\n", begin)
    shown = "\n".join(line.replace("  # ", "  ", 1) for line in text[begin:end].splitlines())
    shown = "\n".join(line for line in shown.splitlines() if "share:" not in line)
    (folder / "gateway.yaml").write_text(
        text.replace(
            _DOOR, shown.replace("mqtts://broker.example.jp:8883", "mqtt://[::1]:1884") + "\n"
        )
    )
    (folder / "broker.password").write_text("secret\n")
    (folder / "broker.password").chmod(0o640)

    with pytest.raises(SettingsError) as caught:
        load_settings(folder / "gateway.yaml")

    sentences = {(one.path, one.sentence.split("(")[0]) for one in caught.value.complaints}
    assert sentences == {
        ("doors[1].ca", "this needs TLS: mqtts://."),
        ("doors[1].certificate", "this needs TLS: mqtts://."),
        ("doors[1].key", "this needs TLS: mqtts://."),
        ("doors[1].ca", 'file "broker-ca.pem" does not exist '),
        ("doors[1].certificate", 'file "us.pem" does not exist '),
        ("doors[1].key", 'file "us.key" does not exist '),
    }


@pytest.mark.parametrize(
    ("old", "new", "path", "sentence"),
    [
        ("mqtt://broker", "mqtt://us:secret@broker", "url", "no credentials in an address"),
        ("mqtt://broker", "tcp://broker", "url", "an address is needed here"),
        ("example.jp", "example.jp:port", "url", "an address is needed here"),
        ("example.jp", "example.jp/topic", "url", "an address is needed here"),
        ("    url: mqtt://broker.example.jp\n", "", "", "the setting url is missing here."),
        ("kind: mqtt_client", "kind: mqtt_clientt", "kind", "Did you mean mqtt_client?"),
        ("    url:", "    ulr: x\n    url:", "ulr", "Did you mean url?"),
        ("    url:", "    version: 4\n    url:", "version", "not known here."),
        ("    url:", "    key: us.key\n    url:", "key", "certificate and key stand together"),
        ("    url:", "    password_file: p\n    url:", "password_file", 'file "p" does not exist'),
        ("    url:", "    password_file: gateway.yaml\n    url:", "password_file", "everybody may read it"),
        ("name: city", "name: mqtt", "name", "mqtt names a door already."),
        ("/event/+", "/event/#/x", "subscriptions[0].topic", "# stands alone"),
        ("application/", "$share/us/application/", "subscriptions[0].topic", "its setting share"),
        ("application/", "$queue/application/", "subscriptions[0].topic", "its setting share"),
        ("chirpstack_v4}", "chirpstak_v4}", "subscriptions[0].format", "Did you mean chirpstack_v4?"),
        ("chirpstack_v4}", "chirpstack_v4, qos: 3}", "subscriptions[0].qos", "not known here."),
        (
            "chirpstack_v4}\n",
            "chirpstack_v4, share: us}\n    raw_on_broker_accepted: it is ours\n",
            "subscriptions[0].share",
            "uplinks of people are never shared out",
        ),
    ],
)  # fmt: skip
def test_each_mistake_has_its_sentence(
    folder: Path, old: str, new: str, path: str, sentence: str
) -> None:
    """Each mistake is named at its line, and no credential is ever repeated."""
    change(folder, old, new)
    found = complaints(folder)

    at = f"doors[1]{'.' if path else ''}{path}"
    (one,) = [one for one in found if one.path == at and sentence in one.sentence]
    assert one.line > 1
    assert not any("secret" in str(one) for one in found)


def test_a_kind_that_is_left_out_is_asked_for(folder: Path) -> None:
    """Without its kind nobody can say what a door is."""
    change(folder, "  - kind: mqtt_client\n    name: city", "  - name: city")

    with pytest.raises(SettingsError, match=r"doors\[1\]: the setting kind is missing here"):
        load_settings(folder / "gateway.yaml")


def test_check_names_people_behind_a_broker(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tracker with a DevEUI beside a broker is noted with the ways out, and no more once it is accepted."""
    devices = folder / "devices.yaml"
    text = devices.read_text()
    at = text.index("kind: child_tracker")
    devices.write_text(text[:at] + 'dev_eui: "70b3d57ed0000001"\n    ' + text[at:])
    check(folder / "gateway.yaml")
    said = capsys.readouterr().out
    change(folder, "    url:", "    raw_on_broker_accepted: our own\n    url:")
    check(folder / "gateway.yaml")
    accepted = capsys.readouterr().out

    assert "city mqtt://broker.example.jp:1883 (1 subscription)" in said
    assert "note: broker city: 1 device of people with a dev_eui" in said
    assert "raw positions accepted" in accepted
    assert "of people" not in accepted
