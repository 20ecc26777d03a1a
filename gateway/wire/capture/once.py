"""One message that passed a capture several times: from its publisher, and from the broker to each subscriber."""

from collections import OrderedDict
from hashlib import blake2b

from gateway.model.instant import SECOND, Instant
from gateway.wire.mqtt.packets import Publish

_PASSES: Instant = 60 * SECOND
"""As long a broker may take to pass a message on."""


class Once:
    """Tells what is heard for the first time from what is only passed on."""

    def __init__(self) -> None:
        self._heard: OrderedDict[bytes, tuple[Instant, int | None]] = OrderedDict()

    def first(self, message: Publish, connection: int, at: Instant, *, published: bool) -> bool:
        """Whether a message is to be taken.

        What a client publishes always is. What a broker says is, unless it was published just now, or said
        to somebody else; a kept message (retain) tells of something past.

        Args:
            connection: which one it came by.
            at: when, µs.
            published: a client said it, and not the broker.
        """
        while self._heard and next(iter(self._heard.values()))[0] < at - _PASSES:
            self._heard.popitem(last=False)
        if not published and message.retain:
            return False
        key = blake2b(message.topic + b"\0" + message.payload, digest_size=16).digest()
        found = self._heard.get(key)
        if not published and found is not None and found[1] != connection:
            return False
        if found is None or published:
            self._heard[key] = at, None if published else connection
            self._heard.move_to_end(key)
        return True
