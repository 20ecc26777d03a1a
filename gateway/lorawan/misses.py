"""Frames that were not answered, each by its own MIC and why: for whoever holds a simulated town against its gateway.

Only where nobody is real (decision 3): of a real frame nothing is remembered that would name it.
"""

from collections import deque

_MOST = 50_000
_MIC = 4


class Misses:
    """The last ones.

    Args:
        kept: whether nobody is real; else nothing is.
    """

    def __init__(self, *, kept: bool = False) -> None:
        self._kept = kept
        self._of: deque[tuple[str, str]] = deque(maxlen=_MOST)

    def name(self, phy: bytes, why: str) -> None:
        """This uplink has no answer.

        Args:
            phy: its bytes; their end is enough.
        """
        if self._kept:
            self._of.append((phy[-_MIC:].hex(), why))

    def told(self) -> list[tuple[str, str]]:
        """MIC as hex, and why, the oldest first."""
        return list(self._of)
