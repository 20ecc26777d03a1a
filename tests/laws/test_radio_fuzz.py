"""Law: nothing that is on the air or said by forwarders harms the gateway (the long form: `python -m tests.fuzz_radio`)."""

import pytest

from gateway.lorawan.refusals import Refused
from gateway.sessions.command import Outcome
from tests.fakes.loop import VirtualLoop
from tests.fuzz_mqtt import memory
from tests.fuzz_radio import ALL_CONDITIONS, Conditions, Fuzz

INPUTS = 60_000
_WARM = 20_000

ANSWERS = {1, 3, 4, "router_config", "dnmsg", "timesync"}
"""PUSH_ACK, PULL_RESP, PULL_ACK, and what a server says to a station."""

NAMED = {
    Refused.WRONG_KEY, Refused.REPLAYED, Refused.NO_FRAME, Refused.OTHER_NETWORK, Refused.PROPRIETARY,
    Refused.NONCE_REUSED, Refused.DOWNLINK, Refused.WRONG_JOIN_EUI, Refused.REJOIN, Refused.UNKNOWN_DEVICE,
    Refused.REVERSED_KEY, Refused.REVERSED_EUI,
}  # fmt: skip


def name(like: Conditions) -> str:
    return "1.1 " * like.is_1_1 + " ".join(word for word, so in like._asdict().items() if so)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("like", ALL_CONDITIONS, ids=name)
def test_no_mutated_input_escapes_and_memory_stays_flat(like: Conditions, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    """60,000 harmed frames (some above 255 bytes), datagrams and stations' messages through both doors and the network: nothing raises,
    in a callback neither, no answer is longer than what it answers, no downlink counter is used twice, no row comes again, every
    answer and every refusal is reached, and when all time-outs are over nothing is left."""
    loop = VirtualLoop()

    async def all_of_them() -> tuple[Fuzz, int, int]:
        fuzz = Fuzz(20261122, loop, like)
        await fuzz.begin()
        await fuzz.run(_WARM)
        await fuzz.finish()
        resident, objects = memory()
        for _ in range(INPUTS // _WARM - 1):
            await fuzz.run(_WARM)
            await fuzz.finish()
        now_resident, now_objects = memory()
        return fuzz, now_resident - resident, now_objects - objects

    fuzz, grown, more = loop.run(all_of_them())
    facts = fuzz.facts.counts
    with capsys.disabled():
        print(f"\n{INPUTS:,} inputs: {fuzz.stored:,} uplinks; answers: {dict(fuzz.air.said)}")
    assert fuzz.escaped == []
    assert facts["lorawan: fault of ours"] == 0
    assert {answer for answer, count in fuzz.air.said.items() if count > 30} == ANSWERS
    assert (fuzz.amplified, fuzz.air.twice, fuzz.backwards) == (0, 0, 0)
    assert fuzz.stored > INPUTS / 20
    assert {why for why, count in fuzz.radio.refused.items() if count > 20} == NAMED
    assert facts["forwarder malformed"] > INPUTS / 20
    assert facts["forwarder: no datagram of one"] > INPUTS / 20
    assert (facts["forwarder: too many datagrams"] > 100) == like.limited
    assert (facts["lorawan: uplink not kept"] > 100) == like.late
    confirmed = {Outcome.ACKNOWLEDGED, Outcome.BROADCAST, Outcome.UNTOLD, Outcome.EXPIRED}
    assert set(fuzz.told) == (confirmed if like.waiting else set())
    assert len(fuzz.radio.outbox.became) < 64
    assert (fuzz.waiting._handed, fuzz.udp._waiting, fuzz.radio.outbox._out) == ({}, {}, {})
    assert grown < 16 << 20
    assert more < 1000
