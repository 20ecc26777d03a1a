"""The client door: stays connected to one broker, whatever becomes of it, and says how that goes."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gateway.clock import Clock
from gateway.interfaces import Scripts
from gateway.model.device import Directory
from gateway.model.observation import Observation
from gateway.model.uplink import Receiver
from gateway.telemetry import Facts
from gateway.transports.mqtt_client import greeting
from gateway.transports.mqtt_client.broker import Broker
from gateway.transports.mqtt_client.connection import Connection
from gateway.transports.mqtt_client.home_assistant import Announcer
from gateway.transports.mqtt_client.sorter import Sorter, people_behind
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.packets import ConnAck, SubAck

_FIRST_S, _LONGEST_S = 0.5, 30.0
"""Waits between tries, doubled each time; a random part of each is left out."""

_SOUND_S = 60.0
"""A connection that held so long was a good one: the next try is a first one again."""

_SHORT_S = 5.0
"""A connection that ended so soon may have ended for what we subscribed to."""

_CONNECT_S = 15.0

_UNSENT = 262_144
"""Bytes that may wait for a broker that does not read before it is told nothing more."""


class ClientDoor:
    """One broker.

    Args:
        client_id: what it remembers us by.
        jitter: a number from 0 to 1, another one each time.
        scripts: runs vendors' codecs; None where there are none.
        stored: newly stored rows, for a broker whose Home Assistant is to know them.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        receiver: Receiver,
        directory: Directory,
        facts: Facts,
        clock: Clock,
        jitter: Callable[[], float],
        scripts: Scripts | None = None,
        stored: "asyncio.Queue[Observation] | None" = None,
    ) -> None:
        self.broker = broker
        self.receiver = receiver
        self.facts = facts
        self.clock = clock
        self.scripts = scripts
        self.sorter = Sorter(broker, directory, facts, clock)
        self._client_id = client_id
        self._jitter = jitter
        self._connection: Connection | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._accepted = False
        self._known = False
        self._silence_s = broker.keep_alive_s
        self._dropped = 0
        self._asks_losses = True
        self._granted = False
        self._error = ""
        self._announcer: Announcer | None = None
        if stored is not None:
            self._announcer = Announcer(broker.home_assistant, broker.version, stored, self._tell)
        self._teller: asyncio.Task[None] | None = None
        self._people(directory)

    def open(self) -> set[asyncio.Task[None]]:
        """Begin to connect; a broker that is not there yet is waited for. What runs from then on."""
        self._keeper = asyncio.create_task(self._keep(), name=f"broker {self.broker.name}")
        if self._announcer is None:
            return {self._keeper}
        self._teller = asyncio.create_task(self._announcer.keep(), name="home assistant")
        return {self._keeper, self._teller}

    def renew(self, directory: Directory) -> None:
        """The registry has changed."""
        self.sorter.renew(directory)
        self._people(directory)

    def status(self) -> dict[str, Any]:
        """For `sekisho doctor`: whether it is connected, and what went wrong last."""
        return {
            "name": self.broker.name,
            "url": self.broker.url,
            "connected": self._accepted,
            "error": self._error or ("" if self._accepted else "not connected yet"),
        }

    def stop_listening(self) -> None:
        """Take nothing more in and connect no more; the broker keeps the subscriptions, and what comes."""
        if self._keeper is not None:
            self._keeper.cancel()
        if self._connection is not None:
            self._connection.hush()

    async def close(self) -> None:
        """Say goodbye behind the last acknowledgement."""
        connection, keeper = self._connection, self._keeper
        if self._teller is not None:
            self._teller.cancel()
        if keeper is not None:
            await asyncio.gather(keeper, return_exceptions=True)
        if connection is not None and connection.is_open():
            connection.send(encode.disconnect(self.broker.version))
            connection.end("we stop")
            with suppress(TimeoutError):
                await asyncio.wait_for(connection.ended.wait(), 1.0)

    # -- what connections ask

    def greeted(self, connection: Connection, answer: ConnAck) -> None:
        if answer.reason:
            self._error = greeting.refusal(self.broker, answer.reason)
            self.facts.note(
                "broker refused",
                f"Broker {self.broker.name} at {self.broker.url}: {self._error}; it is tried again",
                logging.ERROR,
            )
            connection.end("it refused us")
            return
        self._accepted = True
        self._error = ""
        self._silence_s = greeting.keep_alive_s(self.broker, answer)
        for fact in ("broker unreachable", "broker refused", "broker lost"):
            self.facts.over(fact)
        name = self.broker.name
        self.facts.note("broker connected", f"Connected to broker {name} at {self.broker.url}")
        if not answer.session_present:
            again = (
                "it has lost the session that it kept for us, with all that waited in it: it was "
                "restarted without persistence, or we were away for longer than it waits"
                if self._known
                else "it keeps a session for us from now on; what came before is not in it"
            )
            self.facts.note(
                "broker session new",
                f"Broker {name}: {again}",
                logging.WARNING if self._known else logging.INFO,
            )
        self._known = True
        if self._announcer is not None:
            self._announcer.again()
        connection.send(greeting.subscribe(self.broker, losses=self._asks_losses))

    def granted(self, answer: SubAck) -> None:
        self._granted = True
        for one, reason in zip(self.broker.subscriptions, answer.reasons, strict=False):
            if reason >= 0x80:
                self._error = f"it refuses the subscription to {one.filter}"
                self.facts.note(
                    "subscription refused",
                    f"Broker {self.broker.name} refuses the subscription to {one.filter} "
                    f"(0x{reason:02X}): its access list must allow it",
                    logging.ERROR,
                )

    def dropped(self, total: int) -> None:
        more = (
            total - self._dropped if total >= self._dropped else total
        )  # it counts from its start
        self._dropped = total
        if more:
            self.facts.note(
                "broker dropped",
                f"Broker {self.broker.name} says that it has thrown away {more} messages (of all its "
                "clients): its queues are too short. In Mosquitto, raise max_queued_messages",
                logging.WARNING,
            )

    # -- inside

    def _tell(self, packet: bytes) -> bool:
        """To the broker, if it listens just now; whether it does."""
        connection = self._connection
        if not self._accepted or connection is None or connection.unsent >= _UNSENT:
            return False
        connection.send(packet)
        return True

    async def _keep(self) -> None:
        """Connect, live on that connection until it ends, wait, again."""
        tries = 0
        while True:
            begun = self.clock.monotonic()
            await self._attempt()
            lasted = self.clock.monotonic() - begun
            held = self._accepted and lasted > _SOUND_S
            if self._accepted and not self._granted and lasted < _SHORT_S:
                self._asks_losses = False  # some hang up on whoever asks for $SYS
            self._accepted = self._granted = False
            tries = 0 if held else tries + 1
            longest = min(_LONGEST_S, _FIRST_S * 2 ** min(tries, 10))
            await asyncio.sleep(longest * (0.5 + 0.5 * self._jitter()))

    async def _attempt(self) -> None:
        broker, loop = self.broker, asyncio.get_running_loop()
        try:
            hello = greeting.connect(broker, self._client_id)
            tls = greeting.context(broker)
            async with asyncio.timeout(_CONNECT_S):
                _, connection = await loop.create_connection(
                    lambda: Connection(self, hello), broker.host, broker.port, ssl=tls
                )
        except (OSError, TimeoutError, ValueError) as error:
            self._error = f"it cannot be reached ({_why(error)})"
            self.facts.note(
                "broker unreachable",
                f"Broker {broker.name} at {broker.url}: {self._error}; it is tried again. What its session "
                "keeps for us is not lost",
                logging.ERROR,
            )
            return
        self._connection = connection
        await self._live(connection)
        self._connection = None
        if self._accepted:
            self._error = f"the connection ended: {connection.why or 'it hung up'}"
            self.facts.note(
                "broker lost",
                f"Broker {broker.name}: {self._error}; another connection is made",
                logging.WARNING,
            )

    async def _live(self, connection: Connection) -> None:
        """Until it ends: a sign of life each half keep-alive, and an end to whoever does not answer it."""
        begun = asked = self.clock.monotonic()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(connection.ended.wait(), self._silence_s / 2)
            now = self.clock.monotonic()
            if connection.ended.is_set():
                return
            if not self._accepted:
                if now - begun >= _CONNECT_S:
                    connection.abort("it did not answer CONNECT")
                continue
            if connection.reading and connection.last_heard < asked:
                connection.abort("it was silent for longer than the keep-alive")
            asked = now
            connection.send(encode.PINGREQ)

    def _people(self, directory: Directory) -> None:
        """Say that people's devices do not come in here (decisions 18): at start, never at an uplink."""
        if self.broker.raw_on_broker_accepted:
            return
        count = len(people_behind(directory))
        if count:
            self.facts.note(
                "people behind a broker",
                f"{count} registered devices of people have a DevEUI, and no uplink of them is taken from "
                f"broker {self.broker.name}: it and its other subscribers would see raw positions. Let the "
                "network server push over HTTP to a door of ours, or let the devices speak to one; or say why "
                "it is accepted: raw_on_broker_accepted of this door",
                logging.WARNING,
            )


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not believed: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer"
    return getattr(error, "strerror", None) or type(error).__name__
