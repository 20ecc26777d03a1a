"""One captured frame → the TCP segment in it.

Sources: link types by their number in libpcap (`DLT_*`; LINKTYPE pages of tcpdump.org), RFC 791, RFC 8200, RFC 9293.
"""

from typing import NamedTuple

_ETHERNET, _SLL, _SLL2, _NULL, _LOOP = 1, 113, 276, 0, 108
_BARE = frozenset({12, 14, 101, 228, 229})
_VLAN = frozenset({0x8100, 0x88A8, 0x9100})
_IP = frozenset({0x0800, 0x86DD})
_TCP = 6
_PASSED = frozenset({0, 43, 60})
"""Extension headers of IPv6 that may stand before TCP: hop-by-hop, routing, destination options."""


class Segment(NamedTuple):
    """What one end sent to the other: an end is its address and its port, as they stand in the headers.

    Attributes:
        sequence, acknowledged: numbers modulo 2³².
        data: what was captured of it; shorter than it was where the capture cut frames.
    """

    source: tuple[bytes, int]
    target: tuple[bytes, int]
    sequence: int
    acknowledged: int | None
    begins: bool
    data: bytes

    def __repr__(self) -> str:
        return f"<TCP segment, {len(self.data)} bytes>"


def segment(link: int, frame: bytes) -> Segment | None:
    """The segment in a frame; None where there is none, or none that is whole up to its data.

    Args:
        link: the capture's link type.
    """
    packet = _network(link, frame)
    if len(packet) < 20:
        return None
    if packet[0] >> 4 == 4:
        return _from_4(packet)
    return _from_6(packet) if packet[0] >> 4 == 6 else None


def _network(link: int, frame: bytes) -> bytes:
    """The IP packet in a frame; b"" where it carries something else."""
    if link in _BARE:
        return frame
    if link in (_NULL, _LOOP):
        return frame[4:]
    if link == _SLL:
        return frame[16:] if _u16(frame, 14) in _IP else b""
    if link == _SLL2:
        return frame[20:] if _u16(frame, 0) in _IP else b""
    if link != _ETHERNET:
        return b""
    at = 12
    while _u16(frame, at) in _VLAN:
        at += 4
    return frame[at + 2 :] if _u16(frame, at) in _IP else b""


def _from_4(packet: bytes) -> Segment | None:
    head = (packet[0] & 0x0F) * 4
    total = _u16(packet, 2) or len(packet)  # 0: left to the network card
    in_parts = _u16(packet, 6) & 0x3FFF
    if packet[9] != _TCP or in_parts or not 20 <= head <= len(packet):
        return None
    return _tcp(packet[12:16], packet[16:20], packet[head:total])


def _from_6(packet: bytes) -> Segment | None:
    following, at = packet[6], 40
    total = at + _u16(packet, 4) if _u16(packet, 4) else len(packet)
    while following in _PASSED and at + 8 <= len(packet):
        following, at = packet[at], at + 8 + packet[at + 1] * 8
    if following != _TCP:
        return None
    return _tcp(packet[8:24], packet[24:40], packet[at:total])


def _tcp(source: bytes, target: bytes, said: bytes) -> Segment | None:
    if len(said) < 20:
        return None
    head = (said[12] >> 4) * 4
    if not 20 <= head <= len(said):
        return None
    acknowledged = int.from_bytes(said[8:12], "big") if said[13] & 0x10 else None
    return Segment(
        (source, _u16(said, 0)),
        (target, _u16(said, 2)),
        int.from_bytes(said[4:8], "big"),
        acknowledged,
        bool(said[13] & 0x02),
        said[head:],
    )


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")
