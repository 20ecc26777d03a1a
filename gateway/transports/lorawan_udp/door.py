"""The UDP door: forwarders push what they hear, and pull to keep the way back open.

Nobody proves anything here, so a forwarder is believed by its EUI and the addresses it may come from, each may send
so much and no more, and no answer is longer than what it answers. An unknown sender gets none. PUSH_ACK says that a
datagram arrived and nothing more; a forwarder never sends again, so what a kill loses here is what was on its way.
Source: PROTOCOL.TXT of packet_forwarder 4.0.1; PUSH and PULL come from two source ports, and a downlink goes to
the one that pulled last.
"""

import asyncio
import logging
import re
import ssl
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count

from gateway.clock import Clock
from gateway.lorawan.forwarder import Forwarder
from gateway.lorawan.plan import DataRate
from gateway.lorawan.reception import UNTOLD, Reception, Told
from gateway.model.device import Directory
from gateway.model.instant import Instant
from gateway.recent import Roof
from gateway.telemetry import Facts
from gateway.transports.lorawan_udp.way import UdpWay
from gateway.wire.gwmp.datagrams import (
    Pull,
    Push,
    Transmission,
    TxAck,
    pull_ack,
    pull_resp,
    push_ack,
    read,
)
from gateway.wire.gwmp.rxpk import DatagramError
from gateway.wire.lorawan.identifiers import Eui

_ACK_S = 2.0
"""How long a TX_ACK is waited for; a forwarder answers at once."""

_SILENT_S = 60.0
"""A forwarder that pulled no later than this is reachable; they pull every five to thirty seconds."""

_WAITING = 4096
"""Downlinks without their TX_ACK."""

_RATE = re.compile(r"SF([5-9]|1[0-2])BW(125|250|500)")

Address = tuple[str, int]


class _Bucket:
    """So many datagrams a second, and as many at once."""

    __slots__ = ("at_s", "left")

    def __init__(self, at_s: float, left: float) -> None:
        self.at_s = at_s
        self.left = left

    def take(self, now_s: float, rate: float) -> bool:
        self.left = min(rate, self.left + (now_s - self.at_s) * rate)
        self.at_s = now_s
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass(slots=True)
class _Sent:
    """A downlink that waits for its TX_ACK."""

    number: int
    eui: Eui
    window: int
    again: Callable[[], str | None] | None
    timer: asyncio.TimerHandle


class UdpDoor(asyncio.DatagramProtocol):
    """One UDP socket.

    Args:
        forwarders: who may speak here.
        heard: takes every reception.
        sent: told what became of every downlink: None, or why it was not sent.
        rate: datagrams a second that one forwarder may send.
    """

    def __init__(
        self,
        forwarders: Mapping[Eui, Forwarder],
        heard: Callable[[Reception], None],
        sent: Told,
        clock: Clock,
        facts: Facts,
        rate: float = 200.0,
    ) -> None:
        self._forwarders = forwarders
        self._heard = heard
        self._sent = sent
        self._clock = clock
        self._facts = facts
        self._rate = rate
        self._buckets: dict[Eui, _Bucket] = {}
        self._back: dict[Eui, tuple[Address, int, float]] = {}
        self._waiting: OrderedDict[bytes, _Sent] = OrderedDict()
        self._tokens = count(1)
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen; the port taken. This protocol knows no encryption."""
        del tls
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, (host, port))
        self._transport = transport
        return int(transport.get_extra_info("sockname")[1])

    def stop_listening(self) -> None:
        """Take nothing more in; what waits for a TX_ACK is given up."""
        if self._transport is not None:
            self._transport.close()
        for sent in self._waiting.values():
            sent.timer.cancel()
        self._waiting.clear()

    def renew(self, directory: Directory) -> None:
        """Forwarders stand in the configuration, and devices are the network's."""
        del directory

    async def close(self) -> None:
        """The socket was closed when listening ended."""

    def datagram_received(self, data: bytes, address: Address) -> None:
        """Whatever came; nothing of it ever raises."""
        try:
            said = read(data)
        except DatagramError:
            self._facts.count("forwarder: no datagram of one")
            return
        forwarder = self._forwarders.get(said.forwarder)
        if forwarder is None or forwarder.credential or not forwarder.may_come_from(address[0]):
            self._facts.count("forwarder: unknown")
            why = "unknown forwarder"
            if forwarder is not None:
                why = (
                    "a credential is asked of it, which UDP cannot show"
                    if forwarder.credential
                    else f"it comes from {address[0]}, which its from does not permit"
                )
            now = self._clock.now()
            self._facts.recent.turned_away(now, f"forwarder {said.forwarder}", why)
            return
        now_s = self._clock.monotonic()
        bucket = self._buckets.get(said.forwarder)
        if bucket is None:
            bucket = self._buckets[said.forwarder] = _Bucket(now_s, self._rate)
        if not bucket.take(now_s, self._rate):
            self._facts.count("forwarder: too many datagrams")
            return
        roof = self._facts.recent.roofs[str(said.forwarder)]
        roof.said = self._clock.now()
        if isinstance(said, Push):
            self._answer(push_ack(said), address)
            self._push(said, forwarder, roof, now_s)
        elif isinstance(said, Pull):
            roof.back = roof.said
            self._back[said.forwarder] = (address, said.version, now_s)
            self._answer(pull_ack(said), address)
        else:
            self._acknowledged(said)

    def error_received(self, exc: Exception) -> None:
        """An answer could not be delivered: its forwarder is gone, and that is no fault of ours."""
        del exc

    def _answer(self, datagram: bytes, address: Address) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(datagram, address)

    def _push(self, push: Push, forwarder: Forwarder, roof: Roof, now_s: float) -> None:
        at = self._clock.now()
        if push.stat is not None:
            ahead_us = _ahead_us(push.stat.get("time"), at)
            roof.ahead_us = roof.ahead_us if ahead_us is None else ahead_us
        for _ in push.refused:
            self._facts.count("forwarder: uplink not readable")
        for one in push.heard:
            rate = _rate(one.datr) if one.modulation == "LORA" else None
            if one.crc != "ok":
                roof.harmed += one.crc == "bad"
                self._facts.count(f"forwarder: CRC {one.crc}")
            elif rate is None:
                self._facts.count("forwarder: not LoRa")
            else:
                way = UdpWay(self, forwarder, one.tmst, now_s)
                for antenna in one.antennas:
                    self._heard(
                        Reception(
                            *(one.phy, forwarder.eui, antenna.number, one.freq_hz, rate),
                            *(antenna.rssi_dbm, antenna.snr_db, at, now_s, way),
                        )
                    )

    def monotonic(self) -> float:
        """The clock that receptions were heard by."""
        return self._clock.monotonic()

    def back(self, eui: Eui) -> tuple[Address, int] | None:
        """Where a downlink for this forwarder goes, and in which version; None where it does not pull."""
        known = self._back.get(eui)
        if known is None or self._clock.monotonic() - known[2] > _SILENT_S:
            return None
        return known[0], known[1]

    def transmit(
        self,
        number: int,
        eui: Eui,
        window: int,
        txpk: Transmission,
        again: Callable[[], str | None] | None,
    ) -> str | None:
        """Send a PULL_RESP; why not, in words.

        Args:
            again: asked where the forwarder refuses it: the second window, if there is one.
        """
        back = self.back(eui)
        if back is None:
            return "the forwarder does not pull"
        if len(self._waiting) >= _WAITING:
            return "too many downlinks without TX_ACK"
        address, version = back
        token = (next(self._tokens) & 0xFFFF).to_bytes(2, "big")
        timer = asyncio.get_running_loop().call_later(_ACK_S, self._silent, token)
        self._waiting[token] = _Sent(number, eui, window, again, timer)
        self._answer(pull_resp(version, token, txpk), address)
        return None

    def _acknowledged(self, said: TxAck) -> None:
        sent = self._waiting.get(said.token)
        if sent is None or sent.eui != said.forwarder:
            self._facts.count("forwarder: TX_ACK of nothing")
            return
        del self._waiting[said.token]
        sent.timer.cancel()
        if said.warning:
            self._facts.note(
                "forwarder sends otherwise",
                f"Forwarder {said.forwarder} sent a downlink otherwise than it was asked to ({said.warning})",
                logging.WARNING,
            )
        if not said.error:
            self._sent(sent.number, None, sent.window)
            return
        fault = said.error if sent.again is None else sent.again()
        if fault is not None:
            self._sent(sent.number, said.error, sent.window)

    def _silent(self, token: bytes) -> None:
        sent = self._waiting.pop(token, None)
        if sent is not None:
            self._sent(sent.number, UNTOLD, sent.window)


@lru_cache(maxsize=64)
def _rate(datr: str | int) -> DataRate | None:
    """What "SF7BW125" means; None for anything else."""
    found = _RATE.fullmatch(str(datr))
    return None if found is None else DataRate(int(found[1]), int(found[2]) * 1000)


def _ahead_us(said: object, now: Instant) -> int | None:
    """How far a forwarder's clock is ahead of ours, by its own word; None where that tells no time."""
    try:
        plain = str(said).removesuffix(" GMT").removesuffix(" UTC")
        theirs = datetime.strptime(plain, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(theirs.timestamp() * 1_000_000) - now
