"""`sekisho command` and the clients that everybody has, as devices."""

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from sekisho.window import ask
from tests.conftest import NPM, tool
from tests.e2e.conftest import House
from tests.e2e.ports import free_port
from tests.e2e.processes import Gateway, background, ended, sekisho, until
from tests.e2e.town import Town, gauge

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

TOPIC = "sekisho/v1/river-1/command"


def command(house: House, *words: str, device: str = "river-1") -> tuple[int, str]:
    """`sekisho command`: exit code and what it printed."""
    code, out, err = sekisho(house.town.folder, "command", device, *words, "--state", "state")
    return code, (out + err).strip()


@contextmanager
def subscriber(town: Town, port: int, token: str, *words: str) -> Iterator[Path]:
    """mosquitto_sub as the device; the file with what it hears."""
    program = tool("mosquitto_sub")
    assert program is not None
    said = town.folder / "heard.txt"
    with said.open("ab") as out:
        line = [program, "-h", "127.0.0.1", "-p", str(port), "-u", "pilot", "-P", token]
        process = subprocess.Popen(
            [*line, "-t", TOPIC, "-V", "mqttv5", *words], stdout=out, stderr=out
        )
    with ended(process, signal.SIGTERM):
        yield said


@pytest.mark.needs("mosquitto_pub")
def test_mosquitto_sub_hears_its_command_at_once(house: House) -> None:
    """The verb says that the device acknowledged, and ends with 0."""
    with subscriber(house.town, house.port, house.token, "-q", "1") as heard:
        until(
            lambda: command(house, "--text", "hello", "--wait", "1 s")[0] == 0, "the subscription"
        )
        assert command(house, "--hex", "6f6b") == (0, "acknowledged by the device")
        until(lambda: "ok" in heard.read_text().split(), "the command")


def test_what_the_verb_says(house: House) -> None:
    """Waiting, listed, cancelled, refused: words and exit codes."""
    code, said = command(house, "--document", '{"interval_s": 60}')
    assert (code, said.split(":")[0][:14]) == (0, "waiting until ")
    assert "not connected, or has not subscribed" in said
    code, said = command(house, "--text", "x", "--wait", "100 ms")
    assert code == 3
    number = said.rpartition("(command ")[2].rstrip(")")

    code, said = command(house, "--list")
    assert code == 0
    assert [line.split()[0] for line in said.splitlines()][1:] == [str(int(number) - 1), number]
    assert command(house, "--cancel", number) == (0, "1 command cancelled.")
    assert command(house, "--cancel", number)[0] == 1
    assert command(house, "--cancel", "all") == (0, "1 command cancelled.")
    assert command(house, "--list") == (0, "No command waits for river-1.")

    code, said = command(house, "--text", "x", device="rivr-1")
    assert (code, said) == (1, 'refused because no device is named "rivr-1". Did you mean river-1?')
    assert command(house)[0] == command(house, "--text", "x", "--list")[0] == 2
    assert command(house, "--hex", "0g")[0] == command(house, "--document", "{")[0] == 2
    assert command(house, "--text", "x" * 1025)[0] == 2
    assert command(house, "--text", "x", "--expires", "1")[0] == 2
    assert command(house, "--text", "x", "--expires", "60 d")[0] == 1


def test_sixteen_wait_and_no_more(house: House) -> None:
    """Whoever gives too many is told, and nothing is lost of the others."""
    for n in range(16):
        (answer,) = ask(house.town.state, "command", device="river-1", payload="78", expires_s=60)
        assert (answer["outcome"], answer["heard"]) == (None, False), n
    code, said = command(house, "--text", "x")
    assert code == 1
    assert "16 commands wait for river-1 already" in said
    listed = json.loads(command(house, "--list", "--json")[1])
    assert len(listed) == 16
    assert command(house, "--cancel", "all")[0] == 0


@pytest.mark.needs("mosquitto_pub")
def test_a_command_survives_kills_of_the_gateway(tmp_path: Path) -> None:
    """Given while nobody listens, killed; sent and not acknowledged, killed; then delivered once more, and
    gone when the device has it."""
    town = Town(tmp_path, port=free_port())
    token = town.enrol([gauge("river-1")], "pilot")
    gateway = Gateway(town)
    with gateway:
        house = House(town, gateway, token, tmp_path)
        assert command(house, "--text", "survivor")[0] == 0
        gateway.kill()
        gateway.start()
        assert "survivor" not in command(house, "--list")[1]  # what it says is shown to nobody
        with subscriber(town, gateway.port, token, "-q", "1", "-c", "-i", "gauge") as heard:
            until(lambda: "survivor" in heard.read_text(), "the command")
            until(lambda: "No command" in command(house, "--list")[1], "its acknowledgement")
            gateway.kill()
            assert gateway.process.poll() is not None
            gateway.start()
        assert command(house, "--list") == (0, "No command waits for river-1.")
        raw = b"".join(path.read_bytes() for path in town.state.path.rglob("*") if path.is_file())
        assert b"survivor" not in raw
        assert gateway.stop() == 0


def test_a_gateway_that_ends_while_it_is_waited_for_is_said(tmp_path: Path) -> None:
    """The verb ends with 1 and says how to find out; the command is on disk."""
    town = Town(tmp_path)
    town.enrol([gauge("river-1")], "pilot")

    def waiting() -> list[Any]:
        (answer,) = ask(town.state, "command", device="river-1", list=True)
        found: list[Any] = answer["waiting"]
        return found

    words = ("command", "river-1", "--text", "x", "--wait", "60 s", "--state", "state")
    with Gateway(town) as gateway:
        with background(tmp_path, "verb", *words) as (verb, said):
            until(waiting, "the command")
            gateway.kill()
            assert verb.wait(60) == 1
        assert "--list shows whether it took the command" in " ".join(said.read_text().split())
        gateway.start()
        assert len(waiting()) == 1


@contextmanager
def paho_gauge(house: House, heard: list[bytes]) -> Iterator[tuple[paho.Client, list[bool]]]:
    """A paho client over MQTT 3.1.1 that wants to be remembered, and Session Present of its CONNACK."""
    flags: list[bool] = []
    client = paho.Client(
        CallbackAPIVersion.VERSION2, "paho-gauge", clean_session=False, protocol=paho.MQTTv311
    )
    client.username_pw_set("pilot", house.token)
    client.on_message = lambda _client, _data, message: heard.append(bytes(message.payload))
    client.on_connect = lambda _c, _d, connected, _r, _p: flags.append(connected.session_present)
    client.connect("127.0.0.1", house.port)
    client.loop_start()
    try:
        until(lambda: flags, "CONNACK")
        yield client, flags
    finally:
        client.disconnect()
        client.loop_stop()


def test_paho_hears_a_command_in_its_remembered_session(house: House) -> None:
    """Subscribed once; after a reconnect without SUBSCRIBE it hears what was given meanwhile."""
    heard: list[bytes] = []
    granted: list[Any] = []
    with paho_gauge(house, heard) as (client, present):
        client.on_subscribe = lambda _c, _d, _mid, codes, _p: granted.extend(codes)
        client.subscribe(TOPIC, 2)
        until(lambda: granted, "SUBACK")
        assert (granted[0].value, present) == (1, [False])
    assert command(house, "--text", "meanwhile")[0] == 0
    with paho_gauge(house, heard) as (client, present):
        until(lambda: heard == [b"meanwhile"], "the command")
        assert present == [True]
        until(lambda: "No command" in command(house, "--list")[1], "its acknowledgement")
        client.unsubscribe(TOPIC)


async def test_aiomqtt_hears_a_command(house: House) -> None:
    """aiomqtt over MQTT 5: subscribed, heard, acknowledged."""
    async with aiomqtt.Client(
        *("127.0.0.1", house.port),
        username="pilot",
        password=house.token,
        protocol=aiomqtt.ProtocolVersion.V5,
    ) as client:
        await client.subscribe(TOPIC, qos=1)
        given = asyncio.create_task(asyncio.to_thread(command, house, "--text", "to aiomqtt"))
        message = await anext(aiter(client.messages))
        assert message.payload == b"to aiomqtt"
        assert await given == (0, "acknowledged by the device")


@pytest.mark.needs("npm")
@pytest.mark.parametrize("version", ["4", "5"])
async def test_npm_mqtt_hears_a_command(house: House, version: str) -> None:
    """npm `mqtt` in both versions: subscribed, heard, acknowledged."""
    node = tool("node")
    assert node is not None
    process = await asyncio.create_subprocess_exec(
        *(
            node,
            str(NPM / "client.mjs"),
            str(house.port),
            "pilot",
            house.token,
            "npm-gauge",
            version,
        ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    lines = process.stdout

    async def said(word: str) -> Any:
        async for line in lines:
            if word in (found := json.loads(line)):
                return found[word]
        raise AssertionError(f"npm ended before it said {word}")

    try:
        process.stdin.write(json.dumps({"subscribe": TOPIC}).encode() + b"\n")
        assert await said("granted") == [1]
        given = asyncio.create_task(asyncio.to_thread(command, house, "--text", "to npm"))
        assert await said("heard") == "to npm"
        assert await given == (0, "acknowledged by the device")
        process.stdin.write(b'{"end": true}\n')
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
