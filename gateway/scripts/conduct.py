"""How a script has behaved, and what it may do for that."""

from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from pathlib import Path

from gateway.scripts.messages import LIMITS, Answer

STRIKES = 3
"""Times that a script may run into a limit …"""

_FORGIVEN = 1 / 20
"""… of which every run that ends well takes so much back …"""

SUSPENDED_S = 60.0
"""… before its uplinks are rejected, unrun, for so long. Then it may try once."""

SLOW_S = 60.0
"""How long a script that needed more than a brief run is kept among its like."""


class Lane(IntEnum):
    """What a script may cost those behind it; those who cost less go first."""

    KNOWN = 0
    """It has ended well, and briefly; it still may have no more than a brief run."""

    NEW = 1
    """It has yet to end well; a brief run it may have."""

    SLOW = 2
    """A brief run was not enough for it: the next one may be as long as the limits are."""


@dataclass(slots=True)
class Conduct:
    """One script of this run.

    Attributes:
        file: as people know it.
        fresh: it decodes what people's devices say, and is loaded anew for each uplink: what it remembers
            of one could come back as another's.
        running: whether a run goes on now.
        strikes: limits run into, less what was forgiven.
        suspended_until: seconds of the monotonic clock.
    """

    file: Path
    text: str
    fresh: bool = False
    digest: str = ""
    running: bool = False
    strikes: float = 0.0
    suspended_until: float = 0.0
    _proven: bool = False
    _slow_until: float = 0.0

    def __post_init__(self) -> None:
        self.digest = sha256(f"{self.file}\0{self.text}".encode()).hexdigest()

    def lane(self, now_s: float) -> Lane:
        """Where it waits for its turn."""
        if now_s < self._slow_until:
            return Lane.SLOW
        return Lane.KNOWN if self._proven else Lane.NEW

    def slow(self, now_s: float) -> None:
        """A brief run was not enough."""
        self._slow_until = now_s + SLOW_S

    def judge(self, answer: Answer, now_s: float) -> bool:
        """Take a run into account that is not tried again; whether the script is suspended for it."""
        if answer.fault not in LIMITS:
            self._proven = True
            self.strikes = max(0.0, self.strikes - _FORGIVEN)
            return False
        self.strikes += 1
        self.slow(now_s)
        if self.strikes < STRIKES:
            return False
        self.suspended_until = now_s + SUSPENDED_S
        self.strikes = STRIKES - 1
        return True
