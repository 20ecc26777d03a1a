"""Law: nothing that is on the air or said by forwarders harms the gateway (the long form: `python -m tests.fuzz_radio`)."""

import pytest

from gateway.lorawan.refusals import Refused
from tests.fakes.loop import VirtualLoop
from tests.fuzz_mqtt import memory
from tests.fuzz_radio import Fuzz

INPUTS = 200_000
_WARM = 20_000

ANSWERS = {1, 3, 4, "router_config", "dnmsg", "timesync"}
"""PUSH_ACK, PULL_RESP, PULL_ACK, and what a server says to a station."""

NAMED = {
    Refused.WRONG_KEY, Refused.REPLAYED, Refused.NO_FRAME, Refused.OTHER_NETWORK, Refused.PROPRIETARY,
    Refused.NONCE_REUSED, Refused.DOWNLINK, Refused.WRONG_JOIN_EUI, Refused.REJOIN, Refused.UNKNOWN_DEVICE,
}  # fmt: skip


@pytest.mark.timeout(300)
def test_no_mutated_input_escapes_and_memory_stays_flat(capsys: pytest.CaptureFixture[str]) -> None:
    """200,000 harmed frames, datagrams and stations' messages through both doors and the network: nothing raises,
    no answer is longer than what it answers, every answer and every refusal is reached, and when all time-outs are over nothing is left."""
    loop = VirtualLoop()

    async def all_of_them() -> tuple[Fuzz, int, int]:
        fuzz = Fuzz(20261122, loop)
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
    with capsys.disabled():
        print(f"\n{INPUTS:,} inputs: {fuzz.stored:,} uplinks; answers: {dict(fuzz.air.said)}")
    assert {answer for answer, count in fuzz.air.said.items() if count > 100} == ANSWERS
    assert fuzz.amplified == 0
    assert fuzz.stored > INPUTS / 20
    assert {why for why, count in fuzz.radio.refused.items() if count > 50} == NAMED
    assert fuzz.facts.counts["forwarder malformed"] > INPUTS / 20
    assert fuzz.facts.counts["forwarder: no datagram of one"] > INPUTS / 20
    assert len(fuzz.radio.outbox.became) < 32
    assert (fuzz.waiting._handed, fuzz.udp._waiting, fuzz.radio.outbox._out) == ({}, {}, {})
    assert grown < 16 << 20
    assert more < 1000
