"""A part of what a scenario sends: some devices, single uplinks, a stretch of time.

Everything is simulated all the same and only what is wanted is passed on, so a part is the same byte for
byte as in the whole.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from gateway.model.instant import Instant
from simulators.uplink import SimUplink


def sender(uplink: SimUplink) -> str:
    """Who truly sent it, under whatever id."""
    return uplink.origin or uplink.device


def numbered(uplinks: Iterable[SimUplink]) -> Iterator[tuple[str, SimUplink]]:
    """Each uplink with its name: `river-01#17` is the 17th that this device sent, or lost."""
    said = Counter[str]()
    for uplink in uplinks:
        who = sender(uplink)
        said[who] += 1
        yield f"{who}#{said[who]}", uplink


def selected(
    uplinks: Iterable[SimUplink],
    only: Sequence[str],
    begins: Instant | None,
    ends: Instant | None,
) -> Iterator[SimUplink]:
    """What is wanted, in the same order.

    Args:
        only: devices and single uplinks; empty: all.
        begins, ends: by town time of sending, the end excluded; None: without bound.
    """
    wanted = frozenset(only)
    for name, uplink in numbered(uplinks):
        if ends is not None and uplink.sent >= ends:
            return
        if begins is not None and uplink.sent < begins:
            continue
        if not wanted or name in wanted or sender(uplink) in wanted:
            yield uplink
