"""The guestbook: who may come in, and on which topics each may speak."""

from dataclasses import replace

import pytest

from gateway.model.identity import DeviceId
from gateway.model.reason import Reason
from gateway.transports.mqtt_listener.guestbook import Guestbook
from tests.fakes.mqtt_door import TOKEN, UP, digest, directory
from tests.fakes.readings import gauge

SAID = bytes.fromhex("01 00000000 00000001 01 05dc 8000 ff 00")
"""A stage of 1.5 m in compact binary."""


def book(**more: str) -> Guestbook:
    return Guestbook(directory(**more), digest)  # type: ignore[arg-type]


def test_a_name_and_its_token_prove_a_credential() -> None:
    credential = book().credential("meter", TOKEN)
    assert credential is not None
    assert credential.name == "meter"


@pytest.mark.parametrize(
    ("name", "token"), [("meter", b""), ("meter", b"0" * 16), ("other", TOKEN), ("", b"")]
)
def test_anything_else_proves_nothing(name: str, token: bytes) -> None:
    assert book().credential(name, token) is None


def test_an_unknown_name_costs_a_digest_too() -> None:
    """The time of an answer must not say which names exist."""
    asked = []

    def counting(token: bytes) -> bytes:
        asked.append(token)
        return digest(token)

    by = Guestbook(directory(), counting)
    by.credential("meter", b"1")
    by.credential("nobody", b"2")
    assert asked == [b"1", b"2"]


def test_a_credential_has_both_topics_of_its_devices_and_no_others() -> None:
    by = book()
    credential = by.credential("meter", TOKEN)
    assert credential is not None
    routes = by.routes(credential)

    assert set(routes) == {UP, UP + b"/bin"}
    json, binary = routes[UP].decode, routes[UP + b"/bin"].decode
    assert json(b'{"stage_m": 1.5}', gauge())[0].stage_m == 1.5
    assert binary(SAID, gauge())[0].stage_m == 1.5
    assert routes[UP].device == gauge()


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("sekisho/v1/river-1/up", Reason.NOT_ALLOWED),
        ("sekisho/v1/river-1/up/bin", Reason.NOT_ALLOWED),
        ("sekisho/v1/nobody/up", Reason.UNKNOWN_DEVICE),
        ("sekisho/v1/river-1/down", Reason.UNKNOWN_TOPIC),
        ("home/kitchen", Reason.UNKNOWN_TOPIC),
    ],
)
def test_a_topic_without_a_route_has_a_reason(topic: str, reason: Reason) -> None:
    assert book().refusal(topic) is reason


def test_a_revoked_device_is_as_unknown_as_any() -> None:
    by = Guestbook(directory(TOKEN, replace(gauge(), revoked=True)), digest)
    credential = by.credential("meter", TOKEN)
    assert credential is not None
    assert by.routes(credential) == {}
    assert by.refusal(UP.decode()) is Reason.UNKNOWN_DEVICE


def test_a_device_of_a_kind_nobody_knows_has_no_route() -> None:
    """A newer registry may name kinds that this gateway has not."""
    by = Guestbook(directory(TOKEN, replace(gauge(), kind="tide_gauge")), digest)
    credential = by.credential("meter", TOKEN)
    assert credential is not None
    assert by.routes(credential) == {}


def test_a_credential_is_renewed_by_name_and_token_alone() -> None:
    """Other devices for it: it stays, with them; another token, or gone: it leaves."""
    by = book()
    credential = by.credential("meter", TOKEN)
    assert credential is not None

    by.replace(directory(devices=("stop-1",)))
    renewed = by.again(credential)
    assert renewed is not None
    assert renewed.devices == {DeviceId("stop-1")}

    by.replace(directory(token=b"another"))
    assert by.again(credential) is None


def test_anonymous_speaks_for_every_device_as_they_come_and_go() -> None:
    by = book()
    credential = by.anonymous()
    assert set(by.routes(credential)) >= {UP, b"sekisho/v1/child-1/up"}

    more = replace(gauge(), device=DeviceId("river-2"))
    by.replace(directory(TOKEN, more))
    renewed = by.again(credential)
    assert renewed is not None
    assert b"sekisho/v1/river-2/up" in by.routes(renewed)
