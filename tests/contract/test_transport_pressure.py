"""The MQTT door under pressure: silence, floods, a full house, a changed registry, the end."""

import asyncio

import pytest

from gateway.wire.mqtt import encode
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.packets import Disconnect
from tests.fakes.loop import in_virtual_time
from tests.fakes.mqtt_door import TOKEN, Client, House, connect, directory, publish, settled, until

SWEEP_S = 1.5
"""By now the door has looked for silence once more."""


async def is_open(client: Client) -> bool:
    """Whether the connection still answers."""
    client.say(encode.PINGREQ)
    return await client.reader.read(2) == encode.PINGRESP


# -- silence ----------------------------------------------------------------------------------


@in_virtual_time
async def test_one_and_a_half_keep_alives_of_silence_end_a_connection() -> None:
    """§3.1.2.10; MQTT 5 is told why."""
    async with House() as house:
        client = await house.guest(keep_alive_s=10)
        house.clock.advance(14.9)
        await asyncio.sleep(SWEEP_S)
        assert await is_open(client)

        house.clock.advance(15.1)
        await asyncio.sleep(SWEEP_S)
        assert await client.hear() == [Disconnect(Code.KEEP_ALIVE_TIMEOUT)]
        assert await client.rest() == b""


@in_virtual_time
async def test_whoever_asked_for_no_keep_alive_is_given_the_longest() -> None:
    async with House(keep_alive_s=100) as house:
        client = await house.guest(4, keep_alive_s=0)
        house.clock.advance(149)
        await asyncio.sleep(SWEEP_S)
        assert await is_open(client)

        house.clock.advance(151)
        await asyncio.sleep(SWEEP_S)
        assert await client.rest() == b""


@in_virtual_time
async def test_a_socket_that_says_nothing_is_closed_soon() -> None:
    async with House(connect_s=10) as house:
        client = await house.arrive()
        await settled()
        house.clock.advance(10.1)
        await asyncio.sleep(SWEEP_S)
        assert await client.rest() == b""


@in_virtual_time
async def test_a_connect_that_trickles_in_does_not_hold_a_socket() -> None:
    """`connect_s` is the time to CONNECT, not the time between two bytes of it."""
    async with House(connect_s=10) as house:
        client = await house.arrive()
        for byte in connect()[:3]:
            client.say(bytes([byte]))
            await settled()
            house.clock.advance(4)
            await asyncio.sleep(SWEEP_S)
        assert await client.rest() == b""


@in_virtual_time
async def test_whom_we_do_not_read_is_not_called_silent() -> None:
    """While the store waits a full sender waits with it; and afterwards it has time to speak."""
    async with House(pending=4) as house:
        client = await house.guest(keep_alive_s=10)
        client.say(*(publish(n) for n in range(1, 5)))
        await until(lambda: len(house.receiver.payloads) == 4)
        house.clock.advance(60)
        await asyncio.sleep(SWEEP_S)

        house.receiver.settle()
        await asyncio.sleep(SWEEP_S)
        assert len(await client.hear(packets=4)) == 4
        assert await is_open(client)


# -- floods -----------------------------------------------------------------------------------


@in_virtual_time
async def test_too_many_waiting_uplinks_pause_their_own_connection_alone() -> None:
    """Back-pressure by not reading: the flood stays in its socket, others are heard."""
    async with House(pending=10) as house:
        flood, quiet = await house.guest(), await house.guest()
        flood.say(*(publish(n) for n in range(1, 11)))
        await until(lambda: len(house.receiver.payloads) == 10)
        flood.say(*(publish(n, b"more") for n in range(11, 21)))
        quiet.say(publish(1, b"quiet"))
        await until(lambda: len(house.receiver.payloads) > 10)
        await settled()

        assert house.receiver.payloads[10:] == [b"quiet"]


@in_virtual_time
async def test_reading_goes_on_when_half_of_them_are_settled() -> None:
    """Not at every single one: stopping and starting costs system calls."""
    async with House(pending=10) as house:
        client = await house.guest()
        for n in range(1, 11):
            client.say(publish(n))
            await until(lambda n=n: len(house.receiver.payloads) == n)  # type: ignore[misc]
        client.say(publish(11, b"more"))
        waiting, house.receiver.waiting = house.receiver.waiting, []
        for _, uplinks in waiting[:5]:
            uplinks.settle({})
            await settled()
        assert house.receiver.payloads == []

        waiting[5][1].settle({})
        await until(lambda: house.receiver.payloads == [b"more"])


@in_virtual_time
async def test_one_read_of_many_uplinks_is_cut_so_that_senders_take_turns() -> None:
    async with House() as house:
        client = await house.guest()
        client.say(*(publish(n) for n in range(1, 1001)))
        await until(lambda: len(house.receiver.payloads) == 1000)
        assert max(len(uplinks.items) for _, uplinks in house.receiver.waiting) <= 256


# -- the registry -----------------------------------------------------------------------------


@in_virtual_time
async def test_a_changed_registry_is_in_force_for_open_connections() -> None:
    """A device that was added may speak, one that was taken away may not, on the same connection."""
    async with House() as house:
        client = await house.guest()
        house.door.renew(directory(devices=("stop-1",)))
        client.say(publish(1, topic=b"sekisho/v1/stop-1/up"), publish(2))
        await until(lambda: len(house.receiver.payloads) == 2)
        (_, uplinks), *_ = house.receiver.waiting

    routes = [route for route, _ in uplinks.items]
    assert getattr(routes[0], "kind", None) == "bus_stop_reader"
    assert routes[1] == "not this credential's device"


@in_virtual_time
async def test_a_token_that_is_no_longer_good_ends_its_connections() -> None:
    async with House() as house:
        client = await house.guest()
        house.door.renew(directory(token=b"another"))
        assert await client.hear() == [Disconnect(Code.NOT_AUTHORIZED)]

        again = await house.arrive()
        again.say(connect(password=TOKEN))
        assert (await again.hear())[0].reason == Code.BAD_CREDENTIALS


@in_virtual_time
async def test_a_connection_that_has_not_said_connect_survives_a_change() -> None:
    async with House() as house:
        client = await house.arrive()
        await settled()
        house.door.renew(directory())
        client.say(connect())
        assert (await client.hear())[0].reason == Code.SUCCESS


# -- the end ----------------------------------------------------------------------------------


@in_virtual_time
async def test_a_stop_reads_nothing_more_and_acknowledges_what_was_read() -> None:
    """Then everybody is told goodbye; nobody new comes in."""
    async with House() as house:
        client = await house.guest()
        client.say(publish(1, b"in time"))
        await until(lambda: house.receiver.payloads == [b"in time"])
        house.door.stop_listening()
        client.say(publish(2, b"too late"))
        await settled()
        assert house.receiver.payloads == [b"in time"]
        with pytest.raises(ConnectionRefusedError):
            await house.arrive()

        house.receiver.settle()
        await house.door.close()
        answer, goodbye = await client.hear(packets=2)
        assert (answer.packet_id, goodbye) == (1, Disconnect(Code.SHUTTING_DOWN))


@in_virtual_time
async def test_no_more_sockets_are_kept_than_fit_the_waiting_room() -> None:
    """Beyond the bound and its waiting room a socket is shut without a word."""
    async with House(connections=2) as house:
        clients = [await house.arrive() for _ in range(2 + 256 + 1)]
        assert await clients[-1].rest() == b""
        clients[-2].say(connect())
        assert (await clients[-2].hear())[0].reason == Code.QUOTA_EXCEEDED


@in_virtual_time
async def test_a_second_connection_of_one_client_ends_the_first() -> None:
    """§3.1.4: what a modem left behind half-open does not hold its place until keep-alive ends it."""
    async with House() as house:
        generations = [await house.guest(client_id="modem-1") for _ in range(3)]

        for before in generations[:2]:
            assert await before.hear(5) == [Disconnect(Code.SESSION_TAKEN_OVER)]
        await settled()
        newest = await house.guest(client_id="modem-1")
        assert await generations[2].hear(5) == [Disconnect(Code.SESSION_TAKEN_OVER)]
        newest.say(publish(1))
        await until(lambda: len(house.receiver.payloads) == 1)


@in_virtual_time
async def test_clients_without_an_id_do_not_end_each_other() -> None:
    """Each is given a name of its own."""
    async with House() as house:
        first, second = await house.guest(client_id=""), await house.guest(client_id="")
        first.say(publish(1))
        second.say(publish(1))

        await until(lambda: len(house.receiver.payloads) == 2)


@in_virtual_time
async def test_a_client_may_take_its_own_place_in_a_full_house() -> None:
    """The half-open twin of a modem does not lock it out."""
    async with House(connections=1) as house:
        first = await house.guest(client_id="modem-1")
        await house.guest(client_id="modem-1")

        assert await first.hear(5) == [Disconnect(Code.SESSION_TAKEN_OVER)]


@in_virtual_time
async def test_a_lost_connection_gives_back_what_it_weighed() -> None:
    """Else each reconnect with uplinks on their way would leave the door a little more crowded."""
    async with House(door_bytes=2000) as house:
        for _ in range(5):
            lost = await house.guest(client_id="modem-1")
            lost.say(publish(1, b"x" * 1000))
            await until(lambda: len(house.receiver.payloads) == 1)
            lost.close()
            await settled()
            house.receiver.settle()

        quiet = await house.guest()
        quiet.say(publish(1, b"quiet"))
        await until(lambda: house.receiver.payloads == [b"quiet"])


@in_virtual_time
async def test_too_many_bytes_in_all_pause_everybody_until_half_is_settled() -> None:
    """Memory is bounded by the door, not by how many connections there are."""
    async with House(door_bytes=2000) as house:
        heavy, light = await house.guest(), await house.guest()
        for n in (1, 2, 3):
            heavy.say(publish(n, b"x" * 550))
            await until(lambda n=n: len(house.receiver.payloads) == n)  # type: ignore[misc]
        light.say(publish(1, b"light"))
        await settled()
        assert len(house.receiver.payloads) == 3

        waiting, house.receiver.waiting = house.receiver.waiting, []
        waiting[0][1].settle({})
        await settled()
        assert house.receiver.payloads == []
        waiting[1][1].settle({})
        await until(lambda: house.receiver.payloads == [b"light"])
