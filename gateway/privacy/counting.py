"""What the mask asks of a lane that counts: whether a reading that may pass entered a counter.

The mask offers a child's reading only behind every check of its own, the household's guard included, and only with
consent for the lane's purpose; it offers a reader's tags where the rules have a lane for them.
"""

from typing import Protocol

from gateway.model.reading import Reading


class CountingLane(Protocol):
    """One lane that counts.

    Attributes:
        kinds: names of the device kinds that it takes.
        purpose: the lane's name, for which consent is asked.
    """

    @property
    def kinds(self) -> frozenset[str]: ...

    @property
    def purpose(self) -> str: ...

    def take(self, reading: Reading) -> bool:
        """Whether the reading entered a counter; what it raises suppresses the reading, as all of the mask's faults.

        Raises:
            KeysUnavailable: nothing was counted; to be handed over again when there are keys.
        """
        ...
