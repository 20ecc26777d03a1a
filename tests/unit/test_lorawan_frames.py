"""LoRaWAN frames against published ones: every row of other projects' tests, each with its source beside it."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.lorawan import join
from gateway.wire.lorawan.counters import reconstruct
from gateway.wire.lorawan.crypto import BLOCK, Key, crypt, mic
from gateway.wire.lorawan.frames import (
    Data,
    FrameError,
    JoinAccept,
    JoinRequest,
    MType,
    Proprietary,
    RejoinRequest,
    parse,
)
from gateway.wire.lorawan.identifiers import DevAddr, DevNonce, Eui, JoinNonce, NetId
from gateway.wire.lorawan.join import Accept, SessionKeys
from gateway.wire.lorawan.secured import Heard, opened, right_mic, sealed

VECTORS = Path(__file__).parents[1] / "vectors" / "lorawan_frames.jsonl"
ROWS = [json.loads(line) for line in VECTORS.read_text().splitlines()]


def rows(*kinds: str) -> list[Any]:
    return [pytest.param(row, id=row["id"]) for row in ROWS if row["kind"] in kinds]


def key(given: dict[str, Any], *names: str) -> Key:
    """The first of these keys that the row has; zeros where it has none."""
    return Key(bytes.fromhex(next((given[n] for n in names if n in given), "00" * BLOCK)))


def keys_of(row: dict[str, Any]) -> SessionKeys:
    said = row["input"]
    nwk = ("nwk_s_key",)
    return SessionKeys(
        key(said, *nwk, "f_nwk_s_int_key"),
        key(said, *nwk, "s_nwk_s_int_key"),
        key(said, *nwk, "nwk_s_enc_key"),
        key(said, "app_s_key"),
        is_1_1=row["lorawan"] == "1.1",
    )


@pytest.mark.parametrize("row", rows("data"))
def test_a_published_data_frame(row: dict[str, Any]) -> None:
    """Parts, MIC and plain text are as its source says."""
    said, expected = row["input"], row["expect"]
    data = parse(bytes.fromhex(said["phy"]))
    assert isinstance(data, Data)
    keys, f_cnt = keys_of(row), said.get("f_cnt", data.f_cnt)
    heard = Heard(said.get("conf_fcnt", 0), said.get("tx_dr", 0), said.get("tx_ch", 0))
    plain = opened(keys, data, f_cnt)
    names = {"UnconfirmedDataUp": MType.UNCONFIRMED_UP, "ConfirmedDataUp": MType.CONFIRMED_UP,
             "UnconfirmedDataDown": MType.UNCONFIRMED_DOWN}  # fmt: skip
    control = {"adr": data.adr, "ack": data.ack, "adr_ack_req": data.adr_ack_req}
    right = right_mic(keys, data, f_cnt, heard)
    found = {
        "mic_ok": right == data.mic,
        "mic_expected": right.hex(),
        "mtype": next((n for n, t in names.items() if t is data.mtype), None),
        "dev_addr": str(data.dev_addr),
        "fcnt": data.f_cnt,
        "fport": data.f_port,
        "fopts": data.f_opts.hex(),
        "fopts_plain": plain.commands.hex(),
        "frm_payload": data.frm_payload.hex(),
        "frm_payload_plain": (plain.payload or plain.commands).hex(),
        "fctrl": {name: control[name] for name in expected.get("fctrl", ())},
    }
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("row", rows("join_request"))
def test_a_published_join_request(row: dict[str, Any]) -> None:
    request = parse(bytes.fromhex(row["input"]["phy"]))
    assert isinstance(request, JoinRequest)
    found = {
        "mic_ok": key(row["input"], "key").cmac(request.signed)[:4] == request.mic,
        "dev_nonce": str(request.dev_nonce),
        "join_eui": str(request.join_eui),
        "dev_eui": str(request.dev_eui),
        "mic": request.mic.hex(),
    }
    for name, value in row["expect"].items():
        shown = found[name]
        if name == "dev_nonce" and shown != value:  # some sources print it as it is sent
            shown = request.dev_nonce.wire.hex()
        assert shown == value


@pytest.mark.parametrize("row", rows("join_accept"))
def test_a_published_join_accept(row: dict[str, Any]) -> None:
    """Encrypted or in plain; made again from its parts it has the same bytes."""
    said, expected = row["input"], row["expect"]
    if "phy" in said:
        frame = parse(bytes.fromhex(said["phy"]))
        assert isinstance(frame, JoinAccept)
        accept, given_mic = join.unseal(key(said, "key"), frame.encrypted)
        assert join.seal(key(said, "key"), accept, given_mic) == bytes.fromhex(said["phy"])
    else:
        accept, given_mic = join.read(bytes.fromhex(said["phy_plain"])[1:])
    if "mic_key" in said:
        right = join.accept_mic_1_1(
            *(key(said, "mic_key"), accept, Eui.of(said["join_eui"])),
            *(DevNonce.of(said["dev_nonce"]), said["join_req_type"]),
        )
    else:
        right = join.accept_mic(key(said, "key"), accept)
    found = {
        "mic_ok": right == given_mic,
        "join_nonce": str(accept.join_nonce),
        "net_id": str(accept.net_id),
        "dev_addr": str(accept.dev_addr),
        "dl_settings": f"{accept.dl_settings:02x}",
        "rx_delay": accept.rx_delay,
    }
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("row", rows("rejoin_request"))
def test_a_published_rejoin_request(row: dict[str, Any]) -> None:
    request = parse(bytes.fromhex(row["input"]["phy"]))
    assert isinstance(request, RejoinRequest)
    assert (key(row["input"], "key").cmac(request.signed)[:4] == request.mic) is row["expect"][
        "mic_ok"
    ]


@pytest.mark.parametrize("row", rows("frm_crypt", "data_mic"))
def test_a_published_step(row: dict[str, Any]) -> None:
    """One encryption, one MIC, with everything given."""
    said, expected = row["input"], row["expect"]
    addr, direction = DevAddr.of(said["dev_addr"]), said["dir"]
    if "plain" in said:
        plain = bytes.fromhex(said["plain"])
        cipher = crypt(key(said, "key"), plain, direction, addr, said["fcnt"])
        assert cipher.hex() == expected["cipher"]
        assert crypt(key(said, "key"), cipher, direction, addr, said["fcnt"]) == plain
        return
    signed = bytes.fromhex(said["msg"])
    if "f_key" in said:
        more = {"conf_f_cnt": said["conf_fcnt"], "tx_dr": said["tx_dr"], "tx_ch": said["tx_ch"]}
        halves = [
            mic(key(said, "s_key"), signed, direction, addr, said["fcnt"], **more)[:2],
            mic(key(said, "f_key"), signed, direction, addr, said["fcnt"])[:2],
        ]
        assert b"".join(halves).hex() == expected["mic"]
        return
    assert mic(key(said, "key"), signed, direction, addr, said["fcnt"]).hex() == expected["mic"]


@pytest.mark.parametrize("row", rows("key_derivation"))
def test_a_published_key(row: dict[str, Any]) -> None:
    said, root = row["input"], key(row["input"], "key")
    what = said["derive"]
    if what in ("js_int_key", "js_enc_key"):
        made = {"js_int_key": join.js_int_key, "js_enc_key": join.js_enc_key}[what](
            root, Eui.of(said["dev_eui"])
        )
        assert made.secret.hex() == row["expect"]["key"]
        return
    nonces = JoinNonce.of(said["join_nonce"]), DevNonce.of(said["dev_nonce"])
    if row["lorawan"] == "1.1":
        keys = join.session_keys_1_1(root, root, nonces[0], Eui.of(said["join_eui"]), nonces[1])
    else:
        keys = join.session_keys(root, nonces[0], NetId.of(said["net_id"]), nonces[1])
    found = {
        "nwk_s_key": keys.f_nwk_s_int,
        "f_nwk_s_int_key": keys.f_nwk_s_int,
        "s_nwk_s_int_key": keys.s_nwk_s_int,
        "nwk_s_enc_key": keys.nwk_s_enc,
        "app_s_key": keys.app_s,
    }
    assert found[what].secret.hex() == row["expect"]["key"]


@pytest.mark.parametrize("row", rows("other"))
def test_a_published_frame_of_another_sort(row: dict[str, Any]) -> None:
    frame = parse(bytes.fromhex(row["input"]["phy"]))
    assert isinstance(frame, Proprietary)
    assert frame.body.hex() == row["expect"]["mac_payload"]


def test_no_row_is_left_out() -> None:
    known = {"data", "join_request", "join_accept", "rejoin_request", "frm_crypt", "data_mic", "key_derivation", "other"}  # fmt: skip
    assert {row["kind"] for row in ROWS} == known
    assert len(ROWS) == 49


# -- laws

SECRETS = st.binary(min_size=BLOCK, max_size=BLOCK)
KEYS = st.builds(
    lambda a, b, c, d, new: SessionKeys(Key(a), Key(b if new else a), Key(c if new else a), Key(d), new),
    *(SECRETS, SECRETS, SECRETS, SECRETS, st.booleans()),
)  # fmt: skip
MTYPES = st.sampled_from(
    [MType.UNCONFIRMED_UP, MType.CONFIRMED_UP, MType.UNCONFIRMED_DOWN, MType.CONFIRMED_DOWN]
)
HEARD = st.builds(Heard, st.integers(0, 65535), st.integers(0, 15), st.integers(0, 255))


@given(
    KEYS,
    MTYPES,
    st.binary(min_size=4, max_size=4).map(DevAddr),
    st.integers(0, (1 << 32) - 1),
    st.integers(1, 255),
    st.binary(max_size=222),
    st.binary(max_size=15),
    HEARD,
)
def test_what_is_sealed_opens_again(
    keys: SessionKeys,
    mtype: MType,
    addr: DevAddr,
    f_cnt: int,
    port: int,
    payload: bytes,
    commands: bytes,
    heard: Heard,
) -> None:
    """And a flipped bit anywhere breaks its MIC, or its layout."""
    phy = sealed(
        *(keys, mtype, addr, f_cnt),
        f_port=port,
        payload=payload,
        commands=commands,
        ack=True,
        heard=heard,
    )
    data = parse(phy)
    assert isinstance(data, Data)
    assert (data.dev_addr, data.f_cnt, data.f_port) == (addr, f_cnt & 0xFFFF, port)
    assert right_mic(keys, data, f_cnt, heard) == data.mic
    plain = opened(keys, data, f_cnt)
    assert (plain.commands, plain.payload) == (commands, payload)
    at = f_cnt % len(phy)
    try:
        harmed = parse(phy[:at] + bytes((phy[at] ^ 0x10,)) + phy[at + 1 :])
    except FrameError:
        return
    assert not isinstance(harmed, Data) or right_mic(keys, harmed, f_cnt, heard) != harmed.mic


@given(st.binary(max_size=300))
def test_no_bytes_make_the_parser_fail_otherwise_than_by_refusing(phy: bytes) -> None:
    with suppress(FrameError):
        parse(phy)


@given(
    SECRETS,
    st.binary(min_size=16, max_size=16),
    st.binary(max_size=16).filter(lambda b: len(b) in (0, 16)),
)
def test_an_accept_is_read_as_it_was_sealed(secret: bytes, body: bytes, cf_list: bytes) -> None:
    root = Key(secret)
    accept = Accept(
        JoinNonce(body[:3]), NetId(body[3:6]), DevAddr(body[6:10]), body[10], body[11], cf_list
    )
    signed = join.accept_mic(root, accept)
    frame = parse(join.seal(root, accept, signed))
    assert isinstance(frame, JoinAccept)
    assert join.unseal(root, frame.encrypted) == (accept, signed)


@given(st.integers(0, (1 << 32) - 1), st.integers(0, 65535))
def test_a_counter_is_the_next_one_with_its_low_bits(last: int, ahead: int) -> None:
    """Over every roll-over of the 16 bits; and the end of the 32 is no 0."""
    f_cnt = last + ahead
    if f_cnt >= 1 << 32:
        with pytest.raises(OverflowError):
            reconstruct(f_cnt & 0xFFFF, last)
        return
    assert reconstruct(f_cnt & 0xFFFF, last) == f_cnt
    assert reconstruct(f_cnt & 0xFFFF, None) == f_cnt & 0xFFFF


@pytest.mark.parametrize("text", ["0102", "01-02-03-04-05-06-07-08-09", "x" * 16])
def test_an_identifier_of_another_length_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"8 bytes|non-hexadecimal"):
        Eui.of(text)


def test_an_identifier_knows_its_byte_order() -> None:
    eui = Eui.of("00-04-A3-0B-00-1A-2B-3C")
    assert (str(eui), eui.wire.hex()) == ("0004a30b001a2b3c", "3c2b1a000ba30400")
    assert Eui.sent(eui.wire) == eui
