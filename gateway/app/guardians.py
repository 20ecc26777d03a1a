"""What guardians' devices are told of their own children: sealed messages, one a child and device.

→ {"ask": "live", "household": NAME}   ← {"messages": [{"guardian": n, "endpoint": URL, "body": BASE64}, …]}

A message is opened by its device alone (RFC 8291). Its content: `child` (the device's id), `state` (`place`, `near_home`,
`unknown`), `since` (RFC 3339), `age_s`, and `lat`, `lon` of a place. Whoever carries it posts it to the endpoint with the headers
`Content-Encoding: aes128gcm` and `TTL`; nothing here opens a connection.
"""

import base64
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from gateway.clock import Clock
from gateway.model.device import Device, Directory
from gateway.model.errors import Refusal
from gateway.model.instant import SECOND, Instant, to_rfc3339
from gateway.privacy.live import PURPOSE, LivePlaces
from gateway.privacy.web_push import padded, sealed
from gateway.registry.registry import Registry


async def no_lane(_question: Mapping[str, Any]) -> Mapping[str, Any]:
    """Answers where the rules in force show nobody a child.

    Raises:
        Refusal: always.
    """
    raise Refusal(
        "The rules in force have no lane guardian_live: no guardian is told anything. docs/privacy/rules.md says how to write one."
    )


class Guardians:
    """Answers questions for `guardian`.

    Args:
        places: what is known just now.
        directory: asked for the newest directory.
    """

    def __init__(
        self,
        places: LivePlaces,
        registry: Registry,
        directory: Callable[[], Directory],
        clock: Clock,
    ) -> None:
        self._places = places
        self._registry = registry
        self._directory = directory
        self._clock = clock

    async def answer(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """The messages for one household's guardians.

        Raises:
            Refusal: nobody of it is registered.
        """
        household = str(question.get("household"))
        guardians = self._registry.families.guardians(household)
        if not guardians:
            raise Refusal(
                f"No device of a guardian of {household} is registered: sekisho guardian add {household} FILE."
            )
        now = self._clock.now()
        words = [self._said(child, now) for child in _children(self._directory(), household)]
        return {
            "messages": [
                {
                    "guardian": guardian.number,
                    "endpoint": guardian.subscription.endpoint,
                    "body": base64.b64encode(
                        sealed(
                            guardian.subscription,
                            padded(said),
                            generate_private_key(SECP256R1()),
                            secrets.token_bytes(16),
                        )
                    ).decode(),
                }
                for guardian in guardians
                for said in words
            ]
        }

    def _said(self, child: Device, now: Instant) -> dict[str, Any]:
        word = self._places.say(child, now)
        said: dict[str, Any] = {
            "child": child.device,
            "state": word.state,
            "since": to_rfc3339(word.since),
            "age_s": max(0, (now - word.since) // SECOND),
        }
        return said if word.lat is None else {**said, "lat": word.lat, "lon": word.lon}


def _children(directory: Directory, household: str) -> list[Device]:
    """Those of whom a guardian agreed that they are shown."""
    return [
        device
        for device in directory.devices.values()
        if device.household is not None
        and device.household.household == household
        and PURPOSE in device.consents
    ]
