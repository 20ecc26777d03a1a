"""Semtech's UDP protocol between forwarders and servers (GWMP, `PROTOCOL.TXT` of packet_forwarder 4.0.1).

    PUSH_DATA  version token(2) 00 EUI(8) JSON      PUSH_ACK  version token 01
    PULL_DATA  version token(2) 02 EUI(8)           PULL_ACK  version token 04
    TX_ACK     version token(2) 05 EUI(8) [JSON]    PULL_RESP version token 03 JSON

Version 2, and 1, which is the same here. The EUI is big endian. PUSH_DATA carries `rxpk` (uplinks heard) and `stat`.
A receiver answers with the token that it was sent; one uplink that cannot be read never costs its neighbours.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import msgspec

from gateway.wire.gwmp.rxpk import DatagramError, Heard, read_rxpk
from gateway.wire.lorawan.identifiers import Eui

LARGEST = 65_507
"""Bytes of a datagram; UDP carries no more."""

MOST_RXPK = 64
"""Uplinks of one datagram that are read; a concentrator hears eight at once."""

_WORDS = {
    *("", "TOO_LATE", "TOO_EARLY", "COLLISION_PACKET", "COLLISION_BEACON"),
    *("TX_FREQ", "TX_POWER", "GPS_UNLOCKED"),
}
"""What TX_ACK may say; a word is counted and logged, so whoever speaks does not choose it."""

_ANOTHER = "ANOTHER_WORD"

_VERSIONS = (1, 2)
_PUSH_DATA, _PUSH_ACK, _PULL_DATA, _PULL_RESP, _PULL_ACK, _TX_ACK = range(6)


class Push(NamedTuple):
    """PUSH_DATA.

    Attributes:
        refused: why uplinks of this datagram could not be read, each.
        stat: the forwarder's own counts; None where it sent none.
    """

    version: int
    token: bytes
    forwarder: Eui
    heard: tuple[Heard, ...]
    refused: tuple[str, ...]
    stat: Mapping[str, Any] | None


class Pull(NamedTuple):
    """PULL_DATA: keeps the way back open."""

    version: int
    token: bytes
    forwarder: Eui


class TxAck(NamedTuple):
    """What became of a PULL_RESP.

    Attributes:
        error: "" where it was taken; else the forwarder's word, TOO_LATE, TOO_EARLY, COLLISION_PACKET …;
            ANOTHER_WORD for one that the protocol does not have.
        warning: it was taken, and sent otherwise than asked for (TX_POWER); "" where there is none.
        value: what it was sent with instead.
    """

    version: int
    token: bytes
    forwarder: Eui
    error: str
    warning: str
    value: float | None


Upward: TypeAlias = Push | Pull | TxAck


class _Body(msgspec.Struct, gc=False):
    rxpk: list[msgspec.Raw] = []
    stat: dict[str, Any] | None = None


class _Verdict(msgspec.Struct, gc=False):
    error: str = ""
    warn: str = ""
    value: float | None = None


class _Ack(msgspec.Struct, gc=False):
    txpk_ack: _Verdict = msgspec.field(default_factory=_Verdict)


_body = msgspec.json.Decoder(_Body).decode
_ack = msgspec.json.Decoder(_Ack).decode


def read(datagram: bytes) -> Upward:
    """What a forwarder sent.

    Raises:
        DatagramError: it is none of the three things that a forwarder sends.
    """
    if len(datagram) < 12:
        raise DatagramError("shorter than its head of twelve bytes")
    version, token, sort = datagram[0], datagram[1:3], datagram[3]
    if version not in _VERSIONS:
        raise DatagramError("version: only 1 and 2 are known")
    forwarder = Eui(datagram[4:12])
    if sort == _PULL_DATA:
        return Pull(version, token, forwarder)
    if sort == _PUSH_DATA:
        return _push(version, token, forwarder, datagram[12:])
    if sort == _TX_ACK:
        said = _acknowledged(datagram[12:])
        return TxAck(version, token, forwarder, said.error, said.warn, said.value)
    raise DatagramError("sort: a forwarder sends PUSH_DATA, PULL_DATA and TX_ACK")


def push_ack(push: Push) -> bytes:
    """The answer to PUSH_DATA; it says no more than that the datagram arrived."""
    return bytes((push.version,)) + push.token + bytes((_PUSH_ACK,))


def pull_ack(pull: Pull) -> bytes:
    """The answer to PULL_DATA."""
    return bytes((pull.version,)) + pull.token + bytes((_PULL_ACK,))


def pull_resp(version: int, token: bytes, txpk: "Transmission") -> bytes:
    """A downlink on its way to a forwarder."""
    return bytes((version,)) + token + bytes((_PULL_RESP,)) + _txpk(txpk)


class Transmission(NamedTuple):
    """A downlink as a forwarder is asked to send it (`txpk`).

    Attributes:
        tmst: when, by the concentrator's counter; None sends at once.
        power_dbm: EIRP less the antenna's gain, as the forwarder counts it.
        datr: "SF9BW125".
    """

    phy: bytes
    tmst: int | None
    freq_hz: int
    power_dbm: int
    datr: str
    codr: str = "4/5"


def _txpk(txpk: Transmission) -> bytes:
    when: dict[str, Any] = {"imme": True} if txpk.tmst is None else {"tmst": txpk.tmst & 0xFFFFFFFF}
    return msgspec.json.encode(
        {
            "txpk": {
                **when,
                "freq": txpk.freq_hz / 1e6,
                "rfch": 0,
                "powe": txpk.power_dbm,
                "modu": "LORA",
                "datr": txpk.datr,
                "codr": txpk.codr,
                "ipol": True,
                "ncrc": True,
                "size": len(txpk.phy),
                "data": b64encode(txpk.phy).decode(),
            }
        }
    )


def _push(version: int, token: bytes, forwarder: Eui, body: bytes) -> Push:
    try:
        said = _body(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise DatagramError("PUSH_DATA: not a JSON object with rxpk or stat") from None
    heard: list[Heard] = []
    refused: list[str] = []
    for number, raw in enumerate(said.rxpk):
        if number == MOST_RXPK:
            refused.append(f"rxpk: more than {MOST_RXPK} in one datagram")
            break
        try:
            heard.append(read_rxpk(raw))
        except DatagramError as error:
            refused.append(str(error))
    return Push(version, token, forwarder, tuple(heard), tuple(refused), said.stat)


def _acknowledged(body: bytes) -> _Verdict:
    """Nothing, or next to nothing (some forwarders pad), says that all is well; so does the word NONE."""
    body = body.strip(b"\x00 \r\n\t")
    if len(body) < 2:
        return _Verdict()
    try:
        said = _ack(body).txpk_ack
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise DatagramError("TX_ACK: not a JSON object") from None
    error = "" if said.error == "NONE" else said.error
    return _Verdict(_word(error), _word(said.warn), said.value)


def _word(said: str) -> str:
    return said if said in _WORDS else _ANOTHER
