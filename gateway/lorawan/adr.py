"""Sets data rate, power and repetitions of devices that leave that to the network (their ADR bit).

Semtech's published simple algorithm (LoRaWAN, simple rate adaptation recommended algorithm, 2016): of the last twenty uplinks
the best SNR, less what the data rate needs, less a margin; each 3 dB of that make the device first faster, then weaker, and
stronger again where it falls short. Nobody is made slower: devices do that by themselves when they are not answered (ADRACKReq).
How often each frame is sent follows from how many were lost.
"""

from gateway.lorawan.airtime import FLOOR_DB
from gateway.lorawan.course import UPLINKS, Course, Setting
from gateway.lorawan.plan import Plan
from gateway.lorawan.uplinks import Uplink
from gateway.wire.lorawan.commands import Cid, Command, commands, link_adr_req
from gateway.wire.lorawan.crypto import UP

_STEP_DB = 3.0
_PATIENCE = 5
_REST = 200

_REPEAT = ((0.05, (1, 1, 2)), (0.10, (1, 2, 3)), (0.30, (2, 3, 3)), (1.0, (3, 3, 3)))
"""Share that was lost, up to which → times that a frame is sent from now on, by times until now (the same source)."""


class Adr:
    """The rule for one region.

    Args:
        margin_db: kept above what a data rate needs, for fading and noise that come and go.
    """

    def __init__(self, plan: Plan, margin_db: float) -> None:
        self._plan = plan
        self._margin_db = margin_db
        self._low, self._high = plan.channels[0].low, plan.channels[0].high

    def hear(self, uplink: Uplink, dr: int, snr_db: float | None) -> None:
        """Take an uplink in, and the device's word on what it was asked for.

        A repetition adds nothing: anybody may have played it back, from where he is heard well.

        Args:
            dr: that it was sent with.
            snr_db: of the best reception.
        """
        session, f_cnt = uplink.session, uplink.f_cnt
        course = session.course
        if uplink.again:
            return
        if not uplink.data.adr:
            session.course = None
            return
        if course is None:
            fresh = f_cnt < UPLINKS and not session.abp  # too early to have been asked for anything
            now = Setting(dr, 0 if fresh else None)
            course = session.course = Course(now, self._high, self._plan.weakest)
        for command in commands(uplink.plain.commands, UP)[0]:
            if command.cid is Cid.LINK_ADR:
                course.answered(command.payload[0])
        if dr != course.now.dr:
            course.sends(dr)
        if course.rests:
            course.rests -= 1
        elif snr_db is not None:
            course.add(f_cnt, snr_db)

    def ask(self, uplink: Uplink) -> list[Command]:
        """What to ask the device for in the answer to this uplink; the same again until it says something, five times at most."""
        course = uplink.session.course
        if course is None or course.over or len(course.heard) < UPLINKS:
            return []
        if course.heard[-1][0] != uplink.f_cnt:  # others came behind it: the last one's answer asks
            return []
        wanted = self._wanted(course)
        if wanted is None:
            return []
        if course.asked is None or course.asked[0] != uplink.f_cnt:
            if course.unanswered == _PATIENCE:
                course.leave_alone(_REST)
                return []
            course.unanswered += 1
        course.asked = uplink.f_cnt, wanted
        control, mask = self._plan.channel_mask
        return [link_adr_req(wanted.dr, wanted.power or 0, mask, control, wanted.repeat)]

    def _wanted(self, course: Course) -> Setting | None:
        """How it should send; None where it does."""
        dr, power, repeat = course.now
        if not self._low <= dr <= self._high:
            return None
        best_db = max(snr_db for _, snr_db in course.heard)
        over_db = best_db - FLOOR_DB[self._plan.data_rates[dr].sf] - self._margin_db
        steps = int(over_db / _STEP_DB)  # less than a step either way changes nothing
        faster = min(max(steps, 0), max(course.top - dr, 0))
        steps -= faster
        times = _times(course)
        if not faster and not steps and times == repeat:
            return None
        power = min(max((power or 0) + steps, 0), course.weakest)
        wanted = Setting(dr + faster, power, times)
        return None if wanted == course.now else wanted


def _times(course: Course) -> int:
    """How often each frame should be sent."""
    first, last = course.heard[0][0], course.heard[-1][0]
    lost = 1 - len(course.heard) / (last - first + 1)
    found = next(times for upto, times in _REPEAT if lost <= upto)[course.now.repeat - 1]
    return max(found, course.least_repeat)
