"""What is on the air, and what forwarders say of it: as it should be, again, or harmed; and what leaves by their sockets."""

import json
from base64 import b64decode, b64encode
from collections import Counter, OrderedDict
from random import Random
from typing import Any

from gateway.wire.lorawan.frames import Data, MType, parse
from gateway.wire.lorawan.identifiers import DevAddr, Eui
from simulators.lorawan.station_words import HELLO
from tests.fakes.node import APP_KEY, DEV_EUI, NWK_KEY, Node
from tests.fakes.station import uplink

BY_UDP, BY_LINE, STRANGER = (Eui.of(f"aa555a000000000{n}") for n in range(3))
STAGE = bytes.fromhex("0107088000ff00")
_ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 0.5, 1e308, 1 << 31, 1 << 32, 1 << 63, 1 << 64, -(1 << 63)),
    *("", "x", "::1", "é", "0" * 600, "NaN", [], {}, [[[]]], {"a": {}}, "\x00", "SF7BW125"),
)
_COMMANDS = (b"", b"", b"\x02", b"\x0d", b"\x03\x07", b"\x03\x05")
"""Nothing, LinkCheckReq, DeviceTimeReq, LinkADRAns: all of it, and not the data rate."""

_BACKWARDS = (
    Node(dev_eui=Eui(DEV_EUI[::-1])).request(),
    *(Node(is_1_1, APP_KEY.backwards, NWK_KEY.backwards).request() for is_1_1 in (False, True)),
)
_REMEMBERED = 500
_OTHERS = [bytes.fromhex(text) for text in ("e0010203", "20" + "11" * 16, "60f17dbe490002000195", "c000" + "22" * 17, "c001" + "33" * 22)]  # fmt: skip
_OTHERS += _BACKWARDS


class Air:
    """Both sockets: what leaves by them, and how much of it at once.

    Attributes:
        said: how often what left: fourth byte of datagrams, `msgtype` of messages.
        size: bytes of answers that left since it was set to 0.
        tokens, numbers: of the last downlinks.
        to_confirm: counters of the last ones that their device is to confirm.
        twice: downlinks with a counter that another one of the same session had.
    """

    def __init__(self) -> None:
        self.to_confirm: list[int] = []
        self.twice = 0
        self._counted: OrderedDict[tuple[DevAddr, bool, int], bytes] = OrderedDict()
        self.said: Counter[object] = Counter()
        self.size = 0
        self.tokens: list[bytes] = []
        self.numbers: list[int] = []

    def sendto(self, datagram: bytes, _address: object) -> None:
        self.said[datagram[3]] += 1
        if datagram[3] == 3:  # a downlink that is ours to send: RX2 where RX1 was refused
            self.tokens = [*self.tokens[-4:], datagram[1:3]]
            self._left(b64decode(json.loads(datagram[4:])["txpk"]["data"]))
        else:
            self.size += len(datagram)

    def _left(self, phy: bytes) -> None:
        """A downlink, which may be handed to several forwarders; application's are told by their port: 1.1 counts them apart."""
        data = parse(phy)
        if not isinstance(data, Data):
            return
        named = data.dev_addr, bool(data.f_port), data.f_cnt
        self.twice += self._counted.setdefault(named, phy) != phy
        if len(self._counted) > _REMEMBERED:
            self._counted.popitem(last=False)
        if data.mtype is MType.CONFIRMED_DOWN:
            self.to_confirm = [*self.to_confirm[-1:], data.f_cnt]

    def is_closing(self) -> bool:
        return False

    async def send_str(self, text: str) -> None:
        said = json.loads(text)
        self.said[said["msgtype"]] += 1
        if said["msgtype"] == "dnmsg":
            self.numbers = [*self.numbers[-4:], said["diid"]]
            self._left(bytes.fromhex(said["pdu"]))

    async def pong(self, _data: bytes) -> None:
        self.said["pong"] += 1


class Words:
    """What is said.

    Args:
        node: a device that has joined.
        air: what was answered, which some of it refers to.

    Attributes:
        last: the device's last frame, which it repeats where nobody answers.
    """

    def __init__(self, dice: Random, node: Node, air: Air) -> None:
        self._dice = dice
        self.node = node
        self.air = air
        self._f_cnt = 0
        self._said = [node.request()]
        self.last = self._said[0]

    # -- what is said -----------------------------------------------------------------------

    def _frame(self) -> bytes:
        """What is on the air: as it should be, again, or harmed."""
        dice, node = self._dice, self.node
        sort = dice.random()
        if sort < 0.5:
            asked = self.air.to_confirm
            phy = node.says(
                *(self._f_cnt, STAGE, dice.random() < 0.5, dice.choice(_COMMANDS)),
                f_port=dice.choice((4, 4, 1, 224)),
                acks=dice.choice(asked) if asked and dice.random() < 0.5 else None,
                adr=dice.random() < 0.8,
                wants_answer=dice.random() < 0.1,
            )
            self._f_cnt += 1
            self.last = phy
        elif sort < 0.6:
            node.nonce %= 0xFFFE
            phy = node.request()
        elif sort < 0.7:
            phy = dice.choice(_OTHERS)
        else:
            phy = dice.choice(self._said)
        self._said = [*self._said[-9:], phy]
        if dice.random() < 0.02:
            return phy + dice.randbytes(dice.randrange(300, 700))
        return self._harmed(phy) if dice.random() < 0.5 else phy

    def datagram(self) -> bytes:
        dice = self._dice
        eui = BY_UDP if dice.random() < 0.95 else STRANGER
        sort = dice.random()
        token = dice.randbytes(2)
        if sort < 0.15:
            datagram = b"\x02" + token + b"\x02" + eui
        elif sort < 0.3:
            token = dice.choice(self.air.tokens or [token])
            body: dict[str, Any] = {"txpk_ack": {dice.choice(("error", "warn")): dice.choice(("NONE", "TOO_LATE", "TX_POWER", "é", str(dice.random())))}}  # fmt: skip
            datagram = b"\x02" + token + b"\x05" + eui + (json.dumps(self._bent(body)).encode() if dice.random() < 0.7 else b"")  # fmt: skip
        else:
            body = {"rxpk": [self._bent(self._rxpk()) for _ in range(dice.randrange(1, 4))]}
            datagram = b"\x02" + token + b"\x00" + eui + json.dumps(body).encode()
        return self._harmed(datagram) if dice.random() < 0.2 else datagram

    def _rxpk(self) -> dict[str, Any]:
        phy = self._frame()
        rxpk = {"tmst": self._dice.getrandbits(32), "freq": 923.2, "stat": 1, "modu": "LORA"}
        rxpk |= {
            "datr": "SF7BW125",
            "codr": "4/5",
            "rssi": -80,
            "lsnr": self._dice.choice((-3.0, 5.0, 11.0)),
            "size": len(phy),
        }
        return {**rxpk, "data": b64encode(phy).decode()}

    def message(self) -> str:
        dice = self._dice
        sort = dice.random()
        message: dict[str, Any]
        if sort < 0.1:
            numbers = self.air.numbers or [1]
            message = {"msgtype": "dntxed", "diid": dice.choice(numbers), "xtime": 1}
        elif sort < 0.15:
            message = {"msgtype": "timesync", "txtime": dice.getrandbits(62)}
        elif sort < 0.2:
            message = {"msgtype": dice.choice(("version", "rmtsh", "alarm", "")), **HELLO}
        else:
            try:
                message = uplink(self._frame(), dice.getrandbits(62))
            except (IndexError, ValueError):  # no station takes such a frame apart
                message = {"msgtype": "updf"}
        text = json.dumps(self._bent(message))
        if dice.random() < 0.2:
            text = self._harmed(text.encode()).decode("utf-8", "replace")
        return text

    # -- how it is harmed -------------------------------------------------------------------

    def _bent(self, message: dict[str, Any]) -> dict[str, Any]:
        """A member more seldom than not of another sort, missing, or one more."""
        dice = self._dice
        if dice.random() < 0.6:
            return message
        bent = dict(message)
        name = dice.choice([*bent, "msgtype", "rsig", "rxpk"])
        inner = bent.get(name)
        if isinstance(inner, dict) and inner and dice.random() < 0.7:
            bent[name] = {**inner, dice.choice(list(inner)): dice.choice(_ODD)}
        elif dice.random() < 0.2:
            bent.pop(name, None)
        else:
            bent[name] = dice.choice(_ODD)
        return bent

    def _harmed(self, data: bytes) -> bytes:
        """Bytes flipped, cut, doubled, or others among them."""
        dice = self._dice
        bent = bytearray(data)
        for _ in range(dice.randrange(1, 4)):
            at = dice.randrange(len(bent) + 1)
            sort = dice.randrange(6)
            if sort < 3 and at < len(bent):
                bent[at] ^= 1 << dice.randrange(8)
            elif sort == 3:
                del bent[at:]
            elif sort == 4:
                bent[at:at] = dice.randbytes(dice.randrange(1, 9))
            else:
                bent[at:at] = bent[: dice.randrange(40)]
        return bytes(bent)
