"""The doors of a run: made of what was configured, opened, renewed and closed together."""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from random import SystemRandom
from typing import Any, Protocol

from gateway.app import ports
from gateway.app.checkpoint import Checkpoint
from gateway.app.encryption import server_context
from gateway.app.radio import RadioHouse
from gateway.app.wanted import DoorPlan, PushPlan, Side, Wanted
from gateway.interfaces import Scripts
from gateway.keys.ring import KeyRing
from gateway.model.device import Directory
from gateway.model.errors import Refusal
from gateway.registry import tokens
from gateway.sessions.keeping import Keeping
from gateway.telemetry import Facts
from gateway.transports.lorawan_udp.door import UdpDoor
from gateway.transports.mqtt_client.broker import Broker
from gateway.transports.mqtt_client.door import ClientDoor
from gateway.transports.mqtt_listener.door import Door


class Way(Protocol):
    """What every door does once it is open."""

    def renew(self, directory: Directory) -> None:
        """The registry has changed."""
        ...

    def stop_listening(self) -> None:
        """Take nothing more in."""
        ...

    async def close(self) -> None:
        """After the last acknowledgement."""
        ...


class Opened(Way, Protocol):
    """What every door does that listens."""

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen; the port taken."""
        ...


class Doors:
    """All of them: those that listen, with where each does and what sort it is, and the clients of brokers.

    Attributes:
        tasks: what runs while they are open; none of it ends but by a bug.
    """

    def __init__(
        self,
        doors: Sequence[tuple[Opened, Side, str]],
        clients: Sequence[ClientDoor],
        house: RadioHouse | None = None,
    ) -> None:
        self._doors = doors
        self._clients = clients
        self._house = house
        self.tasks: set[asyncio.Task[None]] = set()
        behind: list[Way] = [] if house is None else [house]
        self._all: list[Way] = [*(door for door, _, _ in doors), *clients, *behind]

    @classmethod
    def of(
        cls,
        wanted: Wanted,
        checkpoint: Checkpoint,
        keeping: Keeping,
        keys: KeyRing,
        scripts: Scripts | None = None,
    ) -> "Doors":
        """Doors that hand over to the checkpoint, still shut; `scripts` runs vendors' codecs, where there are any."""
        listeners: list[tuple[Opened, Side, str]] = [
            (_listener(wish, checkpoint, keeping, keys, scripts), wish.side, "mqtt_listener")
            for wish in wanted.mqtt
        ]
        posts = [
            (_push(wish, checkpoint, keys, scripts), wish.side, "http_push")
            for wish in wanted.pushes
        ]
        house = None
        forwarders: list[tuple[Opened, Side, str]] = []
        if wanted.radio is not None:
            house = RadioHouse(wanted.radio, checkpoint, keeping, scripts)
            forwarders = [
                *((_udp(house, checkpoint), side, "lorawan_udp") for side in wanted.udp),
                *(
                    (_station(house, checkpoint, keys), side, "basics_station")
                    for side in wanted.stations
                ),
            ]
        clients = [_client(one, checkpoint, scripts) for one in wanted.brokers]
        made = cls([*listeners, *posts, *forwarders], clients, house)
        checkpoint.window.answer("brokers", made._answer)
        return made

    async def open(self, facts: Facts) -> dict[str, Any]:
        """Open every door; what others are told of them in `run.json`: `doors` and `brokers`, by name.

        Raises:
            Refusal: a port is taken, or a certificate cannot be used.
        """
        described: dict[str, Any] = {}
        for door, wish, kind in self._doors:
            port = await _listen(door, wish, "port", wish.port, None)
            tls = None if wish.tls_port is None else _tls(wish, facts)
            described[wish.name] = {
                "kind": kind,
                "host": wish.host,
                "port": port,
                "tls_port": await _listen(door, wish, "tls.port", wish.tls_port, tls),
                "ca": None if wish.ca is None else str(wish.ca),
            }
        for client in self._clients:
            self.tasks |= client.open()
        if self._house is not None:
            self._house.open()
            self.tasks |= self._house.tasks
        return {
            "doors": described,
            "brokers": {client.broker.name: client.broker.url for client in self._clients},
        }

    def renew(self, directory: Directory) -> None:
        """The registry has changed."""
        for door in self._all:
            door.renew(directory)

    def stop_listening(self) -> None:
        """Take nothing more in."""
        for door in self._all:
            door.stop_listening()

    async def close(self) -> None:
        """After the last acknowledgement."""
        for door in self._all:
            await door.close()

    async def _answer(self, _question: Mapping[str, Any]) -> dict[str, Any]:
        """→ {"ask": "brokers"}    ← {"brokers": [{"name", "url", "connected", "error"}, …]}"""
        return {"brokers": [client.status() for client in self._clients]}


def _listener(
    wish: DoorPlan, checkpoint: Checkpoint, keeping: Keeping, keys: KeyRing, scripts: Scripts | None
) -> Door:
    return Door(
        checkpoint.intake,
        checkpoint.directory,
        _digest(keys),
        checkpoint.clock,
        checkpoint.facts,
        wish.limits,
        keeping.sessions,
        keeping.commands,
        anonymous=wish.anonymous,
        server_topics=wish.server_topics,
        scripts=scripts,
    )


def _push(wish: PushPlan, checkpoint: Checkpoint, keys: KeyRing, scripts: Scripts | None) -> Opened:
    from gateway.transports.http_push.door import (
        PushDoor,
        PushLimits,
    )  # an HTTP server, where wanted

    return PushDoor(
        checkpoint.intake,
        checkpoint.directory,
        _digest(keys),
        checkpoint.clock,
        checkpoint.facts,
        wish.side.name,
        PushLimits(wish.body_bytes, wish.pending),
        scripts,
    )


def _udp(house: RadioHouse, checkpoint: Checkpoint) -> UdpDoor:
    return UdpDoor(
        *(house.forwarders, house.radio.heard, house.radio.outbox.sent),
        checkpoint.clock,
        checkpoint.facts,
    )


def _station(house: RadioHouse, checkpoint: Checkpoint, keys: KeyRing) -> Opened:
    from gateway.transports.basics_station.door import StationDoor  # an HTTP server, where wanted
    from gateway.transports.basics_station.limits import StationLimits

    return StationDoor(
        *(house.plan, house.forwarders, house.radio.heard, house.radio.outbox.sent),
        *(checkpoint.directory, _digest(keys), checkpoint.clock, checkpoint.facts),
        StationLimits(),
    )


def _digest(keys: KeyRing) -> Callable[[bytes], bytes]:
    """Token → keyed hash, as the registry keeps it."""
    token_key = keys.token_key()
    return lambda token: tokens.digest(token_key, token.decode("utf-8", "replace"))


def _client(broker: Broker, checkpoint: Checkpoint, scripts: Scripts | None) -> ClientDoor:
    """A broker knows us by the same name each time, and no other gateway by that."""
    return ClientDoor(
        broker,
        broker.client_id or f"sekisho-{checkpoint.state.id[:12]}-{broker.name}",
        checkpoint.intake,
        checkpoint.directory,
        checkpoint.facts,
        checkpoint.clock,
        SystemRandom().random,
        scripts,
        checkpoint.feed.join() if broker.home_assistant else None,
    )


async def _listen(
    door: Opened, wish: Side, setting: str, port: int | None, tls: ssl.SSLContext | None
) -> int | None:
    """Open one side of a door; the port taken, None where it is not wanted."""
    if port is None:
        return None
    try:
        return await door.open(wish.host, port, tls)
    except OSError as error:
        where = f"doors[{wish.name}].{setting}"
        raise Refusal(ports.sentence(wish.name, where, wish.host, port, error)) from error


def _tls(wish: Side, facts: Facts) -> ssl.SSLContext:
    assert wish.certificate is not None
    assert wish.key is not None
    return server_context(
        *(wish.name, wish.certificate, wish.key, facts),
        client_ca=wish.client_ca,
        clients_required=wish.clients_required,
    )
