"""A simulated network from switching on to its end: members, forwarders, the field between them."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from gateway.lorawan.plan import Plan
from gateway.model.instant import Instant
from gateway.wire.lorawan.identifiers import Eui
from simulators.lorawan import air_faults
from simulators.lorawan.air_faults import AirFaults
from simulators.lorawan.backhaul import Backhaul
from simulators.lorawan.battery import Battery
from simulators.lorawan.book import Book
from simulators.lorawan.field import Field
from simulators.lorawan.forwarder import Forwarder, Site
from simulators.lorawan.gwmp_forwarder import GwmpForwarder
from simulators.lorawan.life import Habits, Life
from simulators.lorawan.links import Links
from simulators.lorawan.meters import ON_BATTERIES, Member, Meter, masts
from simulators.lorawan.node import Node
from simulators.lorawan.station_forwarder import StationForwarder
from simulators.lorawan.station_line import Home
from simulators.streams import stream

_FIRST_PULL_S = 0.3
_LOOK_S = 0.5


class Wish(NamedTuple):
    """What is simulated.

    Attributes:
        nonces: DevEUI → the last DevNonce that was used in an earlier run.
        to: host and port of the gateway's UDP door, or what stations are given.
        faults: of forwarders and behind them.
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
    to: tuple[str, int] | Home
    last_s: float
    uplinks: int | None = None
    faults: AirFaults = AirFaults()


class NoLine(Exception):
    """No station was let in; says why."""


async def run(wish: Wish, book: Book, stop: asyncio.Event) -> list[Life]:
    """Let it live until its time is over or `stop` is set; the nodes as they are then.

    Raises:
        NoLine: nobody takes the stations in.
    """
    seed = wish.seed
    names = [str(eui) for eui in wish.forwarders]
    places = {member.device.device: member.place for member in wish.members}
    places |= dict(zip(names, masts(len(names)), strict=True))
    field = Field(wish.plan, Links(seed, places), book, stream(seed, "fading"))
    forwarders = {str(eui): _forwarder(wish, eui, field, book) for eui in wish.forwarders}
    field.place(forwarders)
    lives = [_life(wish, member, field, book) for member in wish.members]
    await asyncio.gather(*(forwarder.open() for forwarder in forwarders.values()))
    try:
        _require_a_line(forwarders.values())
        await asyncio.sleep(_FIRST_PULL_S)
        over = asyncio.get_running_loop().call_later(wish.last_s, stop.set)
        watch = asyncio.create_task(_watch(lives, wish.uplinks, stop), name="network watch")
        await asyncio.gather(*(life.live(stop) for life in lives))
        over.cancel()
        watch.cancel()
    finally:
        await asyncio.gather(*(forwarder.close() for forwarder in forwarders.values()))
    return lives


def _forwarder(wish: Wish, eui: Eui, field: Field, book: Book) -> Forwarder:
    faults, name = wish.faults, str(eui)

    def now() -> Instant:
        return wish.start + field.now_us()

    site = Site(
        field.now_us,
        air_faults.clock(now, faults, stream(wish.seed, "clock", name)),
        field.take,
        Backhaul(stream(wish.seed, "backhaul", name), faults.outage),
        book,
        1 + (stream(wish.seed, "antennas", name).random() < faults.antennas),
        stream(wish.seed, "forwarder", name),
    )
    if isinstance(wish.to, Home):
        return StationForwarder(eui, wish.to, site)
    return GwmpForwarder(eui, wish.to, site)


def _require_a_line(forwarders: Collection[Forwarder]) -> None:
    stations = [one for one in forwarders if isinstance(one, StationForwarder)]
    if stations and not any(station.is_configured for station in stations):
        raise NoLine(stations[0].fault)


async def _watch(lives: Sequence[Life], uplinks: int | None, stop: asyncio.Event) -> None:
    """Stop when everybody has sent so many."""
    if uplinks is None:
        return
    while any(life.uplinks < uplinks and not life.over for life in lives):  # noqa: ASYNC110 - wall time
        await asyncio.sleep(_LOOK_S)
    stop.set()


def _life(wish: Wish, member: Member, field: Field, book: Book) -> Life:
    device = member.device
    nonce = wish.nonces.get(member.identity.dev_eui, 0)
    habits = wish.habits
    battery = Battery(habits.charge) if device.kind in ON_BATTERIES else None
    node = Node(member.identity, wish.plan, nonce, battery, habits.adr_limit, habits.adr_delay)
    meter = Meter(device.kind, stream(wish.seed, device.device, "meter"), battery)
    dice = stream(wish.seed, device.device, "life")
    at = wish.start

    def now() -> Instant:
        return at + field.now_us()

    return Life(device.device, device.kind, node, meter, field, book, habits, now, dice)
