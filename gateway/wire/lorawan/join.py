"""Joins: the answer to a join-request, and the keys that both sides derive (LoRaWAN 1.0.4 §6.2, 1.1 §6.1.1, §6.2).

    accept = 20 | AES-decrypt(key, JoinNonce(3) NetID(3) DevAddr(4) DLSettings(1) RxDelay(1) [CFList(16)] MIC(4))

A server decrypts what it has in plain, so that a device, which can only encrypt, reads it.
"""

from dataclasses import dataclass, replace

from gateway.wire.lorawan.crypto import Key
from gateway.wire.lorawan.frames import MIC, FrameError
from gateway.wire.lorawan.identifiers import DevAddr, DevNonce, Eui, JoinNonce, NetId

_MHDR = b"\x20"
_OPT_NEG = 0x80
JOIN_REQUEST_TYPE = 0xFF
"""JoinReqType of an answer to a join-request; 0, 1 and 2 are rejoins (1.1 §6.2.3)."""


@dataclass(frozen=True, slots=True)
class Accept:
    """What a join-accept says.

    Attributes:
        dl_settings: OptNeg (1.1), RX1DROffset, RX2DataRate.
        rx_delay: seconds to RX1; 0 means 1.
        cf_list: 16 bytes, or b"".
    """

    join_nonce: JoinNonce
    net_id: NetId
    dev_addr: DevAddr
    dl_settings: int = 0
    rx_delay: int = 1
    cf_list: bytes = b""

    @property
    def is_1_1(self) -> bool:
        """Whether its MIC and its keys are those of LoRaWAN 1.1."""
        return bool(self.dl_settings & _OPT_NEG)

    @property
    def body(self) -> bytes:
        """Everything but the MIC."""
        return (
            self.join_nonce.wire
            + self.net_id.wire
            + self.dev_addr.wire
            + bytes((self.dl_settings, self.rx_delay))
            + self.cf_list
        )


def accept_mic(key: Key, accept: Accept) -> bytes:
    """The MIC of an answer of 1.0: by AppKey (by NwkKey, of a 1.1 device in a 1.0 network)."""
    return key.cmac(_MHDR, accept.body)[:MIC]


def accept_mic_1_1(
    js_int_key: Key, accept: Accept, join_eui: Eui, dev_nonce: DevNonce, sort: int = JOIN_REQUEST_TYPE
) -> bytes:  # fmt: skip
    """The MIC of an answer of 1.1, OptNeg set."""
    return js_int_key.cmac(
        bytes((sort,)), join_eui.wire, dev_nonce.wire, _MHDR, accept.body
    )[:MIC]  # fmt: skip


def seal(key: Key, accept: Accept, mic: bytes) -> bytes:
    """The frame as it goes out.

    Args:
        key: AppKey of 1.0, NwkKey of 1.1 (JSEncKey for a rejoin).
    """
    return _MHDR + key.decrypt(accept.body + mic)


def unseal(key: Key, encrypted: bytes) -> tuple[Accept, bytes]:
    """What a device reads: the answer, and its MIC, unchecked.

    Raises:
        FrameError: no answer has this length.
    """
    return read(key.encrypt(encrypted))


def read(plain: bytes) -> tuple[Accept, bytes]:
    """An answer in plain, without MHDR, and its MIC.

    Raises:
        FrameError: no answer has this length.
    """
    if len(plain) not in (16, 32):
        raise FrameError("a join-accept has 17 or 33 bytes")
    accept = Accept(
        JoinNonce.sent(plain[0:3]),
        NetId.sent(plain[3:6]),
        DevAddr.sent(plain[6:10]),
        plain[10],
        plain[11],
        plain[12:-MIC],
    )
    return accept, plain[-MIC:]


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """The keys of one session; in 1.0 the three of the network are one and the same (NwkSKey)."""

    f_nwk_s_int: Key
    s_nwk_s_int: Key
    nwk_s_enc: Key
    app_s: Key
    is_1_1: bool

    def __repr__(self) -> str:
        return "<session keys>"

    @property
    def backwards(self) -> "SessionKeys":
        """The same with their bytes in the other order, as they are often written down."""
        return replace(
            self,
            f_nwk_s_int=self.f_nwk_s_int.backwards,
            s_nwk_s_int=self.s_nwk_s_int.backwards,
            nwk_s_enc=self.nwk_s_enc.backwards,
            app_s=self.app_s.backwards,
        )


def session_keys(app_key: Key, join_nonce: JoinNonce, net_id: NetId, dev_nonce: DevNonce) -> SessionKeys:  # fmt: skip
    """Keys of 1.0: AES(AppKey; 01 or 02 | JoinNonce | NetID | DevNonce | zeros)."""
    rest = join_nonce.wire + net_id.wire + dev_nonce.wire + bytes(7)
    nwk = Key(app_key.encrypt(b"\x01" + rest))
    return SessionKeys(nwk, nwk, nwk, Key(app_key.encrypt(b"\x02" + rest)), is_1_1=False)


def session_keys_1_1(
    nwk_key: Key, app_key: Key, join_nonce: JoinNonce, join_eui: Eui, dev_nonce: DevNonce
) -> SessionKeys:
    """Keys of 1.1: AES(NwkKey, of AppSKey AppKey; 01 … 04 | JoinNonce | JoinEUI | DevNonce | zeros)."""
    rest = join_nonce.wire + join_eui.wire + dev_nonce.wire + bytes(2)
    return SessionKeys(
        f_nwk_s_int=Key(nwk_key.encrypt(b"\x01" + rest)),
        s_nwk_s_int=Key(nwk_key.encrypt(b"\x03" + rest)),
        nwk_s_enc=Key(nwk_key.encrypt(b"\x04" + rest)),
        app_s=Key(app_key.encrypt(b"\x02" + rest)),
        is_1_1=True,
    )


def js_int_key(nwk_key: Key, dev_eui: Eui) -> Key:
    """What signs the answers of 1.1: AES(NwkKey; 06 | DevEUI | zeros)."""
    return Key(nwk_key.encrypt(b"\x06" + dev_eui.wire + bytes(7)))


def js_enc_key(nwk_key: Key, dev_eui: Eui) -> Key:
    """What encrypts the answers to rejoins: AES(NwkKey; 05 | DevEUI | zeros)."""
    return Key(nwk_key.encrypt(b"\x05" + dev_eui.wire + bytes(7)))
