"""What a station says, and what it is answered: all messages of a connection but its configuration.

Sources: LNS protocol of Basics Station; `src/tc.c`, `src/s2e.c`, `src/timesync.c` of 2.0.6, and what that one said to
a server here.
"""

from dataclasses import dataclass
from typing import Annotated, NamedTuple, TypeAlias

import msgspec

from gateway.wire.lorawan.identifiers import Eui
from gateway.wire.station.errors import MessageError
from gateway.wire.station.eui import dashed
from gateway.wire.station.frames import LONGEST as LONGEST_FRAME
from gateway.wire.station.frames import (
    Accept,
    DownData,
    JoinRequest,
    Long,
    Proprietary,
    Rejoin,
    UpData,
    UpInfo,
    Uplink,
)

PROTOCOL = 2
"""The version that is spoken here."""

_LONGEST_WORDS = 256


class Version(msgspec.Struct, gc=False, tag_field="msgtype", tag="version"):
    """The first message; asks for the configuration.

    Attributes:
        station: its version, as in "2.0.6(linux/std)".
    """

    protocol: Long
    station: Annotated[str, msgspec.Meta(max_length=_LONGEST_WORDS)] = ""


class _Sent(msgspec.Struct, gc=False, tag_field="msgtype", tag="dntxed"):
    diid: Long | None = None
    seqno: Long | None = None
    dr: Long | None = msgspec.field(default=None, name="DR")
    freq_hz: Long | None = msgspec.field(default=None, name="Freq")


class _TimeSync(msgspec.Struct, gc=False, tag_field="msgtype", tag="timesync"):
    txtime: Long


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame.

    Attributes:
        phy: its bytes.
        dr: number of the data rate, as the configuration has it.
        info: how it was heard.
    """

    phy: bytes
    dr: int
    freq_hz: int
    info: UpInfo

    def __repr__(self) -> str:
        return "<heard frame>"


class Sent(NamedTuple):
    """A downlink went out (`dntxed`); of one that did not, nothing is ever said.

    Attributes:
        number: that `dnmsg` gave it (`diid`; `seqno` of stations before that).
        dr, freq_hz: how it went out; None where the station does not say.
    """

    number: int
    dr: int | None = None
    freq_hz: int | None = None


class TimeSync(NamedTuple):
    """The station asks for GPS time.

    Attributes:
        txtime_us: its own time, which goes back with the answer.
    """

    txtime_us: int


class Other(NamedTuple):
    """A message that nothing here is done with."""


Upward: TypeAlias = Version | Heard | Sent | TimeSync | Other

_any = msgspec.json.Decoder(
    Version | _Sent | _TimeSync | JoinRequest | Rejoin | UpData | DownData | Proprietary | Accept
).decode


def read(text: str) -> Upward:
    """One message of a station.

    Raises:
        MessageError: names the rule that is broken, never the content.
    """
    try:
        said = _any(text)
    except msgspec.ValidationError as error:
        if str(error).startswith("Invalid value") and str(error).endswith("`$.msgtype`"):
            return Other()
        where = str(error).rpartition("`$")[2].strip("`.") if "`$" in str(error) else ""
        raise MessageError(where or "a member is missing, or no object") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise MessageError("not a JSON object") from None
    if isinstance(said, Version):
        return said
    if isinstance(said, _Sent):
        return _sent(said)
    if isinstance(said, _TimeSync):
        return TimeSync(said.txtime)
    return _heard(said)


def _sent(said: _Sent) -> Sent:
    number = said.seqno if said.diid is None else said.diid
    if number is None:
        raise MessageError("diid: missing")
    return Sent(number, said.dr, said.freq_hz)


def _heard(said: Uplink) -> Heard:
    phy = said.phy()
    if len(phy) > LONGEST_FRAME:
        raise MessageError("a frame of more than 255 bytes")
    return Heard(phy, said.dr, said.freq_hz, said.upinfo)


class Transmission(NamedTuple):
    """A downlink of class A as a station is asked to send it.

    Attributes:
        number: by which the station tells that it went out.
        dev_eui: for whom; a station never tells of one to the EUI of zeros.
        delay_s: whole seconds from the end of the uplink to RX1, 1 to 15; RX2 opens one later.
        rx1, rx2: number of the data rate, as the configuration has it, and frequency in Hz; None for a window that
            is not to be used, though not both.
        xtime, rctx: of the uplink.
    """

    number: int
    dev_eui: Eui
    phy: bytes
    delay_s: int
    rx1: tuple[int, int] | None
    rx2: tuple[int, int] | None
    xtime: int
    rctx: int


def dnmsg(wanted: Transmission, utc_s: float) -> str:
    """A downlink on its way to a station, which takes RX1 if it still can, else RX2; a window that is left out it does not use."""
    return _text(
        {
            "msgtype": "dnmsg",
            "DevEui": dashed(wanted.dev_eui),
            "dC": 0,
            "diid": wanted.number,
            "pdu": wanted.phy.hex(),
            "RxDelay": wanted.delay_s,
            **({} if wanted.rx1 is None else {"RX1DR": wanted.rx1[0], "RX1Freq": wanted.rx1[1]}),
            **({} if wanted.rx2 is None else {"RX2DR": wanted.rx2[0], "RX2Freq": wanted.rx2[1]}),
            "priority": 0,
            "xtime": wanted.xtime,
            "rctx": wanted.rctx,
            "MuxTime": utc_s,
        }
    )


def timesync(asked: TimeSync, gps_us: int) -> str:
    """The answer to a station that asks for GPS time, µs since 1980-01-06."""
    return _text({"msgtype": "timesync", "txtime": asked.txtime_us, "gpstime": gps_us})


def _text(message: dict[str, object]) -> str:
    return msgspec.json.encode(message).decode()
