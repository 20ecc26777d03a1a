"""The MQTT door over loopback sockets: who is remembered, for how long, and over which deaths."""

from pathlib import Path
from typing import Any

import pytest

from gateway.model.identity import DeviceId
from gateway.wire.mqtt import encode, fields
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.packets import ConnAck, Disconnect
from tests.fakes.mqtt_door import (
    Client,
    House,
    connect,
    directory,
    publish,
    remembered,
    settled,
    until,
)

DAY_S = 86_400


async def greeted(house: House, hello: bytes, version: int = 5) -> tuple[Client, Any]:
    """A client that said hello, and its CONNACK."""
    client = await house.arrive()
    client.say(hello)
    (answer,) = await client.hear(version)
    assert isinstance(answer, ConnAck)
    return client, answer


async def present(house: House, hello: bytes, version: int = 5) -> bool:
    """Whether a session is there for this hello."""
    _, answer = await greeted(house, hello, version)
    assert answer.reason == 0
    return bool(answer.session_present)


async def test_who_was_here_finds_its_session(tmp_path: Path) -> None:
    """§3.2.2.1.1: Session Present 0 the first time, 1 from then on; also in the gateway's next life."""
    path = tmp_path / "sessions.db"
    async with House(path=path) as house:
        assert not await present(house, remembered())
        assert await present(house, remembered())
    async with House(path=path) as house:
        assert await present(house, remembered())


async def test_mqtt_3_1_1_is_remembered_without_clean_session(tmp_path: Path) -> None:
    """3.1.1 §3.1.2.4, §3.2.2.2: clean session 0 means remembered; 1 means begun anew and forgotten."""
    path, hello = tmp_path / "sessions.db", connect(4, clean=False)
    async with House(path=path) as house:
        assert not await present(house, hello, 4)
        assert await present(house, hello, 4)
    async with House(path=path) as house:
        assert await present(house, hello, 4)
        assert not await present(house, connect(4, clean=True), 4)
        assert not await present(house, hello, 4)


async def test_it_is_on_disk_before_it_is_said() -> None:
    """The CONNACK waits for the disk, and what came behind CONNECT waits with it, in order."""
    async with House() as house:
        house.kept.pen.slow = True
        client = await house.arrive()
        client.say(remembered(), publish(1, b"a"))
        await settled()
        client.say(publish(2, b"b"))
        await settled()
        assert house.receiver.payloads == []

        house.kept.pen.slow = False
        house.kept.pen.catch_up()
        assert isinstance((await client.hear())[0], ConnAck)
        await until(lambda: house.receiver.payloads == [b"a", b"b"])


async def test_who_comes_twice_before_the_disk_answers_waits_for_it() -> None:
    """The second connection is not told of a session that is not on disk; the first one gives way."""
    async with House() as house:
        house.kept.pen.slow = True
        first, second = await house.arrive(), await house.arrive()
        first.say(remembered())
        await settled()
        second.say(remembered(), encode.PINGREQ)
        await settled()
        house.kept.pen.broken, house.kept.pen.slow = True, False
        house.kept.pen.catch_up()
        assert await first.rest() == b""
        (answer,) = await second.hear()
        assert answer.reason == Code.SERVER_UNAVAILABLE


async def test_who_is_revoked_before_the_disk_answers_stays_outside() -> None:
    """CONNACK 0x87: the registry is asked again when the session is on disk."""
    async with House() as house:
        house.kept.pen.slow = True
        client = await house.arrive()
        client.say(remembered())
        await settled()
        house.door.renew(directory(token=b"another"))
        house.kept.pen.slow = False
        house.kept.pen.catch_up()
        (answer,) = await client.hear()
        assert answer.reason == Code.NOT_AUTHORIZED
        assert await client.rest() == b""


async def test_usual_reconnects_write_nothing() -> None:
    """A write happens only where something changes: here, when the day does."""
    async with House() as house:
        await present(house, remembered(expiry_s=7 * DAY_S))
        before = len(house.kept.pen.written)
        assert before
        for _ in range(5):
            await present(house, remembered(expiry_s=7 * DAY_S))
        assert len(house.kept.pen.written) == before
        house.clock.advance(DAY_S)
        await present(house, remembered(expiry_s=7 * DAY_S))
        assert len(house.kept.pen.written) == before + 1


async def test_who_wants_nothing_kept_leaves_nothing() -> None:
    """Session expiry 0: no byte on disk."""
    async with House() as house:
        await house.guest()
        await house.guest(4)
        assert house.kept.pen.written == []


async def test_a_clean_start_deletes_the_session_first(tmp_path: Path) -> None:
    """§3.1.2.4: Session Present 0, and the next life does not know the old one either."""
    path = tmp_path / "sessions.db"
    async with House(path=path) as house:
        await present(house, remembered())
        assert not await present(house, remembered(expiry_s=0, clean=True))
    async with House(path=path) as house:
        assert not await present(house, remembered())


async def test_a_session_ends_when_its_time_is_over() -> None:
    """§3.1.2.11.2: so many seconds after its connection closed, to the second while we live."""
    async with House() as house:
        client, _ = await greeted(house, remembered(expiry_s=100))
        client.close()
        await settled()
        house.clock.advance(99)
        client, answer = await greeted(house, remembered(expiry_s=100))
        assert answer.session_present
        client.close()
        await settled()
        house.clock.advance(101)
        assert not await present(house, remembered(expiry_s=100))


@pytest.mark.parametrize(
    ("asked", "said"), [(100, None), (101, 100), (0xFFFF_FFFF, 100), (0, None)]
)
async def test_a_lower_expiry_than_asked_for_is_said(asked: int, said: int | None) -> None:
    """§3.2.2.3.2: setting session_expiry is the most."""
    async with House(session_expiry_s=100) as house:
        _, answer = await greeted(house, remembered(expiry_s=asked))
        assert answer.properties.get(fields.SESSION_EXPIRY) == said


async def test_disconnect_may_change_how_long_it_is_remembered() -> None:
    """§3.14.2.2.2: here, not at all."""
    async with House() as house:
        client, _ = await greeted(house, remembered())
        client.say(encode.disconnect(5, Code.SUCCESS, {fields.SESSION_EXPIRY: 0}))
        assert await client.rest() == b""
        assert not await present(house, remembered())


async def test_disconnect_may_not_begin_to_be_remembered() -> None:
    """§3.14.2.2.2: from 0 to something is a protocol error."""
    async with House() as house:
        client, _ = await greeted(house, connect())
        client.say(encode.disconnect(5, Code.SUCCESS, {fields.SESSION_EXPIRY: 9}))
        assert await client.hear() == [Disconnect(Code.PROTOCOL_ERROR)]


async def test_a_given_name_may_be_come_back_with() -> None:
    """§3.2.2.3.7: a client without an id is remembered by the one it was given."""
    async with House() as house:
        _, answer = await greeted(house, remembered(""))
        given = answer.properties[fields.ASSIGNED_CLIENT_ID]
        assert await present(house, remembered(given))


async def test_one_credential_s_session_is_nobody_else_s() -> None:
    """The same client id under another credential is another client."""
    async with House(anonymous=True) as house:
        await present(house, remembered())
        assert not await present(house, remembered(username=None, password=None))


async def test_a_revoked_credential_loses_its_sessions() -> None:
    """Also where a credential of that name comes back later."""
    async with House() as house:
        await present(house, remembered())
        house.kept.sessions.keep_of([])
        house.door.renew(directory(token=b"another"))
        house.kept.sessions.keep_of(["meter"])
        assert not await present(house, remembered(password=b"another"))


async def test_a_disk_that_refuses_is_told_to_come_again(tmp_path: Path) -> None:
    """CONNACK 0x88 (3.1.1: 3), and the connection is closed; afterwards all is as before."""
    async with House(path=tmp_path / "sessions.db") as house:
        house.kept.pen.broken = True
        for version, hello, reason in (
            (5, remembered(), Code.SERVER_UNAVAILABLE),
            (4, connect(4, clean=False), 3),
        ):
            client, answer = await greeted(house, hello, version)
            assert answer.reason == reason
            assert await client.rest() == b""
        await house.guest(client_id="forgettable")

        house.kept.pen.broken = False
        assert not await present(house, remembered())
        assert await present(house, remembered())


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("expiry_s", [0, 7 * DAY_S])
async def test_a_disk_that_refuses_ends_no_session(
    tmp_path: Path, restarted: bool, expiry_s: int
) -> None:
    """A client that is told to come again finds its session when the disk takes again: one that obeys
    MQTT 5 would else throw away what was not acknowledged."""
    path = tmp_path / "sessions.db"
    async with House(path=path) as house:
        await present(house, remembered())
        if not restarted:
            await refused_by_the_disk(house, expiry_s)
            assert await present(house, remembered())
    if restarted:
        async with House(path=path) as house:
            await refused_by_the_disk(house, expiry_s)
            assert await present(house, remembered())
    async with House(path=path) as house:
        assert await present(house, remembered())


async def refused_by_the_disk(house: House, expiry_s: int) -> None:
    """Somebody with a session comes while nothing can be written about it."""
    house.kept.pen.broken = True
    _, answer = await greeted(house, remembered(expiry_s=expiry_s))
    assert answer.reason == Code.SERVER_UNAVAILABLE
    house.kept.pen.broken = False
    await settled()


async def test_a_session_begun_anew_has_no_subscription_of_the_old_one(tmp_path: Path) -> None:
    """Also where the disk refused to forget the old one meanwhile, and in the next life."""
    path, topic = tmp_path / "sessions.db", "sekisho/v1/river-1/command"
    async with House(path=path) as house:
        client, _ = await greeted(house, remembered())
        client.say(encode.subscribe(5, 3, [topic]))
        await client.hear()
        house.kept.pen.broken = True
        await greeted(house, remembered(clean=True))
        house.kept.pen.broken = False
        assert not await present(house, remembered(clean=True))
    async with House(path=path) as house:
        assert await present(house, remembered())
        await settled()
        assert not house.kept.commands.is_heard(DeviceId("river-1"))


async def test_a_taken_over_session_goes_on() -> None:
    """§3.1.4: the first connection is told, the second one has its session."""
    async with House() as house:
        first, _ = await greeted(house, remembered())
        _, answer = await greeted(house, remembered())
        assert await first.hear() == [Disconnect(Code.SESSION_TAKEN_OVER)]
        assert answer.session_present


async def test_invented_names_push_each_other_out_and_nobody_else() -> None:
    """A credential has 64 sessions, or as many as devices; the one nobody held for longest goes."""
    async with House() as house:
        for n in range(70):
            client, _ = await greeted(house, remembered(f"invented-{n}"))
            client.close()
            await settled()
        assert not await present(house, remembered("invented-0"))
        assert await present(house, remembered("invented-69"))


async def test_where_all_are_in_one_more_is_not_remembered() -> None:
    """MQTT 5 is told: session expiry 0."""
    async with House() as house:
        for n in range(64):
            await greeted(house, remembered(f"c-{n}"))
        _, answer = await greeted(house, remembered("one more"))
        assert answer.properties[fields.SESSION_EXPIRY] == 0
