"""What a Basics Station leaves alone after it has sent: stretches of time that begin with each transmission."""

from collections import defaultdict


class Rests:
    """Of one station."""

    def __init__(self) -> None:
        self._of: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)

    def fits(self, scope: int, begin_us: int, for_us: int) -> bool:
        """Whether neither this one nor one that was promised before breaks the other's."""
        return all(end <= begin_us or begin_us + for_us <= begin for begin, end in self._of[scope])

    def add(self, scope: int, begin_us: int, for_us: int) -> None:
        """It will be sent."""
        kept = [span for span in self._of[scope] if span[1] > begin_us - 10_000_000]
        self._of[scope] = [*kept, (begin_us, begin_us + for_us)]

    def drop(self, scope: int, begin_us: int) -> None:
        """It was not sent after all."""
        self._of[scope] = [span for span in self._of[scope] if span[0] != begin_us]
