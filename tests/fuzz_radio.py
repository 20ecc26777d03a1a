"""Mutated LoRaWAN frames, datagrams and stations' messages against both doors of forwarders and the network behind them.

    python -m tests.fuzz_radio --inputs 10000000 [--seed 1]

Each input begins as what a real device and a real forwarder say, and is then harmed: in the frame, in the JSON around it,
in the bytes of that. Nothing may escape, nothing is amplified, no downlink counter is used twice, memory stays flat; in
LoRaWAN 1.0 and 1.1, with and without data rates that are set, downlinks that wait, limits, and a disk that is late or refuses.
"""

import argparse
import asyncio
import json
import logging
import sys
import time
from collections import Counter
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple

from aiohttp import WSMessage, WSMsgType

from gateway.lorawan.adr import Adr
from gateway.lorawan.answers import Waiting as Letter
from gateway.lorawan.forwarder import Forwarder
from gateway.lorawan.joining import Root
from gateway.lorawan.network import Network
from gateway.lorawan.regions import PLANS
from gateway.model.device import Directory
from gateway.model.forwarded import Forwarded
from gateway.model.identity import DeviceId
from gateway.model.instant import MINUTE
from gateway.pipeline.radio import Radio
from gateway.sessions.airmail import Airmail
from gateway.sessions.commands import Commands
from gateway.sessions.names import Names
from gateway.sessions.radio import RadioSessions
from gateway.telemetry import Facts
from gateway.transports.basics_station.limits import StationLimits
from gateway.transports.basics_station.line import House, Line
from gateway.transports.basics_station.setup import Setup
from gateway.transports.basics_station.waiting import Waiting
from gateway.transports.lorawan_udp.door import UdpDoor
from gateway.wire.lorawan.identifiers import Eui
from simulators.lorawan.station_words import HELLO
from tests.fakes.loop import VirtualLoop
from tests.fakes.node import APP_KEY, DEV_EUI, JOIN_EUI, NWK_KEY, Node
from tests.fakes.readings import gauge
from tests.fakes.receiver import Receiver
from tests.fakes.sessions import KEY, LatePen
from tests.fakes.station import uplink
from tests.fuzz_mqtt import memory
from tests.fuzz_radio_words import BY_LINE, BY_UDP, Air, Words

PLAN = PLANS["AS923-1"]
BATCH = 20
_LIMIT = 25.0
"""Datagrams a second of one forwarder, where there is a limit: somewhat fewer than come."""


class Conditions(NamedTuple):
    """What a run is like.

    Attributes:
        adr: whether data rates are set.
        waiting: whether applications have something to say.
        late: whether the disk is late, and refuses one in twenty.
        limited: whether forwarders may not say all that they do.
    """

    is_1_1: bool
    adr: bool
    waiting: bool
    late: bool
    limited: bool


CALM = Conditions(is_1_1=False, adr=False, waiting=False, late=False, limited=False)
ALL_CONDITIONS = (
    CALM,
    Conditions(is_1_1=True, adr=True, waiting=True, late=False, limited=False),
    Conditions(is_1_1=False, adr=True, waiting=True, late=True, limited=True),
    Conditions(is_1_1=True, adr=True, waiting=True, late=True, limited=False),
)


class Fuzz:
    """A network, a device that has joined it, and both doors; to be made in a `VirtualLoop`.

    Attributes:
        stored: uplinks that came to a row.
        backwards: of those, ones that are older than one before them, or the same where nothing failed.
        amplified: answers that were longer than what they answer.
        escaped: what callbacks raised.
        told: what became of downlinks of applications.
    """

    def __init__(self, seed: int, loop: VirtualLoop, like: Conditions = CALM) -> None:
        self._dice = Random(seed)
        self._loop = loop
        self._like = like
        loop.end = float("inf")
        self.escaped: list[str] = []
        loop.set_exception_handler(lambda _loop, about: self.escaped.append(repr(about)))
        self.facts = Facts()
        self.receiver = Receiver()
        self.air = Air()
        self.stored = self.backwards = self.amplified = 0
        self.told: Counter[object] = Counter()
        self._last = -1
        self._device = gauge()
        name = DeviceId(self._device.device)
        self.node = Node(like.is_1_1)
        self.network = Network(PLAN, self._dice.randrange)
        nwk_key = NWK_KEY if like.is_1_1 else None
        self.network.admit({DEV_EUI: Root(name, DEV_EUI, JOIN_EUI, APP_KEY, nwk_key)})
        pen = LatePen(loop, self._dice, late=like.late)
        self.commands = Commands(Names(KEY), pen, loop)
        self.radio = Radio(
            self.network,
            RadioSessions(Names(KEY), pen),
            Airmail(self.commands),
            lambda _root, done: pen.write([], done),
            self.receiver,
            Directory({self._device.device: self._device}, {}),
            self.facts,
            loop,
            adr=Adr(PLAN, 10.0) if like.adr else None,
        )
        heard, sent = self.radio.heard, self.radio.outbox.sent
        known = {eui: Forwarder(eui) for eui in (BY_UDP, BY_LINE)}
        rate = _LIMIT if like.limited else 1e9
        self.udp = UdpDoor(known, heard, sent, loop, self.facts, rate=rate)
        self.udp._transport = self.air  # type: ignore[assignment]
        self.waiting = Waiting(sent, loop, 64)
        limits = StationLimits(rate=1e9)
        self._house = House(Setup(PLAN), heard, self.waiting, self._line_of, loop, self.facts, limits)  # fmt: skip
        self.line = self._new_line()
        self._task = loop.create_task(self.radio.carry())
        self._words = Words(self._dice, self.node, self.air)

    def _line_of(self, eui: Eui) -> Line | None:
        return self.line if eui == BY_LINE else None

    def _new_line(self) -> Line:
        line = Line(self._house, BY_LINE, None, SimpleNamespace(transport=None))  # type: ignore[arg-type]
        line._socket = self.air  # type: ignore[assignment]
        return line

    async def begin(self) -> None:
        """Let the device join; where the disk refuses, it asks again."""
        await self._tell(json.dumps(HELLO))
        while not self.network._by_addr:
            await self._tell(json.dumps(uplink(self.node.request())))
            await asyncio.sleep(10)
        (session,) = self.network._by_addr.values()
        self.node.keys, self.node.addr = session[0].keys, session[0].dev_addr

    async def run(self, inputs: int) -> None:
        """So many; an exception says which input raised it."""
        words = self._words
        for number in range(inputs):
            said = words.datagram() if self._dice.random() < 0.5 else words.message()
            try:
                if isinstance(said, bytes):
                    self._receive(said)
                else:
                    await self._tell(said)
            except Exception as error:
                error.add_note(f"the input was {said!r}")
                raise
            if number % BATCH == 0:
                await self._settle()

    async def finish(self) -> None:
        """Let every window and every time-out be over."""
        for _ in range(4):
            await self._settle()
            await asyncio.sleep(10)

    async def _settle(self) -> None:
        await asyncio.sleep(0.3)
        for payload in self.receiver.payloads:
            assert isinstance(payload, Forwarded)
            f_cnt = payload.f_cnt or 0
            self.backwards += f_cnt < self._last or (f_cnt == self._last and not self._like.late)
            self._last = f_cnt
            self.stored += 1
        self.receiver.settle()
        if self._task.done():
            self._task.result()
        if self._like.waiting and self._dice.random() < 0.2:
            self._wants()
        if self._dice.random() < 0.05:  # behind what counts as a late copy
            for _ in range(2):
                await asyncio.sleep(2)
                await self._tell(json.dumps(uplink(self._words.last)))
        if self._dice.random() < 0.02:
            self.line = self._new_line()
        if not self.line._configured:
            await self._tell(json.dumps(HELLO))

    def _wants(self) -> None:
        """An application has something to say, sometimes too much."""
        dice = self._dice
        letter = Letter(10, dice.randbytes(dice.randrange(250)), dice.random() < 0.5)
        until = self._loop.now() + dice.randrange(2 * MINUTE)
        self.commands.give(DeviceId(self._device.device), letter.record(), until, lambda _ok: None, self._became, by_radio=True)  # fmt: skip

    def _became(self, outcome: Any) -> None:
        self.told[outcome] += 1

    def _receive(self, datagram: bytes) -> None:
        """No answer is longer than what it answers; a stranger gets none."""
        self.air.size = 0
        self.udp.datagram_received(datagram, ("127.0.0.1", 5))
        known = datagram[4:12] in (BY_UDP, BY_LINE)
        self.amplified += self.air.size > (len(datagram) if known else 0)

    async def _tell(self, text: str) -> None:
        await self.line._heard(WSMessage(WSMsgType.TEXT, text, None))


def main() -> None:
    """The long form, with its progress."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--inputs", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)  # every broken message is a fact
    for like in ALL_CONDITIONS:
        print(like)
        loop = VirtualLoop()
        fuzz = loop.run(_long(loop, like, given.seed, given.inputs // len(ALL_CONDITIONS)))
        for counts in (fuzz.air.said, fuzz.radio.refused, fuzz.radio.outbox.became, fuzz.told, fuzz.facts.counts):  # fmt: skip
            print(dict(counts))
        broken = fuzz.escaped or fuzz.air.twice or fuzz.backwards or fuzz.amplified or fuzz.facts.counts["lorawan: fault of ours"]  # fmt: skip
        if broken:
            sys.exit(f"broken: {fuzz.escaped}, {fuzz.air.twice} counters twice, {fuzz.backwards} rows backwards, {fuzz.amplified} amplified")  # fmt: skip


async def _long(loop: VirtualLoop, like: Conditions, seed: int, inputs: int) -> Fuzz:
    """So many under these conditions."""
    fuzz = Fuzz(seed, loop, like)
    await fuzz.begin()
    began, done, warm = time.monotonic(), 0, (0, 0)
    while done < inputs:
        some = min(20_000, inputs - done)
        await fuzz.run(some)
        await fuzz.finish()
        done += some
        warm = warm if any(warm) else memory()
        print(f"\r{done:>12,} of {inputs:,}  {time.monotonic() - began:6.0f} s", end="", file=sys.stderr, flush=True)  # fmt: skip
    now = memory()
    print(
        f"\n{inputs:,} inputs in {time.monotonic() - began:,.0f} s, none escaped: {fuzz.stored:,} uplinks; "
        f"memory since the first 20,000: {(now[0] - warm[0]) / 2**20:+.1f} MiB, {now[1] - warm[1]:+,} objects"
    )
    return fuzz


if __name__ == "__main__":
    main()
