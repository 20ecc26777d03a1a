"""AES-CMAC and the key stream of LoRaWAN, with contexts that are made once per key and copied per frame.

    B0  49 | ConfFCnt(2) | TxDr | TxCh | dir | DevAddr(4) | FCnt(4) | 00 | length      the first block of a MIC
    A_i 01 | 00 00 00 sort | dir | DevAddr(4) | FCnt(4) | 00 | i                       the i-th block of the stream

`dir` is 0 up, 1 down; ConfFCnt, TxDr and TxCh are 0 but in 1.1 (LoRaWAN 1.0.4 §4.3.3, §4.4; 1.1 §4.3.1.6, §4.3.3, §4.4).
"""

from struct import Struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.cmac import CMAC

from gateway.wire.lorawan.identifiers import DevAddr

UP, DOWN = 0, 1
BLOCK = 16
_MIC = 4
_B0 = Struct("<BHBBB4sIBB")
_A = Struct("<BIB4sIBB")


class Key:
    """One AES-128 key, ready for use; never shown.

    Args:
        secret: 16 bytes.

    Raises:
        ValueError: not 16 bytes.
    """

    __slots__ = ("_encrypt", "_mac", "secret")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != BLOCK:
            raise ValueError("a LoRaWAN key has 16 bytes")
        self.secret = secret
        self._mac = CMAC(AES(secret))
        self._encrypt = Cipher(AES(secret), ECB()).encryptor()  # noqa: S305 one block, as LoRaWAN has it

    def __repr__(self) -> str:
        return "<key>"

    @property
    def backwards(self) -> "Key":
        """The same with its bytes in the other order: a usual mistake in writing one down."""
        return Key(self.secret[::-1])

    def cmac(self, *parts: bytes) -> bytes:
        """AES-CMAC (RFC 4493) over the parts, 16 bytes."""
        mac = self._mac.copy()
        mac.update(parts[0] if len(parts) == 1 else b"".join(parts))
        return mac.finalize()

    def encrypt(self, blocks: bytes) -> bytes:
        """AES, block by block."""
        return self._encrypt.update(blocks)

    def decrypt(self, blocks: bytes) -> bytes:
        """The reverse; only a server does it, to a join-accept (1.1 §6.2.3)."""
        return Cipher(AES(self.secret), ECB()).decryptor().update(blocks)  # noqa: S305


def mic(
    key: Key,
    signed: bytes,
    direction: int,
    dev_addr: DevAddr,
    f_cnt: int,
    *,
    conf_f_cnt: int = 0,
    tx_dr: int = 0,
    tx_ch: int = 0,
) -> bytes:
    """Four bytes of the CMAC over B0 (B1 where one of the last three is given) and `signed`.

    Args:
        signed: MHDR to FRMPayload.
        f_cnt: all 32 bits.
    """
    wire, size = dev_addr.wire, len(signed)
    head = _B0.pack(0x49, conf_f_cnt, tx_dr, tx_ch, direction, wire, f_cnt, 0, size)
    return key.cmac(head + signed)[:_MIC]


def crypt(
    key: Key, data: bytes, direction: int, dev_addr: DevAddr, f_cnt: int, *, sort: int = 0, first: int = 1
) -> bytes:  # fmt: skip
    """Data XOR its key stream: encrypts what is plain, and the other way round.

    Args:
        f_cnt: all 32 bits.
        sort: of FOpts in 1.1, 1 (uplinks, and downlinks by NFCntDown) or 2 (AFCntDown).
        first: number of the first block; of FOpts in 1.1 it is 1, too.
    """
    if not data:
        return b""
    wire, size = dev_addr.wire, len(data)
    if size <= BLOCK:
        stream = key.encrypt(_A.pack(1, sort << 24, direction, wire, f_cnt, 0, first))
    else:
        blocks = range(first, first + -(-size // BLOCK))
        stream = key.encrypt(
            b"".join([_A.pack(1, sort << 24, direction, wire, f_cnt, 0, i) for i in blocks])
        )
    whole = int.from_bytes(data, "little") ^ int.from_bytes(stream[:size], "little")
    return whole.to_bytes(size, "little")
