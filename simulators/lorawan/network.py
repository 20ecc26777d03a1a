"""A simulated network from switching on to its end: members, forwarders, the field between them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gateway.lorawan.plan import Plan
from gateway.model.instant import Instant
from gateway.wire.lorawan.identifiers import Eui
from simulators.lorawan.book import Book
from simulators.lorawan.field import Field
from simulators.lorawan.gwmp_forwarder import GwmpForwarder
from simulators.lorawan.life import Habits, Life
from simulators.lorawan.links import Links
from simulators.lorawan.meters import Member, Meter, masts
from simulators.lorawan.node import Node
from simulators.streams import stream

_FIRST_PULL_S = 0.3
_LOOK_S = 0.5


class Wish(NamedTuple):
    """What is simulated.

    Attributes:
        nonces: DevEUI → the last DevNonce that was used in an earlier run.
        to: host and port of the gateway's UDP door.
        last_s: seconds until nobody begins anything new.
        uplinks: it is over as soon as every node has sent so many; None: only when its time is.
    """

    seed: int
    plan: Plan
    start: Instant
    members: Sequence[Member]
    forwarders: Sequence[Eui]
    nonces: Mapping[Eui, int]
    habits: Habits
    to: tuple[str, int]
    last_s: float
    uplinks: int | None = None


async def run(wish: Wish, book: Book, stop: asyncio.Event) -> list[Life]:
    """Let it live until its time is over or `stop` is set; the nodes as they are then."""
    seed = wish.seed
    names = [str(eui) for eui in wish.forwarders]
    places = {member.device.device: member.place for member in wish.members}
    places |= dict(zip(names, masts(len(names)), strict=True))
    field = Field(wish.plan, Links(seed, places), book, stream(seed, "fading"))
    forwarders = {
        str(eui): GwmpForwarder(eui, wish.to, field.now_us, field.take, stream(seed, "forwarder", str(eui)))
        for eui in wish.forwarders
    }  # fmt: skip
    field.place(forwarders)
    lives = [_life(wish, member, field, book) for member in wish.members]
    for forwarder in forwarders.values():
        await forwarder.open()
    try:
        await asyncio.sleep(_FIRST_PULL_S)
        over = asyncio.get_running_loop().call_later(wish.last_s, stop.set)
        watch = asyncio.create_task(_watch(lives, wish.uplinks, stop), name="network watch")
        await asyncio.gather(*(life.live(stop) for life in lives))
        over.cancel()
        watch.cancel()
    finally:
        for forwarder in forwarders.values():
            await forwarder.close()
    return lives


async def _watch(lives: Sequence[Life], uplinks: int | None, stop: asyncio.Event) -> None:
    """Stop when everybody has sent so many."""
    if uplinks is None:
        return
    while any(life.uplinks < uplinks for life in lives):  # noqa: ASYNC110 - wall time
        await asyncio.sleep(_LOOK_S)
    stop.set()


def _life(wish: Wish, member: Member, field: Field, book: Book) -> Life:
    device = member.device
    nonce = wish.nonces.get(member.identity.dev_eui, 0)
    node = Node(member.identity, wish.plan, nonce)
    meter = Meter(device.kind, stream(wish.seed, device.device, "meter"))
    dice = stream(wish.seed, device.device, "life")
    at = wish.start

    def now() -> Instant:
        return at + field.now_us()

    return Life(device.device, device.kind, node, meter, field, book, wish.habits, now, dice)
