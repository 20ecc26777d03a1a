"""A city's own broker: real Mosquitto, real aedes, and what befalls them."""

import asyncio
import json
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sekisho import certificate
from tests.conftest import tool
from tests.e2e.authority import Authority
from tests.e2e.brokers import (
    EVENTS,
    Aedes,
    Mosquitto,
    eui,
    publish,
    remote_gauge,
    stage_event,
    subscribe_to,
)
from tests.e2e.processes import Gateway, sekisho, until
from tests.e2e.town import Member, Town, child, gauge
from tests.e2e.tunnel import Tunnel

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.needs("mosquitto", "mosquitto_pub"),
]

OWN = "[{topic: sekisho/v1/#, format: sekisho}]"


def stages(town: Town) -> list[float]:
    """What is stored of all gauges, in order of arrival."""
    with closing(sqlite3.connect(f"file:{town.state.city_db}?mode=ro", uri=True)) as db:
        rows = db.execute(
            "SELECT round(distance_m, 3) FROM river_gauge ORDER BY received_at, counter"
        )
        return [row[0] for row in rows]


def refusals(town: Town) -> dict[str, int]:
    """Refusals of people and of unknown senders, by reason."""
    with closing(sqlite3.connect(f"file:{town.state.city_db}?mode=ro", uri=True)) as db:
        return dict(db.execute("SELECT reason, sum(count) FROM refusals_per_day GROUP BY reason"))


def connected(gateway: Gateway, times: int = 1) -> None:
    """Wait until the log has told so often of a connection."""
    until(lambda: gateway.said().count("Connected to broker") >= times, "the broker's connection")


def events(number: int, first: int, count: int) -> list[tuple[str, str]]:
    """Uplinks of one gauge; the n-th is n mm from 1 m."""
    return [stage_event(number, n, 1000 + n) for n in range(first, first + count)]


def fixes(name: str, count: int) -> list[tuple[str, str]]:
    """Fixes of a child two kilometres from home, a minute apart, on our own topic."""
    rest = '"lat":36.72,"lon":137.0,"accuracy_m":5,"battery_pct":50}'
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=count)
    times = [(begin + timedelta(minutes=n)).isoformat() for n in range(count)]
    return [(f"sekisho/v1/{name}/up", f'{{"t":"{t}","seq":{n},{rest}') for n, t in enumerate(times)]


def metres(first: int, count: int) -> list[float]:
    return [round(1 + n / 1000, 3) for n in range(first, first + count)]


@pytest.mark.needs("npm")
@pytest.mark.parametrize(("kind", "qos"), [(Mosquitto, 1), (Mosquitto, 2), (Aedes, 1)])
def test_what_a_network_server_publishes_is_stored_once_whoever_is_away(
    tmp_path: Path, kind: type[Mosquitto | Aedes], qos: int
) -> None:
    """ChirpStack's documents through Mosquitto (MQTT 5, QoS 1 and 2) and through aedes (3.1.1): stored while the gateway runs;
    what comes while it is stopped or was killed waits in its session, and is stored once; a join is
    acknowledged and stores nothing."""
    town = Town(tmp_path / "town")
    town.enrol([remote_gauge(1)])
    with kind(tmp_path / "broker") as broker:
        wanted = f"[{{topic: {EVENTS}, format: chirpstack_v4, qos: {qos}}}]"
        version = [] if kind is Mosquitto else ['version: "3.1.1"']
        subscribe_to(town, broker.port, *version, subscriptions=wanted)
        with Gateway(town) as gateway:
            connected(gateway)
            publish(broker.port, events(1, 0, 5), qos=qos)
            join = {"deviceInfo": {"devEui": eui(1)}, "devAddr": "01020304"}
            publish(
                broker.port,
                [(f"application/1/device/{eui(1)}/event/join", json.dumps(join))],
                qos=qos,
            )
            until(lambda: len(stages(town)) == 5, "five rows")
            assert gateway.stop() == 0
            publish(broker.port, events(1, 5, 5), qos=qos)
            gateway.start()
            until(lambda: len(stages(town)) == 10, "what came during the stop")
            gateway.kill()
            publish(broker.port, events(1, 10, 5), qos=qos)
            gateway.start()
            until(lambda: len(stages(town)) == 15, "what came after the kill")
            publish(broker.port, events(1, 10, 6), qos=qos)
            until(lambda: len(stages(town)) == 16, "one more, and none of them twice")
            assert gateway.stop() == 0

    assert stages(town) == metres(0, 16)
    assert "lost the session" not in gateway.said()


def test_a_password_that_is_wrong_is_named_and_may_be_mended_meanwhile(tmp_path: Path) -> None:
    """A broker that refuses us is named by the log and by `doctor`, with the settings to look at; once the
    file holds the right password the gateway is in by itself, and the password was never said."""
    passwords = tmp_path / "passwords"
    program = tool("mosquitto_passwd") or "mosquitto_passwd"
    subprocess.run([program, "-c", "-b", str(passwords), "us", "right-word"], check=True)
    town = Town(tmp_path / "town")
    town.enrol([remote_gauge(1)])
    secret = tmp_path / "town" / "broker.password"
    secret.write_text("wrong-word\n")
    secret.chmod(0o600)
    with Mosquitto(
        tmp_path / "broker", f"password_file {passwords}", "user root", anonymous=False
    ) as broker:
        subscribe_to(town, broker.port, "user: us", "password_file: broker.password")
        with Gateway(town) as gateway:
            until(lambda: "(broker refused" in gateway.said(), "the refusal")
            code, said, _ = sekisho(town.folder, "doctor", "--config", "gateway.yaml")
            secret.write_text("right-word\n")
            connected(gateway)
            publish(broker.port, events(1, 1, 1), "-u", "us", "-P", "right-word")
            until(lambda: stages(town), "a row")
            healthy, hale, _ = sekisho(town.folder, "doctor", "--config", "gateway.yaml")
            assert gateway.stop() == 0

    assert (code, healthy) == (1, 0)
    assert "✗ brokers" in said
    assert "password_file" in said
    assert "✓ brokers" in hale
    assert "word" not in gateway.said().replace("password", "")


def test_both_show_a_certificate(tmp_path: Path) -> None:
    """Over TLS the broker's certificate is judged by `ca`, and ours is what it knows us by; a broker whose
    certificate nobody vouches for is not spoken to."""
    folder = tmp_path / "keys"
    folder.mkdir()
    made = certificate.issue(folder, ["127.0.0.1"], datetime.now(UTC))
    clients = Authority(folder, "clients")
    pem, key = clients.issue("gateway")
    town, stranger = Town(tmp_path / "town"), Town(tmp_path / "stranger")
    for one in (town, stranger):
        one.enrol([remote_gauge(1)])
    with Mosquitto(
        tmp_path / "broker",
        f"certfile {made.certificate}",
        f"keyfile {made.key}",
        f"cafile {clients.file}",
        "require_certificate true",
        "use_identity_as_username true",
        "user root",
        anonymous=False,
    ) as broker:
        url = f"mqtts://127.0.0.1:{broker.port}"
        ours = (f"certificate: {pem}", f"key: {key}")
        subscribe_to(town, 0, f"ca: {made.ca}", *ours, url=url)
        subscribe_to(stranger, 0, f"ca: {clients.file}", *ours, url=url)
        with Gateway(town) as gateway, Gateway(stranger) as other:
            connected(gateway)
            words = ("--cafile", str(made.ca), "--cert", str(pem), "--key", str(key))
            publish(broker.port, events(1, 1, 1), *words)
            until(lambda: stages(town), "a row")
            until(lambda: "certificate is not believed" in other.said(), "the distrust")
            assert gateway.stop() == other.stop() == 0

    assert stages(stranger) == []


def test_a_broker_that_is_killed_and_comes_back_is_subscribed_again(tmp_path: Path) -> None:
    """After kill -9 and a restart of a broker that keeps nothing, the gateway is connected and subscribed again;
    the log says that the session, with what waited in it, is lost."""
    town = Town(tmp_path / "town")
    town.enrol([remote_gauge(1)])
    broker = Mosquitto(tmp_path / "broker")
    subscribe_to(town, broker.port)
    with Gateway(town) as gateway:
        until(lambda: "(broker unreachable" in gateway.said(), "a broker that is not there yet")
        with broker:
            connected(gateway)
            publish(broker.port, events(1, 1, 3))
            until(lambda: len(stages(town)) == 3, "three rows")
            broker.kill()
            until(lambda: "(broker lost" in gateway.said(), "the loss")
            broker.start()
            connected(gateway, 2)
            until(lambda: "it has lost the session" in gateway.said(), "what the broker lost")
            publish(broker.port, events(1, 4, 3))
            until(lambda: len(stages(town)) == 6, "three rows more")
        assert gateway.stop() == 0

    assert stages(town) == metres(1, 6)


async def test_a_line_without_an_end_is_found_within_a_keep_alive(tmp_path: Path) -> None:
    """A tunnel stops forwarding and stays open: the gateway notices by itself, connects anew, and what was
    published meanwhile is stored."""
    town = Town(tmp_path / "town")
    town.enrol([remote_gauge(1)])
    with Mosquitto(tmp_path / "broker") as broker:
        async with Tunnel(broker.port) as tunnel:
            subscribe_to(town, tunnel.port, "keep_alive: 2 s")
            with Gateway(town) as gateway:
                await asyncio.to_thread(connected, gateway)
                await asyncio.to_thread(publish, broker.port, events(1, 1, 2))
                await asyncio.to_thread(until, lambda: len(stages(town)) == 2, "two rows")
                tunnel.strand()
                await asyncio.to_thread(publish, broker.port, events(1, 3, 2))
                await asyncio.to_thread(until, lambda: len(stages(town)) == 4, "two rows more")
                assert await asyncio.to_thread(gateway.stop) == 0

    assert stages(town) == metres(1, 4)
    assert "silent for longer than the keep-alive" in gateway.said()


def test_what_a_full_queue_threw_away_is_named(tmp_path: Path) -> None:
    """A broker whose queue is too short for the time the gateway is away drops the rest: what it kept is
    stored, and the log tells, by the broker's own count, how many it threw away."""
    town = Town(tmp_path / "town")
    town.enrol([remote_gauge(1)])
    limits = ("max_queued_messages 30", "max_inflight_messages 10")
    with Mosquitto(tmp_path / "broker", *limits) as broker:
        subscribe_to(town, broker.port)
        with Gateway(town) as gateway:
            connected(gateway)
            publish(broker.port, events(1, 0, 5))
            until(lambda: len(stages(town)) == 5, "five rows")
            gateway.kill()
            publish(broker.port, events(1, 5, 100))
            gateway.start()
            until(lambda: "has thrown away" in gateway.said(), "the broker's own count")
            (words,) = [x for x in gateway.said().splitlines() if "has thrown away" in x]
            lost = int(words.split("thrown away ")[1].split()[0])
            until(lambda: len(stages(town)) == 105 - lost, "what the broker kept")
            assert gateway.stop() == 0

    assert 0 < lost < 100
    assert stages(town) == metres(0, 105 - lost)


@pytest.mark.channel("C25")
def test_a_group_shares_the_load_and_never_people(tmp_path: Path) -> None:
    """Two gateways subscribe with one `share`: each uplink of a gauge is stored by one of them, and a child's
    by none, with its reason."""
    towns = [Town(tmp_path / f"town-{n}") for n in range(2)]
    kid: Member = child("kid-1", (36.7, 137.0))
    shared = "[{topic: sekisho/v1/#, format: sekisho, share: gateways}]"
    with Mosquitto(tmp_path / "broker") as broker:
        for town in towns:
            town.enrol([gauge("river-1"), kid])
            subscribe_to(town, broker.port, subscriptions=shared)
        with Gateway(towns[0]) as one, Gateway(towns[1]) as two:
            for gateway in (one, two):
                connected(gateway)
            said = [("sekisho/v1/river-1/up", f'{{"seq":{n},"distance_m":{1 + n / 1000:.3f}}}') for n in range(40)]  # fmt: skip
            publish(broker.port, [*said, *fixes("kid-1", 6)])
            until(lambda: sum(len(stages(town)) for town in towns) == 40, "all of them, once")
            until(lambda: sum(sum(refusals(t).values()) for t in towns) == 6, "the refusals")
            assert one.stop() == two.stop() == 0

    found = [stages(town) for town in towns]
    assert sorted(found[0] + found[1]) == metres(0, 40)
    assert min(map(len, found)) > 0
    assert [set(refusals(town)) for town in towns] <= [{"raw on another's broker"}] * 2
    assert all(not list(town.state.personal_dir.glob("*.db")) for town in towns)


@pytest.mark.channel("C25")
def test_people_come_by_a_broker_only_where_somebody_said_why(tmp_path: Path) -> None:
    """A child's tracker behind a network server is named at the start and refused; with a reason in the
    configuration it is taken, masked like any other."""
    kid = child("kid-1", (36.7, 137.0))
    kid["attributes"] |= {"dev_eui": eui(9)}
    town = Town(tmp_path / "town")
    town.enrol([kid])
    fix = fixes("kid-1", 8)
    with Mosquitto(tmp_path / "broker") as broker:
        subscribe_to(town, broker.port, subscriptions=OWN)
        with Gateway(town) as gateway:
            connected(gateway)
            publish(broker.port, fix[:4])
            until(lambda: refusals(town) == {"raw on another's broker": 4}, "the refusals")
            assert gateway.stop() == 0
        named = gateway.said()
        subscribe_to(town, broker.port, "raw_on_broker_accepted: it is our own", subscriptions=OWN)
        with Gateway(town, *gateway.words) as gateway:
            connected(gateway, 2)
            publish(broker.port, fix[4:])
            until(lambda: list(town.state.personal_dir.glob("*.db")), "rows about people")
            assert gateway.stop() == 0

    assert "(people behind a broker ×1)" in named
    assert "HTTP" in named
    assert refusals(town) == {"raw on another's broker": 4}
