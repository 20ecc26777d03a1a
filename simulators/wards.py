"""A large fleet: the same town again and again, ward by ward, each with dice of its own.

The first ward is the town itself. In each later one every device, household and home is invented
anew; its devices and households bear its name in front, as `w0002-child-0001`. So the mix of kinds is the
town's, and a larger fleet begins with the smaller one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from heapq import merge
from operator import attrgetter

from gateway.model.instant import Instant
from simulators.fleet import SimDevice
from simulators.streams import stream
from simulators.uplink import SimUplink

_SEEDS = 2**31


def ward_seed(seed: int, number: int) -> int:
    """Of the dice of the `number`-th ward, from 0."""
    return seed if number == 0 else stream(seed, "ward", str(number)).randrange(_SEEDS)


def _prefix(number: int) -> str:
    return "" if number == 0 else f"w{number + 1:04}-"


def named(fleet: Sequence[SimDevice], number: int) -> Iterator[SimDevice]:
    """A ward's devices under their names in the whole."""
    before = _prefix(number)
    for device in fleet:
        household = None if device.household is None else before + device.household
        yield replace(device, device=before + device.device, household=household)


def together(
    wards: Sequence[Iterator[SimUplink]], known: frozenset[str], until: Instant | None
) -> Iterator[SimUplink]:
    """The uplinks of all wards in order of town time, of the devices that are `known`."""
    parts = [_renamed(uplinks, _prefix(number)) for number, uplinks in enumerate(wards)]
    for uplink in merge(*parts, key=attrgetter("sent")):
        if until is not None and uplink.sent >= until:
            return
        if (uplink.origin or uplink.device) in known:
            yield uplink


def _renamed(uplinks: Iterator[SimUplink], before: str) -> Iterator[SimUplink]:
    if not before:
        yield from uplinks
        return
    for uplink in uplinks:
        origin = None if uplink.origin is None else before + uplink.origin
        yield uplink._replace(device=before + uplink.device, origin=origin)
