"""QoS 2 on the receiving side (§4.3.3): which publishes wait for their PUBREL. No I/O.

A session keeps the packet identifiers, so that an exchange goes on over a reconnect; a restart forgets
them, and then the key of the row recognises what comes again.
"""

from collections.abc import Iterable

from gateway.model.reason import Reason
from gateway.sessions.session import Session
from gateway.transports.mqtt_listener.answers import REFUSED
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.bodies import V5
from gateway.wire.mqtt.codes import Code

_PUBACKS = b"".join(encode.puback(V5, n) for n in range(0x1_0000))
"""Every PUBACK of a success, the same in both versions, four bytes each: a slice of it costs less than
making one, and less memory than keeping each by itself."""


MOST = 8192
"""QoS 2 publishes of one client without their PUBREL; MQTT 3.1.1 has no receive maximum to bound them."""


def answer(number: int) -> bytes:
    """The answer to a publish that succeeded: PUBACK under its packet identifier, PUBREC under the negative."""
    return _PUBACKS[4 * number : 4 * number + 4] if number > 0 else encode.pubrec(V5, -number)


def answers(numbers: Iterable[int | None]) -> bytes:
    """Those of many publishes, in order; None is owed nothing."""
    return b"".join(
        [
            _PUBACKS[4 * n : 4 * n + 4] if n > 0 else encode.pubrec(V5, -n)
            for n in numbers
            if n is not None
        ]
    )


def settled(ids: Iterable[int | None], refused: dict[int, Reason], version: int) -> bytes:
    """The answers to a chunk that is done, in order: MQTT 5 says of each what was refused."""
    if not refused or version != V5:
        return answers(ids)
    return b"".join(
        [
            refusal(n, refused[at]) if at in refused else answer(n)
            for at, n in enumerate(ids)
            if n is not None
        ]
    )


def still_due(
    session: Session, ids: Iterable[int | None], refused: dict[int, Reason], version: int
) -> tuple[bytes, int]:
    """The answers of QoS 2 to a chunk whose connection is gone, and how many exchanges they end."""
    due = [
        (refusal(n, refused[at]), 1) if at in refused and version == V5 else (answer(n), 0)
        for at, n in enumerate(ids)
        if n is not None and n < 0 and -n in session.receiving
    ]
    return b"".join([answer for answer, _ in due]), sum(ended for _, ended in due)


def begin(session: Session, packet_id: int, *, dup: bool) -> bool:
    """A QoS 2 publish came; whether it is new. One that came before is not handed over again.

    Without DUP it is new whatever its identifier (§3.3.1.1): a device that rebooted counts from 1 again
    in a session that it has forgotten, and answering it unread would lose its uplink.
    """
    if dup and packet_id in session.receiving:
        return False
    session.receiving[packet_id] = False
    return True


def due(session: Session, packet_id: int) -> bool:
    """Whether a publish that came again is committed, so that its PUBREC is due once more."""
    return session.receiving.get(packet_id, False)


def committed(
    session: Session, ids: Iterable[int | None], refused: dict[int, Reason], version: int
) -> None:
    """Uplinks are on disk, or refused: MQTT 5 ends the exchange of what is refused (§4.3.3)."""
    receiving = session.receiving
    for at, number in enumerate(ids):
        if number is None or number > 0 or -number not in receiving:
            continue
        if at in refused and version == V5:
            del receiving[-number]
        else:
            receiving[-number] = True


def refusal(number: int, reason: Reason) -> bytes:
    """The MQTT 5 answer to a refused publish; it knows from the sign which QoS it had."""
    code = REFUSED.get(reason, Code.PAYLOAD_FORMAT_INVALID)
    return encode.puback(V5, number, code) if number > 0 else encode.pubrec(V5, -number, code)


def ended(session: Session, ids: list[int | None], refused: dict[int, Reason]) -> int:
    """How many publishes have got their last answer: at QoS 2 only a refusal is one."""
    if not session.receiving and not refused:
        return len(ids) - ids.count(None)
    return sum(n is not None and (n > 0 or at in refused) for at, n in enumerate(ids))


def release(session: Session, packet_id: int) -> Code:
    """PUBREL: the reason of its PUBCOMP (§3.7.2.1); a protocol error where no PUBREC was sent yet."""
    state = session.receiving.get(packet_id)
    if state is None:
        return Code.PACKET_ID_NOT_FOUND
    if not state:
        return Code.PROTOCOL_ERROR
    del session.receiving[packet_id]
    return Code.SUCCESS
