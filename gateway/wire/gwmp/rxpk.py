"""One uplink as a forwarder tells it (`rxpk`), freed of the dialects that forwarders speak."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple, TypeAlias

import msgspec

from gateway.wire.lorawan.frames import LONGEST

Crc: TypeAlias = Literal["ok", "bad", "none"]

_ANTENNAS = 16
"""Of one forwarder; the published ones have two at most."""

_Decibels: TypeAlias = Annotated[float, msgspec.Meta(ge=-1000, le=1000)]

_ALPHABETS = str.maketrans("-_", "+/")
_CRC: Mapping[int, Crc] = {1: "ok", -1: "bad", 0: "none"}


class DatagramError(ValueError):
    """These bytes are no datagram of a forwarder; says which rule they break, and nothing of their content."""


class Antenna(NamedTuple):
    """How one antenna heard a frame.

    Attributes:
        number: of the antenna; 0 where there is one.
        channel: of the concentrator.
        rssi_dbm: of the channel.
        snr_db: None where none was measured.
    """

    number: int
    channel: int
    rssi_dbm: float
    snr_db: float | None


class Heard(NamedTuple):
    """One uplink as a forwarder heard it (`rxpk`).

    Attributes:
        phy: the frame's bytes.
        tmst: the concentrator's counter, µs, 32 bits; what a downlink's time counts from.
        freq_hz: rounded to the hertz: as a decimal fraction of MHz it may lie a hair beside it.
        datr: as sent: "SF7BW125" of LoRa, bits per second of FSK.
        codr: as sent; "" where there is none.
        crc: whether the frame's CRC was right; "none" has a frame of another forwarder.
        antennas: at least one.
        time: the forwarder's own clock as text; "" where it has none. It may be years off.
        gps_ms: milliseconds of GPS time; None where the forwarder has no such clock.
    """

    phy: bytes
    tmst: int
    freq_hz: int
    modulation: str
    datr: str | int
    codr: str
    crc: Crc
    antennas: tuple[Antenna, ...]
    time: str = ""
    gps_ms: int | None = None

    def __repr__(self) -> str:
        return "<heard frame>"


class _Rsig(msgspec.Struct, gc=False):
    ant: int = 0
    chan: int = 0
    rssic: _Decibels = 0.0
    lsnr: _Decibels | None = None


class _Rxpk(msgspec.Struct, gc=False):
    data: str
    freq: float
    tmst: int = 0
    stat: int = 1
    modu: str = "LORA"
    datr: str | int = ""
    codr: str | None = None
    rssi: _Decibels | None = None
    lsnr: _Decibels | None = None
    size: int | None = None
    chan: int = 0
    time: str | None = None
    tmms: int | None = None
    rsig: Annotated[list[_Rsig], msgspec.Meta(max_length=_ANTENNAS)] = []


_rxpk = msgspec.json.Decoder(_Rxpk).decode


def read_rxpk(raw: msgspec.Raw) -> Heard:
    """One member of `rxpk`.

    Raises:
        DatagramError: names what is wrong with it, never its content.
    """
    try:
        said = _rxpk(raw)
    except msgspec.ValidationError as error:
        where = str(error).rpartition("`$")[2].strip("`.") if "`$" in str(error) else ""
        raise DatagramError(f"rxpk: {where or 'a member is missing'}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise DatagramError("rxpk: not a JSON object") from None
    crc = _CRC.get(said.stat)
    if crc is None:
        raise DatagramError("rxpk: stat is 1, 0 or -1")
    phy = _bytes(said.data)
    if len(phy) > LONGEST:
        raise DatagramError(f"rxpk: a frame has {LONGEST} bytes at most")
    if said.size is not None and said.size != len(phy):
        raise DatagramError("rxpk: size and data differ")
    if not 0 <= said.tmst < 1 << 32:
        raise DatagramError("rxpk: tmst has 32 bits")
    if not 0 < said.freq < 10_000:
        raise DatagramError("rxpk: freq is in MHz")
    antennas = tuple(Antenna(one.ant, one.chan, one.rssic, one.lsnr) for one in said.rsig)
    if said.rssi is not None:
        antennas = (Antenna(0, said.chan, said.rssi, said.lsnr),)
    if not antennas:
        raise DatagramError("rxpk: neither rssi nor rsig")
    return Heard(
        phy=phy,
        tmst=said.tmst,
        freq_hz=round(said.freq * 1e6),
        modulation=said.modu,
        datr=said.datr,
        codr=said.codr or "",
        crc=crc,
        antennas=antennas,
        time=said.time or "",
        gps_ms=said.tmms,
    )


def _bytes(text: str) -> bytes:
    """Base64 with or without padding, in either of its alphabets, which the protocol's own samples mix."""
    plain = text.translate(_ALPHABETS).rstrip("=")
    try:
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (Base64Error, ValueError):
        raise DatagramError("rxpk: data is not Base64") from None
