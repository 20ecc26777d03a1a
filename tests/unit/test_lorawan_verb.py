"""`sekisho lorawan`: airtime, one frame in words, one made by hand, a join step by step; and no key ever shown."""

import json
from pathlib import Path
from random import Random

import pytest

from gateway.wire.lorawan import join
from gateway.wire.lorawan.crypto import Key
from gateway.wire.lorawan.identifiers import DevAddr, DevNonce, Eui, JoinNonce, NetId
from gateway.wire.lorawan.join import Accept
from tests.fakes.front_door import Answer, Sekisho

PUBLISHED = "40f17dbe4900020001954378762b11ff0d"
NWK, APP = "44024241ed4ce9a68c6a8bc055233fd3", "ec925802ae430ca77fd3dd73cb2cc588"
OTHER = "00112233445566778899aabbccddeeff"
REVERSED = bytes.fromhex(NWK)[::-1].hex()
JOIN_EUI, DEV_EUI = Eui.of("0000000000000001"), Eui.of("0004a30b001a2b3c")
NONCE = DevNonce.of("0007")


def said(answer: Answer, code: int = 0) -> dict[str, str]:
    """Names and values of a table of facts."""
    assert answer.code == code, answer.err
    return {line.split()[0]: " ".join(line.split()[1:]) for line in answer.out.splitlines()}


# -- airtime


def test_the_table_has_every_data_rate_and_leaves_out_what_does_not_fit(sekisho: Sekisho) -> None:
    """Twelve bytes as everybody counts them; 222 bytes are longer than SF12 may carry."""
    told = json.loads(sekisho("lorawan", "airtime", "--json").out)
    frames = {row["rate"]: {one["bytes"]: one for one in row["frames"]} for row in told["rates"]}
    assert [frames[f"SF{sf}BW125"][12]["ms"] for sf in (7, 8, 9, 10, 11, 12)] == [61.7, 113.2, 205.8, 411.6, 823.3, 1482.8]  # fmt: skip
    assert not frames["SF12BW125"][222]["fits"]
    shown = sekisho("lorawan", "airtime").out
    assert "1482.8" in shown
    assert "ARIB STD-T108" in shown


def test_one_frame_is_one_line_with_its_law(sekisho: Sekisho) -> None:
    done = sekisho("lorawan", "airtime", "12", "--sf", "12", "--region", "EU868")
    assert "25 on the air: 1482.8 ms; the longest payload is 51; at most 24 an hour" in done.out
    assert "ERC/REC 70-03" in done.out
    assert len(done.out.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("12", "--sf", "12", "-r", "AS923-2"), "this data rate is not used here"),
        (("60", "--sf", "12", "-r", "EU868"), "the longest payload is 51"),
    ],
)
def test_what_may_not_be_sent_is_said(sekisho: Sekisho, words: tuple[str, ...], why: str) -> None:
    assert f"Not permitted: {why}" in sekisho("lorawan", "airtime", *words).out


def test_downlinks_of_us915_have_data_rates_of_their_own(sekisho: Sekisho) -> None:
    up = json.loads(sekisho("lorawan", "airtime", "-r", "US915", "--json").out)
    down = json.loads(sekisho("lorawan", "airtime", "-r", "US915", "--down", "--json").out)
    assert [row["dr"] for row in up["rates"]] == [0, 1, 2, 3, 4]
    assert [row["dr"] for row in down["rates"]] == [8, 9, 10, 11, 12, 13]


def test_an_unknown_region_is_refused_with_those_that_exist(sekisho: Sekisho) -> None:
    done = sekisho("lorawan", "airtime", "--region", "AS923")
    assert done.code == 2
    assert "There are AS923-1," in done.err


# -- decode


def test_every_part_of_a_frame_is_named(sekisho: Sekisho) -> None:
    """Hex or base64, as an argument or from standard input; without keys it says what they would give."""
    told = said(sekisho("lorawan", "decode", PUBLISHED))
    assert told["type"] == "unconfirmed up"
    assert (told["dev_addr"], told["f_cnt"], told["f_port"]) == ("49be7df1", "2", "1")
    assert (told["frm_payload"], told["mic"]) == ("95437876", "2b11ff0d")
    assert "--nwk-s-key" in told["next"]
    assert said(sekisho("lorawan", "decode", "QPF9vkkAAgABlUN4disR/w0=")) == told
    assert said(sekisho("lorawan", "decode", "-", stdin="40 f1 7d be 49 00 02 00 01 95 43 78 76 2b 11 ff 0d\n")) == told  # fmt: skip


def test_keys_check_and_decrypt_and_are_never_shown(sekisho: Sekisho, tmp_path: Path) -> None:
    """As digits, or from a file."""
    file = tmp_path / "nwk.key"
    file.write_text(NWK.upper() + "\n")
    for nwk in (NWK, str(file)):
        done = sekisho("lorawan", "decode", PUBLISHED, "--nwk-s-key", nwk, "--app-s-key", APP)
        assert (said(done)["mic_is"], said(done)["payload"]) == ("right", "74657374")
        assert NWK not in (done.out + done.err).lower()
        assert APP not in done.out


def test_a_reversed_key_is_recognised(sekisho: Sekisho) -> None:
    told = said(sekisho("lorawan", "decode", PUBLISHED, "--nwk-s-key", REVERSED))
    assert told["mic_is"] == "right with the key's bytes reversed"
    assert "reverse the keys" in told["next"]


def test_a_wrong_key_fails_and_says_what_to_compare(sekisho: Sekisho) -> None:
    told = said(sekisho("lorawan", "decode", PUBLISHED, "--nwk-s-key", OTHER), code=1)
    assert told["mic_is"] == "wrong"
    assert "compare the DevAddr" in told["next"]


def test_a_counter_beyond_sixteen_bits_is_found(sekisho: Sekisho) -> None:
    made = sekisho("lorawan", "encode", "data", "--dev-addr", "01020304", "--nwk-s-key", NWK, "--f-cnt", "196610")  # fmt: skip
    told = said(sekisho("lorawan", "decode", made.out.strip(), "--nwk-s-key", NWK))
    assert (told["mic_is"], told["f_cnt"]) == ("right", "196610")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("decode",), "A frame is missing"),
        (("decode", "nothing!"), "neither hex digits nor base64"),
        (("decode", PUBLISHED, "--nwk-s-key", "0011"), "--nwk-s-key: neither 32 hex digits"),
        (("decode", PUBLISHED, "--s-nwk-s-int-key", OTHER), "LoRaWAN 1.1 has three network keys"),
        (("encode", "data", "--dev-addr", "01", "--nwk-s-key", NWK), "--dev-addr: 8 hex digits"),
        (("encode", "data", "--dev-addr", "01020304"), "--nwk-s-key is missing"),
        (("encode", "data", "--dev-addr", "01020304", "--nwk-s-key", NWK, "--payload", "00"), "--payload needs --f-port"),
        (("encode", "join", "--join-eui", "0" * 16, "--dev-eui", "0" * 16, "--dev-nonce", "1"), "--app-key is missing"),
        (("join-trace", PUBLISHED, "--app-key", NWK), "REQUEST is no join-request"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_a_remedy(
    sekisho: Sekisho, words: tuple[str, ...], why: str
) -> None:
    done = sekisho("lorawan", *words)
    assert done.code == 2
    assert why in done.err


def test_bytes_that_are_no_frame_say_which_rule_they_break(sekisho: Sekisho) -> None:
    done = sekisho("lorawan", "decode", "400102")
    assert done.code == 1
    assert "a data frame has 12 bytes at least" in done.err


def test_commands_on_port_0_are_named(sekisho: Sekisho) -> None:
    """A published frame whose payload the network's key encrypts."""
    nwk = "581c4d08ef04cda30b1fef7a8b2c74b8"
    told = said(sekisho("lorawan", "decode", "4006dc00fcc07400000244925050", "--nwk-s-key", nwk))
    assert (told["mic_is"], told["f_port"], told["commands"]) == ("right", "0", "link_check")


def test_no_bytes_make_it_stumble(sekisho: Sekisho) -> None:
    """Random and harmed frames are decoded or refused in a sentence, with keys and without."""
    dice = Random(5)
    for _ in range(150):
        raw = bytearray(dice.choice([bytes.fromhex(PUBLISHED), dice.randbytes(dice.randrange(40))]))
        if raw:
            raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
        done = sekisho("lorawan", "decode", raw.hex() or "00", "--nwk-s-key", NWK, "--app-key", APP)
        assert done.code in (0, 1)
        assert done.out or "No LoRaWAN frame" in done.err


# -- encode and decode


def test_a_frame_of_1_1_made_by_hand_is_read_again(sekisho: Sekisho) -> None:
    """Its MIC stands for data rate and channel, which the reader finds; its commands are encrypted, which it undoes."""
    keys = ("--nwk-s-key", NWK, "--s-nwk-s-int-key", OTHER, "--nwk-s-enc-key", REVERSED, "--app-s-key", APP)  # fmt: skip
    told = json.loads(
        sekisho(
            *("lorawan", "encode", "data", "--dev-addr", "01020304", *keys, "--f-port", "5"),
            *("--payload", "c0ffee", "--f-opts", "020d", "--tx-dr", "3", "--tx-ch", "6"),
            *("--confirmed", "--adr", "--json"),
        ).out
    )
    read = said(sekisho("lorawan", "decode", told["base64"], *keys))
    assert (read["type"], read["f_ctrl"], read["mic_is"]) == ("confirmed up", "ADR", "right")
    assert (read["payload"], read["commands"]) == ("c0ffee", "link_check, device_time")


# -- joins


def request(sekisho: Sekisho, key: str = APP, option: str = "--app-key") -> str:
    words = ("--join-eui", str(JOIN_EUI), "--dev-eui", str(DEV_EUI), "--dev-nonce", "7")
    return sekisho("lorawan", "encode", "join", *words, option, key).out.strip()


def answer(root: str, *, is_1_1: bool = False) -> tuple[str, Accept]:
    """A join-accept by this root key."""
    key = Key(bytes.fromhex(root))
    accept = Accept(
        *(JoinNonce.of("000042"), NetId(bytes(3)), DevAddr.of("01a2b3c4")),
        dl_settings=0x92 if is_1_1 else 0x12,
        rx_delay=1,
        cf_list=bytes.fromhex("184f84e85684b85e84886684586e8400"),
    )
    if is_1_1:
        signs = join.js_int_key(key, DEV_EUI)
        mic = join.accept_mic_1_1(signs, accept, JOIN_EUI, NONCE)
    else:
        mic = join.accept_mic(key, accept)
    return join.seal(key, accept, mic).hex(), accept


def test_a_join_is_followed_to_its_first_uplink(sekisho: Sekisho) -> None:
    """What the answer gives is named; the keys that come of it are used, and not shown."""
    accept, plain = answer(APP)
    keys = join.session_keys(Key(bytes.fromhex(APP)), plain.join_nonce, plain.net_id, NONCE)
    uplink = sekisho(
        *("lorawan", "encode", "data", "--dev-addr", "01a2b3c4"),
        *("--nwk-s-key", keys.f_nwk_s_int.secret.hex()),
    ).out.strip()
    done = sekisho("lorawan", "join-trace", request(sekisho), accept, "--app-key", APP, "--uplink", uplink)  # fmt: skip
    assert done.code == 0, done.out
    told = said(done)
    assert (told["dev_nonce"], told["join_nonce"], told["dev_addr"]) == ("7", "66", "01a2b3c4")
    assert (told["rx1_dr_offset"], told["rx2_dr"], told["rx_delay_s"]) == ("1", "2", "1")
    assert told["cf_list"] == "867.1 867.3 867.5 867.7 867.9 MHz"
    assert "right with the derived keys, counter 0" in done.out
    for secret in (APP, keys.f_nwk_s_int.secret.hex(), keys.app_s.secret.hex()):
        assert secret not in done.out


def test_a_join_of_1_1_is_followed_too(sekisho: Sekisho) -> None:
    accept, _plain = answer(NWK, is_1_1=True)
    asked = request(sekisho, NWK, "--nwk-key")
    done = sekisho("lorawan", "join-trace", asked, accept, "--app-key", APP, "--nwk-key", NWK)
    assert done.code == 0, done.out
    assert "an answer of 1.1 by this key" in done.out


@pytest.mark.parametrize(
    ("root", "why"),
    [
        (bytes.fromhex(APP)[::-1].hex(), "reverse it where you registered the device"),
        (OTHER, "the device has another root key"),
    ],
)
def test_the_step_that_fails_is_named_with_the_next_thing_to_check(
    sekisho: Sekisho, root: str, why: str
) -> None:
    done = sekisho("lorawan", "join-trace", request(sekisho), "--app-key", root)
    assert done.code == 1
    (line,) = [line for line in done.out.splitlines() if "FAILS" in line]
    assert line.startswith("join-request, MIC")
    assert why in line


def test_an_answer_to_another_join_is_told_apart(sekisho: Sekisho) -> None:
    """By another key; by the wrong one of two; and an uplink that is not of this session."""
    asked = request(sekisho)
    foreign = sekisho("lorawan", "join-trace", asked, answer(OTHER)[0], "--app-key", APP)
    assert foreign.code == 1
    assert "by another key, or (of 1.1) to another request" in foreign.out
    asked = request(sekisho, NWK, "--nwk-key")
    downgraded = sekisho("lorawan", "join-trace", asked, answer(APP)[0], "--app-key", APP, "--nwk-key", NWK)  # fmt: skip
    assert "holds this device for one of 1.0" in downgraded.out
    stray = sekisho("lorawan", "join-trace", request(sekisho), answer(APP)[0], "--app-key", APP, "--uplink", PUBLISHED)  # fmt: skip
    assert stray.code == 1
    assert "the device did not take this join" in stray.out


def test_an_unanswered_join_says_what_to_look_at(sekisho: Sekisho) -> None:
    told = json.loads(sekisho("lorawan", "join-trace", request(sekisho), "--app-key", APP, "--json").out)  # fmt: skip
    assert [step["ok"] for step in told["steps"]] == [True, None]
    assert "is the DevEUI registered" in told["steps"][1]["says"]


def test_other_frames_of_a_join_are_decoded(sekisho: Sekisho) -> None:
    told = said(sekisho("lorawan", "decode", request(sekisho), "--app-key", APP))
    assert (told["type"], told["dev_eui"], told["mic_is"]) == ("join-request", str(DEV_EUI), "right")  # fmt: skip
    told = said(sekisho("lorawan", "decode", answer(APP)[0], "--app-key", APP))
    assert (told["type"], told["dev_addr"], told["mic_is"]) == ("join-accept", "01a2b3c4", "right")
    assert said(sekisho("lorawan", "decode", "e001020304050607"))["type"] == "proprietary"
    rejoin = said(sekisho("lorawan", "decode", "c0" + "00" * 18))
    assert "rejoins are refused here" in rejoin["next"]
