"""LoRaWAN beside another reader and maker of frames (npm `lora-packet`): random frames both ways, both versions, joins included."""

import json
import subprocess
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from gateway.wire.lorawan import join
from gateway.wire.lorawan.crypto import BLOCK, Key
from gateway.wire.lorawan.frames import MIC, Data, JoinRequest, MType, parse
from gateway.wire.lorawan.identifiers import DevAddr, DevNonce, Eui, JoinNonce, NetId
from gateway.wire.lorawan.join import Accept, SessionKeys
from gateway.wire.lorawan.secured import Heard, opened, right_mic, sealed
from tests.conftest import NPM, tool

FRAMES, JOINS = 1_000, 250
"""Of each version, so 2,500 together; each of them is made here and read there, and made there and read here."""

pytestmark = pytest.mark.needs("npm")
VERSIONS = pytest.mark.parametrize("is_1_1", [False, True], ids=["1.0", "1.1"])
MTYPES = {
    MType.UNCONFIRMED_UP: "Unconfirmed Data Up",
    MType.CONFIRMED_UP: "Confirmed Data Up",
    MType.UNCONFIRMED_DOWN: "Unconfirmed Data Down",
    MType.CONFIRMED_DOWN: "Confirmed Data Down",
}
UP = (MType.UNCONFIRMED_UP, MType.CONFIRMED_UP)


class Oracle:
    """The other implementation, in a process of its own."""

    def __init__(self) -> None:
        node = tool("node")
        assert node is not None
        self._process = subprocess.Popen(
            [node, str(NPM / "lorawan.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, verb: str, **asked: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": verb, **asked}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"it ended at {verb} {asked}"
        said: dict[str, Any] = json.loads(answer)
        return said

    def end(self) -> None:
        self._process.communicate(timeout=10)


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    found = Oracle()
    yield found
    found.end()


class Case:
    """A random data frame: its keys, and what it says."""

    def __init__(self, dice: Random, *, is_1_1: bool) -> None:
        f, s, enc, app = (Key(dice.randbytes(BLOCK)) for _ in range(4))
        self.keys = SessionKeys(f, s if is_1_1 else f, enc if is_1_1 else f, app, is_1_1)
        self.mtype = dice.choice(list(MTYPES))
        self.addr = DevAddr(dice.randbytes(4))
        self.f_cnt = dice.choice([dice.randrange(1 << 16), dice.randrange(1 << 32)])
        self.port = dice.choice([None, 0, *[dice.randrange(1, 256)] * 4])
        size = dice.choice([0, 1, 13, 15, 16, 17, 32, dice.randrange(223)])
        self.payload = b"" if self.port is None else dice.randbytes(size or self.port == 0)
        self.opts = b"" if self.port == 0 else dice.randbytes(dice.choice([0, 0, dice.randrange(16)]))  # fmt: skip
        self.ack, self.adr = dice.random() < 0.5, dice.random() < 0.5
        confirms = dice.randrange(1 << 16) if self.ack else 0
        self.heard = Heard(confirms, dice.randrange(16), dice.randrange(72))

    @property
    def asked(self) -> dict[str, Any]:
        """For the oracle."""
        keys = self.keys
        return {
            "is_1_1": keys.is_1_1,
            "f": keys.f_nwk_s_int.secret.hex(),
            "s": keys.s_nwk_s_int.secret.hex(),
            "enc": keys.nwk_s_enc.secret.hex(),
            "app": keys.app_s.secret.hex(),
            "up": self.mtype in UP,
            "f_cnt": self.f_cnt,
            "conf_f_cnt": self.heard.conf_f_cnt,
            "tx_dr": self.heard.tx_dr,
            "tx_ch": self.heard.tx_ch,
        }

    def made(self) -> bytes:
        return sealed(
            *(self.keys, self.mtype, self.addr, self.f_cnt),
            f_port=self.port,
            payload=self.payload,
            commands=self.opts,
            ack=self.ack,
            adr=self.adr,
            heard=self.heard,
        )


@VERSIONS
def test_data_frames_are_the_same_bytes_there_and_here(oracle: Oracle, is_1_1: bool) -> None:
    """Ours is read there, part by part; theirs, of the same parts, is ours to the byte, and opens here."""
    dice = Random(f"data {is_1_1}")
    for _ in range(FRAMES):
        case = Case(dice, is_1_1=is_1_1)
        phy = case.made()
        read = oracle("read", phy=phy.hex(), **case.asked)
        assert read == {
            "dev_addr": str(case.addr),
            "f_cnt": case.f_cnt & 0xFFFF,
            "f_port": case.port,
            "ack": case.ack,
            "adr": case.adr,
            "mic": phy[-MIC:].hex(),
            "payload": case.payload.hex(),
            "f_opts": case.opts.hex(),
        }
        made = oracle(
            "make",
            **case.asked,
            mtype=MTYPES[case.mtype],
            dev_addr=str(case.addr),
            f_port=case.port,
            f_opts=case.opts.hex(),
            payload=case.payload.hex(),
            ack=case.ack,
            adr=case.adr,
        )
        theirs = parse(bytes.fromhex(made["phy"]))
        assert made["phy"] == phy.hex()
        assert isinstance(theirs, Data)
        assert right_mic(case.keys, theirs, case.f_cnt, case.heard) == theirs.mic
        plain = opened(case.keys, theirs, case.f_cnt)
        said = (case.payload, b"") if case.port == 0 else (case.opts, case.payload)
        assert (plain.commands, plain.payload) == said


@VERSIONS
def test_joins_are_the_same_there_and_here(oracle: Oracle, is_1_1: bool) -> None:
    """Requests to the byte; answers to the byte, and ours decrypt there with a right MIC; both derive the same keys."""
    dice = Random(f"join {is_1_1}")
    for _ in range(JOINS):
        root, app = Key(dice.randbytes(BLOCK)), Key(dice.randbytes(BLOCK))
        join_eui, dev_eui = Eui(dice.randbytes(8)), Eui(dice.randbytes(8))
        nonce = DevNonce(dice.randbytes(2))
        whose = {"join_eui": str(join_eui), "dev_eui": str(dev_eui), "dev_nonce": str(nonce), "root": root.secret.hex()}  # fmt: skip
        signed = b"\x00" + join_eui.wire + dev_eui.wire + nonce.wire
        phy = signed + root.cmac(signed)[:MIC]
        assert oracle("request", phy=phy.hex(), **whose) == {
            "phy": phy.hex(),
            "mic": phy[-MIC:].hex(),
            "join_eui": str(join_eui),
            "dev_eui": str(dev_eui),
            "dev_nonce": str(nonce),
        }
        theirs = parse(phy)
        assert isinstance(theirs, JoinRequest)
        assert (theirs.join_eui, theirs.dev_eui, theirs.dev_nonce) == (join_eui, dev_eui, nonce)
        accept = Accept(
            *(JoinNonce(dice.randbytes(3)), NetId(dice.randbytes(3)), DevAddr(dice.randbytes(4))),
            dl_settings=dice.randrange(128) | (0x80 if is_1_1 else 0),
            rx_delay=dice.randrange(16),
            cf_list=dice.choice([b"", dice.randbytes(16)]),
        )
        if is_1_1:
            mic = join.accept_mic_1_1(join.js_int_key(root, dev_eui), accept, join_eui, nonce)
            keys = join.session_keys_1_1(root, app, accept.join_nonce, join_eui, nonce)
            named = {"FNwkSIntKey": keys.f_nwk_s_int, "SNwkSIntKey": keys.s_nwk_s_int, "NwkSEncKey": keys.nwk_s_enc}  # fmt: skip
        else:
            mic = join.accept_mic(root, accept)
            keys = join.session_keys(root, accept.join_nonce, accept.net_id, nonce)
            named = {"NwkSKey": keys.f_nwk_s_int}
        answer = join.seal(root, accept, mic)
        said = {
            "join_nonce": str(accept.join_nonce),
            "net_id": str(accept.net_id),
            "dev_addr": str(accept.dev_addr),
            "dl_settings": f"{accept.dl_settings:02x}",
            "rx_delay": f"{accept.rx_delay:02x}",
            "cf_list": accept.cf_list.hex(),
        }
        secrets = {name: one.secret.hex() for name, one in {**named, "AppSKey": keys.app_s}.items()}
        read = oracle("accept", phy=answer.hex(), app_key=app.secret.hex(), is_1_1=is_1_1, **whose)
        assert read == {"mic_ok": True, **said, "keys": secrets}
        asked = {**said, "rx_delay": accept.rx_delay, **whose}
        assert oracle("answer", **asked)["phy"] == answer.hex()


def test_the_oracle_does_not_agree_with_anything(oracle: Oracle) -> None:
    """A flipped bit of a frame has another MIC there, too."""
    case = Case(Random(7), is_1_1=False)
    phy = bytearray(case.made())
    phy[-MIC - 1] ^= 1
    assert oracle("read", phy=phy.hex(), **case.asked)["mic"] != phy[-MIC:].hex()
