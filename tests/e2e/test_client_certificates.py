"""A TLS door that believes client certificates: real certificates, real clients."""

import json
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import NamedTuple

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from sekisho import certificate
from tests.conftest import tool
from tests.e2e.authority import Authority
from tests.e2e.judgement import stored_rows
from tests.e2e.processes import Gateway, until
from tests.e2e.town import SINCE, Town, gauge

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

_numbers = count(1)


class Place(NamedTuple):
    """A gateway whose TLS door knows an authority; "river-1" has no token, "pilot" has one."""

    town: Town
    gateway: Gateway
    ca: Path
    token: str
    clients: Authority

    @property
    def tls_port(self) -> int:
        port: int = self.gateway.running["doors"]["mqtt"]["tls_port"]
        return port

    def stages(self) -> list[float]:
        return [row[3] for row in stored_rows(self.town.state) if row[0] == "river_gauge"]


def opened(folder: Path, how: str) -> Iterator[Place]:
    made = certificate.issue(folder, ["127.0.0.1", "localhost"], datetime.now(UTC))
    clients = Authority(folder, "clients")
    door = f"port: 0, certificate: {made.certificate}, key: {made.key}"
    tls = f"{{{door}, client_ca: {clients.file}, client_certificate: {how}}}"
    town = Town(folder / "town", tls=tls)
    token = town.enrol([gauge("river-1"), gauge("river-2")], "pilot")
    with town.registry() as registry:
        registry.put_speakers("river-1", ["river-1"], at=SINCE)
    with Gateway(town) as gateway:
        yield Place(town, gateway, made.ca, token, clients)
        assert gateway.stop() == 0


@pytest.fixture(scope="module")
def offered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    yield from opened(tmp_path_factory.mktemp("offered"), "offered")


@pytest.fixture(scope="module")
def required(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    yield from opened(tmp_path_factory.mktemp("required"), "required")


def pub(place: Place, device: str, *words: str, pair: tuple[Path, Path] | None = None) -> tuple[int, str, float]:  # fmt: skip
    """mosquitto_pub over TLS: exit code, what it said, and the stage that it sent."""
    program = tool("mosquitto_pub")
    assert program is not None
    stage = round(1 + next(_numbers) / 100, 2)
    body = json.dumps({"seq": next(_numbers), "stage_m": stage})
    line = [program, "-h", "127.0.0.1", "-p", str(place.tls_port), "--cafile", str(place.ca)]
    if pair is not None:
        line += ["--cert", str(pair[0]), "--key", str(pair[1])]
    line += ["-d", "-V", "mqttv5", "-q", "1", "-t", f"sekisho/v1/{device}/up", "-m", body, *words]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr, stage


@pytest.mark.needs("mosquitto_pub")
@pytest.mark.parametrize("name", ["offered", "required"])
def test_a_certificate_stands_for_name_and_token(name: str, request: pytest.FixtureRequest) -> None:
    """The common name is the credential: its devices may speak, others' may not, no token is asked for."""
    place: Place = request.getfixturevalue(name)
    pair = place.clients.issue("river-1")
    for words in ([], ["-u", "river-1"], ["-u", "river-1", "-P", "whatever"]):
        code, said, stage = pub(place, "river-1", *words, pair=pair)
        assert code == 0, said
        assert stage in place.stages()
    _, said, stage = pub(place, "river-2", pair=pair)
    assert "Not authorized" in said or "RC:135" in said
    assert stage not in place.stages()


@pytest.mark.needs("mosquitto_pub")
def test_a_certificate_cannot_speak_under_another_name(offered: Place) -> None:
    """A user name beside it must be the same; an unregistered common name is nobody."""
    pair = offered.clients.issue("river-1")
    for words, given in ((["-u", "pilot", "-P", offered.token], pair), ([], offered.clients.issue("nobody"))):  # fmt: skip
        code, said, stage = pub(offered, "river-1", *words, pair=given)
        assert code != 0
        assert "bad user name or password" in said.lower()
        assert stage not in offered.stages()


@pytest.mark.needs("mosquitto_pub")
def test_where_it_is_offered_a_token_will_do(offered: Place) -> None:
    """Nobody needs a certificate; without one and without a token nobody comes in."""
    code, said, stage = pub(offered, "river-1", "-u", "pilot", "-P", offered.token)
    assert code == 0, said
    assert stage in offered.stages()
    assert pub(offered, "river-1")[0] != 0
    assert pub(offered, "river-1", "-u", "river-1", "-P", "")[0] != 0


@pytest.mark.needs("mosquitto_pub")
def test_where_it_is_required_the_handshake_fails_without(required: Place, tmp_path: Path) -> None:
    """No certificate, or a stranger's: no CONNACK, and the log says why."""
    code, _, stage = pub(required, "river-1", "-u", "pilot", "-P", required.token)
    assert code != 0
    stranger = Authority(tmp_path, "strangers").issue("river-1")
    assert pub(required, "river-1", pair=stranger)[0] != 0
    assert stage not in required.stages()
    said = required.gateway.said()
    assert "A TLS handshake failed: PEER_DID_NOT_RETURN_A_CERTIFICATE" in said
    until(lambda: "tls refused ×2" in required.gateway.said(), "the second failed handshake")


def test_paho_comes_in_by_certificate_and_leaves_when_it_is_revoked(offered: Place) -> None:
    """paho-mqtt with a certificate; a dropped credential ends its connection within a second."""
    with offered.town.registry() as registry:
        registry.put_speakers("leaving", ["river-2"], at=SINCE)
    pem, key = offered.clients.issue("leaving")
    reasons: list[int] = []
    gone: list[int] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.tls_set(str(offered.ca), str(pem), str(key), ssl.CERT_REQUIRED)
    client.on_connect = lambda _c, _d, _f, reason, _p: reasons.append(reason.value)
    client.on_disconnect = lambda _c, _d, _f, reason, _p: gone.append(reason.value)

    client.connect("127.0.0.1", offered.tls_port)
    client.loop_start()
    try:
        until(lambda: 0 in reasons, "CONNACK, once the registry's change is in force")
        with offered.town.registry() as registry:
            registry.drop_credential("leaving")
        until(lambda: 0x87 in gone, "the end of the connection")
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.mark.needs("mosquitto_pub")
def test_a_client_that_does_not_trust_us_is_a_fact(offered: Place, tmp_path: Path) -> None:
    """A handshake that the client breaks off is counted and logged, too."""
    other = certificate.issue(tmp_path, ["127.0.0.1"], datetime.now(UTC))
    assert pub(offered._replace(ca=other.ca), "river-1")[0] != 0
    until(lambda: "tls refused" in offered.gateway.said(), "the fact")
