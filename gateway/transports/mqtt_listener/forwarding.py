"""Network servers that publish to this door as to any broker: their topics, and whose uplinks they carry.

ChirpStack's and others' MQTT integrations take a host, a user and a password: ours will do, and then no other
broker sees what they forward. A credential speaks for its own devices here too. No I/O.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.clock import Clock
from gateway.model.device import Credential, Directory
from gateway.model.reason import Reason
from gateway.model.uplink import Payload, Route
from gateway.pipeline.sorting import Counted, Item, Sorting
from gateway.telemetry import Facts
from gateway.transports.mqtt_listener.guestbook import Guestbook
from gateway.wire.envelopes.formats import FORMATS
from gateway.wire.mqtt.filters import matches


@dataclass(frozen=True, slots=True)
class ServerTopic:
    """A topic filter, and the format (see `gateway.wire.envelopes.formats`) of what comes there."""

    topic: str
    format: str


class Desk(Protocol):
    """What is asked of the door about a topic."""

    forwarding: "Forwarding"
    guestbook: Guestbook
    facts: Facts
    clock: Clock


def elsewhere(
    desk: Desk, topic: bytes, payload: bytes, credential: Credential
) -> tuple[Route | Reason | Counted | None, Payload]:
    """What comes on no device's own topic: a network server's, or the reason why it leads nowhere; None if it
    is no topic name at all (§4.7).
    """
    try:
        text = topic.decode()
    except UnicodeDecodeError:
        return None, payload
    if not text or any(character in text for character in "+#\0"):
        return None, payload
    found = desk.forwarding.sort(credential, text, payload)
    if found is not None:
        return (found, payload) if isinstance(found, Counted) else found
    refusal = desk.guestbook.refusal(text)
    desk.facts.recent.turned_away(desk.clock.now(), credential.name, refusal.value, text)
    return refusal, payload


class Forwarding:
    """The network servers' topics of one door.

    Raises:
        ImportError: a format's extra is not installed.
    """

    def __init__(
        self, topics: Sequence[ServerTopic], directory: Directory, facts: Facts, clock: Clock
    ) -> None:
        self._topics = topics
        self._openers = {name: FORMATS[name].opener() for name in {one.format for one in topics}}
        self._directory = directory
        self._facts = facts
        self._clock = clock
        self._sortings: dict[tuple[str, str], Sorting] = {}

    def renew(self, directory: Directory) -> None:
        """The registry has changed."""
        self._directory = directory
        self._sortings.clear()

    def sort(self, credential: Credential, topic: str, payload: bytes) -> Item | Counted | None:
        """What to hand over for a message; None where the topic is no server's."""
        for one in self._topics:
            if matches(one.topic, topic):
                return self._sorting(credential, one.format).sort(topic, payload)
        return None

    def _sorting(self, credential: Credential, name: str) -> Sorting:
        key = (credential.name, name)
        found = self._sortings.get(key)
        if found is None:
            found = self._sortings[key] = Sorting(
                *(self._openers[name], self._directory, self._facts, self._clock),
                *(credential.name, credential.devices),
            )
        return found
