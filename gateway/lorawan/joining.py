"""Joins: whether a request is believed, and the session and the answer that come of it.

A DevNonce counts up from 1.0.4 on, so one that is not above the last is a replay; before that it is a random
number, and every one that was ever used is remembered (LoRaWAN 1.0.4 §6.2.5, 1.0.3 §6.2.4).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.lorawan.plan import Plan
from gateway.lorawan.refusals import Refused
from gateway.lorawan.session import Session
from gateway.model.identity import DeviceId
from gateway.wire.lorawan import join
from gateway.wire.lorawan.crypto import Key
from gateway.wire.lorawan.frames import MIC, JoinRequest
from gateway.wire.lorawan.identifiers import DevAddr, Eui, JoinNonce, NetId
from gateway.wire.lorawan.join import Accept

NET_ID = NetId(bytes(3))
"""000000: for experiments and private networks (LoRaWAN Backend Interfaces 1.0 §7)."""

_OPT_NEG = 0x80


@dataclass(slots=True, eq=False)
class Root:
    """A device that may join.

    Attributes:
        join_eui: None where any is taken.
        app_key: root key of 1.0; of 1.1 the application's.
        nwk_key: the network's, of 1.1 alone.
        counting: whether its DevNonce counts up (1.0.4, 1.1).
        nonces: those that were used, also of one that counts: it may turn out that it does not.
        join_nonce: of the last join that is known; the next one is one more,
        join_floor: and above this, where later ones may have been forgotten.
    """

    device: DeviceId
    dev_eui: Eui
    join_eui: Eui | None
    app_key: Key
    nwk_key: Key | None = None
    counting: bool = True
    nonces: set[int] = field(default_factory=set)
    join_nonce: int = 0
    join_floor: int = 0

    def __repr__(self) -> str:
        return f"<root of {self.device}>"

    def go_on(self, before: "Root") -> None:
        """What is known of the same device's joins goes on: no JoinNonce comes twice, and no request that was signed with the same key."""
        self.join_nonce = max(self.join_nonce, before.join_nonce)
        if self.signs.secret == before.signs.secret:
            self.nonces |= before.nonces

    @property
    def signs(self) -> Key:
        """What its join-requests are signed with."""
        return self.app_key if self.nwk_key is None else self.nwk_key


@dataclass(frozen=True, slots=True)
class Joined:
    """A join that was believed; nothing of it leaves before `session` and the nonces are on disk.

    Attributes:
        accept: the whole frame of the answer.
    """

    session: Session
    accept: bytes
    dev_nonce: int
    join_nonce: int


def believed(root: Root, request: JoinRequest) -> Refused | None:
    """Why a join is refused; None if it is believed."""
    if root.join_eui is not None and request.join_eui != root.join_eui:
        return Refused.WRONG_JOIN_EUI
    if root.signs.cmac(request.signed)[:MIC] != request.mic:
        if root.signs.backwards.cmac(request.signed)[:MIC] == request.mic:
            return Refused.REVERSED_KEY
        return Refused.WRONG_KEY
    nonce = int.from_bytes(request.dev_nonce, "big")
    if root.counting:
        used = bool(root.nonces) and nonce <= max(root.nonces)
    else:
        used = nonce in root.nonces
    return Refused.NONCE_REUSED if used else None


def joined(
    root: Root, request: JoinRequest, plan: Plan, free: Callable[[], DevAddr], rx2_dr: int
) -> Joined:
    """The session that a believed request begins, and its answer.

    Args:
        free: an address out of the pool.
        rx2_dr: number of RX2's data rate.

    Raises:
        OverflowError: the JoinNonce has run out (16 million joins).
    """
    join_nonce = max(root.join_nonce, root.join_floor) + 1
    nonce = JoinNonce(join_nonce.to_bytes(3, "big"))
    is_1_1 = root.nwk_key is not None
    accept = Accept(
        join_nonce=nonce,
        net_id=NET_ID,
        dev_addr=free(),
        dl_settings=(_OPT_NEG if is_1_1 else 0) | rx2_dr,
        rx_delay=round(plan.rx1_delay_s),
        cf_list=plan.cf_list_wire(),
    )
    if root.nwk_key is None:
        keys = join.session_keys(root.app_key, nonce, NET_ID, request.dev_nonce)
        mic = join.accept_mic(root.app_key, accept)
    else:
        keys = join.session_keys_1_1(
            root.nwk_key, root.app_key, nonce, request.join_eui, request.dev_nonce
        )
        signs = join.js_int_key(root.nwk_key, root.dev_eui)
        mic = join.accept_mic_1_1(signs, accept, request.join_eui, request.dev_nonce)
    session = Session(
        *(root.device, root.dev_eui, accept.dev_addr, keys),
        minor=1 if is_1_1 else 0,
        number=join_nonce,
        rx2_dr=rx2_dr,
        rx_delay_s=accept.rx_delay,
    )
    frame = join.seal(root.signs, accept, mic)
    return Joined(session, frame, int.from_bytes(request.dev_nonce, "big"), join_nonce)
