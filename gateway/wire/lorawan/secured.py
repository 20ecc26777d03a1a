"""Data frames with their keys: whether a MIC is right, what stands inside, and frames made.

In 1.1 an uplink's MIC is two bytes by SNwkSIntKey (with ConfFCnt, data rate and channel) and two by FNwkSIntKey, so
that a roaming network can check its half; FOpts are encrypted; and a downlink that acknowledges names
the counter of what it acknowledges (1.1 §4.3.1.6, §4.4).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from gateway.wire.lorawan.crypto import DOWN, UP, Key, crypt, mic
from gateway.wire.lorawan.frames import Data, FrameError, MType, parse
from gateway.wire.lorawan.identifiers import DevAddr
from gateway.wire.lorawan.join import SessionKeys

_LONGEST_OPTS = 15
_OPTS_BY_N_F_CNT, _OPTS_BY_A_F_CNT = 1, 2


@dataclass(frozen=True, slots=True)
class Heard:
    """What else the MIC of a 1.1 frame stands for.

    Attributes:
        conf_f_cnt: low 16 bits of the counter of the confirmed frame that this one acknowledges.
        tx_dr, tx_ch: of uplinks, data rate and channel as the device counts them.
    """

    conf_f_cnt: int = 0
    tx_dr: int = 0
    tx_ch: int = 0


_NOTHING = Heard()


def right_mic(keys: SessionKeys, data: Data, f_cnt: int, heard: Heard = _NOTHING) -> bytes:
    """The MIC that this frame must have.

    Args:
        f_cnt: all 32 bits.
    """
    addr, signed = data.dev_addr, data.signed
    direction = UP if data.up else DOWN
    if not keys.is_1_1:
        return mic(keys.f_nwk_s_int, signed, direction, addr, f_cnt)
    confirms = heard.conf_f_cnt if data.ack else 0
    if direction == DOWN:
        return mic(keys.s_nwk_s_int, signed, DOWN, addr, f_cnt, conf_f_cnt=confirms)
    dr, ch = heard.tx_dr, heard.tx_ch
    serving = mic(keys.s_nwk_s_int, signed, UP, addr, f_cnt, conf_f_cnt=confirms, tx_dr=dr, tx_ch=ch)  # fmt: skip
    return serving[:2] + mic(keys.f_nwk_s_int, signed, UP, addr, f_cnt)[:2]


def is_right(keys: SessionKeys, data: Data, f_cnt: int, heard: Iterable[Heard]) -> bool:
    """Whether the MIC is right, whichever of these it stands for; the half of a 1.1 uplink that stands for none decides first."""
    if keys.is_1_1 and data.up:
        theirs = mic(keys.f_nwk_s_int, data.signed, UP, data.dev_addr, f_cnt)
        if theirs[:2] != data.mic[2:]:
            return False
    return any(right_mic(keys, data, f_cnt, one) == data.mic for one in heard)


class Plain(NamedTuple):
    """A data frame's content, decrypted.

    Attributes:
        commands: MAC commands, from FOpts or port 0.
        payload: of ports 1 to 255.
    """

    commands: bytes
    payload: bytes

    def __repr__(self) -> str:
        return "<plain frame>"


def opened(keys: SessionKeys, data: Data, f_cnt: int) -> Plain:
    """Decrypt a frame; only one whose MIC is right says anything.

    Args:
        f_cnt: all 32 bits.
    """
    direction = UP if data.up else DOWN
    if data.f_port == 0:
        return Plain(crypt(keys.nwk_s_enc, data.frm_payload, direction, data.dev_addr, f_cnt), b"")
    commands = data.f_opts
    if keys.is_1_1 and commands:
        sort = _sort(direction, data.f_port)
        commands = crypt(keys.nwk_s_enc, commands, direction, data.dev_addr, f_cnt, sort=sort)
    return Plain(commands, crypt(keys.app_s, data.frm_payload, direction, data.dev_addr, f_cnt))


def sealed(
    keys: SessionKeys,
    mtype: MType,
    dev_addr: DevAddr,
    f_cnt: int,
    *,
    f_port: int | None = None,
    payload: bytes = b"",
    commands: bytes = b"",
    adr: bool = False,
    adr_ack_req: bool = False,
    ack: bool = False,
    bit_4: bool = False,
    heard: Heard = _NOTHING,
) -> bytes:
    """A whole data frame, encrypted and signed.

    Args:
        f_cnt: all 32 bits.
        f_port: None for a frame without payload; 0 sends `payload` as MAC commands.
        commands: MAC commands in the header, 15 bytes at most.

    Raises:
        FrameError: no such frame exists.
    """
    if len(commands) > _LONGEST_OPTS:
        raise FrameError(f"FOpts have {_LONGEST_OPTS} bytes at most")
    direction = UP if mtype in (MType.UNCONFIRMED_UP, MType.CONFIRMED_UP) else DOWN
    if keys.is_1_1 and commands:
        sort = _sort(direction, f_port)
        commands = crypt(keys.nwk_s_enc, commands, direction, dev_addr, f_cnt, sort=sort)
    control = adr << 7 | adr_ack_req << 6 | ack << 5 | bit_4 << 4 | len(commands)
    head = bytes((mtype << 5,)) + dev_addr.wire + bytes((control,))
    frame = head + (f_cnt & 0xFFFF).to_bytes(2, "little") + commands
    if f_port is not None:
        key: Key = keys.app_s if f_port else keys.nwk_s_enc
        frame += bytes((f_port,)) + crypt(key, payload, direction, dev_addr, f_cnt)
    data = parse(frame + bytes(4))
    if not isinstance(data, Data):
        raise FrameError("only data frames are sealed")
    return frame + right_mic(keys, data, f_cnt, heard)


def _sort(direction: int, f_port: int | None) -> int:
    """Which counter encrypts FOpts: downlinks with a port of their own count by AFCntDown."""
    return _OPTS_BY_A_F_CNT if direction == DOWN and f_port else _OPTS_BY_N_F_CNT
