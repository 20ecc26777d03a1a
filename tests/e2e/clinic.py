"""What the tests of `sekisho doctor` have in common: a gateway with patients, and how they speak."""

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

from gateway.model.instant import to_rfc3339
from tests.e2e.caller import Caller
from tests.e2e.processes import Gateway, sekisho

HOME = (36.70, 137.21)


class Clinic(NamedTuple):
    """One running gateway in a SIM directory, and the tokens of those who speak to it."""

    gateway: Gateway
    tokens: dict[str, str]


def now(ahead: int = 0) -> str:
    return to_rfc3339(time.time_ns() // 1000 + ahead)


def level(ahead: int = 0) -> bytes:
    return json.dumps({"t": now(ahead), "seq": 1, "distance_m": 2.4}).encode()


def fix(lat: float, lon: float) -> bytes:
    return json.dumps({"t": now(), "seq": 1, "lat": lat, "lon": lon, "accuracy_m": 5.0}).encode()


async def speak(
    clinic: Clinic, name: str, body: bytes, user: str | None = None, token: str | None = None
) -> int:
    """Publish once as a device; the door's answer."""
    user = user or name
    caller = await Caller.call(clinic.gateway.port, user, token or clinic.tokens[user])
    answer = caller.greeting or await caller.publish(name, body)
    await caller.leave()
    return answer


async def doctor(folder: Path, config: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """Exit code, and the last finding: the fault, if there is one."""
    code, out, err = sekisho(folder, "doctor", *words, "--config", str(config), "--json")
    assert not err
    return code, json.loads(out)["findings"][-1]
