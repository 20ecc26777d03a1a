"""A forwarder on a real UDP socket, as `lora_pkt_fwd` is: it pushes, pulls, and acknowledges what it is asked to send."""

import json
import socket
import time
from base64 import b64decode, b64encode
from typing import Any, Self

from gateway.wire.lorawan.identifiers import Eui

EUI = Eui.of("aa555a0000000001")


class UdpForwarder:
    """Two source ports, as the real one has: one pushes, the other pulls.

    Args:
        error: the word that every TX_ACK says; "" takes every downlink.
    """

    def __init__(self, port: int, eui: Eui = EUI, error: str = "") -> None:
        self._to = ("127.0.0.1", port)
        self._eui = eui
        self._error = error
        self._up = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._down = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._token = 0
        self.tmst = 1_000_000

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._up.close()
        self._down.close()

    def _head(self, sort: int) -> bytes:
        self._token += 1
        return b"\x02" + self._token.to_bytes(2, "big") + bytes((sort,)) + bytes(self._eui)

    def push(self, phy: bytes, rssi: int = -80, snr: float = 5.0, **more: Any) -> bytes:
        """Tell of a frame; what it is answered."""
        self.tmst += 10_000_000
        rxpk = {"tmst": self.tmst, "freq": 923.2, "stat": 1, "modu": "LORA", "datr": "SF7BW125"}
        rxpk |= {"codr": "4/5", "rssi": rssi, "lsnr": snr, "size": len(phy)}
        rxpk |= {"data": b64encode(phy).decode(), **more}
        self._up.sendto(self._head(0) + json.dumps({"rxpk": [rxpk]}).encode(), self._to)
        self._up.settimeout(5)
        return self._up.recv(100)

    def pull(self) -> bytes:
        """Keep the way back open; what it is answered."""
        self._down.sendto(self._head(2), self._to)
        self._down.settimeout(5)
        return self._down.recv(100)

    def asked(self, patience_s: float = 5.0) -> dict[str, Any] | None:
        """What it is asked to send next, acknowledged; None where nothing comes."""
        deadline = time.monotonic() + patience_s
        while (left := deadline - time.monotonic()) > 0:
            self._down.settimeout(left)
            try:
                said = self._down.recv(2000)
            except TimeoutError:
                return None
            if said[3] != 3:
                continue
            body = json.dumps({"txpk_ack": {"error": self._error}}).encode() if self._error else b""
            self._down.sendto(b"\x02" + said[1:3] + b"\x05" + bytes(self._eui) + body, self._to)
            txpk: dict[str, Any] = json.loads(said[4:])["txpk"]
            return {**txpk, "phy": b64decode(txpk["data"])}
        return None
