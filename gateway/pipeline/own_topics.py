"""Our own topics and payloads on their way to the intake, where a door is not the devices' own: whose they are."""

from gateway.clock import Clock
from gateway.devices.addressing import own_routes
from gateway.model.device import Directory
from gateway.model.reason import Reason
from gateway.pipeline.sorting import Item
from gateway.telemetry import Facts
from gateway.wire.topics import device_of


class OwnTopics:
    """Our own topics and payloads, of any registered device.

    Args:
        name: what the door is called, for `doctor`.
    """

    def __init__(self, directory: Directory, facts: Facts, clock: Clock, name: str) -> None:
        self._facts = facts
        self._clock = clock
        self._name = name
        self._routes = {
            topic: route
            for device in directory.devices.values()
            for topic, route in own_routes(device).items()
        }

    def sort(self, topic: str, payload: bytes) -> Item:
        """What to hand over for a message."""
        route = self._routes.get(topic.encode())
        if route is not None:
            return route, payload
        reason = Reason.UNKNOWN_TOPIC if device_of(topic) is None else Reason.UNKNOWN_DEVICE
        self._facts.recent.turned_away(self._clock.now(), self._name, reason.value, topic)
        return reason, payload
