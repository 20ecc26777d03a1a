"""Sums of airtime over restarts: no kill, no boot and no clock lets an hour hold more than the law permits."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.lorawan.air_kept import KeptLaw
from gateway.lorawan.air_law import Transmission
from gateway.lorawan.plan import DataRate
from gateway.lorawan.regions import PLANS
from gateway.lorawan.rules import HOUR, SECOND, Share, SubBand

SF10 = DataRate(10, 125_000)
BOOT, LATER_BOOT = b"b" * 16, b"c" * 16
MOST_S = 36
LOW, HIGH = 923_200_000, 925_200_000
RULES = (
    SubBand(923_000_000, 924_000_000, "low", eirp_dbm=16.0, share=Share(MOST_S * SECOND, HOUR)),
    SubBand(925_000_000, 926_000_000, "high", eirp_dbm=16.0, share=Share(MOST_S * SECOND, HOUR)),
)


def law(boot: bytes = BOOT) -> KeptLaw:
    return KeptLaw(RULES, boot=boot)


def one(at_s: float, air_s: float = 1.0, freq_hz: int = LOW) -> Transmission:
    return Transmission(at_s, freq_hz, SF10, round(air_s * SECOND), 13.0)


def sends(of: KeptLaw, at_s: float, air_s: float = 1.0) -> bytes | None:
    """Send if that is permitted; what was written down for it, b"" for nothing."""
    if of.allow(one(at_s, air_s)) is not None:
        return None
    of.promise(one(at_s, air_s), None)
    if of.covered:
        return b""
    record, upto = of.record(at_s)
    of.kept(upto)
    assert of.covered
    return record


def used_up(of: KeptLaw, at_s: float) -> int:
    """How many transmissions of a second are left, asked without sending."""
    left = 0
    while of.allow(one(at_s, left + 1.0)) is None:
        left += 1
    return left


def test_a_kill_gives_nothing_back() -> None:
    """20 of 36 s were sent: 16 are left, less the 0.6 s that were set aside."""
    before, record = law(), b""
    for n in range(20):
        record = sends(before, 1000.0 + n) or record
    after = law()
    after.recall(record, 1030.0)
    assert used_up(after, 1030.0) == 15
    assert used_up(after, 1000.0 + 3600 + 121) == MOST_S


def test_a_clean_stop_keeps_nothing_back() -> None:
    before = law()
    for n in range(20):
        sends(before, 1000.0 + n)
    after = law()
    after.recall(before.record(1020.0, last=True)[0], 1030.0)
    assert used_up(after, 1030.0) == 16


def test_after_a_boot_all_of_it_was_sent_right_before() -> None:
    """The wall clock plays no part: whatever it says, an hour after the boot it is over, and not before."""
    before, record = law(), b""
    for n in range(20):
        record = sends(before, 90_000.0 + n) or record
    after = law(LATER_BOOT)
    after.recall(record, 40.0)
    assert used_up(after, 40.0) == 15
    assert used_up(after, 3599.0) == 15
    assert used_up(after, 3600 + 121.0) == MOST_S


def test_where_nobody_knows_of_a_boot_it_was_sent_just_now() -> None:
    before, record = law(b""), b""
    for n in range(20):
        record = sends(before, 90_000.0 + n) or record
    after = law(b"")
    after.recall(record, 10.0)
    assert used_up(after, 10.0) == 15


def test_a_record_of_another_region_or_form_says_nothing() -> None:
    other = KeptLaw(PLANS["EU868"].rules, boot=BOOT)
    record, _ = other.record(1000.0)
    for said in (record, b"", record[:-1], b"\xff" + record[1:]):
        after = law()
        after.recall(said, 1000.0)
        assert used_up(after, 1000.0) == MOST_S


@pytest.mark.parametrize("name", sorted(PLANS))
def test_every_region_s_record_has_one_size(name: str) -> None:
    """Whatever was sent: nothing is to be seen in the file but that something was."""
    record, _ = KeptLaw(PLANS[name].rules, boot=BOOT).record(1000.0)
    assert len(record) == 1545


class Step(NamedTuple):
    """What happens next: a wait, a transmission in one window or the other, and perhaps a kill before the next one."""

    wait_s: float
    air_s: float
    high: bool
    both: bool
    fell_back: bool
    kill: bool


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from((0.0, 0.5, 1.0, 5.0, 30.0, 59.9, 600.0)),
        st.sampled_from((0.1, 0.3, 0.5, 4.0)),
        *(st.sampled_from((False,) * 5 + (True,)) for _ in range(4)),
    ),
    min_size=40,
    max_size=160,
)


@given(STEPS)
def test_no_hour_holds_more_than_the_law_permits_over_any_kills(steps: list[Step]) -> None:
    """Of what really was on the air, whichever window the forwarder took, told or not, and whenever the process died."""
    now_s, of, record = 10_000.0, law(), b""
    truly: dict[int, list[Transmission]] = {LOW: [], HIGH: []}
    for step in steps:
        now_s += step.wait_s
        first, second = one(now_s + 1, step.air_s, HIGH if step.high else LOW), one(now_s + 2, step.air_s, LOW if step.high else HIGH)  # fmt: skip
        if of.allow(first) is None:
            other = second if step.both and of.allow(second) is None else None
            of.promise(first, other)
            if not of.covered:
                record, upto = of.record(now_s)
                of.kept(upto)
            sent = other if step.fell_back and other is not None else first
            truly[sent.freq_hz].append(sent)
            if not step.kill:
                of.settle(first, other, went=sent)
        if step.kill:
            of = law()
            of.recall(record, now_s)
    for sent_there in truly.values():
        for last in sent_there:
            end_s = last.at_s + last.air_us / SECOND
            within = [t for t in sent_there if end_s - 3600 <= t.at_s and t.at_s <= last.at_s]
            assert sum(t.air_us for t in within) <= MOST_S * SECOND
