"""A LoRaWAN device as its firmware would be: it joins, counts, encrypts, and reads what it is answered."""

from gateway.wire.lorawan import join
from gateway.wire.lorawan.crypto import Key
from gateway.wire.lorawan.frames import Data, JoinAccept, MType, parse
from gateway.wire.lorawan.identifiers import DevAddr, DevNonce, Eui
from gateway.wire.lorawan.join import SessionKeys
from gateway.wire.lorawan.secured import Heard, Plain, opened, right_mic, sealed

JOIN_EUI, DEV_EUI = Eui.of("0000000000000001"), Eui.of("0004a30b001a2b3c")
APP_KEY, NWK_KEY = Key(bytes(range(16))), Key(bytes(range(16, 32)))


class Node:
    """A device: what it sends, and what it makes of an answer."""

    def __init__(
        self,
        is_1_1: bool = False,
        app_key: Key = APP_KEY,
        nwk_key: Key = NWK_KEY,
        dev_eui: Eui = DEV_EUI,
    ) -> None:
        self.dev_eui = dev_eui
        self.is_1_1 = is_1_1
        self.app_key, self.nwk_key = app_key, nwk_key
        self.nonce = 0
        self.keys: SessionKeys | None = None
        self.addr = DevAddr(bytes(4))

    @property
    def signs(self) -> Key:
        return self.nwk_key if self.is_1_1 else self.app_key

    def request(self) -> bytes:
        self.nonce += 1
        nonce = DevNonce(self.nonce.to_bytes(2, "big"))
        body = b"\x00" + JOIN_EUI.wire + self.dev_eui.wire + nonce.wire
        return body + self.signs.cmac(body)[:4]

    def hear(self, phy: bytes) -> None:
        frame = parse(phy)
        assert isinstance(frame, JoinAccept)
        accept, mic = join.unseal(self.signs, frame.encrypted)
        nonce = DevNonce(self.nonce.to_bytes(2, "big"))
        if self.is_1_1:
            signs = join.js_int_key(self.nwk_key, self.dev_eui)
            assert mic == join.accept_mic_1_1(signs, accept, JOIN_EUI, nonce)
            self.keys = join.session_keys_1_1(
                self.nwk_key, self.app_key, accept.join_nonce, JOIN_EUI, nonce
            )
        else:
            assert mic == join.accept_mic(self.app_key, accept)
            self.keys = join.session_keys(self.app_key, accept.join_nonce, accept.net_id, nonce)
        self.addr = accept.dev_addr

    def says(
        self,
        f_cnt: int,
        payload: bytes = b"hello",
        confirmed: bool = False,
        commands: bytes = b"",
        f_port: int = 2,
        tx_dr: int = 5,
        acks: int | None = None,
        adr: bool = False,
        wants_answer: bool = False,
        in_class_b: bool = False,
    ) -> bytes:
        """An uplink; `acks` is the counter of the downlink that it confirms, `wants_answer` its ADRACKReq."""
        assert self.keys is not None
        mtype = MType.CONFIRMED_UP if confirmed else MType.UNCONFIRMED_UP
        return sealed(
            *(self.keys, mtype, self.addr, f_cnt),
            f_port=f_port,
            payload=payload,
            commands=commands,
            adr=adr,
            adr_ack_req=wants_answer,
            ack=acks is not None,
            bit_4=in_class_b,
            heard=Heard(conf_f_cnt=acks or 0, tx_dr=tx_dr, tx_ch=0),
        )

    def answered(self, phy: bytes, f_cnt: int, acknowledges: int = 0) -> tuple[Data, Plain]:
        """A downlink with this counter, its MIC checked."""
        data = parse(phy)
        assert isinstance(data, Data)
        assert self.keys is not None
        assert right_mic(self.keys, data, f_cnt, Heard(conf_f_cnt=acknowledges)) == data.mic
        return data, opened(self.keys, data, f_cnt)
