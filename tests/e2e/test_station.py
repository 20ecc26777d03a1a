"""A LoRa Basics Station plugged into the gateway over TLS: joins, rows and answers, over kills."""

import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.wire.lorawan.identifiers import Eui
from sekisho import certificate
from tests.e2e.processes import Gateway, until
from tests.e2e.radio_town import GAUGE_PORT, STAGE, has, radio, radio_town, rows
from tests.e2e.town import SINCE, Town
from tests.fakes.node import Node
from tests.fakes.station import XTIME, Station, uplink

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

ROOF = Eui.of("58a0cbfffe800019")


class Place:
    """The town, and what its forwarder has: the authority's certificate and a token."""

    def __init__(self, folder: Path) -> None:
        (folder / "tls").mkdir()
        made = certificate.issue(folder / "tls", ["localhost"], datetime.now(UTC))
        doors = f"""\
  - kind: basics_station
    name: stations
    port: null
    tls: {{port: 0, certificate: {made.certificate}, key: {made.key}}}
lorawan:
  region: AS923-1
  forwarders:
    - {{eui: {ROOF}, credential: roof}}
"""
        self.town: Town = radio_town(folder / "town", doors)
        self.trust = ssl.create_default_context(cafile=str(made.ca))
        with self.town.registry() as registry, registry.change():
            self.token = registry.put_credential("roof", [], at=SINCE)

    @asynccontextmanager
    async def station(self, gateway: Gateway) -> AsyncIterator[Station]:
        """The forwarder, connected and configured."""
        port = gateway.running["doors"]["stations"]["tls_port"]
        header = {"Authorization": f"Bearer roof:{self.token}"}
        base = f"wss://localhost:{port}"
        async with Station(base, ROOF, ssl=self.trust, headers=header) as station:
            await station.connect()
            yield station


def told(town: Town, downlinks: dict[str, int]) -> bool:
    """Whether this became of the downlinks."""
    return bool(radio(town)["downlinks"] == downlinks)


async def asked(station: Station, xtime: int, delay_s: int, freq: int = 923_200_000) -> bytes:
    """The frame that it is asked to send after an uplink, sent and told of."""
    said: dict[str, Any] = await station.hear()
    assert said["msgtype"] == "dnmsg"
    assert (said["xtime"], said["RxDelay"]) == (xtime, delay_s)
    assert (said["RX1DR"], said["RX1Freq"]) == (5, freq)
    assert (said["RX2DR"], said["RX2Freq"]) == (2, 923_200_000)
    await station.say({"msgtype": "dntxed", "seqno": said["diid"], "diid": said["diid"]})
    return bytes.fromhex(said["pdu"])


async def test_a_device_joins_is_stored_and_answered_over_two_kills(tmp_path: Path) -> None:
    """By a station that proves its credential: each answer has its uplink's own time, to the last digit; after kill -9
    the station comes back, the session goes on without a join, and no downlink has a counter of one before it."""
    place, node = Place(tmp_path), Node()
    used: list[int] = []
    f_cnt = 0
    for life in range(3):
        with Gateway(place.town) as gateway:
            async with place.station(gateway) as station:
                assert station.config["region"] == "AS923-1"
                if life == 0:
                    await station.say(uplink(node.request(), XTIME, freq=923_400_000))
                    node.hear(await asked(station, XTIME, 5, 923_400_000))
                for freq in (922_200_000, 922_400_000, 922_600_000):  # a station rests after each
                    phy = node.says(f_cnt, STAGE, confirmed=True, f_port=GAUGE_PORT)
                    await station.say(uplink(phy, XTIME + f_cnt, freq=freq))
                    pdu = await asked(station, XTIME + f_cnt, 1, freq)
                    down = int.from_bytes(pdu[6:8], "little")
                    data, _ = node.answered(pdu, down, acknowledges=f_cnt)
                    assert data.ack
                    used.append(down)
                    f_cnt += 1
                sent = {"answer sent": 3, **({"join-accept sent": 1} if life == 0 else {})}
                until(partial(told, place.town, sent), "what became of the downlinks")
                until(partial(has, place.town, f_cnt), "the rows")
            gateway.kill()
    assert rows(place.town) == [(n, 1.8, "network") for n in range(9)]
    assert sorted(set(used)) == used, "a downlink counter was used twice"


async def test_a_station_that_comes_back_is_answered_on_its_new_line(tmp_path: Path) -> None:
    """A half open line costs no acknowledgement: the newest one counts."""
    place, node = Place(tmp_path), Node()
    with Gateway(place.town) as gateway:
        async with place.station(gateway) as before:
            await before.say(uplink(node.request(), XTIME))
            async with place.station(gateway) as after:
                assert await before.over()
                node.hear(await asked(after, XTIME, 5))


async def test_a_stop_says_farewell_and_loses_nothing(tmp_path: Path) -> None:
    place, node = Place(tmp_path), Node()
    with Gateway(place.town) as gateway:
        async with place.station(gateway) as station:
            await station.say(uplink(node.request(), XTIME))
            node.hear(await asked(station, XTIME, 5))
            await station.say(uplink(node.says(0, STAGE, f_port=GAUGE_PORT), XTIME))
            until(partial(has, place.town, 1), "the row")
            gateway.signal(signal.SIGTERM)
            assert await station.over()
        assert gateway.wait() == 0
