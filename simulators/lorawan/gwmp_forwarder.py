"""A forwarder as its network sees it: GWMP over UDP, from two source ports (PROTOCOL.TXT of packet_forwarder 4.0.1).

It pushes what it hears after the backhaul's delay, pulls to keep the way back open, and takes a downlink for a moment of
its counter, unless that has passed or is taken. The counter has 32 bits of microseconds, and wraps in 71 minutes.
"""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Callable
from math import log
from random import Random
from typing import Any

import msgspec

from gateway.lorawan.plan import DataRate
from gateway.wire.lorawan.identifiers import Eui
from simulators.lorawan.forwarder import Counts, Hearing, Order, Take

PULL_S = 5.0
BACKHAUL_S, BACKHAUL_SIGMA = 0.06, 0.6
"""Median and sigma of the log-normal time that a datagram takes."""

_WRAP = 1 << 32
_MARGIN_US = 1_500
"""A concentrator needs a downlink so long before it is to be sent (`jitqueue.c` of packet_forwarder 4.0.1)."""

_FARTHEST_US = 10_000_000
_STAT_EVERY = 6

_PUSH_DATA, _PUSH_ACK, _PULL_DATA, _PULL_RESP, _PULL_ACK, _TX_ACK = range(6)


class _Port(asyncio.DatagramProtocol):
    """One of its two source ports."""

    def __init__(self, got: Callable[[bytes], None]) -> None:
        self._got = got

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        del addr
        self._got(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there just now; a forwarder keeps trying."""
        del exc


class GwmpForwarder:
    """One forwarder.

    Args:
        now_us: the common clock.
        take: see `Take`.
        dice: the backhaul's, and where its counter stands.
    """

    def __init__(self, eui: Eui, to: tuple[str, int], now_us: Callable[[], int], take: Take, dice: Random) -> None:  # fmt: skip
        self.eui = eui
        self.counts = Counts()
        self._to = to
        self._now_us = now_us
        self._take = take
        self._dice = dice
        self._ahead = dice.randrange(_WRAP)
        self._token = dice.randrange(1 << 16)
        self._up: asyncio.DatagramTransport
        self._down: asyncio.DatagramTransport
        self._puller: asyncio.Task[None]
        self._waiting: set[bytes] = set()

    async def open(self) -> None:
        """Open both ports and begin to pull."""
        loop = asyncio.get_running_loop()
        self._up, _ = await loop.create_datagram_endpoint(
            lambda: _Port(self._acknowledged), remote_addr=self._to
        )
        self._down, _ = await loop.create_datagram_endpoint(
            lambda: _Port(self._answered), remote_addr=self._to
        )
        self._puller = asyncio.create_task(self._pull(), name=f"forwarder {self.eui}")

    async def close(self) -> None:
        self._puller.cancel()
        await asyncio.gather(self._puller, return_exceptions=True)
        self._up.close()
        self._down.close()

    def push(self, heard: Hearing) -> None:
        """Hand over what was heard, as soon as the backhaul does."""
        after_s = self._dice.lognormvariate(log(BACKHAUL_S), BACKHAUL_SIGMA)
        asyncio.get_running_loop().call_later(after_s, self._say, {"rxpk": [self._rxpk(heard)]})

    def tmst(self, at_us: int) -> int:
        """Its counter at a moment of the common clock."""
        return (at_us + self._ahead) % _WRAP

    def _rxpk(self, heard: Hearing) -> dict[str, Any]:
        return {
            "tmst": self.tmst(heard.end_us),
            "chan": 0,
            "rfch": 0,
            "freq": heard.freq_hz / 1e6,
            "stat": 1,
            "modu": "LORA",
            "datr": str(heard.rate),
            "codr": "4/5",
            "rssi": round(heard.rssi_dbm),
            "lsnr": round(heard.snr_db, 1),
            "size": len(heard.phy),
            "data": b64encode(heard.phy).decode(),
        }

    def _head(self, sort: int) -> bytes:
        self._token = (self._token + 1) & 0xFFFF
        return b"\x02" + self._token.to_bytes(2, "big") + bytes((sort,)) + bytes(self.eui)

    def _say(self, body: dict[str, Any]) -> None:
        if self._up.is_closing():
            return
        head = self._head(_PUSH_DATA)
        self._waiting.add(head[1:3])
        self.counts.pushed += len(body.get("rxpk", ()))
        self._up.sendto(head + msgspec.json.encode(body))

    def _acknowledged(self, datagram: bytes) -> None:
        if datagram[3:4] == bytes((_PUSH_ACK,)) and datagram[1:3] in self._waiting:
            self._waiting.discard(datagram[1:3])
            self.counts.acked += 1

    async def _pull(self) -> None:
        beat = 0
        while True:
            self._down.sendto(self._head(_PULL_DATA))
            if beat % _STAT_EVERY == 0:
                said = self.counts
                self._say({"stat": {"rxnb": said.pushed, "dwnb": said.asked, "txnb": said.sent}})
            beat += 1
            await asyncio.sleep(PULL_S)

    def _answered(self, datagram: bytes) -> None:
        if datagram[3:4] != bytes((_PULL_RESP,)):
            return
        self.counts.asked += 1
        fault = self._obey(msgspec.json.decode(datagram[4:])["txpk"])
        self.counts.refused += bool(fault)
        head = b"\x02" + datagram[1:3] + bytes((_TX_ACK,)) + bytes(self.eui)
        body = msgspec.json.encode({"txpk_ack": {"error": fault}}) if fault else b""
        self._down.sendto(head + body)

    def _went(self, sent: bool) -> None:
        self.counts.sent += sent

    def _obey(self, txpk: dict[str, Any]) -> str:
        """Put a downlink into the air at its moment; the word why not."""
        now = self._now_us()
        ahead = (txpk["tmst"] - self.tmst(now)) % _WRAP
        ahead -= _WRAP if ahead >= _WRAP // 2 else 0
        spreading, _, width = txpk["datr"].removeprefix("SF").partition("BW")
        order = Order(
            b64decode(txpk["data"]),
            now + ahead,
            round(txpk["freq"] * 1e6),
            DataRate(int(spreading), int(width) * 1000),
            float(txpk["powe"]),
            self._went,
        )
        fault = "TOO_LATE" if ahead < _MARGIN_US else "TOO_EARLY" if ahead > _FARTHEST_US else ""
        return self._take(str(self.eui), order, fault)
