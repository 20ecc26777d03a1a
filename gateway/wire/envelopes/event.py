"""What an envelope says, whichever server wrote it."""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, TypeAlias

from gateway.model.errors import PayloadError
from gateway.model.forwarded import Forwarded
from gateway.model.instant import Instant
from gateway.model.reason import Reason


class Event(Enum):
    """What happened; only uplinks are decoded, everything else is counted by its name."""

    UPLINK = "uplink"
    JOIN = "join"
    STATUS = "status"
    ACK = "ack"
    SENT = "sent"
    LOG = "log"
    LOCATION = "location"
    OTHER = "other"


class Reception(NamedTuple):
    """One forwarder that heard it: for radio health alone, never beside a device.

    Attributes:
        forwarder: its id as the server spells it, in lower case.
        rssi_dbm, snr_db: None where the server does not say.
        at: the forwarder's own clock (only with GNSS is it to be believed); None without.
    """

    forwarder: str
    rssi_dbm: float | None
    snr_db: float | None
    at: Instant | None = None


Heard: TypeAlias = Callable[[], tuple[Reception, ...]]
"""Who heard an uplink, read when somebody asks: it is most of a document, and few want it."""


def nobody() -> tuple[Reception, ...]:
    """No forwarder."""
    return ()


class Enclosed(NamedTuple):
    """One opened envelope.

    Attributes:
        event: what it tells of.
        dev_eui: 16 lower-case hexadecimal digits; "" where the document does not say, and then:
        name: what the server calls the device.
        uplink: of an uplink, what the device said.
        heard: who heard it.
    """

    event: Event
    dev_eui: str
    uplink: Forwarded | None = None
    heard: Heard = nobody
    name: str = ""

    def __repr__(self) -> str:
        return f"<{self.event.value}>"


Open: TypeAlias = Callable[[str, bytes], Enclosed]
"""Topic ("" where there is none) and document → what is in it. Raises `PayloadError`, UNDECODABLE."""


def unreadable(where: str) -> PayloadError:
    """The envelope cannot be opened: the name of the field, or of the document."""
    return PayloadError(Reason.UNDECODABLE, where)
