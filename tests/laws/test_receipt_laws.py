"""Acknowledgements of a broker's messages, whatever order their commits and codecs end in."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.mqtt.receipts import Receipts


@given(st.lists(st.integers(0, 3), max_size=12).flatmap(lambda s: st.tuples(st.just(s), st.permutations(range(len(s))))))  # fmt: skip
def test_they_leave_in_order_of_arrival_and_none_before_it_is_due(
    given: tuple[list[int], list[int]],
) -> None:
    """However the settlements come: what has left is a prefix of what arrived, as long as it can be, and
    in the end everything."""
    sizes, order = given
    receipts = Receipts()
    packets = [[bytes((n, m)) for m in range(size)] for n, size in enumerate(sizes)]
    expected = [receipts.expect(some) for some in packets]
    sent, due = b"", set()
    for n in order:
        sent += receipts.settle(expected[n])
        due.add(n)
        whole = next((k for k in range(len(sizes)) if k not in due), len(sizes))
        assert sent == b"".join(packet for some in packets[:whole] for packet in some)
    assert sent == b"".join(packet for some in packets for packet in some)
