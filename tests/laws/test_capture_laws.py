"""Whatever was captured, in whatever order and however often: bytes come once and in order, and nothing breaks."""

from collections.abc import Callable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.capture.conversation import Conversation
from gateway.wire.capture.frames import Segment, segment
from gateway.wire.capture.stream import Stream
from gateway.wire.mqtt import encode

LINKS = st.sampled_from([0, 1, 12, 101, 108, 113, 228, 229, 276])
A, B = (b"\x7f\0\0\1", 40_000), (b"\x7f\0\0\1", 1883)


@given(
    data=st.binary(min_size=1, max_size=300),
    begin=st.integers(0, (1 << 32) - 1),
    draw=st.data(),
)
def test_segments_in_any_order_overlapping_and_repeated_make_the_stream(
    data: bytes, begin: int, draw: st.DataObject
) -> None:
    """Also across the end of the sequence numbers."""
    size = len(data)
    cuts = sorted({0, size, *draw.draw(st.lists(st.integers(0, size), max_size=8))})
    parts = list(pairwise(cuts))
    more = draw.draw(
        st.lists(st.tuples(st.integers(0, size), st.integers(0, size)).map(sorted), max_size=5)
    )
    parts += [(first, last) for first, last in more if last > first]
    stream, found = Stream(), list[bytes | None]()
    stream.begin(begin)
    for first, last in draw.draw(st.permutations(parts)):
        found += stream.take((begin + 1 + first) % (1 << 32), data[first:last])
    assert b"".join(one for one in found if one is not None) == data
    assert None not in found


@given(link=LINKS, frame=st.binary(max_size=120))
def test_a_frame_of_noise_is_a_segment_or_none(link: int, frame: bytes) -> None:
    found = segment(link, frame)
    assert found is None or len(found.data) <= len(frame)


@given(
    said=st.lists(
        st.tuples(st.booleans(), st.integers(0, 400), st.booleans(), st.binary(max_size=80)),
        max_size=20,
    )
)
def test_a_connection_of_noise_breaks_nothing(said: list[tuple[bool, int, bool, bytes]]) -> None:
    """Gaps, beginnings and bytes at will, from both ends."""
    talk = None
    for mine, sequence, begins, data in said:
        source, target = (A, B) if mine else (B, A)
        part = Segment(source, target, sequence, sequence, begins, data)
        talk = talk or Conversation(part, 1 << 20)
        assert all(message.topic for _, message in talk.take(part))
    if talk is not None:
        assert all(message.topic for _, message in talk.end())


@given(
    version=st.sampled_from([4, 5]),
    payloads=st.lists(st.binary(min_size=1, max_size=60).map(lambda data: b"{" + data), min_size=1, max_size=6),
    size=st.integers(1, 40),
)  # fmt: skip
def test_messages_are_read_however_their_bytes_were_cut(
    version: int, payloads: list[bytes], size: int
) -> None:
    """From the connection's first byte on."""
    hello: Callable[..., bytes] = encode.connect
    stream = hello(version, "a", None, None, 30, clean=True)
    stream += b"".join(encode.publish(version, b"city/up", one, 0, None) for one in payloads)
    talk = Conversation(Segment(A, B, 99, None, begins=True, data=b""), 1 << 20)
    found = []
    list(talk.take(Segment(A, B, 99, None, begins=True, data=b"")))
    for at in range(0, len(stream), size):
        part = Segment(A, B, 100 + at, None, begins=False, data=stream[at : at + size])
        found += [(client, message.payload) for client, message in talk.take(part)]
    assert found == [(True, one) for one in payloads]
