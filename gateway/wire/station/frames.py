"""Frames that a station took apart, put together again byte for byte.

    jreq rejoin    MHdr JoinEui DevEui DevNonce MIC
    updf dndf      MHdr DevAddr FCtrl FCnt FOpts FPort FRMPayload MIC
    propdf jacc    FRMPayload: all of the frame

FOpts and FRMPayload are hexadecimal digits. DevAddr and MIC are their little endian bytes as a signed number. FPort is
-1 where the frame has none. A station whose configuration said `JoinEUI` writes JoinEUI and DevEUI.
Source: `src/lora.c` of Basics Station 2.0.6.
"""

from binascii import Error as HexError
from binascii import unhexlify
from typing import Annotated, TypeAlias

import msgspec

from gateway.wire.lorawan.frames import MType
from gateway.wire.station.errors import MessageError
from gateway.wire.station.eui import read_eui

LONGEST = 255
"""Bytes of a frame; LoRa's own length has eight bits."""

Byte: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=0xFF)]
Short: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
Word: TypeAlias = Annotated[int, msgspec.Meta(ge=-(1 << 31), le=0xFFFFFFFF)]
Long: TypeAlias = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
"""What is outside these, or written as a decimal fraction, is refused and never rounded."""


class UpInfo(msgspec.Struct, gc=False):
    """`upinfo`: how a frame was heard.

    Attributes:
        xtime: the concentrator's time and whose time that is, in µs; goes back untouched with an answer.
        rctx: which antenna.
        gpstime: µs of GPS time; 0 where the station has none.
    """

    xtime: Long
    rssi: Annotated[float, msgspec.Meta(ge=-300, le=100)]
    snr: Annotated[float, msgspec.Meta(ge=-100, le=100)]
    rctx: Long = 0
    gpstime: Long = 0


class _Heard(msgspec.Struct, gc=False, rename={"dr": "DR", "freq_hz": "Freq"}, tag_field="msgtype"):
    """What stands beside every frame."""

    dr: Byte
    freq_hz: Annotated[int, msgspec.Meta(gt=0, le=0xFFFFFFFF)]
    upinfo: UpInfo


class _Join(
    _Heard,
    gc=False,
    rename={"mhdr": "MHdr", "join_eui": "JoinEui", "join_eui_too": "JoinEUI", "dev_eui": "DevEui", "dev_eui_too": "DevEUI", "nonce": "DevNonce", "mic": "MIC"},
):  # fmt: skip
    mhdr: Byte
    nonce: Short
    mic: Word
    join_eui: str | int | None = None
    join_eui_too: str | int | None = None
    dev_eui: str | int | None = None
    dev_eui_too: str | int | None = None

    def frame(self, mtype: MType) -> bytes:
        head = _head(self.mhdr, mtype)
        join_eui = self.join_eui_too if self.join_eui is None else self.join_eui
        dev_eui = self.dev_eui_too if self.dev_eui is None else self.dev_eui
        if join_eui is None or dev_eui is None:
            raise MessageError("JoinEui or DevEui: missing")
        nonce = self.nonce.to_bytes(2, "little")
        return head + read_eui(join_eui).wire + read_eui(dev_eui).wire + nonce + _word(self.mic)


class _Data(
    _Heard,
    gc=False,
    rename={"mhdr": "MHdr", "addr": "DevAddr", "ctrl": "FCtrl", "cnt": "FCnt", "opts": "FOpts", "port": "FPort", "payload": "FRMPayload", "mic": "MIC"},
):  # fmt: skip
    mhdr: Byte
    addr: Word
    ctrl: Byte
    cnt: Short
    opts: str
    port: Annotated[int, msgspec.Meta(ge=-1, le=0xFF)]
    payload: str
    mic: Word

    def frame(self, *mtypes: MType) -> bytes:
        opts, payload = _hex(self.opts, "FOpts"), _hex(self.payload, "FRMPayload")
        if len(opts) != self.ctrl & 0x0F:
            raise MessageError("FOpts: of another length than FCtrl says")
        if self.port < 0 and payload:
            raise MessageError("FRMPayload: without an FPort")
        return b"".join(
            (
                *(_head(self.mhdr, *mtypes), _word(self.addr), bytes((self.ctrl,))),
                *(self.cnt.to_bytes(2, "little"), opts),
                *(b"" if self.port < 0 else bytes((self.port,)), payload, _word(self.mic)),
            )
        )


class _Whole(_Heard, gc=False, rename={"payload": "FRMPayload"}):
    payload: str

    def frame(self, mtype: MType) -> bytes:
        frame = _hex(self.payload, "FRMPayload")
        return _head(frame[0] if frame else 0, mtype) + frame[1:]


class JoinRequest(_Join, gc=False, tag="jreq"):
    """Somebody wants to join."""

    def phy(self) -> bytes:
        return self.frame(MType.JOIN_REQUEST)


class Rejoin(_Join, gc=False, tag="rejoin"):
    """Taken apart as if it were a join-request, and put together as one."""

    def phy(self) -> bytes:
        return self.frame(MType.REJOIN_REQUEST)


class UpData(_Data, gc=False, tag="updf"):
    """A data frame of a device."""

    def phy(self) -> bytes:
        return self.frame(MType.UNCONFIRMED_UP, MType.CONFIRMED_UP)


class DownData(_Data, gc=False, tag="dndf"):
    """A data frame to a device, sent by somebody else's forwarder."""

    def phy(self) -> bytes:
        return self.frame(MType.UNCONFIRMED_DOWN, MType.CONFIRMED_DOWN)


class Proprietary(_Whole, gc=False, tag="propdf"):
    """A frame of no known layout."""

    def phy(self) -> bytes:
        return self.frame(MType.PROPRIETARY)


class Accept(_Whole, gc=False, tag="jacc"):
    """A join-accept, sent by somebody else's forwarder."""

    def phy(self) -> bytes:
        return self.frame(MType.JOIN_ACCEPT)


Uplink: TypeAlias = JoinRequest | Rejoin | UpData | DownData | Proprietary | Accept
"""Each has `phy()`: the frame's bytes, or `MessageError`."""


def _head(mhdr: int, *mtypes: MType) -> bytes:
    if mhdr >> 5 not in mtypes:
        raise MessageError("MHdr: of another sort of frame than msgtype")
    return bytes((mhdr,))


def _word(number: int) -> bytes:
    return (number & 0xFFFFFFFF).to_bytes(4, "little")


def _hex(text: str, where: str) -> bytes:
    if len(text) > 2 * LONGEST:
        raise MessageError(f"{where}: longer than a frame")
    try:
        return unhexlify(text)
    except (HexError, ValueError):
        raise MessageError(f"{where}: not hexadecimal digits in pairs") from None
