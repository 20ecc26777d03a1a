"""Messages of LoRa Basics Station: captured ones, laws about them, and all that a connection may bring."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.lorawan.identifiers import Eui
from gateway.wire.station import messages
from gateway.wire.station.discovery import led_to, read_question, turned_away
from gateway.wire.station.errors import MessageError
from gateway.wire.station.eui import dashed, id6, read_eui
from gateway.wire.station.messages import Heard, Other, Sent, TimeSync, Transmission, Version, read
from simulators.lorawan.station_words import HELLO
from tests.fakes.station import XTIME, uplink

VECTORS = Path(__file__).parents[1] / "vectors" / "basics_station.jsonl"
ROWS = [json.loads(line) for line in VECTORS.read_text().splitlines()]
DATA = bytes.fromhex("40f17dbe4900020001954378762b11ff0d")
JOIN = bytes.fromhex("0039363463336913aa05693574323831330489c65b1304")


def heard(message: dict[str, Any]) -> Heard:
    said = read(json.dumps(message))
    assert isinstance(said, Heard)
    return said


def frames() -> st.SearchStrategy[bytes]:
    """Any frame that a station takes apart."""
    word = st.binary(min_size=4, max_size=4)
    data = st.builds(
        lambda head, addr, high, opts, cnt, rest, mic: (
            bytes((head,)) + addr + bytes((high << 4 | len(opts),)) + cnt + opts + rest + mic
        ),
        st.sampled_from([0x40, 0x60, 0x80, 0xA0]),
        *(word, st.integers(0, 15), st.binary(max_size=15), st.binary(min_size=2, max_size=2)),
        *(st.binary(max_size=220), word),
    )
    join = st.builds(
        lambda head, body: bytes((head,)) + body,
        st.sampled_from([0x00, 0xC0]),
        st.binary(min_size=22, max_size=22),
    )
    whole = st.builds(
        lambda head, body: bytes((head,)) + body,
        st.sampled_from([0x20, 0xE0]),
        st.binary(max_size=254),
    )
    return data | join | whole


@pytest.mark.parametrize("row", [pytest.param(r, id=f"{r['region']} {r['text'][1:18]}") for r in ROWS])  # fmt: skip
def test_a_captured_message(row: dict[str, Any]) -> None:
    """As the real station said it; frames byte for byte, numbers beyond a double's reach to the last digit."""
    if row.get("path") == "/router-info":
        assert read_question(row["text"]) == Eui.of("0000000000000001")
        return
    raw, said = json.loads(row["text"]), read(row["text"])
    if isinstance(said, Sent):
        assert said.number == raw["diid"]
        return
    assert isinstance(said, Heard)
    assert said.phy.hex() == row["expect_phy"]
    assert (said.dr, said.freq_hz) == (raw["DR"], raw["Freq"])
    assert said.info.xtime == raw["upinfo"]["xtime"] == int(str(said.info.xtime))
    assert (said.info.rssi, said.info.snr) == (raw["upinfo"]["rssi"], raw["upinfo"]["snr"])


@given(frames(), st.integers(-(1 << 63), (1 << 63) - 1), st.sampled_from(["Eui", "EUI"]))
def test_a_frame_taken_apart_is_put_together_byte_for_byte(phy: bytes, xtime: int, eui: str) -> None:  # fmt: skip
    """Signed addresses, ports of -1, both spellings of EUI, and a time of 64 bits."""
    said = heard(uplink(phy, xtime, eui=eui))
    assert said.phy == phy
    assert said.info.xtime == xtime


@given(st.integers(0, (1 << 64) - 1))
def test_an_eui_is_read_in_every_form_in_which_it_is_written(number: int) -> None:
    eui = Eui(number.to_bytes(8, "big"))
    signed = number - (1 << 64) if number >> 63 else number
    for written in (id6(eui), dashed(eui), str(eui), eui.hex(":"), number, signed):
        assert read_eui(written) == eui


@pytest.mark.parametrize(
    ("written", "eui"),
    [
        ("::1", "0000000000000001"),
        ("::0", "0000000000000000"),
        ("::", "0000000000000000"),
        ("1::", "0001000000000000"),
        ("a:b::", "000a000b00000000"),
        ("a::b", "000a00000000000b"),
        ("58a0:cbff:fe80:19", "58a0cbfffe800019"),
    ],
)
def test_groups_of_zero_are_left_out_where_id6_leaves_them_out(written: str, eui: str) -> None:
    assert read_eui(written) == Eui.of(eui)


@pytest.mark.parametrize("written", ["", "1", "1:2:3", "1:2:3:4:5", "1:2:3:4::", "::1::", "12345::", "g::", ":1:2:3", " ::1", 1 << 64, -(1 << 63) - 1])  # fmt: skip
def test_what_is_no_eui_is_refused(written: str | int) -> None:
    with pytest.raises(MessageError):
        read_eui(written)


def test_a_time_that_is_written_as_a_fraction_is_refused_and_not_rounded() -> None:
    for number in ("6.3331870030855213e16", f"{XTIME}.0", str(1 << 63), f'"{XTIME}"'):
        text = json.dumps(uplink(DATA)).replace(str(XTIME), number)
        with pytest.raises(MessageError, match="xtime"):
            read(text)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"FOpts": "02"}, "FOpts"),
        ({"FOpts": "0"}, "FOpts"),
        ({"FOpts": "zz"}, "FOpts"),
        ({"FOpts": "02 3"}, "FOpts"),
        ({"FPort": -1}, "FPort"),
        ({"FPort": -2}, "FPort"),
        ({"FPort": 256}, "FPort"),
        ({"FRMPayload": "00" * 243}, "255 bytes"),
        ({"FRMPayload": "00" * 300}, "FRMPayload"),
        ({"FRMPayload": "é" * 2}, "FRMPayload"),
        ({"MHdr": 0}, "MHdr"),
        ({"MHdr": 0x60}, "MHdr"),
        ({"DevAddr": 1 << 32}, "DevAddr"),
        ({"DevAddr": None}, "DevAddr"),
        ({"MIC": -(1 << 31) - 1}, "MIC"),
        ({"FCnt": 65_536}, "FCnt"),
        ({"Freq": 923.2}, "Freq"),
        ({"DR": True}, "DR"),
        ({"upinfo": {}}, "upinfo"),
        ({"upinfo": {"xtime": 1, "rssi": 1e300, "snr": 0}}, "upinfo.rssi"),
    ],
)
def test_a_message_that_breaks_a_rule_is_refused_by_it(change: dict[str, Any], rule: str) -> None:
    """And never by its content."""
    with pytest.raises(MessageError, match=rule) as refused:
        read(json.dumps({**uplink(DATA), **change}))
    assert "95437876" not in str(refused.value)


def test_a_join_without_its_euis_is_refused() -> None:
    for name in ("JoinEui", "DevEui"):
        message = {key: value for key, value in uplink(JOIN).items() if key != name}
        with pytest.raises(MessageError, match=name):
            read(json.dumps(message))


def test_what_a_station_says_beside_frames() -> None:
    """Unknown messages are normal; a version may come without words."""
    said = read(json.dumps(HELLO))
    assert isinstance(said, Version)
    assert (said.protocol, said.station) == (2, "2.0.6(linux/testsim)")
    assert read('{"msgtype":"timesync","txtime":5378860783}') == TimeSync(5_378_860_783)
    assert read('{"msgtype":"dntxed","seqno":9}') == Sent(9)
    assert read('{"msgtype":"alarm","text":"it is warm"}') == Other()
    with pytest.raises(MessageError, match="diid"):
        read('{"msgtype":"dntxed"}')


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(
    st.text(max_size=200)
    | st.builds(
        lambda base, name, value: json.dumps({**base, name: value}),
        st.sampled_from([uplink(DATA), uplink(JOIN), HELLO, {"msgtype": "dntxed", "diid": 1}]),
        st.sampled_from(["msgtype", *uplink(DATA), *uplink(JOIN), "protocol", "diid"]),
        json_values,
    )
)
def test_no_message_makes_the_reader_fail_otherwise_than_by_refusing(text: str) -> None:
    with suppress(MessageError):
        read(text)
    with suppress(MessageError):
        read_question(text)


@pytest.mark.parametrize("text", ["[" * 50_000, '{"msgtype":' * 5000, '{"msgtype":"updf","upinfo":' + "[" * 50_000, '"\ud800"', ""])  # fmt: skip
def test_deep_and_broken_text_is_refused(text: str) -> None:
    with pytest.raises(MessageError):
        read(text)
    with pytest.raises(MessageError):
        read_question(text)


def test_a_downlink_echoes_the_time_of_its_uplink_untouched() -> None:
    """Class A, both windows, and the DevEUI with dashes, as stations read them."""
    wanted = Transmission(
        *(7, Eui.of("0004a30b001a2b3c"), b"\x60\x01", 1, (5, 923_200_000), (2, 923_400_000)),
        *(XTIME, 3),
    )
    text = messages.dnmsg(wanted, 1795229194.5)
    assert f'"xtime":{XTIME}' in text
    assert json.loads(text) == {
        "msgtype": "dnmsg",
        "DevEui": "00-04-A3-0B-00-1A-2B-3C",
        "dC": 0,
        "diid": 7,
        "pdu": "6001",
        "RxDelay": 1,
        "RX1DR": 5,
        "RX1Freq": 923_200_000,
        "RX2DR": 2,
        "RX2Freq": 923_400_000,
        "priority": 0,
        "xtime": XTIME,
        "rctx": 3,
        "MuxTime": 1795229194.5,
    }


def test_gps_time_goes_back_with_the_time_that_asked() -> None:
    said = json.loads(messages.timesync(TimeSync(XTIME), 1_400_000_000_000_000))
    assert said == {"msgtype": "timesync", "txtime": XTIME, "gpstime": 1_400_000_000_000_000}


def test_a_station_is_led_on_or_turned_away_by_name() -> None:
    eui = Eui.of("58a0cbfffe800019")
    assert json.loads(led_to(eui, "wss://h:1/x")) == {
        "router": "58a0:cbff:fe80:19",
        "muxs": "muxs-::0",
        "uri": "wss://h:1/x",
    }
    assert json.loads(turned_away(eui, "no")) == {"router": "58a0:cbff:fe80:19", "error": "no"}
