"""The firmware of a LoRaWAN device, without its radio: it joins, counts, encrypts, and makes sense of answers.

Class A of 1.0.4, or of 1.1 where it has an NwkKey. Its DevNonce counts up, as its flash would remember it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.lorawan.plan import Plan
from gateway.wire.lorawan import join
from gateway.wire.lorawan.commands import Cid, Command, commands, wire
from gateway.wire.lorawan.counters import reconstruct
from gateway.wire.lorawan.crypto import DOWN, Key
from gateway.wire.lorawan.frames import MIC, Data, FrameError, JoinAccept, MType, parse
from gateway.wire.lorawan.identifiers import DevAddr, DevNonce, Eui
from gateway.wire.lorawan.join import SessionKeys
from gateway.wire.lorawan.secured import Heard, opened, right_mic, sealed
from simulators.lorawan.battery import MAINS, Battery
from simulators.lorawan.touch import DELAY, LIMIT, Touch
from simulators.lorawan.tuning import Tuning

_LONGEST_OPTS = 15
_SAID_UNTIL_HEARD = (Cid.RX_PARAM_SETUP, Cid.RX_TIMING_SETUP, Cid.TX_PARAM_SETUP, Cid.DL_CHANNEL)
"""Answers that stand in every uplink until a downlink comes (LoRaWAN 1.0.4 §5)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What is burnt into a device.

    Attributes:
        nwk_key: of one that speaks 1.1; None of 1.0.
    """

    dev_eui: Eui
    join_eui: Eui
    app_key: bytes
    nwk_key: bytes | None = None

    def __repr__(self) -> str:
        return f"<identity of {self.dev_eui}>"


class Answer(NamedTuple):
    """What a downlink said.

    Attributes:
        joined: it was a join-accept.
        ack: it acknowledges the last confirmed uplink.
        f_cnt: its counter; 0 of a join-accept.
    """

    joined: bool
    ack: bool
    f_cnt: int


@dataclass(slots=True)
class _Session:
    """What a join brought."""

    keys: SessionKeys
    addr: DevAddr
    up: int = 0
    down: dict[bool, int] = field(default_factory=dict)  # by whether AFCntDown counted it
    confirms: int | None = None


class _Message(NamedTuple):
    f_cnt: int
    f_port: int
    payload: bytes
    confirmed: bool
    commands: bytes
    ack: int | None
    adr_ack_req: bool


class Node:
    """One device.

    Args:
        plan: of its region.
        nonce: the last DevNonce that it used.
        battery: None for one on mains.
        limit, delay: ADR_ACK_LIMIT and ADR_ACK_DELAY.

    Attributes:
        tuning: how it sends and listens.
        asks: MAC commands that stand in its next uplink.
        replays: answers that it had had before.
    """

    def __init__(self, identity: Identity, plan: Plan, nonce: int = 0, battery: Battery | None = None, limit: int = LIMIT, delay: int = DELAY) -> None:  # fmt: skip
        self.identity = identity
        self.plan = plan
        self.nonce = nonce
        self.battery = battery
        self.tuning = Tuning(plan)
        self._touch = Touch(self.tuning, limit, delay)
        self.asks: list[Command] = []
        self.replays = 0
        self._app_key = Key(identity.app_key)
        self._nwk_key = None if identity.nwk_key is None else Key(identity.nwk_key)
        self._join_nonce = -1
        self._session: _Session | None = None
        self._message: _Message | None = None

    @property
    def joined(self) -> bool:
        return self._session is not None

    @property
    def dev_addr(self) -> DevAddr | None:
        """Its address while it has one."""
        return None if self._session is None else self._session.addr

    @property
    def _signs(self) -> Key:
        return self._app_key if self._nwk_key is None else self._nwk_key

    def request(self) -> bytes:
        """A join-request, with the next nonce."""
        self.nonce += 1
        body = b"\x00" + self.identity.join_eui.wire + self.identity.dev_eui.wire
        body += self._dev_nonce.wire
        return body + self._signs.cmac(body)[:MIC]

    @property
    def _dev_nonce(self) -> DevNonce:
        return DevNonce(self.nonce.to_bytes(2, "big"))

    def say(self, payload: bytes, f_port: int, *, confirmed: bool) -> int:
        """Begin a new uplink; its counter. `frame` gives its bytes, as often as it is sent."""
        session = self._session
        assert session is not None
        said: list[Command] = []
        for command in self.asks:
            if len(wire([*said, command])) <= _LONGEST_OPTS:
                said.append(command)
        self.asks = [ask for ask in self.asks if ask.cid in (Cid.REKEY, *_SAID_UNTIL_HEARD)]
        self._message = _Message(
            session.up,
            f_port,
            payload,
            confirmed,
            wire(said),
            session.confirms,
            self._touch.uplink(),
        )
        session.up += 1
        session.confirms = None
        return self._message.f_cnt

    def frame(self, channel: int) -> bytes:
        """The uplink that was begun; the same bytes each time in 1.0, signed for this channel in 1.1."""
        session, message = self._session, self._message
        assert session is not None
        assert message is not None
        return sealed(
            session.keys,
            MType.CONFIRMED_UP if message.confirmed else MType.UNCONFIRMED_UP,
            *(session.addr, message.f_cnt),
            f_port=message.f_port,
            payload=message.payload,
            commands=message.commands,
            adr=True,
            adr_ack_req=message.adr_ack_req,
            ack=message.ack is not None,
            heard=Heard(
                conf_f_cnt=(message.ack or 0) & 0xFFFF, tx_dr=self.tuning.dr, tx_ch=channel
            ),
        )

    def hear(self, phy: bytes, snr_db: float = 0.0) -> Answer | None:
        """Make sense of what came in a window; None for what is not for this device, or not new."""
        try:
            frame = parse(phy)
        except FrameError:
            return None
        if isinstance(frame, JoinAccept):
            return self._accepted(frame)
        if isinstance(frame, Data) and not frame.up and self._session is not None:
            return self._answered(frame, self._session, snr_db)
        return None

    def _accepted(self, frame: JoinAccept) -> Answer | None:
        accept, mic = join.unseal(self._signs, frame.encrypted)
        nonce, eui = self._dev_nonce, self.identity.join_eui
        if self._nwk_key is None:
            if mic != join.accept_mic(self._app_key, accept):
                return None
            keys = join.session_keys(self._app_key, accept.join_nonce, accept.net_id, nonce)
        else:
            signs = join.js_int_key(self._nwk_key, self.identity.dev_eui)
            if mic != join.accept_mic_1_1(signs, accept, eui, nonce):
                return None
            keys = join.session_keys_1_1(
                self._nwk_key, self._app_key, accept.join_nonce, eui, nonce
            )
            self.asks.append(Command(Cid.REKEY, b"\x01"))
        number = int.from_bytes(accept.join_nonce, "big")
        if number <= self._join_nonce:
            self.replays += 1
            return None
        self._join_nonce = number
        self._session = _Session(keys, accept.dev_addr)
        self.tuning.settle(accept)
        self._touch.downlink()
        return Answer(joined=True, ack=False, f_cnt=0)

    def _answered(self, data: Data, session: _Session, snr_db: float) -> Answer | None:
        if data.dev_addr != session.addr:
            return None
        by_app = session.keys.is_1_1 and bool(data.f_port)
        last = session.down.get(by_app)
        f_cnt = reconstruct(data.f_cnt, last)
        message = self._message
        heard = Heard(conf_f_cnt=0 if message is None else message.f_cnt & 0xFFFF)
        if right_mic(session.keys, data, f_cnt, heard) != data.mic:
            return None
        if f_cnt == last:
            self.replays += 1
            return None
        session.down[by_app] = f_cnt
        if data.confirmed:
            session.confirms = f_cnt
        plain = opened(session.keys, data, f_cnt)
        self._touch.downlink()
        self._obey(commands(plain.commands, DOWN)[0], snr_db)
        ack = data.ack and message is not None and message.confirmed
        return Answer(joined=False, ack=ack, f_cnt=f_cnt)

    def _obey(self, asked: Sequence[Command], snr_db: float) -> None:
        """Do what the network wants, and say so in the next uplink."""
        done = [*_SAID_UNTIL_HEARD]
        if any(command.cid is Cid.REKEY for command in asked):
            done.append(Cid.REKEY)
        self.asks = [ask for ask in self.asks if ask.cid not in done]
        level = MAINS if self.battery is None else self.battery.level
        margin = min(31, max(-32, round(snr_db))) & 0x3F
        self.asks += self.tuning.obey(asked, bytes((level, margin)))
