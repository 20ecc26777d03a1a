"""PHYPayload → its parts, nothing checked but the layout (LoRaWAN 1.1 §4, §6.2).

    PHYPayload = MHDR(1) | body | MIC(4)        MHDR = type(3 bits) 000 major(2 bits, 0)

    data       DevAddr(4) FCtrl(1) FCnt(2) FOpts(0..15) [FPort(1) FRMPayload]
    join       JoinEUI(8) DevEUI(8) DevNonce(2)
    rejoin     type(1) NetID(3) DevEUI(8) RJcount0(2), of types 0 and 2; type(1) JoinEUI(8) DevEUI(8) RJcount1(2) of type 1
    accept     encrypted, see `join.py`

All numbers are little endian.
"""

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import NamedTuple, TypeAlias

from gateway.wire.lorawan.identifiers import DevAddr, DevNonce, Eui, NetId

MIC = 4
LONGEST = 255
"""Bytes that LoRa carries at once: its header has eight bits for them (SX1276 datasheet §4.1.1.6)."""

_FHDR = Struct("<4sBH")
_SHORTEST = 1 + _FHDR.size + MIC
_JOIN_REQUEST, _REJOIN_0, _REJOIN_1 = 23, 19, 24
_JOIN_ACCEPTS = (17, 33)


class FrameError(ValueError):
    """These bytes are no LoRaWAN frame; says which rule they break, and nothing of their content."""


class MType(IntEnum):
    """Message types (LoRaWAN 1.1 §4.2.1)."""

    JOIN_REQUEST = 0
    JOIN_ACCEPT = 1
    UNCONFIRMED_UP = 2
    UNCONFIRMED_DOWN = 3
    CONFIRMED_UP = 4
    CONFIRMED_DOWN = 5
    REJOIN_REQUEST = 6
    PROPRIETARY = 7


_MTYPES = tuple(MType)
_UP = (MType.UNCONFIRMED_UP, MType.CONFIRMED_UP)
_CONFIRMED = (MType.CONFIRMED_UP, MType.CONFIRMED_DOWN)
_FLAGS = tuple((n & 8 > 0, n & 4 > 0, n & 2 > 0, n & 1 > 0) for n in range(16))
"""The upper half of FCtrl: ADR, ADRACKReq, ACK, ClassB or FPending."""


class Data(NamedTuple):
    """A data frame, up or down; its payload is still encrypted.

    Attributes:
        mtype: one of the four.
        f_cnt: the counter's low 16 bits.
        f_opts: MAC commands in the header; encrypted in 1.1.
        f_port: None where the frame has none.
        frm_payload: b"" where there is none.
        adr_ack_req: of uplinks; of downlinks always False.
        bit_4: ClassB of uplinks, FPending of downlinks.
        signed: what the MIC was made over.
    """

    mtype: MType
    dev_addr: DevAddr
    adr: bool
    adr_ack_req: bool
    ack: bool
    bit_4: bool
    f_cnt: int
    f_opts: bytes
    f_port: int | None
    frm_payload: bytes
    signed: bytes
    mic: bytes

    @property
    def up(self) -> bool:
        return self.mtype in _UP

    @property
    def confirmed(self) -> bool:
        return self.mtype in _CONFIRMED

    def __repr__(self) -> str:
        return f"<{self.mtype.name} of {self.dev_addr}>"


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """Who wants to join."""

    join_eui: Eui
    dev_eui: Eui
    dev_nonce: DevNonce
    signed: bytes
    mic: bytes


@dataclass(frozen=True, slots=True)
class JoinAccept:
    """An answer to a join, still encrypted.

    Attributes:
        encrypted: 16 or 32 bytes; the MIC is among them.
    """

    encrypted: bytes


@dataclass(frozen=True, slots=True)
class RejoinRequest:
    """A device that wants a new session or reminds of its old one (1.1 §6.2.4).

    Attributes:
        sort: 0, 1 or 2.
        net_id: of types 0 and 2.
        join_eui: of type 1.
        count: RJcount0 or RJcount1.
    """

    sort: int
    net_id: NetId | None
    join_eui: Eui | None
    dev_eui: Eui
    count: int
    signed: bytes
    mic: bytes


@dataclass(frozen=True, slots=True)
class Proprietary:
    """Somebody's own: counted, and read by nobody."""

    body: bytes


Frame: TypeAlias = Data | JoinRequest | JoinAccept | RejoinRequest | Proprietary


def parse(phy: bytes) -> Frame:
    """The parts of a frame.

    Raises:
        FrameError: not of the layout.
    """
    if not 0 < len(phy) <= LONGEST:
        raise FrameError(f"a frame has 1 to {LONGEST} bytes")
    head = phy[0]
    mtype = _MTYPES[head >> 5]
    if mtype is MType.PROPRIETARY:
        return Proprietary(phy[1:-MIC])
    if head & 0x1F:
        raise FrameError("major version: only 0 (LoRaWAN R1) is known")
    if mtype is MType.JOIN_REQUEST:
        return _join_request(phy)
    if mtype is MType.JOIN_ACCEPT:
        if len(phy) not in _JOIN_ACCEPTS:
            raise FrameError("a join-accept has 17 or 33 bytes")
        return JoinAccept(phy[1:])
    if mtype is MType.REJOIN_REQUEST:
        return _rejoin_request(phy)
    return _data(phy, mtype)


def _data(phy: bytes, mtype: MType) -> Data:
    if len(phy) < _SHORTEST:
        raise FrameError(f"a data frame has {_SHORTEST} bytes at least")
    address, control, f_cnt = _FHDR.unpack_from(phy, 1)
    opts = 1 + _FHDR.size
    end = len(phy) - MIC
    port = opts + (control & 0x0F)
    if port > end:
        raise FrameError("FOpts reach into the MIC")
    f_port = phy[port] if port < end else None
    if f_port == 0 and port > opts:
        raise FrameError("MAC commands stand in FOpts and on port 0")
    adr, asks, ack, bit_4 = _FLAGS[control >> 4]
    return Data(
        *(mtype, DevAddr.sent(address), adr, asks and mtype in _UP, ack, bit_4, f_cnt),
        *(phy[opts:port], f_port, phy[port + 1 : end], phy[:end], phy[end:]),
    )


def _join_request(phy: bytes) -> JoinRequest:
    if len(phy) != _JOIN_REQUEST:
        raise FrameError(f"a join-request has {_JOIN_REQUEST} bytes")
    return JoinRequest(
        Eui.sent(phy[1:9]), Eui.sent(phy[9:17]), DevNonce.sent(phy[17:19]), phy[:-MIC], phy[-MIC:]
    )


def _rejoin_request(phy: bytes) -> RejoinRequest:
    sort = phy[1] if len(phy) > 1 else -1
    if sort not in (0, 1, 2) or len(phy) != (_REJOIN_1 if sort == 1 else _REJOIN_0):
        raise FrameError("a rejoin-request has 19 bytes (types 0 and 2) or 24 (type 1)")
    whose = 10 if sort == 1 else 5
    return RejoinRequest(
        sort,
        None if sort == 1 else NetId.sent(phy[2:5]),
        Eui.sent(phy[2:10]) if sort == 1 else None,
        Eui.sent(phy[whose : whose + 8]),
        int.from_bytes(phy[whose + 8 : whose + 10], "little"),
        phy[:-MIC],
        phy[-MIC:],
    )
