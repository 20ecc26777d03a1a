"""The datagrams of forwarders: captured ones, published ones, and all that a socket may bring."""

import json
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.gwmp import datagrams as gwmp
from gateway.wire.gwmp.datagrams import Pull, Push, Transmission, TxAck, read
from gateway.wire.gwmp.rxpk import DatagramError
from gateway.wire.lorawan.identifiers import Eui

VECTORS = Path(__file__).parents[1] / "vectors" / "semtech_udp.jsonl"
ROWS = [json.loads(line) for line in VECTORS.read_text().splitlines()]
HEAD = bytes.fromhex("02123400aa555a0000000001")
FRAME = {"freq": 923.2, "datr": "SF7BW125", "rssi": -87, "lsnr": -7.5, "data": "QPF9vkkAAgABlUN4disR/w==", "size": 16, "tmst": 5}  # fmt: skip


def pushed(*rxpk: Any, **more: Any) -> Push:
    said = read(HEAD + json.dumps({"rxpk": list(rxpk), **more}).encode())
    assert isinstance(said, Push)
    return said


@pytest.mark.parametrize("row", [pytest.param(r, id=r["expect"]["type"]) for r in ROWS])
def test_a_published_datagram(row: dict[str, Any]) -> None:
    """As its source says; PUSH_ACK comes from servers alone, and is made byte for byte."""
    datagram, expected = bytes.fromhex(row["hex"]), row["expect"]
    if expected["type"] == "PUSH_ACK":
        push = Push(2, bytes.fromhex(expected["token"]), Eui(bytes(8)), (), (), None)
        assert gwmp.push_ack(push) == datagram
        return
    said = read(datagram)
    assert str(said.forwarder) == expected["gateway"]
    if isinstance(said, Pull):
        assert said.token.hex() == expected["token"]
        assert gwmp.pull_ack(said)[:4] == bytes((2,)) + said.token + b"\x04"
        return
    assert isinstance(said, Push)
    for heard, wanted in zip(said.heard, expected.get("rxpk", ()), strict=True):
        (antenna,) = heard.antennas
        found = {
            "tmst": heard.tmst,
            "freq_hz": heard.freq_hz,
            "crc": heard.crc,
            "sf": int(str(heard.datr)[2:].split("BW")[0]),
            "bw_hz": int(str(heard.datr).split("BW")[1]) * 1000,
            "codr": heard.codr,
            "rssi": antenna.rssi_dbm,
            "snr": antenna.snr_db,
            "size": len(heard.phy),
            "phy": heard.phy.hex(),
        }
        assert found == wanted
    for name, value in expected.get("stat", {}).items():
        assert said.stat is not None
        if name != "time":  # "2014-01-12 08:59:28 GMT": for people, and nobody here reads it
            assert said.stat[name] == value


def test_one_that_cannot_be_read_never_costs_its_neighbours() -> None:
    """Each is refused by the member that is wrong, and never by its content."""
    broken: list[Any] = [
        {**FRAME, "data": "…"},
        {**FRAME, "size": 15},
        {**FRAME, "stat": 7},
        {**FRAME, "freq": -1},
        {**FRAME, "freq": "923.2"},
        {**FRAME, "tmst": 1 << 32},
        {name: value for name, value in FRAME.items() if name != "rssi"},
        {},
        7,
        None,
    ]
    said = pushed(FRAME, *broken, FRAME)
    assert len(said.heard) == 2
    assert len(said.refused) == len(broken)
    assert not any("QPF9" in why for why in said.refused)


def test_a_frequency_a_hair_beside_its_channel_is_on_it() -> None:
    (heard,) = pushed({**FRAME, "freq": 867.0999999999999}).heard
    assert heard.freq_hz == 867_100_000


@pytest.mark.parametrize("data", ["QPF9vkkAAgABlUN4disR/w", "QPF9vkkAAgABlUN4disR_w==", "QPF9vkkAAgABlUN4disR_w"])  # fmt: skip
def test_base_64_in_every_dress(data: str) -> None:
    (heard,) = pushed({**FRAME, "data": data}).heard
    assert heard.phy.hex() == "40f17dbe4900020001954378762b11ff"


def test_two_antennas_are_two_receptions_of_one_frame() -> None:
    frame = {name: value for name, value in FRAME.items() if name not in ("rssi", "lsnr")}
    rsig = [{"ant": 0, "chan": 7, "rssic": -75, "lsnr": 10.8}, {"ant": 1, "chan": 23, "rssic": -92}]
    (heard,) = pushed({**frame, "rsig": rsig, "aesk": 0}).heard
    assert heard.antennas == ((0, 7, -75, 10.8), (1, 23, -92, None))


def test_uplinks_and_counts_may_stand_in_one_datagram() -> None:
    said = pushed(FRAME, stat={"rxnb": 2, "time": "x"})
    assert said.stat == {"rxnb": 2, "time": "x"}
    assert len(said.heard) == 1


def test_a_datagram_of_more_uplinks_than_any_forwarder_hears_is_cut() -> None:
    said = pushed(*[FRAME] * 100)
    assert len(said.heard) == gwmp.MOST_RXPK
    assert len(said.refused) == 1


@pytest.mark.parametrize(
    ("body", "error", "warning", "value"),
    [
        (b"", "", "", None),
        (b"\x00\x00\x00", "", "", None),
        (b'{"txpk_ack":{"error":"NONE"}}', "", "", None),
        (b'{"txpk_ack":{"error":"TOO_LATE"}}', "TOO_LATE", "", None),
        (b'{"txpk_ack":{"warn":"TX_POWER","value":20}}', "", "TX_POWER", 20),
        (b'{"txpk_ack":{"error":"35.6812,139.7671"}}', "ANOTHER_WORD", "", None),
        (b'{"txpk_ack":{"warn":"no such word"}}', "", "ANOTHER_WORD", None),
    ],
)
def test_what_became_of_a_downlink(
    body: bytes, error: str, warning: str, value: float | None
) -> None:
    """In the protocol's own words: what is counted and logged is never the sender's choice."""
    said = read(HEAD[:3] + b"\x05" + HEAD[4:] + body)
    assert isinstance(said, TxAck)
    assert (said.error, said.warning, said.value) == (error, warning, value)


def test_a_downlink_is_one_that_a_forwarder_takes() -> None:
    """`tmst` over the counter's end, inverted polarity, no CRC, as `lora_pkt_fwd` asks for."""
    datagram = gwmp.pull_resp(2, b"\x12\x34", Transmission(b"\x60abc", (1 << 32) + 7, 923_200_000, 13, "SF9BW125"))  # fmt: skip
    assert datagram[:4] == b"\x02\x12\x34\x03"
    assert json.loads(datagram[4:])["txpk"] == {
        "tmst": 7,
        "freq": 923.2,
        "rfch": 0,
        "powe": 13,
        "modu": "LORA",
        "datr": "SF9BW125",
        "codr": "4/5",
        "ipol": True,
        "ncrc": True,
        "size": 4,
        "data": "YGFiYw==",
    }
    at_once = gwmp.pull_resp(2, b"\x12\x34", Transmission(b"\x60", None, 923_200_000, 13, "SF9BW125"))  # fmt: skip
    assert json.loads(at_once[4:])["txpk"]["imme"] is True


@given(st.binary(max_size=80) | st.builds(lambda sort, body: HEAD[:3] + bytes((sort,)) + HEAD[4:] + body, st.integers(0, 6), st.binary(max_size=200)))  # fmt: skip
def test_no_datagram_makes_the_reader_fail_otherwise_than_by_refusing(datagram: bytes) -> None:
    with suppress(DatagramError):
        read(datagram)


@pytest.mark.parametrize(
    "body", [b"[" * 5000, b'{"rxpk":' + b"[" * 5000, b'{"rxpk":[{"freq":1e999}]}']
)
def test_deep_and_endless_bodies_are_refused(body: bytes) -> None:
    with suppress(DatagramError):
        said = read(HEAD + body)
        assert isinstance(said, Push)
        assert not said.heard


def test_a_frame_longer_than_lora_carries_is_refused() -> None:
    """Its length would not fit into the block that its MIC begins with: one datagram ended the gateway."""
    for size, heard in ((255, 1), (256, 0), (4000, 0)):
        data = b64encode(b"\x40" + bytes(size - 1)).decode()
        found = pushed({**FRAME, "data": data, "size": size})
        assert (len(found.heard), len(found.refused)) == (heard, 1 - heard)


def test_an_uplink_has_no_more_antennas_than_a_forwarder() -> None:
    """Each antenna is a reception: a datagram of thousands would be a flood that counts as one."""
    frame = {name: value for name, value in FRAME.items() if name != "rssi"}
    found = pushed(*({**frame, "rsig": [{"ant": n} for n in range(many)]} for many in (16, 17)))
    assert [len(one.antennas) for one in found.heard] == [16]


@pytest.mark.parametrize("said", [{"rssi": 1e308}, {"rssi": -80, "lsnr": -1e300}])
def test_no_antenna_measures_astronomical_strengths(said: dict[str, float]) -> None:
    assert pushed({**FRAME, **said}).heard == ()
