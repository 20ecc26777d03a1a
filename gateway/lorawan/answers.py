"""What an uplink is answered with: its acknowledgement, the MAC commands that want one, and what waits for the device.

A downlink is made only where there is something to say: half-duplex forwarders are deaf while they send, and a device
that heard nothing does not mind (LoRaWAN 1.0.4 §3.3, §5).
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

from gateway.lorawan.airtime import FLOOR_DB
from gateway.lorawan.plan import Plan
from gateway.lorawan.reception import Downlink
from gateway.lorawan.session import Session
from gateway.lorawan.uplinks import Uplink
from gateway.model.instant import Instant
from gateway.wire.lorawan.commands import (
    Cid,
    Command,
    commands,
    confirm_version,
    device_time_ans,
    link_check_ans,
    wire,
)
from gateway.wire.lorawan.crypto import UP
from gateway.wire.lorawan.frames import MType
from gateway.wire.lorawan.secured import Heard, sealed

_LONGEST_OPTS = 15
_LOW = 0xFFFF
GPS_EPOCH: Instant = 315_964_800_000_000
"""1980-01-06 UTC, µs since 1970."""

LEAP_S = 18
"""Seconds that GPS time is ahead of UTC, since 2017."""


class Waiting(NamedTuple):
    """An application's downlink that waits for a device.

    Attributes:
        more: whether another one waits behind it.
    """

    f_port: int
    payload: bytes
    confirmed: bool
    more: bool = False

    def record(self) -> bytes:
        """As it is written down."""
        return bytes((self.f_port, self.confirmed)) + self.payload

    @classmethod
    def of(cls, record: bytes, *, more: bool) -> Self:
        """One that was written down."""
        return cls(record[0], record[2:], bool(record[1]), more)


class Answer(NamedTuple):
    """What a downlink will carry.

    Attributes:
        carries: the waiting one that goes with it; None for none.
    """

    commands: bytes
    ack: bool
    carries: Waiting | None


def answer(
    uplink: Uplink,
    *,
    forwarders: int,
    snr_db: float | None,
    sf: int,
    at: Instant,
    adr: Sequence[Command] = (),
    waiting: Waiting | None = None,
) -> Answer | None:
    """What to say after an uplink; None where there is nothing.

    Args:
        forwarders: how many heard it.
        snr_db, sf: of the best reception.
        at: when it ended, by our clock.
        adr: commands that adjust the device, where that is done at all.
        waiting: what the application wants to say.
    """
    said: list[Command] = []
    asked, _unread = commands(uplink.plain.commands, UP)
    for command in asked:
        if command.cid is Cid.LINK_CHECK:
            floor = FLOOR_DB.get(sf, 0.0)
            said.append(
                link_check_ans(round((floor if snr_db is None else snr_db) - floor), forwarders)
            )
        elif command.cid is Cid.DEVICE_TIME:
            said.append(device_time_ans(at - GPS_EPOCH + LEAP_S * 1_000_000))
        elif command.cid in (Cid.REKEY, Cid.RESET) and uplink.session.keys.is_1_1:
            said.append(confirm_version(command.cid, 1))
    room = _LONGEST_OPTS
    fitting: list[Command] = []
    for command in (*said, *adr):
        if len(command.wire) <= room:
            room -= len(command.wire)
            fitting.append(command)
    if not (uplink.data.confirmed or uplink.data.adr_ack_req or fitting or waiting):
        return None
    return Answer(wire(fitting), uplink.data.confirmed, waiting)


def downlink(number: int, uplink: Uplink, said: Answer, plan: Plan, freq_hz: int, dr: int) -> Downlink:  # fmt: skip
    """The frame of an answer, and where it goes; takes the next counter of the session.

    A window whose data rate is too slow for it is not permitted.

    Args:
        freq_hz, dr: of the uplink.

    Raises:
        OverflowError: no counter is reserved: nothing may leave before it is.
    """
    session = uplink.session
    carried = said.carries
    by_app = session.keys.is_1_1 and carried is not None
    f_cnt, reserved = (
        (session.app_down, session.app_reserved) if by_app else (session.down, session.reserved)
    )
    if f_cnt >= reserved:
        raise OverflowError("no downlink counter is reserved")
    if by_app:
        session.app_down += 1
    else:
        session.down += 1
    if carried is not None and carried.confirmed:
        session.asked = f_cnt
    phy = sealed(
        session.keys,
        MType.CONFIRMED_DOWN if carried and carried.confirmed else MType.UNCONFIRMED_DOWN,
        *(session.dev_addr, f_cnt),
        f_port=None if carried is None else carried.f_port,
        payload=b"" if carried is None else carried.payload,
        commands=said.commands,
        adr=session.course is not None,
        ack=said.ack,
        bit_4=carried is not None and carried.more,
        heard=Heard(conf_f_cnt=uplink.f_cnt & _LOW),
    )
    rx1_freq, rx1_dr = plan.rx1(freq_hz, dr, session.rx1_dr_offset)
    first, second = _room(said, session, plan, freq_hz, dr)
    return Downlink(
        *(number, session.dev_eui, phy, rx1_freq, plan.data_rates[rx1_dr]),
        *(plan.rx2.freq_hz, plan.data_rates[session.rx2_dr]),
        float(session.rx_delay_s or 1),
        plan.max_eirp_dbm,
        *(first, second),
    )


def carriable(said: Answer, session: Session, plan: Plan, freq_hz: int, dr: int) -> bool:
    """Whether what it carries has room in one of the windows after an uplink; else that waits for a better rate."""
    return any(_room(said, session, plan, freq_hz, dr))


def _room(said: Answer, session: Session, plan: Plan, freq_hz: int, dr: int) -> tuple[bool, bool]:
    """Whether RX1 and RX2 carry it."""
    _, rx1_dr = plan.rx1(freq_hz, dr, session.rx1_dr_offset)
    size = 0 if said.carries is None else len(said.carries.payload) + len(said.commands)
    first, second = (
        said.carries is None or size <= plan.max_payload.get(number, 0)
        for number in (rx1_dr, session.rx2_dr)
    )
    return first, second
