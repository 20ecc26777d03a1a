"""Laws of the MQTT codec: no chunking matters, nothing raises, what is encoded comes back."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.mqtt import encode
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import Connect, Packet, Publish, Violation

TOPICS = st.text("abc/-0", min_size=1, max_size=20).map(str.encode)


def packets_of(data: bytes, cuts: list[int], version: int) -> list[Packet]:
    framer = Framer(2_000, version)
    edges = [0, *sorted(c % (len(data) + 1) for c in cuts), len(data)]
    return [p for a, b in pairwise(edges) for p in framer.feed(data[a:b])]


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """A few valid packets, perhaps followed by noise."""
    version = draw(st.sampled_from([4, 5]))
    out = encode.connect(version, draw(st.text("xyz", max_size=5)), "user", b"token", 30)
    for _ in range(draw(st.integers(0, 6))):
        qos = draw(st.integers(0, 1))
        number = draw(st.integers(1, 65_535)) if qos else None
        out += encode.publish(
            version, draw(TOPICS), draw(st.binary(max_size=300)), qos, number, bool(qos)
        )
    return out + draw(st.one_of(st.just(b""), st.binary(max_size=40)))


@given(streams(), st.lists(st.integers(0, 5_000), max_size=12))
def test_any_chunking_gives_the_same_packets(data: bytes, cuts: list[int]) -> None:
    """TCP cuts where it likes; the packets do not change."""
    assert packets_of(data, cuts, 0) == packets_of(data, [], 0)


@given(st.binary(max_size=400), st.sampled_from([0, 4, 5]))
def test_arbitrary_bytes_never_raise(data: bytes, version: int) -> None:
    """Noise becomes packets or one violation at the end; nothing else, and nothing after it."""
    packets = packets_of(data, [], version)

    assert not any(isinstance(p, Violation) for p in packets[:-1])


@given(
    st.sampled_from([4, 5]), TOPICS, st.binary(max_size=500), st.integers(1, 65_535), st.booleans()
)
def test_a_publish_comes_back(
    version: int, topic: bytes, payload: bytes, number: int, dup: bool
) -> None:
    """decode ∘ encode is the identity on uplinks."""
    data = encode.publish(version, topic, payload, 1, number, dup)

    assert packets_of(data, [], version) == [Publish(topic, payload, 1, number, dup, False)]


@given(st.sampled_from([4, 5]), st.text(max_size=20).filter(lambda t: "\0" not in t), st.binary())
def test_a_connect_comes_back(version: int, client_id: str, password: bytes) -> None:
    """decode ∘ encode is the identity on greetings."""
    (packet,) = packets_of(encode.connect(version, client_id, "u", password, 9), [], 0)

    assert packet == Connect(version, client_id, True, 9, "u", password, False, {})
