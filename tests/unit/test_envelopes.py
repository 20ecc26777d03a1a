"""Network servers' documents: what each says, worked out by hand from the published samples."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from chirpstack_api import gw, integration
from google.protobuf.json_format import MessageToJson

from gateway.model.device import Device, Directory
from gateway.model.errors import PayloadError
from gateway.model.forwarded import Forwarded
from gateway.model.identity import DeviceId
from gateway.model.instant import SECOND, Instant
from gateway.model.reason import Fate
from gateway.model.uplink import Uplinks
from gateway.pipeline.process import Process
from gateway.pipeline.sorting import Counted, Sorting
from gateway.telemetry import Facts, Term
from gateway.wire.envelopes.event import Enclosed, Event, Reception
from gateway.wire.envelopes.formats import FORMATS
from tests.fakes.clock import ManualClock
from tests.fakes.readings import NOON, mask, policy

VECTORS = Path(__file__).parents[1] / "vectors"

# (temperature 27.35 °C … battery 3.6 V: the shower of `weather_station`, in the kind's own eighteen bytes)
SHOWER = bytes.fromhex("0aafa3273a0022005100d700040018008cb4")
EUI = "a84041000181c061"
STATION = Device(DeviceId("weather-1"), "weather_station", "16201", 0, attributes={"dev_eui": EUI})


def utc(text: str) -> Instant:
    """Microseconds since 1970 of a moment in UTC, by the standard library's calendar."""
    since = datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def sample(name: str) -> tuple[str, bytes]:
    """Topic and document of a published sample."""
    row = json.loads((VECTORS / f"{name}.json").read_text())
    return row["topic"], json.dumps(row["payload"]).encode()


def opened(format_: str, topic: str, document: bytes) -> Enclosed:
    return FORMATS[format_].opener()(topic, document)


def said(uplink: Forwarded | None) -> tuple[Any, ...]:
    """Every part of an uplink but its object."""
    assert uplink is not None
    return (
        *(uplink.f_port, uplink.f_cnt, uplink.session, uplink.data.hex()),
        *(uplink.network_at, uplink.simulated),
    )


def decided(format_: str, *documents: tuple[str, bytes]) -> tuple[list[Any], list[Term]]:
    """Rows and certain fates of documents that come one second after another, from NOON on."""
    facts = Facts()
    directory = Directory({STATION.device: STATION}, {})
    sorting = Sorting(FORMATS[format_].opener(), directory, facts, ManualClock(NOON), "a test")
    chunks = []
    for number, document in enumerate(documents):
        item = sorting.sort(*document)
        assert not isinstance(item, Counted)
        chunks.append(Uplinks("own", NOON + number * SECOND, [item], lambda _refused: None))
    batch = Process(mask(policy(UTC)), UTC).decide(chunks)
    rows = [row for rows in batch.outcome.rows.values() for row in rows.observations]
    return [row.row for row in rows], list(batch.terms.elements())


# -- the samples ---------------------------------------------------------------------------------


def test_chirpstack_s_uplink_without_its_zeros() -> None:
    """fCnt is absent, so it is 0; nine decimals are cut to microseconds."""
    found = opened("chirpstack_v4", *sample("chirpstack_up"))
    assert (found.event, found.dev_eui) == (Event.UPLINK, "0101010101010101")
    at = utc("2022-07-18T09:34:15.775023")
    assert said(found.uplink) == (1, 0, "00189440", "aa", at, False)
    assert found.uplink is not None
    assert found.uplink.object is None
    assert found.heard() == (Reception("0016c001f153a14c", -36.0, 10.5, None),)


def test_a_real_first_uplink_with_a_forwarder_nowhere_on_earth() -> None:
    """fCnt 0 is absent; the forwarder's absurd position costs nothing, for nobody reads it."""
    found = opened("chirpstack_v4", *sample("chirpstack_up_fcnt0"))
    at = utc("2022-09-23T02:02:06.744554")
    data = "0101300000000000087600000003b4fa0001e208"
    assert said(found.uplink) == (2, 0, "00e5e007", data, at, False)
    assert found.heard() == (Reception("00000020e2e84150", -19.0, 10.0, at),)


def test_the_things_stack_s_uplink_by_the_network_server_s_clock() -> None:
    """Of three clocks `uplink_message.received_at` counts; the forwarder's goes to radio health."""
    found = opened("things_stack_v3", *sample("tts_up_1"))
    assert (found.dev_eui, found.name) == ("0004a30b001c0530", "dev1")
    at = utc("2020-02-12T15:15:45.789585")
    assert said(found.uplink) == (0, 1, "AXA50tHUGUucuzS/bCGMNw==", "8241de", at, False)
    assert found.uplink is not None
    assert found.uplink.object == {"temperature": 1.0, "luminosity": 0.64}
    forwarder_at = utc("2020-02-12T15:15:45.787000")
    assert found.heard() == (Reception("9c5c8e00001a05c4", -35.0, 5.0, forwarder_at),)


def test_the_things_stack_s_first_uplink_is_known_by_its_topic() -> None:
    """An excerpt without ids: the device is the topic's, the counter that is absent is 0."""
    found = opened("things_stack_v3", *sample("tts_up_first_fcnt_absent"))
    assert (found.dev_eui, found.name) == ("", "dev")
    data = "200e410a4613a01dba"
    assert said(found.uplink) == (1, 0, "AXft26PUOd3Eai4jjy/JdA==", data, None, False)
    assert found.uplink is not None
    assert found.uplink.object is not None
    assert found.uplink.object["battery"] == 3.649
    assert found.heard() == ()


@pytest.mark.parametrize("with_topic", [True, False])
@pytest.mark.parametrize(
    ("format_", "name", "event", "eui"),
    [
        ("chirpstack_v4", "chirpstack_join", Event.JOIN, "0101010101010101"),
        ("chirpstack_v4", "chirpstack_location", Event.LOCATION, "0101010101010101"),
        ("chirpstack_v4", "chirpstack_status", Event.STATUS, "0101010101010101"),
        ("things_stack_v3", "tts_join_1", Event.JOIN, "0004a30b001c0530"),
        ("things_stack_v3", "tts_down_ack_1", Event.ACK, "0004a30b001c0530"),
    ],
)
def test_what_is_no_uplink_is_known_by_its_name(
    format_: str, name: str, event: Event, eui: str, with_topic: bool
) -> None:
    """By the topic, and where a recording kept none by what stands in the document."""
    topic, document = sample(name)
    found = opened(format_, topic if with_topic else "", document)
    assert (found.event, found.dev_eui, found.uplink) == (event, eui, None)


# -- older and other servers ---------------------------------------------------------------------

_V3 = (
    '{"applicationID": "1", "deviceName": "x", "devEUI": "%s", "rxInfo": [{"gatewayID": "AAAAIOLoQVA=",'
    ' "time": "2023-06-23T10:01:56.746Z", "rssi": -118, "loRaSNR": -1}], "txInfo": {"dr": 5},'
    ' "fCnt": %s, "fPort": 9, "data": "%s"%s}'
)


def test_chirpstack_v3_in_base64_with_its_object_as_a_text() -> None:
    """The EUI in base64, the counter as a text, `objectJSON`, and the forwarder's clock as the only one."""
    eui = b64encode(bytes.fromhex(EUI)).decode()
    document = _V3 % (eui, '"41"', "qg==", ', "objectJSON": "{\\"light\\": 234}"')
    found = opened("chirpstack_v3", "", document.encode())
    assert found.dev_eui == EUI
    assert said(found.uplink) == (9, 41, "", "aa", utc("2023-06-23T10:01:56.746"), False)
    assert found.uplink is not None
    assert found.uplink.object == {"light": 234}
    assert found.heard() == (
        Reception("aaaaioloqva=", -118.0, -1.0, utc("2023-06-23T10:01:56.746")),
    )


def test_chirpstack_v3_in_hexadecimal_by_the_time_of_the_export() -> None:
    document = _V3 % (EUI.upper(), "41.0", "AA0f", ', "_date": "2023-06-23T10:01:57.004Z"')
    found = opened("chirpstack_v3_hex", "application/rx", document.encode())
    assert found.dev_eui == EUI
    assert said(found.uplink) == (9, 41, "", "aa0f", utc("2023-06-23T10:01:57.004"), False)


def test_actility_s_numbers_are_texts() -> None:
    document = (
        '{"DevEUI_uplink": {"Time": "2026-05-12T12:00:00.5+09:00", "DevEUI": "A84041000181C061", "FPort": "9",'
        ' "FCntUp": "7", "payload_hex": "aa", "DevAddr": "0018944F", "Lrrs": {"Lrr": [{"Lrrid": "690000AB",'
        ' "LrrRSSI": "-62.000000", "LrrSNR": "8.25"}]}}}'
    )
    found = opened("actility", "", document.encode())
    assert found.dev_eui == EUI
    assert said(found.uplink) == (9, 7, "0018944f", "aa", utc("2026-05-12T03:00:00.5"), False)
    assert found.heard() == (Reception("690000ab", -62.0, 8.25),)


@pytest.mark.parametrize(
    ("format_", "document", "where"),
    [
        ("chirpstack_v4", "[]", "not a JSON object"),
        ("chirpstack_v4", '{"deviceInfo": {"devEui": "0101"}, "fPort": 1}', "deviceInfo.devEui"),
        ("chirpstack_v4", '{"deviceInfo": {"devEui": "0101010101010101"}, "fPort": -1}', "fPort"),
        ("chirpstack_v4", '{"deviceInfo": {"devEui": "0101010101010101"}, "data": "%"}', "data"),
        ("chirpstack_v4", '{"deviceInfo": {"devEui": "0101010101010101"}, "fCnt": [1]}', "fCnt"),
        ("chirpstack_v4", "{}", "deviceInfo"),
        ("actility", "{}", "DevEUI_uplink"),
        ("things_stack_v3", '{"uplink_message": {}}', "end_device_ids.dev_eui"),
    ],
)
def test_what_cannot_be_opened_is_named_by_its_member(
    format_: str, document: str, where: str
) -> None:
    """Never by its value: that may be somebody's."""
    with pytest.raises(PayloadError) as error:
        opened(format_, "", document.encode())
    assert error.value.detail == where


def test_protobuf_needs_its_topic() -> None:
    with pytest.raises(PayloadError, match="topic"):
        opened("chirpstack_v4_protobuf", "", b"")


# -- one uplink, whoever brings it ---------------------------------------------------------------

_TOPIC = f"application/x/device/{EUI}/event/up"


def event(at: str = "2026-05-12T02:59:58.123456789Z", f_cnt: int = 7) -> integration.UplinkEvent:
    """An uplink event as ChirpStack's own classes hold it."""
    made = integration.UplinkEvent(
        deduplication_id="3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
        device_info=integration.DeviceInfo(dev_eui=EUI, device_name="roof"),
        dev_addr="00189440",
        f_cnt=f_cnt,
        f_port=9,
        data=SHOWER,
        rx_info=[gw.UplinkRxInfo(gateway_id="0016c001f153a14c", rssi=-36, snr=10.5)],
    )
    made.time.FromJsonString(at)
    made.object.update({"temperature": 27.35, "count": 3})
    return made


@pytest.mark.parametrize("f_cnt", [7, 0])
def test_json_and_protobuf_of_one_event_store_the_same_row(f_cnt: int) -> None:
    """Both marshalers of one server; a counter of 0 is absent in both."""
    made = event(f_cnt=f_cnt)
    as_json = decided("chirpstack_v4", (_TOPIC, MessageToJson(made).encode()))
    as_bytes = decided("chirpstack_v4_protobuf", (_TOPIC, made.SerializeToString()))
    assert as_json == as_bytes
    ((observed_at, device, counter, _digest, _item, received_at, clock, late, *values),) = as_json[
        0
    ]
    assert (observed_at, clock) == (utc("2026-05-12T02:59:58.123456"), "network")
    assert (device, counter, received_at, late) == ("weather-1", f_cnt, NOON, 0)
    assert values[:3] == [27.35, 81.5, 1004.2]


def test_protobuf_and_json_are_opened_alike() -> None:
    """Also what no row shows: object and receptions."""
    made = event()
    one = opened("chirpstack_v4", _TOPIC, MessageToJson(made).encode())
    other = opened("chirpstack_v4_protobuf", _TOPIC, made.SerializeToString())
    assert one.uplink is not None
    assert other.uplink is not None
    assert said(one.uplink) == said(other.uplink)
    assert one.uplink.object == other.uplink.object == {"temperature": 27.35, "count": 3.0}
    assert one.heard() == other.heard()


def test_a_late_copy_of_an_uplink_is_a_duplicate() -> None:
    """A forwarder that was slow makes a second event: same session, counter and data, another time."""
    first, copy = event(), event("2026-05-12T02:59:59.5Z")
    copy.deduplication_id = "another"
    rows, fates = decided(
        "chirpstack_v4",
        (_TOPIC, MessageToJson(first).encode()),
        (_TOPIC, MessageToJson(copy).encode()),
    )
    assert len(rows) == 1
    assert fates == [("own", "weather_station", Fate.DUPLICATE, None)]


def test_the_same_words_in_another_session_are_another_uplink() -> None:
    """After a join counters begin anew: the session tells the two apart."""
    again = event("2026-05-12T02:59:59.5Z")
    again.dev_addr = "00189441"
    rows, fates = decided(
        "chirpstack_v4",
        (_TOPIC, MessageToJson(event()).encode()),
        (_TOPIC, MessageToJson(again).encode()),
    )
    assert (len(rows), fates) == (2, [])


def test_what_was_simulated_says_so_in_its_row() -> None:
    """The Things Stack's console can make uplinks up: the row's clock is `simulated`."""
    document = {
        "end_device_ids": {"device_id": "roof", "dev_eui": EUI.upper()},
        "simulated": True,
        "uplink_message": {
            "f_port": 9,
            "f_cnt": "12",
            "frm_payload": b64encode(SHOWER).decode(),
            "received_at": "2026-05-12T02:59:58.123456789Z",
        },
    }
    rows, _ = decided("things_stack_v3", ("", json.dumps(document).encode()))
    assert (rows[0][2], rows[0][6]) == (12, "simulated")
