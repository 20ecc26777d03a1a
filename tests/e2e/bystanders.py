"""Two devices beside a simulated town whose every frame is known: one that joins twice, and one that never joins (ABP).

Their forwarder is the town's fifth, and plays back whatever it is given, over UDP or as a Basics Station.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from typing import Protocol

from gateway.lorawan.refusals import Refused
from gateway.registry.radio_rows import Secrets
from gateway.wire.lorawan.crypto import Key
from gateway.wire.lorawan.identifiers import DevAddr, Eui
from gateway.wire.lorawan.join import SessionKeys
from sekisho.radio_enrolment import CREDENTIAL, token_file_of
from simulators.lorawan.meters import forwarder_eui
from tests.e2e.processes import Gateway
from tests.e2e.radio_town import GAUGE_PORT, STAGE
from tests.e2e.town import SINCE, Town, member
from tests.fakes.forwarder import UdpForwarder
from tests.fakes.node import APP_KEY, DEV_EUI, Node
from tests.fakes.station import XTIME, Station, uplink

JOINS, NEVER = "beside-joins", "beside-never"
NAMES = (JOINS, NEVER)

_NEVER_EUI, _ADDR = Eui.of("0004a30b001a2b3d"), DevAddr.of("01020304")
_NWK, _APP = bytes(range(40, 56)), bytes(range(60, 76))
_JOIN_HZ = (923_200_000, 923_400_000)
_ADDED_HZ = (922_200_000, 922_400_000, 922_600_000, 922_800_000, 923_000_000)
"""Each in its turn: a station rests where it has sent."""

_PATIENCE_S = 10.0
_BETWEEN_US = 10_000_000


class Plug(Protocol):
    """A forwarder of these devices."""

    async def push(self, phy: bytes, freq_hz: int = _ADDED_HZ[0]) -> None:
        """Tell of a frame."""

    async def asked(self) -> bytes:
        """The next downlink, sent and told of."""


class _Udp:
    def __init__(self, forwarder: UdpForwarder) -> None:
        self._forwarder = forwarder

    async def push(self, phy: bytes, freq_hz: int = _ADDED_HZ[0]) -> None:
        self._forwarder.push(phy, freq=freq_hz / 1e6)

    async def asked(self) -> bytes:
        found = self._forwarder.asked()
        assert found is not None
        phy: bytes = found["phy"]
        return phy


class _Station:
    def __init__(self, station: Station) -> None:
        self._station = station
        self._xtime = XTIME

    async def push(self, phy: bytes, freq_hz: int = _ADDED_HZ[0]) -> None:
        self._xtime += _BETWEEN_US
        await self._station.say(uplink(phy, self._xtime, freq=freq_hz))

    async def asked(self) -> bytes:
        async with asyncio.timeout(_PATIENCE_S):
            said = await self._station.hear()
        assert said["msgtype"] == "dnmsg"
        await self._station.say({"msgtype": "dntxed", "seqno": said["diid"], "diid": said["diid"]})
        return bytes.fromhex(said["pdu"])


@asynccontextmanager
async def plug(gateway: Gateway, seed: int, over: str) -> AsyncIterator[Plug]:
    """The fifth forwarder, with a way back."""
    eui = forwarder_eui(seed, 5)
    doors = gateway.running["doors"]
    if over == "udp":
        with UdpForwarder(doors["forwarders"]["port"], eui) as forwarder:
            assert forwarder.pull()[3] == 4
            yield _Udp(forwarder)
        return
    door = doors["stations"]
    token = token_file_of(gateway.town.state.path).read_text().strip()
    header = {"Authorization": f"Bearer {CREDENTIAL}:{token}"}
    trust = ssl.create_default_context(cafile=door["ca"])
    async with Station(f"wss://localhost:{door['tls_port']}", eui, ssl=trust, headers=header) as station:  # fmt: skip
        await station.connect()
        yield _Station(station)


class Bystanders:
    """Both of them, registered in a town whose gateway does not run yet.

    Attributes:
        requests: of joins.
        ended: frames of the session that the second join ended.
        spoken: device → frames of its session, the last one last.
    """

    def __init__(self, town: Town) -> None:
        euis = {JOINS: DEV_EUI, NEVER: _NEVER_EUI}
        town.enrol([member(name, "river_gauge", attributes={"dev_eui": str(eui)}) for name, eui in euis.items()], "beside")  # fmt: skip
        with town.registry() as registry:
            registry.radio.put(JOINS, Secrets(app_key=APP_KEY.secret, counting=True), SINCE)
            keys = (_NWK, _NWK, _NWK, _APP)
            registry.radio.put(NEVER, Secrets(dev_addr=_ADDR, keys=keys), SINCE)
        never = Node(dev_eui=_NEVER_EUI)
        never.addr = _ADDR
        never.keys = SessionKeys(Key(_NWK), Key(_NWK), Key(_NWK), Key(_APP), is_1_1=False)
        self._nodes = {JOINS: Node(), NEVER: never}
        self._next = {JOINS: 0, NEVER: 40}
        self._channels = cycle(_ADDED_HZ)
        self.requests: list[bytes] = []
        self.ended: list[bytes] = []
        self.spoken: dict[str, list[bytes]] = {JOINS: [], NEVER: []}

    async def live(self, place: Plug) -> None:
        """One joins, speaks, joins again and speaks; the other one speaks. Each frame is acknowledged."""
        node = self._nodes[JOINS]
        for freq_hz in _JOIN_HZ:
            self.ended = self.spoken[JOINS]
            self.spoken[JOINS], self._next[JOINS] = [], 0
            self.requests.append(node.request())
            await place.push(self.requests[-1], freq_hz)
            node.hear(await place.asked())
            for _ in range(3):
                await self.speak(JOINS, place)
        for _ in range(4):
            await self.speak(NEVER, place)

    async def speak(self, name: str, place: Plug) -> None:
        """The next frame, acknowledged."""
        f_cnt, node = self._next[name], self._nodes[name]
        phy = node.says(f_cnt, STAGE, confirmed=True, f_port=GAUGE_PORT)
        await self.acknowledged(name, phy, place)
        self._next[name] += 1
        self.spoken[name].append(phy)

    async def acknowledged(self, name: str, phy: bytes, place: Plug) -> None:
        """Send this, and hear that it is acknowledged."""
        await place.push(phy, next(self._channels))
        answer = await place.asked()
        f_cnt = int.from_bytes(phy[6:8], "little")
        down = int.from_bytes(answer[6:8], "little")
        data, _ = self._nodes[name].answered(answer, down, acknowledges=f_cnt)
        assert data.ack

    async def play_back(self, place: Plug) -> dict[str, int]:
        """Everything but the last frame of each, once more; how often each refusal is due."""
        due = {
            Refused.NONCE_REUSED: self.requests,
            Refused.OTHER_NETWORK: self.ended,
            Refused.REPLAYED: self.spoken[JOINS][:-1],
            Refused.COUNTER_RESET: self.spoken[NEVER][:-1],
        }
        for frames in due.values():
            for phy in frames:
                await place.push(phy)
        return {why.value: len(frames) for why, frames in due.items()}

    def rows(self) -> int:
        """So many rows are due."""
        return len(self.ended) + sum(map(len, self.spoken.values()))
