"""Messages of LoRa Basics Station: captured ones, laws about them, and all that a connection may bring."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.lorawan.identifiers import Eui
from gateway.wire.station import messages
from gateway.wire.station.configuration import Region, RegionError, router_config
from gateway.wire.station.discovery import led_to, read_question, turned_away
from gateway.wire.station.errors import MessageError
from gateway.wire.station.eui import dashed, id6, read_eui
from gateway.wire.station.messages import Heard, Other, Sent, TimeSync, Transmission, Version, read
from tests.fakes.station import HELLO, XTIME, uplink

VECTORS = Path(__file__).parents[1] / "vectors" / "basics_station.jsonl"
ROWS = [json.loads(line) for line in VECTORS.read_text().splitlines()]
DATA = bytes.fromhex("40f17dbe4900020001954378762b11ff0d")
JOIN = bytes.fromhex("0039363463336913aa05693574323831330489c65b1304")
TABLE = {n: (12 - n, 125_000) for n in range(6)}


def heard(message: dict[str, Any]) -> Heard:
    said = read(json.dumps(message))
    assert isinstance(said, Heard)
    return said


def configured(region: Region) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(router_config(region, 1795229194.5))
    return found


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
        *(7, Eui.of("0004a30b001a2b3c"), b"\x60\x01", 1, 5, 923_200_000, 2, 923_400_000),
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


# -- the configuration ------------------------------------------------------------------------


def heard_at(board: dict[str, Any], channel: str) -> int:
    """The frequency that a channel of a board listens at."""
    placed = board[channel]
    radio = board[f"radio_{placed['radio']}"]
    assert radio["enable"]
    return int(radio["freq"] + placed["if"])


JAPAN = Region(
    "AS923-1",
    TABLE,
    [(923_200_000, 0, 5), (923_400_000, 0, 5), *((922_200_000 + 200_000 * n, 0, 5) for n in range(5))],
    (923_200_000, 923_400_000),
    13.0,
)  # fmt: skip
EUROPE = Region(
    "EU868",
    {**TABLE, 6: (7, 250_000)},
    [*((f, 0, 5) for f in (868_100_000, 868_500_000)), (868_300_000, 0, 6), *((867_100_000 + 200_000 * n, 0, 5) for n in range(5))],
    (867_100_000, 869_525_000),
    16.0,
)  # fmt: skip
AMERICA = Region(
    "US915",
    {**{n: (10 - n, 125_000) for n in range(4)}, 4: (8, 500_000), **{8 + n: (12 - n, 500_000) for n in range(6)}},
    [*((903_900_000 + 200_000 * n, 0, 3) for n in range(8)), (904_600_000, 4, 4)],
    (923_300_000, 927_500_000),
    26.0,
)  # fmt: skip


@pytest.mark.parametrize("region", [JAPAN, EUROPE, AMERICA], ids=lambda region: region.name)
def test_every_channel_of_a_region_is_heard(region: Region) -> None:
    """By a radio that reaches it: 0.4 MHz beside it for 125 kHz, 0.375 for 250, 0.3 for 500."""
    config = configured(region)
    (board,) = config["sx1301_conf"]
    assert config["hwspec"] == "sx1301/1"
    narrow = {f for f, low, _ in region.channels if region.rates[low][1] == 125_000}
    multi = [f"chan_multiSF_{n}" for n in range(8) if board[f"chan_multiSF_{n}"]["enable"]]
    assert sorted(heard_at(board, channel) for channel in multi) == sorted(narrow)
    assert all(abs(board[channel]["if"]) <= 400_000 for channel in multi)
    wide = board["chan_Lora_std"]
    if wide["enable"]:
        reach = {250_000: 375_000, 500_000: 300_000}[wide["bandwidth"]]
        assert abs(wide["if"]) <= reach
        at = heard_at(board, "chan_Lora_std")
        (dr,) = (dr for f, low, high in region.channels if f == at for dr in range(low, high + 1) if region.rates[dr][1] > 125_000)  # fmt: skip
        assert region.rates[dr] == (wide["spread_factor"], wide["bandwidth"])
    assert wide["enable"] == (region is not JAPAN)
    assert config["upchannels"] == [list(channel) for channel in region.channels]


def test_sixteen_data_rates_say_what_they_are() -> None:
    """Unused ones are -1, and those of downlinks alone say so."""
    rates = configured(AMERICA)["DRs"]
    assert rates[:5] == [[10, 125, 0], [9, 125, 0], [8, 125, 0], [7, 125, 0], [8, 500, 0]]
    assert rates[5:8] == [[-1, 0, 0]] * 3
    assert rates[8:14] == [[12 - n, 500, 1] for n in range(6)]
    assert rates[14:] == [[-1, 0, 0]] * 2


def test_every_frequency_that_is_sent_at_is_allowed_and_none_beyond() -> None:
    assert configured(AMERICA)["freq_range"] == [903_900_000, 927_500_000]
    assert configured(JAPAN)["freq_range"] == [922_200_000, 923_400_000]


def test_japan_listens_before_it_sends() -> None:
    """A station does so for AS923-1 alone, and takes no downlink for a region whose name it does not know."""
    config = configured(JAPAN)
    assert (config["region"], config["max_eirp"]) == ("AS923-1", 13.0)
    for group in ("AS923-2", "AS923-3", "AS923-4"):
        assert configured(replace(JAPAN, name=group))["region"] == "AS923-1"
    assert not {"nocca", "nodc", "nodwell", "device_mode"} & set(config)


def test_networks_and_join_euis_are_not_filtered() -> None:
    """A frame of another network is to be seen, and named."""
    config = configured(EUROPE)
    assert (config["NetID"], config["JoinEui"]) == (None, None)


@pytest.mark.parametrize(
    ("channels", "why"),
    [
        ([(902_300_000 + 200_000 * n, 0, 3) for n in range(9)], "a board hears"),
        ([(903_000_000, 0, 3), (904_000_000, 0, 3), (905_000_000, 0, 3)], "too far apart"),
        ([(903_000_000, 0, 3), (904_600_000, 4, 4)], "out of reach"),
        ([(903_000_000, 4, 4)], "no channel of 125 kHz"),
    ],
)
def test_a_region_that_no_board_covers_is_refused(channels: list[tuple[int, int, int]], why: str) -> None:  # fmt: skip
    region = Region("US915", AMERICA.rates, channels, AMERICA.downlinks_hz, 26.0)
    with pytest.raises(RegionError, match=why):
        router_config(region, 0.0)
