"""Data frames of ours: whose they are, which counter they have, and whether they are new.

A DevAddr is not one device's alone, so every session that has it is tried, and the MIC decides. The counter is
16 bits on the air and 32 in the MIC: the next one with these low bits is tried first, then the ones before it, newest first, which tell
what is wrong.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.lorawan.plan import Plan
from gateway.lorawan.reception import Reception
from gateway.lorawan.refusals import Refused
from gateway.lorawan.session import Session
from gateway.wire.lorawan.counters import reconstruct
from gateway.wire.lorawan.frames import Data
from gateway.wire.lorawan.secured import Heard, Plain, is_right, opened

_LOW = 0xFFFF
_ROLLS = 64
"""Roll-overs of the sixteen bits that are tried for a frame that is not the next one, some 0.1 ms in all: 4.2 million frames, eight years of one a minute."""

_ASKED_BACK = 16
"""Confirmed downlinks that an acknowledgement may be of: more than an uplink's repetitions are answered with."""


@dataclass(frozen=True, slots=True)
class Uplink:
    """A frame that is believed.

    Attributes:
        f_cnt: all 32 bits.
        again: it is the last one once more: to be answered, and not to be stored.
        ends: the session before this one, if it is over with it: its record is to go.
    """

    session: Session
    data: Data
    f_cnt: int
    plain: Plain
    again: bool
    ends: tuple[Session, ...] = ()

    def __repr__(self) -> str:
        return f"<uplink of {self.session.device}>"


class Doubt(NamedTuple):
    """A frame that is not, and whose it pretends to be where that is known."""

    why: Refused
    session: Session | None = None


def judged(data: Data, reception: Reception, sessions: Iterable[Session], plan: Plan) -> Uplink | Doubt:  # fmt: skip
    """What a data frame is.

    Args:
        sessions: all that have its address.
    """
    doubt = Doubt(Refused.OTHER_NETWORK)
    for session in sessions:
        if session.held:
            doubt = Doubt(Refused.COUNTERS_UNKNOWN, session)
            continue
        heard = _heard(session, data, reception, plan)
        try:
            next_one = reconstruct(data.f_cnt, session.up)
        except OverflowError:  # 32 bits are used up: nothing of this session is new any more
            next_one = None
        if next_one is not None and is_right(session.keys, data, next_one, heard):
            plain = opened(session.keys, data, next_one)
            again = next_one == session.up and not session.lost
            return Uplink(session, data, next_one, plain, again)
        found = _explained(data, session, heard)
        if found is not None:
            return Doubt(found, session)
        if session.abp and next_one is not None and _is_backwards(session, data, next_one, heard):
            return Doubt(Refused.REVERSED_KEY, session)
        doubt = Doubt(Refused.WRONG_KEY, session)
    return doubt


def _is_backwards(session: Session, data: Data, next_one: int, heard: Sequence[Heard]) -> bool:
    """Whether the keys of a device that never joins were written down in the other byte order; it may have counted far before it came here."""
    keys = session.keys.backwards
    ahead = range(next_one, 1 << 32, _LOW + 1)[: _ROLLS + 1]
    return any(is_right(keys, data, f_cnt, heard) for f_cnt in ahead)


def _explained(data: Data, session: Session, heard: Sequence[Heard]) -> Refused | None:
    """Why a frame with this address is not the session's next one, where its MIC tells.

    A device that joins begins anew by a join alone; one that never joins (ABP) may have lost its counter.
    """
    if session.up is None:
        return None
    newest = (session.up & ~_LOW) | data.f_cnt
    before = range(newest, -1, -_LOW - 1)[: _ROLLS + 1]
    for f_cnt in (*before, data.f_cnt):
        if f_cnt < session.up and is_right(session.keys, data, f_cnt, heard):
            return Refused.COUNTER_RESET if session.abp else Refused.REPLAYED
    return None


def _heard(session: Session, data: Data, reception: Reception, plan: Plan) -> list[Heard]:
    """What else a 1.1 uplink's MIC may have been made over; the likeliest first.

    Of confirmed downlinks a device may have heard any of the last ones, and acknowledges that.
    """
    if not session.keys.is_1_1:
        return [Heard()]
    number, channel = plan.number(reception.rate), plan.channel(reception.freq_hz)
    last = session.asked or 0
    since = max(last - _ASKED_BACK, -1) if data.ack else last - 1
    return [
        Heard(
            conf_f_cnt=asked & _LOW,
            tx_dr=0 if number is None else number,
            tx_ch=0 if channel is None else channel,
        )
        for asked in range(last, since, -1)
    ]
