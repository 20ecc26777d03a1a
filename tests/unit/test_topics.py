"""Topics: a device's name in, two topics out, and back again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.identity import DeviceId, is_name
from gateway.wire.topics import command_topic, commanded, device_of, uplink_topics


@given(name=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True))
def test_a_device_s_topics_lead_back_to_it(name: str) -> None:
    for topic in uplink_topics(DeviceId(name)):
        assert device_of(topic.decode()) == name
        assert commanded(topic.decode()) is None
    assert commanded(command_topic(DeviceId(name))) == name
    assert device_of(command_topic(DeviceId(name))) is None


@given(topic=st.text(max_size=100))
def test_no_text_breaks_it(topic: str) -> None:
    for name in (device_of(topic), commanded(topic)):
        assert name is None or is_name(name)


@pytest.mark.parametrize(
    "topic",
    [
        "", "sekisho/v1/", "sekisho/v1//up", "sekisho/v1/x", "sekisho/v1/x/", "sekisho/v1/x/up/",
        "sekisho/v1/x/up/json", "sekisho/v2/x/up", "/sekisho/v1/x/up", "sekisho/v1/x/y/up",
        "sekisho/v1/X/up", "sekisho/v1/-x/up", f"sekisho/v1/{'x' * 65}/up", "sekisho/v1/x\n/up",
    ],
)  # fmt: skip
def test_what_is_nobody_s_topic(topic: str) -> None:
    assert device_of(topic) is None
