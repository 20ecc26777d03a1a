"""The network's pipeline with a device that never joins, without doors and disks; to be made in a `VirtualLoop`."""

import asyncio

from gateway.interfaces import Scripts
from gateway.lorawan.answers import Waiting
from gateway.lorawan.network import Network
from gateway.lorawan.plan import DataRate
from gateway.lorawan.reception import Downlink, Reception
from gateway.lorawan.regions import PLANS
from gateway.lorawan.session import Session
from gateway.model.device import Directory
from gateway.model.identity import DeviceId
from gateway.model.instant import HOUR
from gateway.pipeline.radio import Radio
from gateway.sessions.airmail import Airmail
from gateway.sessions.commands import Commands
from gateway.sessions.names import Names
from gateway.telemetry import Facts
from gateway.wire.lorawan.crypto import Key
from gateway.wire.lorawan.frames import Data, parse
from gateway.wire.lorawan.identifiers import DevAddr, Eui
from gateway.wire.lorawan.join import SessionKeys
from tests.fakes.loop import VirtualLoop
from tests.fakes.node import DEV_EUI, Node
from tests.fakes.notebook import Notebook
from tests.fakes.readings import gauge
from tests.fakes.receiver import Receiver
from tests.fakes.sessions import KEY, PromptPen

STAGE = bytes.fromhex("0107088000ff00")
OWN = Key(b"a session's key.")


class RadioDesk:
    """One device, one forwarder, and whoever stores.

    Attributes:
        left: downlinks that were handed to the forwarder, in order; it takes them all.
        stored: uplinks that came to a row.
    """

    station = False

    def __init__(self, scripts: Scripts | None = None) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._loop = loop
        self.left: list[Downlink] = []
        self.stored = 0
        self.notebook, self.receiver, self.facts = Notebook(), Receiver(), Facts()
        known = gauge()
        self.name = DeviceId(known.device)
        self.node = Node()
        self.node.addr = DevAddr.of("01020304")
        self.node.keys = SessionKeys(OWN, OWN, OWN, OWN, is_1_1=False)
        self.session = Session(self.name, DEV_EUI, self.node.addr, self.node.keys, abp=True)
        network = Network(PLANS["AS923-1"])
        network.resume([self.session])
        self.commands = Commands(Names(KEY), PromptPen(), loop)
        self.radio = Radio(
            network,
            self.notebook,
            Airmail(self.commands),
            lambda _root, done: done(True),
            self.receiver,
            Directory({known.device: known}, {}),
            self.facts,
            loop,
            scripts,
        )
        self._task = loop.create_task(self.radio.carry())

    def send(self, downlink: Downlink) -> str | None:
        """The forwarder's part: it sends whatever it is asked to."""
        self.left.append(downlink)
        self._loop.call_soon(self.radio.outbox.sent, downlink.number, None, 1)
        return None

    def wants(self, payload: bytes) -> None:
        """An application has something to say to the device."""
        record = Waiting(10, payload, confirmed=False).record()
        until = self._loop.now() + HOUR
        self.commands.give(self.name, record, until, lambda _ok: None, lambda _what: None, by_radio=True)  # fmt: skip

    async def hears(self, phy: bytes, sf: int = 7) -> None:
        """The forwarder hears a frame; what comes of it is over when this returns, half a second later."""
        at = self._loop.now()
        self.radio.heard(
            Reception(
                *(phy, Eui(bytes(8)), 0, 923_200_000, DataRate(sf, 125_000), -80.0, 5.0),
                *(at, self._loop.monotonic(), self),
            )
        )
        await asyncio.sleep(0.4)
        self.stored += len(self.receiver.waiting)
        self.receiver.settle()
        await asyncio.sleep(0.1)

    def said(self) -> list[Data]:
        """The data frames that left."""
        frames = [parse(one.phy) for one in self.left]
        return [one for one in frames if isinstance(one, Data)]
