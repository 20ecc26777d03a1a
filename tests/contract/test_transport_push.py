"""The door for pushed documents over loopback HTTP: who may push, what each answer means."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from gateway.model.forwarded import Forwarded
from gateway.model.reason import Reason
from gateway.telemetry import Facts
from gateway.transports.http_push.door import PushDoor, PushLimits
from tests.fakes.clock import ManualClock
from tests.fakes.mqtt_door import TOKEN, digest, directory
from tests.fakes.readings import gauge
from tests.fakes.receiver import Receiver

EUI = "0004a30b001c0530"
UP = {
    "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
    "time": "2026-05-12T02:59:59.775023242+00:00",
    "deviceInfo": {"devEui": EUI, "deviceName": "Kamidaki"},
    "devAddr": "00189440",
    "fCnt": 7,
    "fPort": 2,
    "data": "qg==",
    "rxInfo": [{"gatewayId": "0016c001f153a14c", "rssi": -36, "snr": 10.5}],
}
BASIC = "Basic " + base64.b64encode(b"meter:" + TOKEN).decode()


class House:
    """An open door, the receiver behind it, and a client."""

    door: PushDoor

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self.receiver = Receiver()
        self.facts = Facts()
        self.session = session
        self.port = port

    async def push(
        self,
        document: Any = UP,
        path: str = "/push/chirpstack_v4?event=up",
        authorization: str = BASIC,
    ) -> tuple[int, str]:
        """Post one document; status and sentence."""
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        url = f"http://127.0.0.1:{self.port}{path}"
        headers = {"Authorization": authorization} if authorization else {}
        async with self.session.post(url, data=data, headers=headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text)["error"] if text else ""

    async def arrived(self) -> Forwarded:
        """The next uplink that waits for its commit."""
        while not self.receiver.waiting:
            await asyncio.sleep(0)
        payload = self.receiver.payloads[0]
        assert isinstance(payload, Forwarded)
        return payload


@asynccontextmanager
async def house(**limits: int) -> AsyncIterator[House]:
    known = directory()
    river = replace(gauge(), attributes={**gauge().attributes, "dev_eui": EUI})
    known = replace(known, devices={**known.devices, river.device: river})
    async with aiohttp.ClientSession() as session:
        place = House(session, 0)
        door = PushDoor(
            *(
                place.receiver,
                known,
                digest,
                ManualClock(),
                place.facts,
                "push",
                PushLimits(**limits),
            )
        )
        place.door, place.port = door, await door.open("127.0.0.1", 0)
        try:
            yield place
        finally:
            await door.close()


async def test_an_answer_waits_for_the_commit() -> None:
    """204 means on disk: before that there is no answer."""
    async with house() as place:
        pushed = asyncio.create_task(place.push())
        uplink = await place.arrived()
        assert (uplink.f_port, uplink.f_cnt, uplink.data) == (2, 7, b"\xaa")
        await asyncio.sleep(0.05)
        assert not pushed.done()
        place.receiver.settle()
        assert await pushed == (204, "")


@pytest.mark.parametrize(
    ("reason", "status"),
    [(Reason.OUT_OF_RANGE, 422), (Reason.UNDECODABLE, 422), (Reason.UNSTORABLE, 500)],
)
async def test_a_rejection_says_why(reason: Reason, status: int) -> None:
    async with house() as place:
        pushed = asyncio.create_task(place.push())
        await place.arrived()
        place.receiver.settle({0: reason})
        assert await pushed == (status, reason.value)


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic !!!", "Basic bWV0ZXI=", "Bearer meter:wrong", "Digest meter:" + TOKEN.decode(), "Bearer " + TOKEN.decode()],
)  # fmt: skip
async def test_nobody_pushes_without_a_credential(authorization: str) -> None:
    """And the body is not even looked at."""
    async with house() as place:
        status, _ = await place.push(b"\xff", authorization=authorization)
        assert status == 401
        assert place.receiver.waiting == []
        assert place.facts.counts["push refused"] == 1


async def test_a_bearer_may_write_name_and_token_in_plain() -> None:
    """Servers that let their operator set a header, but not compute one."""
    async with house() as place:
        pushed = asyncio.create_task(place.push(authorization=f"Bearer meter:{TOKEN.decode()}"))
        await place.arrived()
        place.receiver.settle()
        assert (await pushed)[0] == 204


async def test_a_device_of_another_credential_is_not_taken() -> None:
    """A credential speaks for its own devices; a stranger and a neighbour's device look alike."""
    other = {**UP, "deviceInfo": {"devEui": "ffffffffffffffff"}}
    async with house() as place:
        pushed = asyncio.create_task(place.push(other))
        await place.arrived()
        ((_, uplinks),) = place.receiver.waiting
        assert uplinks.items[0][0] is Reason.UNKNOWN_DEVICE
        place.receiver.settle({0: Reason.UNKNOWN_DEVICE})
        assert await pushed == (403, "unknown device")


async def test_what_is_no_uplink_is_counted_and_answered() -> None:
    status = {"deviceInfo": {"devEui": EUI}, "margin": 10, "batteryLevel": 88.3}
    async with house() as place:
        assert await place.push(status, "/push/chirpstack_v4?event=status") == (204, "")
        assert place.receiver.waiting == []
        assert place.facts.counts["forwarded status"] == 1


async def test_the_things_stack_appends_a_path_for_each_message() -> None:
    document = {
        "end_device_ids": {"device_id": "river-1", "dev_eui": EUI.upper(), "dev_addr": "00BCB929"},
        "uplink_message": {
            "f_port": 2,
            "frm_payload": "qg==",
            "received_at": "2026-05-12T02:59:59Z",
        },
    }
    async with house() as place:
        pushed = asyncio.create_task(place.push(document, "/push/things_stack_v3/up"))
        assert (await place.arrived()).f_cnt == 0  # proto3 leaves out a zero
        place.receiver.settle()
        assert (await pushed)[0] == 204


async def test_a_format_that_nobody_knows_is_named_with_those_there_are() -> None:
    async with house() as place:
        status, sentence = await place.push(path="/push/chirpstack")
        assert status == 404
        assert "chirpstack_v4" in sentence


async def test_a_document_that_is_too_large_is_refused() -> None:
    async with house(body_bytes=100) as place:
        url = f"http://127.0.0.1:{place.port}/push/chirpstack_v4"
        async with place.session.post(
            url, data=b"x" * 200, headers={"Authorization": BASIC}
        ) as said:
            assert said.status == 413


async def test_beyond_the_bound_senders_are_told_to_come_again() -> None:
    """Nothing is dropped: what was not taken was not acknowledged."""
    async with house(pending=1) as place:
        first = asyncio.create_task(place.push())
        await place.arrived()
        status, _ = await place.push()
        assert status == 503
        place.receiver.settle()
        assert (await first)[0] == 204


async def test_a_document_that_cannot_be_opened_is_its_own_fault() -> None:
    """It goes the way of all uplinks, so that it is counted like one."""
    async with house() as place:
        pushed = asyncio.create_task(place.push(b"no JSON"))
        while not place.receiver.waiting:
            await asyncio.sleep(0)
        place.receiver.settle({0: Reason.UNDECODABLE})
        assert await pushed == (422, "undecodable")
        assert place.facts.counts["envelope not opened"] == 1


async def test_a_request_that_is_none_is_counted_and_quoted_nowhere(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Its bytes may be anybody's position, or a token: no log has them, whoever sent them."""
    canary = b"36.70019999"
    async with house() as place:
        for raw in (
            b"POST /push/chirpstack_v4 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            + canary
            + b"\r\n",
            b"POST /push/chirpstack_v4 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a:"
            + canary
            + b"\x01\r\n\r\n",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
            writer.write(raw)
            await reader.read()
            writer.close()
        assert place.facts.counts["push malformed"] >= 1
    out, err = capfd.readouterr()
    assert canary.decode() not in out + err


@pytest.mark.parametrize("token", ["\u00e9:\u00ff", "meter:\udcff"])
async def test_a_token_in_odd_letters_proves_nothing(token: str) -> None:
    async with house() as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        head = f"POST /push/chirpstack_v4 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        writer.write(head.encode("utf-8", "surrogateescape") + b"Content-Length: 0\r\n\r\n")
        assert (await reader.readline()).split()[1] == b"401"
        writer.close()


async def test_a_credential_that_is_taken_away_while_a_document_comes_in_is_gone() -> None:
    """And so is a device that it no longer speaks for: nothing of before is remembered."""
    async with house() as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        body = json.dumps(UP).encode()
        head = f"POST /push/chirpstack_v4 HTTP/1.1\r\nHost: x\r\nAuthorization: {BASIC}\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:9])
        while not place.facts.recent.connected:
            await asyncio.sleep(0)
        place.door.renew(replace(directory(), credentials={}))
        writer.write(body[9:])
        assert (await reader.readline()).split()[1] == b"401"
        writer.close()
        assert place.receiver.waiting == []
