"""`sekisho doctor` names what is broken, and the remedy: one table of set-ups that do not work."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway.model.instant import HOUR
from gateway.wire.mqtt import encode
from tests.e2e.caller import Caller
from tests.e2e.clinic import HOME, Clinic, doctor, fix, level, now, speak
from tests.e2e.processes import Gateway, sekisho
from tests.e2e.town import Town, child, gauge
from tests.unit.test_docs import parse

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

ABROAD = (45.76, 4.84)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """A town in which each device is broken in a way of its own, each with a credential of its name."""
    town = Town(tmp_path_factory.mktemp("clinic") / "town")
    members = [
        *map(gauge, ("wrong-token", "wrong-topic", "wrong-kind", "wrong-clock", "wrong-version")),
        *map(gauge, ("healthy", "silent", "mute", "mute-2", "wrong-kind-2")),
        {**child("no-consent", HOME), "consent": False},
        {**child("no-home", HOME), "home": None},
        child("abroad", ABROAD),
        child("at-home", HOME),
        child("lost", HOME),
        child("dead-gps", HOME),
    ]
    tokens = {m["roster"]: town.enrol([m], m["roster"]) for m in members}
    with town.registry() as registry:
        for name in ("mute", "mute-2"):
            registry.drop_credential(name)
    with Gateway(town) as gateway:
        yield Clinic(gateway, tokens)
        assert gateway.stop() == 0


BEAR = b'{"seq": 1, "species": "bear", "count": 2, "confidence": 0.91}'

BROKEN: dict[str, tuple[Callable[[Clinic], Any] | None, str, str, str]] = {
    "wrong-token": (
        lambda c: speak(c, "wrong-token", level(), token="f" * 32),
        "connection",
        "its token is not the registered one",
        "sekisho devices token wrong-token",
    ),
    "wrong-kind": (
        lambda c: speak(c, "wrong-kind", BEAR),
        "payload",
        "does not speak as a river_gauge but as a wildlife_camera",
        "--kind wildlife_camera",
    ),
    "wrong-clock": (
        lambda c: speak(c, "wrong-clock", level(9 * HOUR)),
        "its clock",
        "9 h ahead of ours: its rows carry our time instead",
        "set it",
    ),
    "unheard-of": (
        lambda c: speak(c, "unheard-of", level(), user="healthy"),
        "registered",
        "healthy spoke for it",
        "sekisho devices add unheard-of --kind KIND",
    ),
    "mute": (
        None,
        "credential",
        "no credential may speak for it",
        "sekisho devices token mute --for mute",
    ),
    "silent": (None, "connection", "nobody has connected as silent", "user name"),
    "no-consent": (
        None,
        "consent",
        "no guardian's opt-in",
        "sekisho devices consent no-consent --by WHO --text SHEET",
    ),
    "no-home": (None, "home", "its household has no home", "sekisho devices import-homes FILE"),
    "abroad": (None, "home", "its home lies outside the service area", "service_area in"),
    "lost": (
        lambda c: speak(c, "lost", fix(*ABROAD)),
        "kept",
        "its last fix lies outside the service area",
        "service_area in gateway.yaml",
    ),
}
"""Device → what it does, and where doctor must stop with which words and which remedy."""


@pytest.mark.parametrize("device", BROKEN)
async def test_a_broken_device_is_named_with_its_remedy(clinic: Clinic, device: str) -> None:
    """Wrong token, kind, clock, no registration, credential, connection, consent or home, or outside."""
    act, step, said, remedy = BROKEN[device]
    if act is not None:
        await act(clinic)

    town = clinic.gateway.town
    code, found = await doctor(town.folder, town.config, device)
    assert (code, found["step"], found["result"]) == (1, step, "fault")
    assert said in found["said"]
    assert remedy in found["remedy"]
    if remedy.startswith("sekisho "):
        parse(remedy.split()[1:])


async def test_a_topic_that_leads_nowhere_is_shown_beside_the_right_one(clinic: Clinic) -> None:
    """The firmware left out a part of its topic."""
    caller = await Caller.call(clinic.gateway.port, "wrong-topic", clinic.tokens["wrong-topic"])
    caller.writer.write(encode.publish(5, b"sekisho/wrong-topic/up", level(), 1, 9))
    assert await caller.listen()
    await caller.leave()

    town = clinic.gateway.town
    code, found = await doctor(town.folder, town.config, "wrong-topic")
    assert (code, found["step"]) == (1, "topic")
    assert "publishes on sekisho/wrong-topic/up, which is nobody's topic" in found["said"]
    assert "sekisho/v1/wrong-topic/up (JSON)" in found["remedy"]


async def test_a_payload_of_another_version_is_called_that(clinic: Clinic) -> None:
    """The head of the compact form carries a version, and this gateway knows one."""
    caller = await Caller.call(clinic.gateway.port, "wrong-version", clinic.tokens["wrong-version"])
    topic, body = b"sekisho/v1/wrong-version/up/bin", bytes([2]) + bytes(15)
    caller.writer.write(encode.publish(5, topic, body, 1, 9))
    assert await caller.listen()
    await caller.leave()

    town = clinic.gateway.town
    code, found = await doctor(town.folder, town.config, "wrong-version")
    assert (code, found["step"]) == (1, "payload")
    assert "version: only 1 is known" in found["said"]
    assert "docs/kinds.md" in found["remedy"]


async def test_remedies_mend(clinic: Clinic) -> None:
    """What doctor says of a mute device and of one under the wrong kind is done, and doctor goes on."""
    town = clinic.gateway.town
    at = ("--config", str(town.config))
    await speak(clinic, "wrong-kind-2", BEAR)
    assert (await doctor(town.folder, town.config, "wrong-kind-2"))[1]["step"] == "payload"
    assert (
        sekisho(town.folder, "devices", "set", "wrong-kind-2", "--kind", "wildlife_camera", *at)[0]
        == 0
    )
    _, out, _ = sekisho(town.folder, "devices", "token", "mute-2", "--for", "mute-2", *at, "--json")
    await asyncio.sleep(1)  # a running gateway follows within a second
    await speak(clinic, "wrong-kind-2", BEAR)
    await speak(clinic, "mute-2", level(), token=json.loads(out)["token"])

    for device in ("wrong-kind-2", "mute-2"):
        assert (await doctor(town.folder, town.config, device))[0] == 0


async def test_a_healthy_device_passes_every_step(clinic: Clinic) -> None:
    """Exit 0, every step a tick, the age of its newest row at the end."""
    await speak(clinic, "healthy", level())

    town = clinic.gateway.town
    code, out, _ = sekisho(town.folder, "doctor", "healthy", "--config", str(town.config))
    assert code == 0
    assert "✗" not in out
    assert out.splitlines()[-1].startswith(" ✓ kept           newest row ")


async def test_a_child_at_home_is_masked_and_not_lost(clinic: Clinic) -> None:
    """In a SIM directory the mask's word may be said, and it is no fault."""
    await speak(clinic, "at-home", fix(*HOME))

    town = clinic.gateway.town
    code, found = await doctor(town.folder, town.config, "at-home")
    assert (code, found["result"]) == (0, "note")
    assert "masked, not lost (inside the home radius)" in found["said"]


async def test_a_tracker_without_a_fix_is_no_fault_of_the_mask(clinic: Clinic) -> None:
    """A dead receiver goes on sending: acknowledged like any other, nothing kept, and named."""
    body = json.dumps({"t": now(), "seq": 9, "battery_pct": 80.0}).encode()
    assert await speak(clinic, "dead-gps", body) == 0

    town = clinic.gateway.town
    code, found = await doctor(town.folder, town.config, "dead-gps")
    assert (code, found["result"]) == (0, "note")
    assert "masked, not lost (no position)" in found["said"]
    assert "its receiver is dead" in found["said"]


async def test_a_stranger_on_a_shared_credential_is_nobody_else_s_fault(clinic: Clinic) -> None:
    """A device that is heard stays healthy, whatever others do under the same user name."""
    town = clinic.gateway.town
    token = town.enrol([gauge("pair-1"), gauge("pair-2")], "pair")
    await asyncio.sleep(1.5)  # registered beside the running gateway: known after a second
    shared = Clinic(clinic.gateway, {"pair": token})
    await speak(shared, "pair-1", level(), user="pair")
    await speak(shared, "pair-9", level(), user="pair")

    code, out, _ = sekisho(town.folder, "doctor", "pair-1", "--config", str(town.config))
    assert code == 0
    assert "· topic          pair also tried sekisho/v1/pair-9/up" in out
    code, found = await doctor(town.folder, town.config, "pair-2")
    assert (code, found["step"]) == (1, "topic")


async def test_a_revoked_device_is_named_and_let_in_again_by_the_remedy(clinic: Clinic) -> None:
    """A correction of its name does not let it in by the way."""
    town = clinic.gateway.town
    at = ("--config", str(town.config))
    token = town.enrol([gauge("old-1")], "old-1")
    assert sekisho(town.folder, "devices", "revoke", "old-1", *at)[0] == 0
    assert sekisho(town.folder, "devices", "set", "old-1", "--name", "old", *at)[0] == 0
    code, found = await doctor(town.folder, town.config, "old-1")
    assert (code, found["step"]) == (1, "registered")
    assert found["remedy"] == "to let it speak again: sekisho devices restore old-1"

    assert sekisho(town.folder, *found["remedy"].partition("sekisho ")[2].split(), *at)[0] == 0
    await asyncio.sleep(1.5)
    assert await speak(Clinic(clinic.gateway, {"old-1": token}), "old-1", level()) == 0
    assert (await doctor(town.folder, town.config, "old-1"))[0] == 0
