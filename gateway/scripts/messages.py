"""What the gateway and its script workers say to each other: one JSON document a frame, its length before it.

0         4
| length  | document …
| u32 BE  |
"""

from enum import StrEnum
from typing import Any

import msgspec

LARGEST_ANSWER = 1 << 19
"""Bytes of a whole answer; what is longer comes from no worker of ours."""

LARGEST_OBJECT = 1 << 16
"""Characters of what a script may answer, as JSON; four bytes each at most."""

HEAD = 4


class Fault(StrEnum):
    """Why a script made no object."""

    SYNTAX = "it cannot be read as JavaScript"
    NO_CODEC = "it defines none of decodeUplink, Decoder and Decode"
    ERROR = "it raised an error"
    NO_OBJECT = "its answer is no object"
    TOO_LARGE = "its answer is too large"
    TIME = "it ran longer than it may"
    MEMORY = "it took more memory than it may"
    STACK = "it called itself too deeply"
    HUNG = "its process did not answer in time, or not in our words"
    DIED = "its process died, twice"
    SUSPENDED = "it is suspended"


LIMITS = frozenset(
    {
        *(Fault.TOO_LARGE, Fault.TIME, Fault.MEMORY, Fault.STACK),
        *(Fault.HUNG, Fault.DIED, Fault.SUSPENDED),
    }
)
"""Faults of a script that costs more than it may, which is a matter of safety."""


class Task(msgspec.Struct, gc=False):
    """One run, or with `data` None the loading alone.

    Attributes:
        digest: names the script's text.
        text: the script itself, the first time that this worker hears of it.
        data: FRMPayload in hexadecimal.
        received_ms: when the uplink came, ms since 1970.
        fresh: nothing that the script remembers of other uplinks may be there.
        brief: it is stopped early; who needs longer is asked again.
    """

    digest: str
    text: str | None = None
    f_port: int = 0
    data: str | None = None
    received_ms: int = 0
    fresh: bool = False
    brief: bool = False

    def __repr__(self) -> str:
        return "<task of a script>"


class Answer(msgspec.Struct, gc=False):
    """What came of it.

    Attributes:
        object: what the script made of the payload.
        warnings, errors: in the vendor's words; a payload with errors is rejected.
        fault: why there is none of these.
        line: of the script, where the engine names one.
        detail: the engine's own words; they may hold parts of a payload, and are for no log.
    """

    object: dict[str, Any] | None = None
    warnings: list[str] = []
    errors: list[str] = []
    fault: Fault | None = None
    line: int | None = None
    detail: str = ""

    def __repr__(self) -> str:
        return "<answer of a script>"


def framed(document: Task | Answer) -> bytes:
    """A document with its length before it."""
    body = msgspec.json.encode(document)
    return len(body).to_bytes(HEAD, "big") + body
