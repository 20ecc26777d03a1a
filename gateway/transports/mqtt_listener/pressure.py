"""Back-pressure of one connection: whether it may be read, by what of it waits. No I/O."""

from gateway.transports.mqtt_listener.limits import Limits


class Pressure:
    """What weighs on one connection.

    Attributes:
        uplinks: how many of its uplinks wait for their commit.
        payload_bytes: their payload.
        writable: whether it reads our answers.
        hushed: whether the door is closing.
        greeting: whether CONNECT came and its answer waits for the disk.
        reading: whether it is being read just now.
    """

    __slots__ = ("_limits", "greeting", "hushed", "payload_bytes", "reading", "uplinks", "writable")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.uplinks = 0
        self.payload_bytes = 0
        self.writable = True
        self.hushed = False
        self.greeting = False
        self.reading = True

    def may_read(self, crowded: bool) -> bool:
        """Whether to read on; once too much waited, half of it must have gone.

        Args:
            crowded: so much waits behind the door in all that nobody is to be read.
        """
        part = 1 if self.reading else 2
        return (
            self.writable
            and not self.hushed
            and not self.greeting
            and not crowded
            and self.uplinks < max(1, self._limits.pending // part)
            and self.payload_bytes < self._limits.pending_bytes // part
        )

    def is_ours(self, crowded: bool) -> bool:
        """Whether its silence is our doing: a peer that does not read its answers has itself to blame."""
        return self.uplinks > 0 or self.hushed or self.greeting or crowded
