"""A forwarder that speaks GWMP over UDP, from two source ports (PROTOCOL.TXT of packet_forwarder 4.0.1).

It pushes what it hears once the backhaul lets it, pulls to keep the way back open, and takes a downlink for a moment of
its counter, unless that has passed or is taken. The counter has 32 bits of microseconds, and wraps in 71 minutes.
"""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from gateway.lorawan.plan import DataRate
from gateway.model.instant import Instant, to_datetime
from gateway.wire.lorawan.identifiers import Eui
from simulators.lorawan.backhaul import LOST
from simulators.lorawan.forwarder import Counts, Hearing, Order, Signal, Site

PULL_S = 5.0

_WRAP = 1 << 32
_MARGIN_US = 1_500
"""A concentrator needs a downlink so long before it is to be sent (`jitqueue.c` of packet_forwarder 4.0.1)."""

_FARTHEST_US = 10_000_000
_STAT_EVERY = 6
_KEPT = 0.5
"""Of what is heard during an outage, the share that a forwarder keeps and hands over afterwards."""

_ACK_US = 1_000_000
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


class _Push(NamedTuple):
    """A datagram without its acknowledgement.

    Attributes:
        number: of the frame that it tells of; None for none.
        acked_us: when the last one before it was acknowledged.
    """

    number: int | None
    at_us: int
    acked_us: int


class GwmpForwarder:
    """One forwarder.

    Args:
        to: host and port of the gateway's door.
    """

    def __init__(self, eui: Eui, to: tuple[str, int], site: Site) -> None:
        self.eui = eui
        self.counts = Counts()
        self.antennas = site.antennas
        self._to = to
        self._site = site
        self._ahead = site.dice.randrange(_WRAP)
        self._token = site.dice.randrange(1 << 16)
        self._up: asyncio.DatagramTransport
        self._down: asyncio.DatagramTransport
        self._puller: asyncio.Task[None]
        self._waiting: dict[bytes, _Push] = {}
        self._held: set[int] = set()
        self._acked_us = 0

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
        for number in self._held:
            self._site.book.handed(self.eui, number, LOST)
        self._missed(self._site.now_us())
        self._up.close()
        self._down.close()

    def push(self, heard: Hearing) -> None:
        """Hand over what was heard, as soon as the backhaul does."""
        site, loop = self._site, asyncio.get_running_loop()
        after_s = site.backhaul.delay_s()
        if not site.backhaul.is_out:
            loop.call_later(after_s, self._hand_over, heard)
        elif site.dice.random() < _KEPT:
            self._held.add(heard.number)
            loop.call_at(site.backhaul.back_s + after_s, self._hand_over, heard)
        else:
            site.book.handed(self.eui, heard.number, LOST)

    def _hand_over(self, heard: Hearing) -> None:
        if self._up.is_closing():
            return
        if heard.number in self._held:
            self._held.discard(heard.number)
            self._site.book.handed(self.eui, heard.number, "late")
        self._say({"rxpk": [self._rxpk(heard)]}, heard.number)

    def _tmst(self, at_us: int) -> int:
        """Its counter at a moment of the common clock."""
        return (at_us + self._ahead) % _WRAP

    def _rxpk(self, heard: Hearing) -> dict[str, Any]:
        utc = self._site.utc()
        return {
            "tmst": self._tmst(heard.end_us),
            **({} if utc is None else {"time": _iso(utc)}),
            "chan": 0,
            "rfch": 0,
            "freq": heard.freq_hz / 1e6,
            "stat": 1 if heard.whole else -1,
            "modu": "LORA",
            "datr": str(heard.rate),
            "codr": "4/5",
            **_strength(heard.signals, self.antennas),
            "size": len(heard.phy),
            "data": b64encode(heard.phy).decode(),
        }

    def _head(self, sort: int) -> bytes:
        self._token = (self._token + 1) & 0xFFFF
        return b"\x02" + self._token.to_bytes(2, "big") + bytes((sort,)) + bytes(self.eui)

    def _say(self, body: dict[str, Any], number: int | None = None) -> None:
        head = self._head(_PUSH_DATA)
        self._waiting[head[1:3]] = _Push(number, self._site.now_us(), self._acked_us)
        self.counts.pushed += len(body.get("rxpk", ()))
        self._up.sendto(head + msgspec.json.encode(body))

    def _acknowledged(self, datagram: bytes) -> None:
        if datagram[3:4] != bytes((_PUSH_ACK,)):
            return
        if self._waiting.pop(datagram[1:3], None) is None:
            return
        self.counts.acked += 1
        now = self._site.now_us()
        self._missed(now)
        self._acked_us = now

    def _missed(self, now: int) -> None:
        """Tell of what was not acknowledged, and since when nothing was."""
        tokens = [token for token, push in self._waiting.items() if push.at_us < now - _ACK_US]
        missed = [self._waiting.pop(token) for token in tokens]
        for push in missed:
            if push.number is not None:
                self._site.book.handed(self.eui, push.number, "not acknowledged")
        if missed:
            last_us = max(push.at_us for push in missed)
            self._site.book.away(self.eui, min(push.acked_us for push in missed), last_us)

    async def _pull(self) -> None:
        beat = 0
        while True:
            await self._site.backhaul.passable()
            self._down.sendto(self._head(_PULL_DATA))
            if beat % _STAT_EVERY == 0:
                self._say({"stat": self._stat()})
            beat += 1
            await asyncio.sleep(PULL_S)

    def _stat(self) -> dict[str, Any]:
        utc = self._site.utc()
        time = {} if utc is None else {"time": to_datetime(utc).strftime("%Y-%m-%d %H:%M:%S GMT")}
        said = self.counts
        return {**time, "rxnb": said.pushed, "dwnb": said.asked, "txnb": said.sent}

    def _answered(self, datagram: bytes) -> None:
        """What the gateway sends takes its time; a downlink during an outage never arrives."""
        if datagram[3:4] != bytes((_PULL_RESP,)):
            return
        loop, backhaul = asyncio.get_running_loop(), self._site.backhaul
        loop.call_later(backhaul.back_delay_s(), self._asked, datagram)

    def _asked(self, datagram: bytes) -> None:
        if self._down.is_closing():
            return
        txpk = msgspec.json.decode(datagram[4:])["txpk"]
        if self._site.backhaul.is_out:
            self._obey(txpk, LOST)
            return
        self.counts.asked += 1
        fault = self._obey(txpk)
        self.counts.refused += bool(fault)
        head = b"\x02" + datagram[1:3] + bytes((_TX_ACK,)) + bytes(self.eui)
        body = msgspec.json.encode({"txpk_ack": {"error": fault}}) if fault else b""
        asyncio.get_running_loop().call_later(
            self._site.backhaul.back_delay_s(), self._confirm, head + body
        )

    def _confirm(self, datagram: bytes) -> None:
        if not self._down.is_closing() and not self._site.backhaul.is_out:
            self._down.sendto(datagram)

    def _went(self, sent: bool) -> None:
        """It counts what a taken channel kept back, too: `lora_pkt_fwd.c` of 4.0.1 looks at faults of the radio alone."""
        del sent
        self.counts.sent += 1

    def _obey(self, txpk: dict[str, Any], fault: str = "") -> str:
        """Put a downlink into the air at its moment, unless it never arrived; the word why not."""
        now = self._site.now_us()
        ahead = (txpk["tmst"] - self._tmst(now)) % _WRAP
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
        if not fault and not _MARGIN_US <= ahead <= _FARTHEST_US:
            fault = "TOO_LATE" if ahead < _MARGIN_US else "TOO_EARLY"
        return self._site.take(str(self.eui), order, fault)


def _iso(utc: Instant) -> str:
    return to_datetime(utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _strength(signals: tuple[Signal, ...], antennas: int) -> dict[str, Any]:
    """As one antenna tells it, or the form in which each tells its own."""
    if antennas == 1:
        (only,) = signals
        return {"rssi": round(only.rssi_dbm), "lsnr": round(only.snr_db, 1)}
    return {
        "rsig": [
            {
                "ant": one.antenna,
                "chan": 0,
                "rssic": round(one.rssi_dbm),
                "lsnr": round(one.snr_db, 1),
            }
            for one in signals
        ]
    }
