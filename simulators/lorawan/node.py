"""The firmware of a LoRaWAN device, without its radio: it joins, counts, encrypts, and makes sense of answers.

Class A of 1.0.4, or of 1.1 where it has an NwkKey. Its DevNonce counts up, as its flash would remember it.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.lorawan.plan import Plan
from gateway.wire.lorawan import join
from gateway.wire.lorawan.commands import Cid, Command, commands, wire
from gateway.wire.lorawan.counters import reconstruct
from gateway.wire.lorawan.crypto import DOWN, Key
from gateway.wire.lorawan.frames import MIC, Data, FrameError, JoinAccept, MType, parse
from gateway.wire.lorawan.identifiers import DevAddr, DevNonce, Eui
from gateway.wire.lorawan.join import Accept, SessionKeys
from gateway.wire.lorawan.secured import Heard, opened, right_mic, sealed

_LONGEST_OPTS = 15
_STEP_HZ = 100
_FULL_BATTERY = 254


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


class Node:
    """One device.

    Args:
        plan: of its region.
        nonce: the last DevNonce that it used.

    Attributes:
        dr: data rate that it sends with.
        channels: frequencies that it may send on; their places are their numbers.
        rx_delay_s: to its first window.
        rx2_dr: of its second.
        power_steps: 2 dB each below the most that it may send with.
        asks: MAC commands that stand in its next uplink.
        replays: answers that it had had before.
    """

    def __init__(self, identity: Identity, plan: Plan, nonce: int = 0) -> None:
        self.identity = identity
        self.plan = plan
        self.nonce = nonce
        self.dr = max(channel.high for channel in plan.channels)
        self.channels = tuple(channel.freq_hz for channel in plan.channels)
        self.rx_delay_s = plan.rx1_delay_s
        self.rx2_dr = plan.rx2.dr
        self.power_steps = 0
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
        self.asks = [command for command in self.asks if command.cid is Cid.REKEY]
        self._message = _Message(
            session.up, f_port, payload, confirmed, wire(said), session.confirms
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
            ack=message.ack is not None,
            heard=Heard(conf_f_cnt=(message.ack or 0) & 0xFFFF, tx_dr=self.dr, tx_ch=channel),
        )

    def hear(self, phy: bytes) -> Answer | None:
        """Make sense of what came in a window; None for what is not for this device, or not new."""
        try:
            frame = parse(phy)
        except FrameError:
            return None
        if isinstance(frame, JoinAccept):
            return self._accepted(frame)
        if isinstance(frame, Data) and not frame.up and self._session is not None:
            return self._answered(frame, self._session)
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
        self._settle(accept)
        return Answer(joined=True, ack=False, f_cnt=0)

    def _settle(self, accept: Accept) -> None:
        """Take over what the network wants of this session."""
        self.rx_delay_s = float(accept.rx_delay or 1)
        self.rx2_dr = accept.dl_settings & 0x0F
        if accept.cf_list and accept.cf_list[15] == 0:
            added = (int.from_bytes(accept.cf_list[n : n + 3], "little") for n in range(0, 15, 3))
            usual = tuple(channel.freq_hz for channel in self.plan.channels)
            self.channels = (*usual, *(step * _STEP_HZ for step in added if step))

    def _answered(self, data: Data, session: _Session) -> Answer | None:
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
        for command in commands(plain.commands or b"", DOWN)[0]:
            self._obey(command)
        ack = data.ack and message is not None and message.confirmed
        return Answer(joined=False, ack=ack, f_cnt=f_cnt)

    def _obey(self, command: Command) -> None:
        """Do what the network wants, and say so in the next uplink."""
        match command.cid:
            case Cid.REKEY:
                self.asks = [ask for ask in self.asks if ask.cid is not Cid.REKEY]
            case Cid.LINK_ADR:
                dr, power = command.payload[0] >> 4, command.payload[0] & 0x0F
                known = dr in self.plan.data_rates
                if known:
                    self.dr, self.power_steps = dr, power
                self.asks.append(Command(Cid.LINK_ADR, bytes((0x07 if known else 0x05,))))
            case Cid.DEV_STATUS:
                self.asks.append(Command(Cid.DEV_STATUS, bytes((_FULL_BATTERY, 0))))
            case Cid.RX_TIMING_SETUP:
                self.rx_delay_s = float(command.payload[0] & 0x0F or 1)
                self.asks.append(Command(Cid.RX_TIMING_SETUP))
            case Cid.DUTY_CYCLE:
                self.asks.append(Command(Cid.DUTY_CYCLE))
            case _:  # answers to what was asked: nothing is left to do
                pass
