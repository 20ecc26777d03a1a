"""Where a door hands uplinks to, when a test plays the worker."""

from gateway.model.reason import Reason
from gateway.model.uplink import Payload, Uplinks


class Receiver:
    """Satisfies `gateway.model.uplink.Receiver`; acknowledges when told to.

    Attributes:
        waiting: chunks in order of arrival, with their senders.
    """

    def __init__(self) -> None:
        self.waiting: list[tuple[object, Uplinks]] = []

    def put(self, sender: object, uplinks: Uplinks) -> None:
        self.waiting.append((sender, uplinks))

    @property
    def payloads(self) -> list[Payload]:
        """What waits, in order."""
        return [payload for _, uplinks in self.waiting for _, payload in uplinks.items]

    def settle(self, *refused: dict[int, Reason]) -> None:
        """Acknowledge all that waits; the `n`-th chunk with the `n`-th refusals, if any."""
        waiting, self.waiting = self.waiting, []
        for number, (_sender, uplinks) in enumerate(waiting):
            uplinks.settle(refused[number] if number < len(refused) else {})
