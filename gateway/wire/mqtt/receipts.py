"""Acknowledgements in order of arrival (§4.6): each waits until all before it are due. No I/O."""

from collections import deque


class Receipt:
    """The acknowledgements of messages that came together.

    Attributes:
        packets: PUBACK or PUBREC of each, in order.
        due: whether what they acknowledge is on disk, or nothing is to be kept of it.
    """

    __slots__ = ("due", "packets")

    def __init__(self, packets: list[bytes]) -> None:
        self.packets = packets
        self.due = False


class Receipts:
    """Those of one connection."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: deque[Receipt] = deque()

    def expect(self, packets: list[bytes]) -> Receipt:
        """These follow all that are expected already."""
        receipt = Receipt(packets)
        self._waiting.append(receipt)
        return receipt

    def settle(self, receipt: Receipt) -> bytes:
        """What may be sent now that this one is due: nothing while an earlier one is not."""
        receipt.due = True
        ready: list[bytes] = []
        waiting = self._waiting
        while waiting and waiting[0].due:
            ready += waiting.popleft().packets
        return b"".join(ready)
