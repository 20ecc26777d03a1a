"""The doors of a run: made of what was configured, opened, renewed and closed together."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gateway.app import ports
from gateway.app.checkpoint import Checkpoint
from gateway.app.encryption import server_context
from gateway.interfaces import Scripts
from gateway.keys.ring import KeyRing
from gateway.model.device import Directory
from gateway.model.errors import Refusal
from gateway.registry import tokens
from gateway.sessions.keeping import Keeping
from gateway.telemetry import Facts
from gateway.transports.mqtt_listener.door import Door
from gateway.transports.mqtt_listener.limits import Limits


@dataclass(frozen=True, slots=True)
class Side:
    """Where a door listens; port None = that side is shut, 0 = any free one.

    Attributes:
        ca: authority to hand to clients, where one lies beside the certificate.
        client_ca: authorities whose client certificates are believed.
    """

    name: str
    host: str
    port: int | None
    tls_port: int | None = None
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    client_ca: Path | None = None
    clients_required: bool = False


@dataclass(frozen=True, slots=True)
class DoorPlan:
    """One MQTT door as configured."""

    side: Side
    anonymous: bool = False
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class PushPlan:
    """One HTTP door as configured.

    Attributes:
        body_bytes, pending: see `gateway.transports.http_push.door.PushLimits`.
    """

    side: Side
    body_bytes: int = 262_144
    pending: int = 1024


class Opened(Protocol):
    """What every door does."""

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen; the port taken."""
        ...

    def renew(self, directory: Directory) -> None:
        """The registry has changed."""
        ...

    def stop_listening(self) -> None:
        """Take nothing more in."""
        ...

    async def close(self) -> None:
        """After the last acknowledgement."""
        ...


class Doors:
    """All of them, with where each listens and what sort it is."""

    def __init__(self, doors: Sequence[tuple[Opened, Side, str]]) -> None:
        self._doors = doors

    @classmethod
    def of(
        cls,
        mqtt: Sequence[DoorPlan],
        pushes: Sequence[PushPlan],
        checkpoint: Checkpoint,
        keeping: Keeping,
        keys: KeyRing,
        scripts: Scripts | None = None,
    ) -> "Doors":
        """Doors that hand over to the checkpoint, still shut; `scripts` runs vendors' codecs, where there are any."""
        listeners: list[tuple[Opened, Side, str]] = [
            (_listener(wish, checkpoint, keeping, keys), wish.side, "mqtt_listener")
            for wish in mqtt
        ]
        posts = [
            (_push(wish, checkpoint, keys, scripts), wish.side, "http_push") for wish in pushes
        ]
        return cls([*listeners, *posts])

    async def open(self, facts: Facts) -> dict[str, Any]:
        """Open every door; what stands of each in `run.json`.

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
        return described

    def renew(self, directory: Directory) -> None:
        """The registry has changed."""
        for door, _, _ in self._doors:
            door.renew(directory)

    def stop_listening(self) -> None:
        """Take nothing more in."""
        for door, _, _ in self._doors:
            door.stop_listening()

    async def close(self) -> None:
        """After the last acknowledgement."""
        for door, _, _ in self._doors:
            await door.close()


def _listener(
    wish: DoorPlan, checkpoint: Checkpoint, keeping: Keeping, keys: KeyRing
) -> Door:  # fmt: skip
    token_key = keys.token_key()
    return Door(
        checkpoint.intake,
        checkpoint.directory,
        lambda token: tokens.digest(token_key, token.decode("utf-8", "replace")),
        checkpoint.clock,
        checkpoint.facts,
        wish.limits,
        keeping.sessions,
        keeping.commands,
        anonymous=wish.anonymous,
    )


def _push(wish: PushPlan, checkpoint: Checkpoint, keys: KeyRing, scripts: Scripts | None) -> Opened:
    from gateway.transports.http_push.door import (
        PushDoor,
        PushLimits,
    )  # an HTTP server, where wanted

    token_key = keys.token_key()
    return PushDoor(
        checkpoint.intake,
        checkpoint.directory,
        lambda token: tokens.digest(token_key, token.decode("utf-8", "replace")),
        checkpoint.clock,
        checkpoint.facts,
        wish.side.name,
        PushLimits(wish.body_bytes, wish.pending),
        scripts,
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
