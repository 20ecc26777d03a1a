"""Mutated LoRaWAN frames, datagrams and stations' messages against both doors of forwarders and the network behind them.

    python -m tests.fuzz_radio --inputs 10000000 [--seed 1]

Each input begins as what a real device and a real forwarder say, and is then harmed: in the frame, in the JSON around it,
in the bytes of that. Nothing may escape, nothing is amplified, memory stays flat.
"""

import argparse
import asyncio
import json
import logging
import sys
import time
from base64 import b64encode
from collections import Counter
from random import Random
from types import SimpleNamespace
from typing import Any

from aiohttp import WSMessage, WSMsgType

from gateway.lorawan.forwarder import Forwarder
from gateway.lorawan.joining import Root
from gateway.lorawan.network import Network
from gateway.lorawan.regions import PLANS
from gateway.model.device import Directory
from gateway.model.identity import DeviceId
from gateway.pipeline.radio import Radio
from gateway.sessions.airmail import Airmail
from gateway.sessions.commands import Commands
from gateway.sessions.names import Names
from gateway.telemetry import Facts
from gateway.transports.basics_station.limits import StationLimits
from gateway.transports.basics_station.line import House, Line
from gateway.transports.basics_station.setup import Setup
from gateway.transports.basics_station.waiting import Waiting
from gateway.transports.lorawan_udp.door import UdpDoor
from gateway.wire.lorawan.identifiers import Eui
from simulators.lorawan.station_words import HELLO
from tests.fakes.loop import VirtualLoop
from tests.fakes.node import APP_KEY, DEV_EUI, JOIN_EUI, Node
from tests.fakes.notebook import Notebook
from tests.fakes.readings import gauge
from tests.fakes.receiver import Receiver
from tests.fakes.sessions import KEY, PromptPen
from tests.fakes.station import uplink
from tests.fuzz_mqtt import memory

BY_UDP, BY_LINE, STRANGER = (Eui.of(f"aa555a000000000{n}") for n in range(3))
PLAN = PLANS["AS923-1"]
STAGE = bytes.fromhex("0107088000ff00")
BATCH = 20
_ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 0.5, 1e308, 1 << 31, 1 << 32, 1 << 63, 1 << 64, -(1 << 63)),
    *("", "x", "::1", "é", "0" * 600, "NaN", [], {}, [[[]]], {"a": {}}, "\x00", "SF7BW125"),
)
_OTHERS = [bytes.fromhex(text) for text in ("e0010203", "20" + "11" * 16, "60f17dbe490002000195", "c000" + "22" * 17, "c001" + "33" * 22)]  # fmt: skip


class Air:
    """Both sockets: what leaves by them, and how much of it at once.

    Attributes:
        said: how often what left: fourth byte of datagrams, `msgtype` of messages.
        size: bytes of answers that left since it was set to 0.
        tokens, numbers: of the last downlinks.
    """

    def __init__(self) -> None:
        self.said: Counter[object] = Counter()
        self.size = 0
        self.tokens: list[bytes] = []
        self.numbers: list[int] = []

    def sendto(self, datagram: bytes, _address: object) -> None:
        self.said[datagram[3]] += 1
        if datagram[3] == 3:  # a downlink that is ours to send: RX2 where RX1 was refused
            self.tokens = [*self.tokens[-4:], datagram[1:3]]
        else:
            self.size += len(datagram)

    def is_closing(self) -> bool:
        return False

    async def send_str(self, text: str) -> None:
        said = json.loads(text)
        self.said[said["msgtype"]] += 1
        if said["msgtype"] == "dnmsg":
            self.numbers = [*self.numbers[-4:], said["diid"]]

    async def pong(self, _data: bytes) -> None:
        self.said["pong"] += 1


class Fuzz:
    """A network, a device that has joined it, and both doors; to be made in a `VirtualLoop`."""

    def __init__(self, seed: int, loop: VirtualLoop) -> None:
        self._dice = Random(seed)
        self._loop = loop
        loop.end = float("inf")
        self.facts = Facts()
        self.receiver = Receiver()
        self.air = Air()
        self.stored = 0
        self.amplified = 0
        device = gauge()
        self.node = Node()
        self.network = Network(PLAN, self._dice.randrange)
        self.network.admit({DEV_EUI: Root(DeviceId(device.device), DEV_EUI, JOIN_EUI, APP_KEY)})
        directory = Directory({device.device: device}, {})
        mail = Airmail(Commands(Names(KEY), PromptPen(), loop))
        self.radio = Radio(
            *(self.network, Notebook(), mail, lambda _root, done: done(True), self.receiver),
            *(directory, self.facts, loop),
        )
        heard, sent = self.radio.heard, self.radio.outbox.sent
        known = {eui: Forwarder(eui) for eui in (BY_UDP, BY_LINE)}
        self.udp = UdpDoor(known, heard, sent, loop, self.facts, rate=1e9)
        self.udp._transport = self.air  # type: ignore[assignment]
        self.waiting = Waiting(sent, loop, 64)
        limits = StationLimits(rate=1e9)
        self._house = House(Setup(PLAN), heard, self.waiting, self._line_of, loop, self.facts, limits)  # fmt: skip
        self.line = self._new_line()
        self._task = loop.create_task(self.radio.carry())
        self._f_cnt = 0
        self._said = [self.node.request()]

    def _line_of(self, eui: Eui) -> Line | None:
        return self.line if eui == BY_LINE else None

    def _new_line(self) -> Line:
        line = Line(self._house, BY_LINE, None, SimpleNamespace(transport=None))  # type: ignore[arg-type]
        line._socket = self.air  # type: ignore[assignment]
        return line

    async def begin(self) -> None:
        """Let the device join."""
        await self._tell(json.dumps(HELLO))
        await self._tell(json.dumps(uplink(self.node.request())))
        await asyncio.sleep(1)
        (session,) = self.network._by_addr.values()
        self.node.keys, self.node.addr = session[0].keys, session[0].dev_addr

    async def run(self, inputs: int) -> None:
        """So many; an exception says which input raised it."""
        for number in range(inputs):
            said = self._datagram() if self._dice.random() < 0.5 else self._message()
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
        self.stored += len(self.receiver.waiting)
        self.receiver.settle()
        if self._task.done():
            self._task.result()
        if self._dice.random() < 0.02:
            self.line = self._new_line()
        if not self.line._configured:
            await self._tell(json.dumps(HELLO))

    def _receive(self, datagram: bytes) -> None:
        """No answer is longer than what it answers; a stranger gets none."""
        self.air.size = 0
        self.udp.datagram_received(datagram, ("127.0.0.1", 5))
        known = datagram[4:12] in (BY_UDP, BY_LINE)
        self.amplified += self.air.size > (len(datagram) if known else 0)

    async def _tell(self, text: str) -> None:
        await self.line._heard(WSMessage(WSMsgType.TEXT, text, None))

    # -- what is said -----------------------------------------------------------------------

    def _frame(self) -> bytes:
        """What is on the air: as it should be, again, or harmed."""
        dice, node = self._dice, self.node
        sort = dice.random()
        if sort < 0.5:
            phy = node.says(self._f_cnt, STAGE, dice.random() < 0.5, dice.choice((b"", b"\x02", b"\x0d")), dice.choice((4, 4, 1, 224)))  # fmt: skip
            self._f_cnt += 1
        elif sort < 0.6:
            node.nonce %= 0xFFFE
            phy = node.request()
        elif sort < 0.7:
            phy = dice.choice(_OTHERS)
        else:
            phy = dice.choice(self._said)
        self._said = [*self._said[-9:], phy]
        return self._harmed(phy) if dice.random() < 0.5 else phy

    def _datagram(self) -> bytes:
        dice = self._dice
        eui = BY_UDP if dice.random() < 0.95 else STRANGER
        sort = dice.random()
        token = dice.randbytes(2)
        if sort < 0.15:
            datagram = b"\x02" + token + b"\x02" + eui
        elif sort < 0.3:
            token = dice.choice(self.air.tokens or [token])
            body: dict[str, Any] = {"txpk_ack": {dice.choice(("error", "warn")): dice.choice(("NONE", "TOO_LATE", "TX_POWER", "é", str(dice.random())))}}  # fmt: skip
            datagram = b"\x02" + token + b"\x05" + eui + (json.dumps(self._bent(body)).encode() if dice.random() < 0.7 else b"")  # fmt: skip
        else:
            body = {"rxpk": [self._bent(self._rxpk()) for _ in range(dice.randrange(1, 4))]}
            datagram = b"\x02" + token + b"\x00" + eui + json.dumps(body).encode()
        return self._harmed(datagram) if dice.random() < 0.2 else datagram

    def _rxpk(self) -> dict[str, Any]:
        phy = self._frame()
        rxpk = {"tmst": self._dice.getrandbits(32), "freq": 923.2, "stat": 1, "modu": "LORA"}
        rxpk |= {"datr": "SF7BW125", "codr": "4/5", "rssi": -80, "lsnr": 5.0, "size": len(phy)}
        return {**rxpk, "data": b64encode(phy).decode()}

    def _message(self) -> str:
        dice = self._dice
        sort = dice.random()
        message: dict[str, Any]
        if sort < 0.1:
            numbers = self.air.numbers or [1]
            message = {"msgtype": "dntxed", "diid": dice.choice(numbers), "xtime": 1}
        elif sort < 0.15:
            message = {"msgtype": "timesync", "txtime": dice.getrandbits(62)}
        elif sort < 0.2:
            message = {"msgtype": dice.choice(("version", "rmtsh", "alarm", "")), **HELLO}
        else:
            try:
                message = uplink(self._frame(), dice.getrandbits(62))
            except (IndexError, ValueError):  # no station takes such a frame apart
                message = {"msgtype": "updf"}
        text = json.dumps(self._bent(message))
        if dice.random() < 0.2:
            text = self._harmed(text.encode()).decode("utf-8", "replace")
        return text

    # -- how it is harmed -------------------------------------------------------------------

    def _bent(self, message: dict[str, Any]) -> dict[str, Any]:
        """A member more seldom than not of another sort, missing, or one more."""
        dice = self._dice
        if dice.random() < 0.6:
            return message
        bent = dict(message)
        name = dice.choice([*bent, "msgtype", "rsig", "rxpk"])
        inner = bent.get(name)
        if isinstance(inner, dict) and inner and dice.random() < 0.7:
            bent[name] = {**inner, dice.choice(list(inner)): dice.choice(_ODD)}
        elif dice.random() < 0.2:
            bent.pop(name, None)
        else:
            bent[name] = dice.choice(_ODD)
        return bent

    def _harmed(self, data: bytes) -> bytes:
        """Bytes flipped, cut, doubled, or others among them."""
        dice = self._dice
        bent = bytearray(data)
        for _ in range(dice.randrange(1, 4)):
            at = dice.randrange(len(bent) + 1)
            sort = dice.randrange(6)
            if sort < 3 and at < len(bent):
                bent[at] ^= 1 << dice.randrange(8)
            elif sort == 3:
                del bent[at:]
            elif sort == 4:
                bent[at:at] = dice.randbytes(dice.randrange(1, 9))
            else:
                bent[at:at] = bent[: dice.randrange(40)]
        return bytes(bent)


def main() -> None:
    """The long form, with its progress."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--inputs", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)  # every broken message is a fact
    loop = VirtualLoop()

    async def all_of_them() -> Fuzz:
        fuzz = Fuzz(given.seed, loop)
        await fuzz.begin()
        began, done, warm = time.monotonic(), 0, (0, 0)
        while done < given.inputs:
            some = min(20_000, given.inputs - done)
            await fuzz.run(some)
            await fuzz.finish()
            done += some
            warm = warm if any(warm) else memory()
            print(f"\r{done:>12,} of {given.inputs:,}  {time.monotonic() - began:6.0f} s", end="", file=sys.stderr, flush=True)  # fmt: skip
        now = memory()
        print(
            f"\n{given.inputs:,} inputs in {time.monotonic() - began:,.0f} s, none escaped: {fuzz.stored:,} uplinks; "
            f"memory since the first 20,000: {(now[0] - warm[0]) / 2**20:+.1f} MiB, {now[1] - warm[1]:+,} objects"
        )
        return fuzz

    fuzz = loop.run(all_of_them())
    for counts in (fuzz.air.said, fuzz.radio.refused, fuzz.radio.outbox.became, fuzz.facts.counts):
        print(dict(counts))


if __name__ == "__main__":
    main()
