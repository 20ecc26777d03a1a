"""Topic → what its messages are and whose: every subscription's format, and people kept out. No I/O."""

from gateway.clock import Clock
from gateway.devices.catalog import catalog
from gateway.model.device import Device, Directory
from gateway.model.reason import Reason
from gateway.model.uplink import Route
from gateway.pipeline.own_topics import OwnTopics
from gateway.pipeline.sorting import Counted, Item, Sort, Sorting
from gateway.telemetry import Facts
from gateway.transports.mqtt_client.broker import Broker
from gateway.wire.envelopes.formats import FORMATS
from gateway.wire.mqtt.filters import matches
from gateway.wire.topics import OWN

_TOPICS = 65_536
"""Topics remembered with the way they take; beyond it they are all looked up again."""


class Sorter:
    """Sorts the messages of one broker."""

    def __init__(self, broker: Broker, directory: Directory, facts: Facts, clock: Clock) -> None:
        self._broker = broker
        self._envelopes = {
            name: Sorting(FORMATS[name].opener(), directory, facts, clock, broker.name)
            for name in {one.format for one in broker.subscriptions} - {OWN}
        }
        self._facts = facts
        self._clock = clock
        self._own = self._own_topics(directory)
        self._ways: dict[bytes, tuple[str, Sort]] = {}

    def renew(self, directory: Directory) -> None:
        """The registry has changed."""
        for sorting in self._envelopes.values():
            sorting.renew(directory)
        self._own = self._own_topics(directory)
        self._ways = {}

    def sort(self, topic: bytes, payload: bytes) -> Item | Counted:
        """What to hand over for a message: by the first subscription that its topic matches."""
        way = self._ways.get(topic)
        if way is None:
            way = self._way(topic)
        text, sort = way
        found = sort(text, payload)
        if isinstance(found, Counted) or isinstance(found[0], Reason):
            return found
        if not self._broker.raw_on_broker_accepted and is_personal(found[0]):
            return Reason.RAW_ON_BROKER, found[1]
        return found

    def _own_topics(self, directory: Directory) -> OwnTopics:
        return OwnTopics(directory, self._facts, self._clock, self._broker.name)

    def _way(self, topic: bytes) -> tuple[str, Sort]:
        text = topic.decode("utf-8", "replace")
        sort: Sort = _nowhere
        for one in self._broker.subscriptions:
            if matches(one.topic, text):
                sort = self._own.sort if one.format == OWN else self._envelopes[one.format].sort
                break
        if len(self._ways) >= _TOPICS:
            self._ways = {}
        way = self._ways[topic] = (text, sort)
        return way


def _nowhere(_topic: str, payload: bytes) -> Item:
    """Nothing that is subscribed: a session of another configuration."""
    return Reason.UNKNOWN_TOPIC, payload


def is_personal(route: Route) -> bool:
    """Whether a route leads to something about people."""
    return catalog()[route.kind].personal


def people_behind(directory: Directory) -> list[Device]:
    """Devices of people that a network server may speak for: those with a DevEUI."""
    return [
        device
        for device in directory.devices.values()
        if not device.revoked
        and device.attributes.get("dev_eui")
        and ((kind := catalog().get(device.kind)) is None or kind.personal)
    ]
