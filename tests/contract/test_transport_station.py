"""The door for LoRa Basics Station, with a websocket client that says what a captured station says."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.lorawan.answers import GPS_EPOCH, LEAP_S
from gateway.lorawan.plan import DataRate
from gateway.lorawan.reception import Downlink
from simulators.lorawan.station_words import HELLO
from tests.fakes.mqtt_door import until
from tests.fakes.station import XTIME, Station, uplink
from tests.fakes.station_door import DATA, DOWN, PLAN, ROOF, SHED, connected, house, turned_away

VECTORS = Path(__file__).parents[1] / "vectors" / "basics_station.jsonl"
CAPTURED = [row for row in map(json.loads, VECTORS.read_text().splitlines()) if "expect_phy" in row]


async def test_a_station_is_led_to_its_line_and_configured() -> None:
    """Under the name by which it called us, and in the form of EUI that it used or any other."""
    async with house() as place, Station(place.base, ROOF) as station:
        for router in ("58a0:cbff:fe80:10", str(ROOF), int(ROOF.hex(), 16)):
            answer = await station.asked(router)
            assert answer == {
                "router": "58a0:cbff:fe80:10",
                "muxs": "muxs-::0",
                "uri": f"{place.base}/station/{ROOF}",
            }
        await station.connect()
        assert station.config["msgtype"] == "router_config"
        assert station.config["region"] == "AS923-1"
        assert station.config["MuxTime"] == place.clock.now() / 1e6
        assert [freq for freq, _, _ in station.config["upchannels"]] == [
            *(channel.freq_hz for channel in PLAN.channels),
            *PLAN.cf_list,
        ]


@pytest.mark.parametrize("row", CAPTURED, ids=lambda row: json.loads(row["text"])["msgtype"])
async def test_a_captured_message_is_a_reception(row: dict[str, Any]) -> None:
    """The frame's bytes, who heard it, how well, on which frequency and data rate."""
    async with connected() as (place, station):
        await station.say(row["text"])
        found = await place.heard()
    assert found.phy.hex() == row["expect_phy"]
    assert (found.forwarder, found.antenna) == (ROOF, 0)
    assert (found.freq_hz, found.rate) == (868_100_000, DataRate(7, 125_000))
    assert (found.rssi_dbm, found.snr_db) == (-50, 9.25)
    assert (found.at, found.heard_s) == (place.clock.now(), place.clock.monotonic())


async def test_a_downlink_goes_back_with_the_time_of_its_uplink() -> None:
    """To the last digit, and with the numbers of data rates that the station was configured with."""
    async with connected() as (place, station):
        await station.say(uplink(DATA, rctx=1))
        assert (await place.heard()).way.send(DOWN) is None
        said = await station.hear()
        assert (said["msgtype"], said["pdu"], said["dC"]) == ("dnmsg", "600102", 0)
        assert (said["xtime"], said["rctx"]) == (XTIME, 1)
        assert (said["RxDelay"], said["RX1DR"], said["RX1Freq"]) == (1, 5, 923_200_000)
        assert (said["RX2DR"], said["RX2Freq"]) == (2, 923_200_000)
        assert place.told == []
        await station.say({"msgtype": "dntxed", "seqno": said["diid"], "diid": said["diid"]})
        await until(lambda: place.told == [(41, None)])


async def test_a_downlink_of_which_no_station_tells_did_not_go_out() -> None:
    """And is told as such once; what the station says later changes nothing."""
    async with connected(patience_s=0.0) as (place, station):
        await station.say(uplink(DATA))
        found = await place.heard()
        place.clock.advance(1.8)
        assert found.way.send(DOWN) is None
        said = await station.hear()
        await until(lambda: len(place.told) == 1)
        assert place.told == [(41, "the forwarder told of no transmission")]
        await station.say({"msgtype": "dntxed", "diid": said["diid"]})
        await place.counted("forwarder: dntxed of nothing")
        assert len(place.told) == 1


async def test_a_downlink_that_is_too_late_for_both_windows_is_refused_at_once() -> None:
    """A tenth of a second before RX2 is the last moment."""
    async with connected() as (place, station):
        await station.say(uplink(DATA))
        found = await place.heard()
        place.clock.advance(1.95)
        assert found.way.send(DOWN) == "too late for its windows"
        assert place.told == []


async def test_a_downlink_of_a_region_that_is_not_the_stations_is_refused() -> None:
    other = Downlink(
        *(7, ROOF, b"\x60", 923_200_000, DataRate(8, 500_000), 923_200_000),
        *(DataRate(10, 125_000), 1.0, 13.0),
    )
    async with connected() as (place, station):
        await station.say(uplink(DATA))
        found = await place.heard()
        assert found.way.send(other) == "a data rate of no such region"


async def test_a_station_is_not_handed_more_than_it_tells_of() -> None:
    async with connected(waiting=2) as (place, station):
        await station.say(uplink(DATA))
        way = (await place.heard()).way
        assert [way.send(DOWN) for _ in range(3)] == [
            *(None, None),
            "too many downlinks wait at its forwarder",
        ]
        said = await station.hear()
        await station.say({"msgtype": "dntxed", "diid": said["diid"]})
        await until(lambda: len(place.told) == 1)
        assert way.send(DOWN) is None


async def test_another_stations_word_counts_for_nothing() -> None:
    async with connected() as (place, station), Station(place.base, SHED) as other:
        await other.connect()
        await station.say(uplink(DATA))
        assert (await place.heard()).way.send(DOWN) is None
        said = await station.hear()
        await other.say({"msgtype": "dntxed", "diid": said["diid"]})
        await place.counted("forwarder: dntxed of nothing")
        assert place.told == []


async def test_the_newest_connection_of_a_station_counts() -> None:
    """A station whose line is half open comes back; its downlinks go the new way, with the time of the old one."""
    async with connected() as (place, station), Station(place.base, ROOF) as again:
        await station.say(uplink(DATA))
        found = await place.heard()
        await again.connect()
        assert await station.over()
        await place.counted("forwarder came again")
        assert found.way.send(DOWN) is None
        assert (await again.hear())["xtime"] == XTIME
        await again.say(uplink(DATA))
        await place.heard(2)


async def test_a_station_that_is_stopped_just_goes() -> None:
    """No close frame, no fault; until it is back nothing can be sent by it."""
    async with connected() as (place, station):
        await station.say(uplink(DATA))
        found = await place.heard()
        station.vanish()
        await place.counted("forwarder: gone")
        assert found.way.send(DOWN) == "its forwarder is not connected"
        assert not [fact for fact in place.facts.standing if "malformed" in fact]


async def test_a_downlink_that_meets_a_line_that_ends_is_told_of() -> None:
    """By its time-out at the latest."""
    async with connected(patience_s=0.0) as (place, station):
        await station.say(uplink(DATA))
        found = await place.heard()
        place.clock.advance(1.8)
        station.vanish()
        assert found.way.send(DOWN) is None
        await until(lambda: len(place.told) == 1)
        assert place.told[0][1] is not None


async def test_gps_time_is_told_to_a_station_that_asks() -> None:
    async with connected() as (place, station):
        await station.say({"msgtype": "timesync", "txtime": XTIME})
        gps_us = place.clock.now() - GPS_EPOCH + LEAP_S * 1_000_000
        assert await station.hear() == {"msgtype": "timesync", "txtime": XTIME, "gpstime": gps_us}


async def test_pings_are_answered_and_sent() -> None:
    """Either side may ask whether the other one is there; the line that is asked lives on."""
    async with connected(heartbeat_s=0.05) as (place, station):
        await station.line.ping(b"there?")
        for _ in range(4):
            with pytest.raises(TimeoutError):
                await station.line.receive(timeout=0.05)
        await station.say(uplink(DATA))
        await place.heard()


async def test_a_line_on_which_nobody_answers_a_ping_ends() -> None:
    """Its network has gone: nobody says that the station sent what no station says."""
    async with house(heartbeat_s=0.05) as place, Station(place.base, ROOF, autoping=False) as station:  # fmt: skip
        await station.connect()
        await place.counted("forwarder: gone")
        assert not place.facts.counts["forwarder malformed"]


async def test_what_no_station_says_is_passed_over() -> None:
    """The line goes on, and the log tells the rule and nothing of the content."""
    async with connected() as (place, station):
        bad = [
            *("x", "[]", json.dumps(HELLO), '{"msgtype":"updf","MHdr":"58a0"}'),
            uplink(DATA, dr=9),
        ]
        for message in bad:
            await station.say(message)
        await station.line.send_bytes(b"\0")
        await station.say({"msgtype": "rmtsh"})
        await station.say(uplink(DATA))
        await place.heard()
        assert place.facts.counts["forwarder malformed"] == len(bad) + 1
        assert place.facts.counts["forwarder: other message"] == 1
        assert len(place.receptions) == 1


async def test_a_message_that_is_too_long_ends_its_line_alone() -> None:
    async with connected(message_bytes=2000) as (place, station), Station(place.base, SHED) as other:  # fmt: skip
        await other.connect()
        await station.say("x" * 3000)
        assert await station.over()
        await other.say(uplink(DATA))
        assert (await place.heard()).forwarder == SHED


async def test_a_station_that_says_too_much_is_read_more_slowly_and_loses_nothing() -> None:
    async with connected(rate=100.0) as (place, station):
        for n in range(105):
            await station.say(uplink(DATA, XTIME + n))
        await place.heard(105)
        assert place.facts.counts["forwarder held back"] > 0


@pytest.mark.parametrize("first", [None, uplink(DATA), {**HELLO, "protocol": 3}], ids=["nothing", "a frame", "protocol 3"])  # fmt: skip
async def test_a_station_that_does_not_say_what_it_is_is_not_heard(first: Any) -> None:
    """And its line ends."""
    async with house(asking_s=0.1) as place, Station(place.base, ROOF) as station:
        await station.go(f"{place.base}/station/{ROOF}")
        if first is not None:
            await station.say(first)
        assert await station.over()
        assert place.receptions == []


# -- the end ---------------------------------------------------------------------------------


async def test_a_door_that_stops_takes_nothing_more_and_still_answers() -> None:
    """Then it says farewell."""
    async with connected() as (place, station):
        await station.say(uplink(DATA))
        found = await place.heard()
        place.door.stop_listening()
        await station.say(uplink(DATA))
        assert found.way.send(DOWN) is None
        assert (await station.hear())["msgtype"] == "dnmsg"
        async with Station(place.base, SHED) as late:
            assert await turned_away(late) == 503
        closing = asyncio.create_task(place.door.close())
        said = await station.line.receive()
        await closing
        assert (said.type, said.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        assert len(place.receptions) == 1


async def test_a_station_that_does_not_read_does_not_hold_up_the_end() -> None:
    async with connected() as (place, station):
        await station.say(uplink(DATA))
        await place.heard()
        station.line._response.connection.transport.pause_reading()  # type: ignore[union-attr]
        place.door.stop_listening()
        await place.door.close()
