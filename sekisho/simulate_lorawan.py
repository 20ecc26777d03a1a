"""`sekisho simulate --lorawan`: nodes that join and speak through simulated forwarders, to a gateway's UDP door."""

import asyncio
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.clock import SystemClock
from gateway.lorawan.airtime import FRAME, airtime_us
from gateway.lorawan.plan import Plan
from gateway.lorawan.regions import PLANS
from gateway.model.errors import Refusal
from gateway.model.instant import SECOND, Instant
from gateway.registry.radio_rows import Secrets
from gateway.statedir import StateDir
from gateway.wire.lorawan.identifiers import Eui
from sekisho import enrolment, place
from sekisho.journey import length
from simulators.ledger import Ledger, header
from simulators.lorawan import network
from simulators.lorawan.book import Book
from simulators.lorawan.life import Habits
from simulators.lorawan.links import FORWARDER_GAIN_DB
from simulators.lorawan.meters import Member, forwarder_eui, members

_SETTINGS = """\
doors:
  - kind: lorawan_udp
    name: forwarders
    port: 1700
lorawan:
  region: {region}
  forwarders:
"""
_LONGEST_PAYLOAD = 18
"""A weather station's; no node says more at once."""

_FOREVER_S = 10 * 365 * 86400.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options say.

    Attributes:
        nodes: so many devices.
        forwarders: and so many forwarders.
        to: "udp://HOST:PORT"; None for the door of the gateway that `follow` names.
        switched_on: all nodes are switched on within this time.
        duration: how long at most; None until it is interrupted.
        uplinks: it is over when every node has sent so many.
    """

    seed: int
    nodes: int
    forwarders: int
    region: str
    every_s: float
    confirmed: float
    switched_on: str
    to: str | None
    follow: Path | None
    register: Path | None
    keys: Path | None
    ledger: Path | None
    duration: str | None
    uplinks: int | None


def carry_out(asked: Asked, *, only_settings: bool, as_json: bool, quiet: bool) -> None:
    """Print the settings; or register, where nobody is named to speak to; or run it and print the figures."""
    if only_settings:
        sys.stdout.write(settings(asked.seed, asked.forwarders, asked.region))
        return
    if asked.to is None and asked.follow is None and asked.register is not None:
        _enrol(members(asked.seed, SystemClock().now(), asked.nodes), asked.register, asked.keys)
        print(f"{asked.nodes:,} nodes are registered in {asked.register}.", file=sys.stderr)
        return
    _report(simulate_lorawan(asked), as_json=as_json, quiet=quiet)


def settings(seed: int, forwarders: int, region: str) -> str:
    """What a gateway's configuration needs for these forwarders, as YAML."""
    euis = "".join(
        f"    - {{eui: {forwarder_eui(seed, n)}, from: [127.0.0.0/8], gain_db: {FORWARDER_GAIN_DB:g}}}\n"
        for n in range(1, forwarders + 1)
    )
    return _SETTINGS.format(region=region) + euis


def simulate_lorawan(asked: Asked) -> dict[str, Any]:
    """Run it to its end; the figures.

    Raises:
        Refusal: the options contradict each other, or nobody takes UDP there.
    """
    plan = PLANS.get(asked.region)
    if plan is None or plan.masks:
        known = ", ".join(name for name, one in PLANS.items() if not one.masks)
        raise Refusal(f"--region {asked.region}: simulated are {known}.", 2)
    _require_lawful(plan, asked.every_s)
    start = SystemClock().now()
    if asked.follow is not None:
        start = place.clock_of(StateDir.open(asked.follow)).now()
    people = members(asked.seed, start, asked.nodes)
    euis = [forwarder_eui(asked.seed, n) for n in range(1, asked.forwarders + 1)]
    nonces: Mapping[Eui, int] = {}
    if asked.register is not None:
        nonces = _enrol(people, asked.register, asked.keys)
    wish = network.Wish(
        *(asked.seed, plan, start, people, euis, nonces),
        Habits(asked.every_s, asked.confirmed, _seconds("--switched-on-within", asked.switched_on)),
        _door(asked),
        _FOREVER_S if asked.duration is None else _seconds("--for", asked.duration),
        asked.uplinks,
    )
    return asyncio.run(_run(wish, asked.ledger))


def _seconds(option: str, text: str) -> float:
    return length(option, text) / SECOND


async def _run(wish: network.Wish, path: Path | None) -> dict[str, Any]:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with nullcontext() if path is None else _open_ledger(path, wish) as ledger:
        book = Book(ledger)
        lives = await network.run(wish, book, stop)
    return _figures(wish, book, [life.uplinks for life in lives])


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
        "hearings": book.hearings,
        "downlinks": dict(book.downlinks),
        "air_s": round(book.air_us / 1e6, 1),
    }


def _report(figures: dict[str, Any], *, as_json: bool, quiet: bool) -> None:
    if as_json:
        print(json.dumps(figures))
    elif not quiet:
        ups = figures["uplinks"]
        print(
            f"{figures['joined']:,} of {figures['nodes']:,} nodes joined through "
            f"{figures['forwarders']:,} forwarders, seed {figures['seed']}"
        )
        print(
            f"{ups.get('all', 0):,} uplinks, {ups.get('heard', 0):,} heard; {ups.get('confirmed', 0):,} confirmed, "
            f"{ups.get('acknowledged', 0):,} acknowledged; {figures['air_s']:,} s on the air"
        )
        for title in ("frames", "downlinks"):
            said = ", ".join(f"{name} {n:,}" for name, n in figures[title].items())
            print(f"  {title}: {said or 'none'}")


def _require_lawful(plan: Plan, every_s: float) -> None:
    """Refuse nodes that would send more often than the law permits at their fastest data rate.

    Raises:
        Refusal: names the clause.
    """
    for channel in plan.channels:
        rate = plan.data_rates[channel.high]
        air_us = airtime_us(FRAME + _LONGEST_PAYLOAD, rate)
        for rule in plan.rules:
            if rule.holds(channel.freq_hz, rate.bw_hz) and 3600 / every_s > rule.an_hour(air_us):
                raise Refusal(
                    f"--report-every {every_s:g}: a frame of {air_us / 1000:.0f} ms at {rate} may be sent "
                    f"{rule.an_hour(air_us):,} times an hour ({rule.law}). Report more rarely.",
                    2,
                )


def _enrol(people: Sequence[Member], state: Path, keys: Path | None) -> dict[Eui, int]:
    """Put the nodes and their root keys into a SIM directory; the DevNonces that they have used."""
    enrolment.enrol([one.device for one in people], state, keys)
    here = place.find(state, keys, None)
    with here.registry() as registry:
        with registry.change():
            for one in people:
                who = one.identity
                secrets = Secrets(
                    join_eui=who.join_eui,
                    app_key=who.app_key,
                    nwk_key=who.nwk_key,
                    counting=True,
                )
                registry.radio.put(one.device.device, secrets, one.device.registered_at)
        roots = registry.radio.read().roots
    return {eui: max(root.nonces, default=0) for eui, root in roots.items()}


def _door(asked: Asked) -> tuple[str, int]:
    """Host and port of the door for forwarders.

    Raises:
        Refusal: none is named, or the gateway has none.
    """
    if asked.to is not None:
        host, colon, port = asked.to.removeprefix("udp://").rpartition(":")
        if not asked.to.startswith("udp://") or not colon or not port.isdecimal():
            raise Refusal(f"--to {asked.to}: forwarders speak to udp://HOST:PORT.", 2)
        return host, int(port)
    if asked.follow is None:
        raise Refusal("Forwarders need to know whom to speak to: --follow DIR, or --to udp://HOST:PORT.", 2)  # fmt: skip
    for door in place.running(StateDir.open(asked.follow)).get("doors", {}).values():
        if door.get("kind") == "lorawan_udp" and door.get("port"):
            return door["host"], door["port"]
    raise Refusal(
        f"No gateway with an open door for forwarders runs on {asked.follow}. sekisho simulate --lorawan "
        f"{asked.nodes} --settings prints what its configuration needs; then sekisho run."
    )


def _open_ledger(path: Path, wish: network.Wish) -> Ledger:
    start: Instant = wish.start
    head = header(wish.seed, start, 0, wish.habits.every_s, 0.0, {}, 0)
    head["lorawan"] = {
        "region": wish.plan.name,
        "forwarders": [str(eui) for eui in wish.forwarders],
        "confirmed": wish.habits.confirmed,
    }
    try:
        return Ledger(path, head, [one.device for one in wish.members])
    except OSError as error:
        raise Refusal(
            f"The ledger {path} cannot be written ({error.strerror}). Name another --ledger."
        ) from error
