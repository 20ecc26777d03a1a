"""A broker that says anything at all: the client door neither breaks nor acknowledges what it was not sent."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.mqtt import encode
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.packets import Ack
from tests.contract.test_broker_connection import EUI, with_eui
from tests.fakes.broker import JOIN, TOPIC, Played, event, join
from tests.fakes.readings import gauge

_IDS = st.integers(1, 9)
_SENT = st.one_of(
    st.builds(lambda n, c: encode.publish(5, TOPIC, event(EUI, c), 1, n), _IDS, _IDS),
    st.builds(lambda n: encode.publish(5, JOIN, join(EUI), 1, n), _IDS),
    st.builds(lambda n: encode.publish(5, TOPIC, b"{", 2, n), _IDS),
    st.builds(lambda n: encode.pubrel(5, n), _IDS),
    st.just(encode.PINGRESP),
    st.just(encode.suback(5, 1, [Code.SUCCESS] * 9)),
    st.just(encode.connack(5, Code.SUCCESS, {})),
    st.just(encode.connack(5, Code.NOT_AUTHORIZED, {})),
    st.just(encode.disconnect(5, Code.SERVER_BUSY)),
    st.binary(max_size=12),
)


@given(st.lists(_SENT, max_size=12), st.lists(st.integers(1, 40), max_size=6), st.booleans())
def test_whatever_a_broker_says_is_taken_or_ends_the_connection(
    packets: list[bytes], cuts: list[int], settles: bool
) -> None:
    """However the bytes are and are cut: nothing is raised, and no more is acknowledged than was published."""
    played = Played(with_eui(gauge()))
    stream = b"".join(packets)
    while stream:
        length = cuts.pop() if cuts else len(stream)
        played.say(stream[:length])
        stream = stream[length:]
        if settles:
            played.worker.settle()
    played.worker.settle()

    acknowledged = [packet for packet in played.heard() if isinstance(packet, Ack)]
    sent = sum(packet[:1] in (b"\x32", b"\x34") for packet in packets)
    released = sum(packet[:1] == b"\x62" for packet in packets)
    whole = not any(packet[:1] not in b"\x32\x34\x62\xd0\x90\x20\xe0" for packet in packets)
    if whole:
        assert len(acknowledged) <= sent + released
