"""One MQTT connection that was accepted, or why there is none."""

import asyncio
from contextlib import suppress
from typing import NamedTuple

from gateway.model.errors import Refusal
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.fields import RECEIVE_MAXIMUM
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import ConnAck, Packet
from simulators.outlets.endpoint import Endpoint

LIMIT = 1 << 16
"""Bytes of the largest packet we take, and of one read."""

_CONNECT_S = 10.0
_FOREVER = {
    5: {0x81, 0x82, 0x84, 0x85, 0x86, 0x87, 0x8C},
    4: {1, 2, 4, 5},
}
"""Version → CONNACK codes after which trying again changes nothing."""


class Lost(Exception):
    """The connection is gone; another will be made."""


class Line(NamedTuple):
    """A connection whose CONNECT was accepted.

    Attributes:
        early: packets that came right behind the CONNACK.
        receive_maximum: uplinks that the other side takes unacknowledged.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    framer: Framer
    early: list[Packet]
    receive_maximum: int


async def shake_hands(end: Endpoint, *, patient: bool) -> Line:
    """Connect.

    Args:
        patient: a credential that is refused may be accepted later.

    Raises:
        Refusal: the credential is refused for good.
        Lost, OSError, TimeoutError: not now.
    """
    async with asyncio.timeout(_CONNECT_S):
        reader, writer = await asyncio.open_connection(end.host, end.port, ssl=end.tls)
        try:
            who = (end.client_id, end.username, end.password, end.keep_alive_s)
            writer.write(encode.connect(end.version, *who))
            framer = Framer(LIMIT, end.version)
            packets: list[Packet] = []
            while not packets:
                data = await reader.read(LIMIT)
                if not data:
                    raise Lost("the other side hung up before it answered")
                packets = framer.feed(data)
            accepted = _accepted(packets[0], end, patient=patient)
        except BaseException:
            await hang_up(writer)
            raise
    maximum: int = accepted.properties.get(RECEIVE_MAXIMUM, 0xFFFF)
    return Line(reader, writer, framer, packets[1:], maximum)


def _accepted(packet: Packet, end: Endpoint, *, patient: bool) -> ConnAck:
    if not isinstance(packet, ConnAck):
        raise Lost("the other side does not speak MQTT")
    if packet.reason in _FOREVER[end.version] and not patient:
        raise Refusal(
            f"{end.host}:{end.port} refuses this credential (CONNACK 0x{packet.reason:02X}). Register the "
            "fleet there (--register), or give --user and --password-file."
        )
    if packet.reason:
        raise Lost(f"CONNACK 0x{packet.reason:02X}")
    return packet


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close, and wait until it is."""
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
