"""A guardian's device is told where its own child is, by a running gateway, in words that it alone can open."""

import asyncio
import base64
import json
import secrets
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.model.instant import to_datetime
from tests.e2e.caller import Caller
from tests.e2e.processes import Gateway, sekisho
from tests.e2e.town import Town, child
from tests.unit.test_web_push import opened

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

RULES = """\
schema: 1
id: family
lanes:
  - name: guardian_live
    purpose: Tell guardians where their own child is now.
    audience: guardian:own
    legal_basis: consent of the guardian, recorded for each child
    retain: 0 d
    from: ram
    ttl: 2 min
    suppress:
      - kind: circle
        anchor: home
        radius: 50 m
        label: near-home
        reopen: {fixes: 3, net: 150 m, far: 300 m}
    protect:
      - {kind: seal, to: guardian_device}
"""
HOME = (36.7, 137.0)


async def test_rules_that_show_nobody_a_child_say_so(tmp_path: Path) -> None:
    """A sentence about the rules in force, and none about the control socket."""
    town = Town(tmp_path / "town", mark=None)
    with Gateway(town):
        words = ("guardian", "messages", "house-child-1", "--config", str(town.config))
        code, _out, err = await asyncio.to_thread(sekisho, tmp_path, *words)

    assert code != 0
    assert "The rules in force have no lane guardian_live" in err


async def test_a_place_reaches_its_own_guardian_and_no_disk(tmp_path: Path) -> None:
    """Unknown since the start, near home once it was seen there, a place on the way; and nothing of it on disk."""
    town = Town(tmp_path / "town", mark=None)
    (town.folder / "privacy.yaml").write_text(RULES)
    token = town.enrol([child("child-1", HOME)])
    with town.registry() as registry:
        registry.record_consent("child-1", "guardian_live", "a guardian", "a sheet", 0)
    device, auth = generate_private_key(SECP256R1()), secrets.token_bytes(16)
    public = device.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    keys = {
        "p256dh": base64.urlsafe_b64encode(public).decode(),
        "auth": base64.urlsafe_b64encode(auth).decode(),
    }
    file = tmp_path / "subscription.json"
    file.write_text(json.dumps({"endpoint": "https://push.example/abc", "keys": keys}))
    file.chmod(0o600)
    where = ("--config", str(town.config))
    code, _out, err = sekisho(tmp_path, "guardian", "add", "house-child-1", str(file), *where)
    assert code == 0, err

    async def told() -> dict[str, object]:
        words = ("guardian", "messages", "house-child-1", "--json", *where)
        code, out, err = await asyncio.to_thread(sekisho, tmp_path, *words)
        assert code == 0, err
        (message,) = json.loads(out)
        said = opened(base64.b64decode(message["body"]), device, auth)
        return dict(json.loads(said))

    with Gateway(town) as gateway:
        assert (await told())["state"] == "unknown"
        caller = await Caller.call(gateway.port, "fleet", token)
        start = time.time_ns() // 1000 - 300_000_000
        states = []
        for n, north_m in enumerate((0.0, 400.0, 600.0, 800.0, 1000.0)):
            t = to_datetime(start + n * 60_000_000).isoformat()
            body = {
                "t": t,
                "seq": n,
                "lat": HOME[0] + north_m / 110_950,
                "lon": HOME[1],
                "accuracy_m": 5.0,
            }
            assert await caller.publish("child-1", json.dumps(body).encode()) == 0
            if n in {0, 4}:
                states.append(await told())
        await caller.leave()
        assert gateway.stop() == 0
    assert [said["state"] for said in states] == ["near_home", "place"]
    assert states[1]["lat"] == pytest.approx(HOME[0] + 1000 / 110_950, abs=1e-5)
    assert not list(town.state.personal_dir.glob("*.db"))
    code, out, _err = sekisho(tmp_path, "privacy", "log", "show", "--json", *where)
    assert {entry["act"] for entry in json.loads(out)} == {"guardian"}
    everything = b"".join(p.read_bytes() for p in town.state.path.rglob("*") if p.is_file())
    assert b"36.709" not in everything
    assert b"push.example" not in everything
