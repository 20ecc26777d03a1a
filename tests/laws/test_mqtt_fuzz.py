"""Law: no bytes harm the MQTT door (the long form: `python -m tests.fuzz_mqtt`)."""

import pytest

from gateway.wire.mqtt.codes import Type
from tests.fuzz_mqtt import Fuzz, memory, reached

STREAMS = 200_000
_WARM = 20_000

ANSWERS = {
    Type.CONNACK, Type.PUBLISH, Type.PUBACK, Type.PUBREC, Type.PUBCOMP, Type.SUBACK, Type.UNSUBACK,
    Type.PINGRESP, Type.DISCONNECT,
}  # fmt: skip
"""All that a server may say (§2.1.2)."""


@pytest.mark.timeout(300)
def test_no_mutated_stream_escapes_and_memory_stays_flat(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """200,000 harmed streams of both versions through the framer and a whole connection: nothing raises,
    every sort of answer was given a thousand times and more, and when everybody has left nothing is."""
    fuzz = Fuzz(seed=20261121)
    fuzz.run(_WARM)
    fuzz.finish()
    resident, objects = memory()

    for _ in range(STREAMS // _WARM - 1):
        fuzz.run(_WARM)
        fuzz.finish()  # what the fake disk was told is let go, or it would be measured
    now_resident, now_objects = memory()

    with capsys.disabled():
        print(f"\n{STREAMS:,} streams: {fuzz.accepted:,} uplinks; answers: {reached(fuzz.said)}")
    assert {Type(kind) for kind, count in fuzz.said.items() if count > 1000} == ANSWERS
    assert fuzz.accepted > STREAMS / 10
    assert fuzz.violations > STREAMS / 10
    keeper = fuzz.keeper
    assert (keeper.inside, keeper.waiting_bytes, keeper.worker.waiting) == (set(), 0, [])
    assert (keeper.sessions._known, keeper.sessions._of) == ({}, {})
    commands = keeper.commands
    assert (commands._waiting, commands._ears, commands._sent) == ({}, {}, {})
    assert now_resident - resident < 16 << 20
    assert now_objects - objects < 1000
