"""A door for stations on a loopback port, what it hears, and a station that was let in."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from gateway.lorawan.forwarder import Forwarder
from gateway.lorawan.plan import DataRate
from gateway.lorawan.reception import Downlink, Reception
from gateway.lorawan.regions import PLANS
from gateway.model.device import Credential, Directory
from gateway.telemetry import Facts
from gateway.transports.basics_station.door import StationDoor
from gateway.transports.basics_station.limits import StationLimits
from gateway.wire.lorawan.identifiers import Eui
from tests.fakes.clock import ManualClock
from tests.fakes.mqtt_door import TOKEN, digest, until
from tests.fakes.station import Station

ROOF, SHED, STRANGER = (Eui.of(f"58a0cbfffe80001{n}") for n in range(3))
PLAN = PLANS["AS923-1"]
DATA = bytes.fromhex("40f17dbe4900020001954378762b11ff0d")
DOWN = Downlink(
    *(41, Eui.of("0004a30b001a2b3c"), b"\x60\x01\x02", 923_200_000, DataRate(7, 125_000)),
    *(923_200_000, DataRate(10, 125_000), 1.0, 13.0),
)
BEARER = {"Authorization": f"Bearer roof:{TOKEN.decode()}"}


def known(token: bytes = TOKEN, *names: str) -> Directory:
    """Credentials of forwarders: they speak for no device."""
    names = names or ("roof", "shed")
    return Directory({}, {name: Credential(name, digest(token), frozenset()) for name in names})


class House:
    """An open door, what it hears, and what it is told of downlinks."""

    def __init__(self, listed: Sequence[Forwarder], **limits: Any) -> None:
        self.receptions: list[Reception] = []
        self.told: list[tuple[int, str | None]] = []
        self.clock = ManualClock()
        self.facts = Facts()
        self.base = ""
        self.door = StationDoor(
            *(
                PLAN,
                {one.eui: one for one in listed},
                self.receptions.append,
                self._tell,
                known(),
                digest,
            ),
            *(self.clock, self.facts, StationLimits(**limits)),
        )

    def _tell(self, number: int, fault: str | None, _window: int) -> None:
        self.told.append((number, fault))

    async def heard(self, count: int = 1) -> Reception:
        """The last of so many receptions."""
        await until(lambda: len(self.receptions) >= count)
        return self.receptions[count - 1]

    async def counted(self, fact: str, times: int = 1) -> None:
        await until(lambda: self.facts.counts[fact] >= times)


@asynccontextmanager
async def house(*listed: Forwarder, tls: ssl.SSLContext | None = None, **limits: Any) -> AsyncIterator[House]:  # fmt: skip
    place = House(listed or (Forwarder(ROOF), Forwarder(SHED)), **limits)
    port = await place.door.open("127.0.0.1", 0, tls)
    place.base = f"{'ws' if tls is None else 'wss'}://localhost:{port}"
    try:
        yield place
    finally:
        place.door.stop_listening()
        await place.door.close()


@asynccontextmanager
async def connected(**limits: Any) -> AsyncIterator[tuple[House, Station]]:
    async with house(**limits) as place, Station(place.base, ROOF) as station:
        await station.connect()
        yield place, station


async def turned_away(station: Station) -> int:
    """The status with which a line is refused."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        await station.go(f"{station.base}/station/{station.eui}")
    return error.value.status
