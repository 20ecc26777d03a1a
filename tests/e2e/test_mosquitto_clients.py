"""The clients that everybody has: mosquitto_pub and mosquitto_sub, plain and TLS, 3.1.1 and 5."""

import json
import subprocess
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from sekisho import certificate
from tests.conftest import tool
from tests.e2e.conftest import House
from tests.e2e.judgement import stored_rows
from tests.e2e.processes import until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.needs("mosquitto_pub"),
]

_numbers = count(1)


def mosquitto(program: str, house: House, *words: str, user: str = "pilot", token: str | None = None, tls: bool = False) -> tuple[int, str]:  # fmt: skip
    """Run a client to its end: exit code and everything it said."""
    path = tool(program)
    assert path is not None
    door = (
        ["-p", str(house.tls_port), "--cafile", str(house.ca)] if tls else ["-p", str(house.port)]
    )
    who = ["-u", user, "-P", house.token if token is None else token]
    line = [path, "-h", "127.0.0.1", *door, *who, "-d", *words]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def message(stage_m: float) -> list[str]:
    """Options that send one reading of river-1."""
    body = json.dumps({"seq": next(_numbers), "stage_m": stage_m})
    return ["-t", "sekisho/v1/river-1/up", "-m", body]


def stages(house: House) -> list[float]:
    """Every stage that is stored."""
    return [row[3] for row in stored_rows(house.town.state) if row[0] == "river_gauge"]


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_mosquitto_pub_is_stored(house: House, version: str, qos: int, tls: bool) -> None:
    """mosquitto_pub in each version and QoS, plain and over TLS: exit 0, and the row is there: at
    QoS 1 and 2 from the acknowledgement on."""
    stage = 1 + next(_numbers) / 100
    code, said = mosquitto(
        "mosquitto_pub", house, *message(stage), "-V", version, "-q", str(qos), tls=tls
    )
    assert code == 0, said
    if qos:
        assert ("received PUBACK" if qos == 1 else "received PUBCOMP") in said
        assert stage in stages(house)
    until(lambda: stage in stages(house), "the row of a publish at QoS 0")


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_a_wrong_token_is_refused_with_its_reason(house: House, version: str) -> None:
    """A wrong token and an unknown user are refused in CONNACK, and the client can say why."""
    for user, token in (("pilot", "wrong"), ("nobody", house.token), ("other", house.token)):
        code, said = mosquitto(
            "mosquitto_pub", house, *message(9.91), "-V", version, "-q", "1", user=user, token=token
        )
        assert code != 0
        assert "bad user name or password" in said.lower()
    assert 9.91 not in stages(house)


def test_nobody_may_come_in_anonymously(house: House) -> None:
    """A client without a user name is refused, since the configuration does not allow it."""
    path = tool("mosquitto_pub")
    assert path is not None
    line = [path, "-h", "127.0.0.1", "-p", str(house.port), "-q", "1", *message(9.92)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "bad user name or password" in done.stdout + done.stderr
    assert 9.92 not in stages(house)


def test_a_door_of_someone_else_is_not_spoken_to(house: House, tmp_path: Path) -> None:
    """Over TLS a client that trusts another authority than ours refuses to speak."""
    stranger = certificate.issue(tmp_path, ["127.0.0.1"], datetime.now(UTC))
    code, said = mosquitto(
        "mosquitto_pub", house._replace(ca=stranger.ca), *message(9.93), "-q", "1", tls=True
    )
    assert code != 0
    assert "certificate verify failed" in said.lower() or "tls" in said.lower()
    assert 9.93 not in stages(house)


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_nothing_of_others_can_be_subscribed_to(house: House, version: str) -> None:
    """mosquitto_sub '#' is told that every subscription is denied, and sees nothing."""
    code, said = mosquitto("mosquitto_sub", house, "-V", version, "-t", "#", "-W", "3")
    assert code == 0
    assert "All subscription requests were denied" in said
    assert "received PUBLISH" not in said
    assert "stage_m" not in said


def test_a_retained_publish_is_taken_as_a_plain_one(house: House) -> None:
    """Retain is ignored over 3.1.1: the uplink is stored and nothing is kept for later subscribers."""
    stage = 5 + next(_numbers) / 100
    code, said = mosquitto(
        "mosquitto_pub", house, *message(stage), "-r", "-q", "1", "-V", "mqttv311"
    )
    assert code == 0, said
    assert stage in stages(house)
    _, heard = mosquitto("mosquitto_sub", house, "-t", "#", "-W", "1", "-V", "mqttv311")
    assert "received PUBLISH" not in heard
