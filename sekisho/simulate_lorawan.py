"""`sekisho simulate --lorawan`: nodes that join and speak through simulated forwarders, to a gateway's door."""

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateway.clock import SystemClock
from gateway.model.errors import Refusal
from gateway.model.instant import SECOND, Instant
from gateway.statedir import StateDir
from gateway.wire.lorawan.identifiers import Eui
from sekisho import air_door, air_settings, place, radio_enrolment, screen, simulate_gateway
from sekisho.bar import Bar
from sekisho.journey import length
from sekisho.lorawan_lawful import require_lawful, simulated
from sekisho.simulate_account import report, why_nobody
from simulators.ledger import Ledger, header
from simulators.lorawan import network
from simulators.lorawan.air_faults import AirFaults
from simulators.lorawan.book import Book
from simulators.lorawan.life import Habits
from simulators.lorawan.meters import Member, members
from simulators.lorawan.station_line import Home
from simulators.town import SMALL

_LONGEST_PAYLOAD = 18
"""A weather station's; no node says more at once."""

_MOVES_S = 0.5
_FOREVER_S = 10 * 365 * 86400.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options say.

    Attributes:
        nodes: so many devices.
        forwarders: and so many forwarders; None for those of the seed that the gateway lists.
        region: None for the gateway's.
        to: "udp://HOST:PORT", "ws://…" or "wss://…"; None for the door of the gateway that `follow` names.
        over: "udp" or "station"; None for whatever `to` says, or the gateway has.
        user, password_file, client, cafile: what stations prove themselves with, and whom they believe.
        faults: of forwarders and behind them.
        switched_on: all nodes are switched on within this time.
        duration: how long at most; None until it is interrupted.
        uplinks: it is over when every node has sent so many.
        battery: its charge at the beginning, 0 to 1.
        adr_ack_limit: uplinks without an answer until a node asks for one; half as many more, and it helps itself.
    """

    seed: int
    nodes: int
    forwarders: int | None
    region: str | None
    every_s: float
    confirmed: float
    switched_on: str
    to: str | None
    over: str | None
    user: str | None
    password_file: Path | None
    cafile: Path | None
    client: Path | None
    faults: Mapping[str, float]
    follow: Path | None
    register: Path | None
    keys: Path | None
    ledger: Path | None
    duration: str | None
    uplinks: int | None
    battery: float
    adr_ack_limit: int


def carry_out(asked: Asked, *, only_settings: bool, as_json: bool, quiet: bool) -> None:
    """Print the settings; or register, where nobody is named to speak to; or run it and print the figures."""
    if only_settings:
        _print_settings(asked, as_json=as_json)
        return
    if asked.to is None and asked.follow is None and asked.register is not None:
        _enrolled(asked, members(asked.seed, SystemClock().now(), asked.nodes), asked.register)
        print(f"{asked.nodes:,} nodes are registered in {asked.register}.", file=sys.stderr)
        return
    with Bar(sys.stderr, quiet=quiet) as bar:
        figures = simulate_lorawan(asked, bar)
    report(figures, as_json=as_json, quiet=quiet)
    if not figures["joined"]:
        raise Refusal(f"No node joined. {why_nobody(figures)}")


def _print_settings(asked: Asked, *, as_json: bool) -> None:
    region = asked.region or simulate_gateway.USUAL_REGION
    simulated(region)
    many = asked.forwarders or simulate_gateway.USUAL_FORWARDERS
    if as_json:
        screen.document(air_settings.document(asked.seed, many, region, asked.over))
    else:
        sys.stdout.write(air_settings.settings(asked.seed, many, region, asked.over))


def simulate_lorawan(asked: Asked, bar: Bar) -> dict[str, Any]:
    """Run it to its end; the figures.

    Args:
        bar: moves with it.

    Raises:
        Refusal: the options contradict each other or the gateway, or there is no way to it.
    """
    there = simulate_gateway.listening(asked.follow)
    plan = simulate_gateway.plan_of(asked.region, there)
    fastest = max(channel.high for channel in plan.channels)
    require_lawful(plan, [fastest], _LONGEST_PAYLOAD, asked.every_s, "--report-every")
    start = SystemClock().now()
    if asked.follow is not None:
        start = place.clock_of(StateDir.open(asked.follow)).now()
    people = members(asked.seed, start, asked.nodes)
    euis = simulate_gateway.euis_of(asked.seed, asked.forwarders, there)
    nonces: Mapping[Eui, int] = {}
    if asked.register is not None:
        nonces = _enrolled(asked, people, asked.register)
    elif asked.follow is not None:
        nonces = radio_enrolment.nonces(asked.follow, asked.keys)
    login = air_door.login(
        asked.user, asked.password_file, asked.cafile, asked.client, asked.follow
    )
    to = air_door.find(asked.to, asked.over, asked.follow, login)
    simulate_gateway.require_host(to)
    wish = network.Wish(
        *(asked.seed, plan, start, people, euis, nonces),
        Habits(
            every_s=asked.every_s,
            confirmed=asked.confirmed,
            spread_s=_seconds("--switched-on-within", asked.switched_on),
            charge=asked.battery,
            adr_limit=asked.adr_ack_limit,
            adr_delay=asked.adr_ack_limit // 2,
        ),
        to,
        _FOREVER_S if asked.duration is None else _seconds("--for", asked.duration),
        asked.uplinks,
        AirFaults(**asked.faults),
    )
    return asyncio.run(_run(wish, asked.ledger, bar))


def _enrolled(asked: Asked, people: Sequence[Member], state: Path) -> dict[Eui, int]:
    return radio_enrolment.enrol(
        people, state, asked.keys, stations=air_door.is_for_stations(asked.over, asked.follow)
    )


def _seconds(option: str, text: str) -> float:
    return length(option, text) / SECOND


async def _run(wish: network.Wish, path: Path | None, bar: Bar) -> dict[str, Any]:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with nullcontext() if path is None else _open_ledger(path, wish) as ledger:
        book = Book(ledger)
        moving = asyncio.create_task(_move(bar, wish, book), name="progress")
        try:
            lives = await network.run(wish, book, stop)
        except network.NoLine as error:
            raise Refusal(
                f"No station was let in ({error}). The gateway must list them under lorawan.forwarders (--settings), and "
                "believe what they show: --register DIR --over station makes their token, --client names a certificate."
            ) from error
        finally:
            moving.cancel()
    return _figures(wish, book, [life.uplinks for life in lives])


async def _move(bar: Bar, wish: network.Wish, book: Book) -> None:
    """Show how far it is, twice a second."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    total = None if wish.last_s >= _FOREVER_S else wish.last_s
    while True:
        passed_s = loop.time() - began_s
        left = "" if total is None else f"  {max(0.0, total - passed_s):,.0f} s left"
        ups = book.uplinks
        bar.move(
            passed_s,
            total,
            f"{book.joins:,} of {len(wish.members):,} joined",
            f"{ups['all']:,} uplinks  {ups['acknowledged']:,} of {ups['confirmed']:,} acknowledged{left}",
        )
        await asyncio.sleep(_MOVES_S)


def _figures(wish: network.Wish, book: Book, uplinks: Sequence[int]) -> dict[str, Any]:
    return {
        "seed": wish.seed,
        "start_us": wish.start,
        "nodes": len(wish.members),
        "joined": book.joins,
        "forwarders": len(wish.forwarders),
        "fewest_uplinks": min(uplinks, default=0),
        "uplinks": dict(book.uplinks),
        "frames": {f"{sort}: {fate}": n for (sort, fate), n in sorted(book.frames.items())},
        "batteries_empty": book.deaths,
        "hearings": book.hearings,
        "downlinks": dict(book.downlinks),
        "backhaul": dict(book.backhaul),
        "air_s": round(book.air_us / 1e6, 1),
    }


def _open_ledger(path: Path, wish: network.Wish) -> Ledger:
    start: Instant = wish.start
    head = header(SMALL, wish.seed, start, 0, wish.habits.every_s, 0.0, {}, 0)
    head["faults"] = {name: rate for name, rate in asdict(wish.faults).items() if rate}
    head["lorawan"] = {
        "region": wish.plan.name,
        "forwarders": [str(eui) for eui in wish.forwarders],
        "confirmed": wish.habits.confirmed,
        "over": air_door.STATION if isinstance(wish.to, Home) else air_door.UDP,
    }
    try:
        return Ledger(path, head, [one.device for one in wish.members])
    except OSError as error:
        raise Refusal(
            f"The ledger {path} cannot be written ({error.strerror}). Name another --ledger."
        ) from error
