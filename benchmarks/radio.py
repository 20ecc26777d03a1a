"""CPU-seconds per million uplinks over LoRaWAN and UDP, end to end: three receptions each, merged, checked, decrypted, on disk.

    python -m benchmarks.radio [--uplinks 60000] [--rate 2000] [--json]

A thousand gauges that never join, eighty forwarders, each uplink in three datagrams of three of them, in a fresh directory. Beside it
the same gateway takes as many uplinks over MQTT (JSON, QoS 1, half of them masked): at the same rate, one in a segment, and as fast as it
can, many in one. A datagram is received and answered by a call of the system each. Exit code 1 where an uplink is not stored.
"""

import argparse
import json
import socket
import sqlite3
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.flood import uplink
from benchmarks.forwarders import euis
from benchmarks.intake import flood
from benchmarks.processes import Gateway, cpu_s, until
from gateway.clock import SystemClock
from gateway.keys.ring import KeyRing
from gateway.model.instant import DAY
from gateway.registry.radio_rows import Secrets
from gateway.registry.registry import Registry
from gateway.settings.load import load_settings
from gateway.wire.lorawan.crypto import BLOCK, Key
from gateway.wire.lorawan.frames import MType
from gateway.wire.lorawan.identifiers import DevAddr
from gateway.wire.lorawan.join import SessionKeys
from gateway.wire.lorawan.secured import sealed
from gateway.wire.mqtt import encode
from sekisho.window import ask

DEVICES, FORWARDERS, RECEPTIONS = 1_000, 80, 3
STAGE, PORT = bytes.fromhex("0107088000ff00"), 4
"""A river gauge's own seven bytes."""

_DOOR = "  - {kind: lorawan_udp, name: udp, port: 0}\n"
_MILLION = 1_000_000
_WINDOW, _PUBACK = 200, 4


def keys_of(n: int) -> bytes:
    """The one key of a gauge; its three network keys are one in 1.0."""
    return n.to_bytes(BLOCK, "big")


def register(gateway: Gateway) -> None:
    """Gauges with sessions of their own, and wait until the gateway knows them."""
    clock = SystemClock()
    zone = load_settings(gateway.config).zone
    ring = KeyRing.open(gateway.keys, gateway.state.id, clock, zone)
    at = clock.now() - 30 * DAY
    with Registry.open(gateway.state, ring) as registry, registry.change():
        for n in range(DEVICES):
            name, facts = f"radio-{n}", {"dev_eui": f"{n:016x}"}
            registry.put_device(name, "river_gauge", "16201", at, attributes=facts)
            own = keys_of(n)
            addr = DevAddr(n.to_bytes(4, "big"))
            registry.radio.put(name, Secrets(dev_addr=addr, keys=(own, own, own, own)), at)
    until(lambda: next(ask(gateway.state, "radio"))["sessions"] == DEVICES)


def datagrams(uplinks: int) -> Iterator[bytes]:
    """Three of each uplink."""
    known = euis(FORWARDERS)
    keys = [Key(keys_of(n)) for n in range(DEVICES)]
    for n in range(uplinks):
        own = keys[n % DEVICES]
        phy = sealed(
            *(SessionKeys(own, own, own, own, is_1_1=False), MType.UNCONFIRMED_UP),
            *(DevAddr((n % DEVICES).to_bytes(4, "big")), n // DEVICES),
            f_port=PORT,
            payload=STAGE,
        )
        for k in range(RECEPTIONS):
            rxpk = {"tmst": n, "freq": 923.2, "stat": 1, "modu": "LORA", "datr": "SF7BW125"}
            rxpk |= {"codr": "4/5", "rssi": -80 - k, "lsnr": 5.0 - k, "size": len(phy)}
            body = json.dumps({"rxpk": [{**rxpk, "data": b64encode(phy).decode()}]}).encode()
            eui = known[(n * RECEPTIONS + k) % FORWARDERS]
            yield b"\x02" + (n & 0xFFFF).to_bytes(2, "big") + b"\x00" + eui + body


def rows(gateway: Gateway) -> int:
    """Of these gauges."""
    with sqlite3.connect(f"file:{gateway.state.city_db}?mode=ro", uri=True) as db:
        found: int = db.execute(
            "SELECT count(*) FROM river_gauge WHERE device LIKE 'radio-%'"
        ).fetchone()[0]
    return found


def by_radio(gateway: Gateway, uplinks: int, rate: float) -> dict[str, float]:
    """Figures of so many; every datagram is answered before the next one of its place in the window."""
    ready = list(datagrams(uplinks))
    cpu = cpu_s(gateway.process)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect(("127.0.0.1", gateway.doors["udp"]["port"]))
        udp.settimeout(10)
        begun = time.monotonic()
        for n, datagram in enumerate(ready):
            if n % RECEPTIONS == 0:
                time.sleep(max(0.0, begun + n / RECEPTIONS / rate - time.monotonic()))
            udp.send(datagram)
            if n >= FORWARDERS:
                udp.recv(100)
        held = uplinks / (time.monotonic() - begun)
    until(lambda: rows(gateway) >= uplinks, 60)
    spent = cpu_s(gateway.process) - cpu
    return {"per_million": spent / uplinks * _MILLION, "rate": held, "stored": rows(gateway)}


def by_mqtt(gateway: Gateway, first: int, uplinks: int, rate: float) -> dict[str, float]:
    """Figures of so many over one connection, each sent by itself at its time."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    ready = [uplink(n, start) for n in range(first, first + uplinks)]
    cpu = cpu_s(gateway.process)
    with socket.create_connection(("127.0.0.1", gateway.port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall(encode.connect(4, "paced", "flood", gateway.token.encode(), 60))
        line.recv(4)
        acknowledged = 0
        begun = time.monotonic()
        for n, (topic, payload) in enumerate(ready):
            time.sleep(max(0.0, begun + n / rate - time.monotonic()))
            line.sendall(encode.publish(4, topic, payload, 1, n % 65_535 + 1))
            if n - acknowledged // _PUBACK >= _WINDOW:
                acknowledged += len(line.recv(1 << 16))
        held = uplinks / (time.monotonic() - begun)
        while acknowledged < uplinks * _PUBACK:
            acknowledged += len(line.recv(1 << 16))
    return {"per_million": (cpu_s(gateway.process) - cpu) / uplinks * _MILLION, "rate": held}


def measure(uplinks: int, rate: float) -> dict[str, Any]:
    """All three, one behind the other, of one gateway."""
    listed = "".join(f"    - eui: {eui}\n" for eui in euis(FORWARDERS))
    more = f"lorawan:\n  region: AS923-1\n  forwarders:\n{listed}"
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(Path(folder), doors=_DOOR, more=more)
        try:
            register(gateway)
            radio = by_radio(gateway, uplinks, rate)
            paced = by_mqtt(gateway, 0, uplinks, rate)
            cpu = cpu_s(gateway.process)
            mqtt = flood(gateway.port, gateway.token, uplinks, 2 * uplinks)
            spent = cpu_s(gateway.process) - cpu
            per_million = spent / mqtt["acknowledged"] * _MILLION
            return {"radio": radio, "mqtt_paced": paced, "mqtt": {"per_million": per_million}}
        finally:
            gateway.stop()


def main() -> int:
    """Measure and print; 1 where an uplink is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--uplinks", type=int, default=60_000)
    parser.add_argument("--rate", type=float, default=2000)
    parser.add_argument("--json", action="store_true")
    wish = parser.parse_args()
    found = measure(wish.uplinks, wish.rate)
    radio, paced, mqtt = found["radio"], found["mqtt_paced"], found["mqtt"]
    if wish.json:
        print(json.dumps(found))
    else:
        print(f"LoRaWAN over UDP  {radio['per_million']:.0f} CPU-s per million uplinks of {RECEPTIONS} receptions, at {radio['rate']:,.0f}/s; {radio['stored']:,.0f} of {wish.uplinks:,} on disk")  # fmt: skip
        print(f"MQTT              {paced['per_million']:.0f} CPU-s per million, one in a segment, at {paced['rate']:,.0f}/s")  # fmt: skip
        print(f"MQTT              {mqtt['per_million']:.0f} CPU-s per million, as fast as it can")
    return 0 if radio["stored"] == wish.uplinks else 1


if __name__ == "__main__":
    sys.exit(main())
