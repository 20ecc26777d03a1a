"""How a script has behaved, and what it may do for that."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gateway.scripts.messages import LIMITS, Answer

STRIKES = 3
"""Times in a row that a script may run into a limit …"""

SUSPENDED_S = 60.0
"""… before its uplinks are rejected, unrun, for so long. Then it may try once."""

SUSPECT_S = 60.0
"""How long a script that ran into a limit is kept from the last free worker."""


@dataclass(slots=True)
class Conduct:
    """One script of this run.

    Attributes:
        file: as people know it.
        fresh: it decodes what people's devices say, and is loaded anew for each uplink: what it remembers
            of one could come back as another's.
        running: runs going on now.
        strikes: limits run into since the last run that ended well.
        suspended_until: seconds of the monotonic clock.
    """

    file: Path
    text: str
    fresh: bool = False
    digest: str = ""
    running: int = 0
    strikes: int = 0
    suspended_until: float = 0.0
    _proven: bool = False
    _suspect_until: float = 0.0

    def __post_init__(self) -> None:
        self.digest = sha256(f"{self.file}\0{self.text}".encode()).hexdigest()

    def suspect(self, now_s: float) -> bool:
        """Whether it has yet to end well for the first time, or ran into a limit not long ago."""
        return not self._proven or now_s < self._suspect_until

    def judge(self, answer: Answer, now_s: float) -> bool:
        """Take a run into account; whether the script is suspended for it."""
        if answer.fault not in LIMITS:
            self._proven, self.strikes = True, 0
            return False
        self.strikes += 1
        self._suspect_until = now_s + SUSPECT_S
        if self.strikes < STRIKES:
            return False
        self.suspended_until = now_s + SUSPENDED_S
        return True
