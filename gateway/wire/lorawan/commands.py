"""MAC commands: a list of them in bytes, and the few that a pilot's network sends (LoRaWAN 1.0.4 §5, 1.1 §5).

    command = CID(1) | its payload, whose length the CID and the direction say

A CID that is not known ends the list, because nobody knows where the next one begins (§5: they are processed in order).
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from gateway.wire.lorawan.crypto import UP


class Cid(IntEnum):
    """Command identifiers; the same number asks in one direction and answers in the other."""

    RESET = 0x01
    LINK_CHECK = 0x02
    LINK_ADR = 0x03
    DUTY_CYCLE = 0x04
    RX_PARAM_SETUP = 0x05
    DEV_STATUS = 0x06
    NEW_CHANNEL = 0x07
    RX_TIMING_SETUP = 0x08
    TX_PARAM_SETUP = 0x09
    DL_CHANNEL = 0x0A
    REKEY = 0x0B
    ADR_PARAM_SETUP = 0x0C
    DEVICE_TIME = 0x0D
    FORCE_REJOIN = 0x0E
    REJOIN_PARAM_SETUP = 0x0F
    PING_SLOT_INFO = 0x10
    PING_SLOT_CHANNEL = 0x11
    BEACON_TIMING = 0x12
    BEACON_FREQ = 0x13
    DEVICE_MODE = 0x20


_SIZES: dict[Cid, tuple[int | None, int | None]] = {
    Cid.RESET: (1, 1),
    Cid.LINK_CHECK: (0, 2),
    Cid.LINK_ADR: (1, 4),
    Cid.DUTY_CYCLE: (0, 1),
    Cid.RX_PARAM_SETUP: (1, 4),
    Cid.DEV_STATUS: (2, 0),
    Cid.NEW_CHANNEL: (1, 5),
    Cid.RX_TIMING_SETUP: (0, 1),
    Cid.TX_PARAM_SETUP: (0, 1),
    Cid.DL_CHANNEL: (1, 4),
    Cid.REKEY: (1, 1),
    Cid.ADR_PARAM_SETUP: (0, 1),
    Cid.DEVICE_TIME: (0, 5),
    Cid.FORCE_REJOIN: (None, 2),
    Cid.REJOIN_PARAM_SETUP: (1, 1),
    Cid.PING_SLOT_INFO: (1, 0),
    Cid.PING_SLOT_CHANNEL: (1, 4),
    Cid.BEACON_TIMING: (0, 3),
    Cid.BEACON_FREQ: (1, 3),
    Cid.DEVICE_MODE: (1, 1),
}
"""Bytes of the payload: up, down; None where there is no such command."""


class Command(NamedTuple):
    """One command.

    Attributes:
        payload: as it stands in the frame, little endian.
    """

    cid: Cid
    payload: bytes = b""

    @property
    def wire(self) -> bytes:
        """As it goes into a frame."""
        return bytes((self.cid,)) + self.payload


def commands(data: bytes, direction: int) -> tuple[list[Command], bytes]:
    """The commands in order, and what is left behind the last that is known and whole.

    Args:
        data: FOpts, or the payload of port 0, decrypted.
        direction: `crypto.UP` or `crypto.DOWN`.
    """
    found: list[Command] = []
    at = 0
    while at < len(data):
        try:
            cid = Cid(data[at])
        except ValueError:
            break
        size = _SIZES[cid][0 if direction == UP else 1]
        if size is None or at + 1 + size > len(data):
            break
        found.append(Command(cid, data[at + 1 : at + 1 + size]))
        at += 1 + size
    return found, data[at:]


def wire(some: Sequence[Command]) -> bytes:
    """Commands as they stand in a frame."""
    return b"".join(command.wire for command in some)


def link_check_ans(margin_db: int, forwarders: int) -> Command:
    """Margin above the demodulation floor of the best reception, 0 to 254 dB; how many heard it (§5.2)."""
    return Command(
        Cid.LINK_CHECK, bytes((min(max(margin_db, 0), 254), min(max(forwarders, 1), 255)))
    )


def device_time_ans(gps_us: int) -> Command:
    """When the uplink ended, as microseconds of GPS time: seconds in 32 bits, and 1/256 s (§5.9)."""
    seconds, rest = divmod(gps_us, 1_000_000)
    return Command(
        Cid.DEVICE_TIME,
        (seconds & 0xFFFFFFFF).to_bytes(4, "little") + bytes((rest * 256 // 1_000_000,)),
    )


def link_adr_req(dr: int, power: int, channels: int, control: int = 0, repeat: int = 1) -> Command:
    """Data rate, TXPower index, mask of sixteen channels, ChMaskCntl, NbTrans (§5.3)."""
    return Command(
        Cid.LINK_ADR,
        bytes((dr << 4 | power,))
        + channels.to_bytes(2, "little")
        + bytes((control << 4 | repeat,)),
    )


def confirm_version(cid: Cid, minor: int) -> Command:
    """ResetConf or RekeyConf: the version that both speak from here on, 1 for LoRaWAN 1.1 (1.1 §5.1, §5.10)."""
    return Command(cid, bytes((minor,)))
