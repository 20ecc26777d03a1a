"""Who comes in at the door for LoRa Basics Station: listed, proven, and one at a time."""

import ssl
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.app.encryption import server_context
from gateway.lorawan.forwarder import Forwarder
from gateway.telemetry import Facts
from sekisho import certificate
from tests.e2e.authority import Authority
from tests.fakes.mqtt_door import TOKEN, until
from tests.fakes.station import Station, uplink
from tests.fakes.station_door import (
    BEARER,
    DATA,
    ROOF,
    SHED,
    STRANGER,
    connected,
    house,
    known,
    turned_away,
)


async def test_a_station_that_is_not_listed_is_told_so_and_gets_no_line() -> None:
    """Neither by asking nor by going there at once; it stands among the last that were turned away."""
    async with house() as place, Station(place.base, STRANGER) as station:
        answer = await station.asked()
        assert set(answer) == {"router", "error"}
        assert await turned_away(station) == 403
        assert place.facts.counts["forwarder refused"] == 2
        (knock,) = place.facts.recent.answer()["knocks"]
        assert knock["user"] == f"forwarder {STRANGER}"


async def test_a_station_comes_from_where_it_may() -> None:
    """Another address of the same list does not stand in for it."""
    elsewhere, here = ip_network("192.0.2.0/24"), ip_network("127.0.0.0/8")
    async with house(Forwarder(ROOF, (elsewhere,)), Forwarder(SHED, (elsewhere, here))) as place:
        async with Station(place.base, ROOF) as station:
            assert "error" in await station.asked()
            assert await turned_away(station) == 403
        async with Station(place.base, SHED) as station:
            await station.connect()


async def test_a_listed_station_proves_its_credential_by_token() -> None:
    """Its own one; a wrong token is refused before anything is read."""
    async with house(
        Forwarder(ROOF, credential="roof"), Forwarder(SHED, credential="shed")
    ) as place:
        async with Station(place.base, ROOF, headers=BEARER) as station:
            await station.connect()
            await station.say(uplink(DATA))
            await place.heard()
        async with Station(place.base, SHED, headers=BEARER) as station:
            assert "error" in await station.asked()
            assert await turned_away(station) == 403
        async with Station(place.base, ROOF) as station:
            assert "error" in await station.asked()
            assert await turned_away(station) == 403
        for wrong in ("Bearer roof:0", "", "Basic !!!", "Bearer " + TOKEN.decode()):
            async with Station(place.base, ROOF, headers={"Authorization": wrong}) as station:
                assert await turned_away(station) == 401


async def test_a_credential_that_is_taken_away_ends_its_line() -> None:
    """Or whose token is renewed; nobody else's."""
    async with house(Forwarder(ROOF, credential="roof"), Forwarder(SHED)) as place:
        for after in (known(TOKEN, "shed"), known(b"another")):
            place.door.renew(known())
            async with Station(place.base, ROOF, headers=BEARER) as station, Station(place.base, SHED) as other:  # fmt: skip
                await station.connect()
                await other.connect()
                place.door.renew(after)
                assert await station.over()
                assert await turned_away(station) == 401
                await other.say(uplink(DATA))
                assert (await place.heard(len(place.receptions) + 1)).forwarder == SHED


def trusting(ca: Path, pair: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    """A client's side."""
    context = ssl.create_default_context(cafile=str(ca))
    if pair is not None:
        context.load_cert_chain(*map(str, pair))
    return context


async def test_a_station_proves_its_credential_by_certificate(tmp_path: Path) -> None:
    """Of its common name, over TLS, where it is led to a line over TLS; another's opens nothing."""
    made = certificate.issue(tmp_path, ["localhost"], datetime.now(UTC))
    authority = Authority(tmp_path, "forwarders")
    tls = server_context("d", made.certificate, made.key, Facts(), client_ca=authority.file, clients_required=True)  # fmt: skip
    async with house(Forwarder(ROOF, credential="roof"), tls=tls) as place:
        own = trusting(made.ca, authority.issue("roof"))
        async with Station(place.base, ROOF, ssl=own) as station:
            await station.connect()
            await station.say(uplink(DATA))
            await place.heard()
        for name in ("shed", "nobody"):
            other = trusting(made.ca, authority.issue(name))
            async with Station(place.base, ROOF, ssl=other) as station:
                assert "error" in await station.asked()
                assert await turned_away(station) == 403
        async with Station(place.base, ROOF, ssl=trusting(made.ca)) as station:
            with pytest.raises((aiohttp.ClientError, OSError)):
                await station.connect()


async def test_only_so_many_may_ask_at_a_time() -> None:
    """Whoever is silent is sent away in time, and others may ask again."""
    async with house(asking=1, asking_s=0.2) as place, Station(place.base, ROOF) as silent, Station(place.base, SHED) as station:  # fmt: skip
        await silent.go(f"{place.base}/router-info")
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await station.asked()
        assert error.value.status == 503
        assert await silent.over()
        await until(lambda: place.door._asking == 0)
        assert "uri" in await station.asked()


@pytest.mark.parametrize("router", ["", "roof", -(1 << 64), 1 << 64])
async def test_a_question_that_no_station_asks_gets_no_answer(router: Any) -> None:
    async with house() as place, Station(place.base, ROOF) as station:
        with pytest.raises(TypeError):
            await station.asked(router)
        await place.counted("forwarder malformed")


async def test_what_is_no_websocket_costs_no_line() -> None:
    """An HTTP client that may come as the station does not end the station's line."""
    async with connected() as (place, station), aiohttp.ClientSession() as http:
        base = place.base.replace("ws:", "http:")
        for path, status in (("/router-info", 400), (f"/station/{ROOF}", 400), ("/", 404), (f"/station/{ROOF}x", 404)):  # fmt: skip
            async with http.get(base + path) as answer:
                assert answer.status == status
        await station.say(uplink(DATA))
        await place.heard()


async def test_a_name_that_a_station_cannot_hold_is_not_given_to_it() -> None:
    async with house() as place, Station(place.base, ROOF, headers={"Host": "h" * 100}) as station:
        assert "error" in await station.asked()
