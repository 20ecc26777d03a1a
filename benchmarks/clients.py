"""What a client library costs that only receives, acknowledges and throws away; no broker, the bytes are made before.

CPU-seconds (user and system) per million messages of 130 bytes at QoS 1, MQTT 3.1.1, in turns within one run.

    python -m benchmarks.clients [--rounds 3] [--messages 200000] [--python PATH] [--json]

gmqtt is none of our dependencies: without it its line says NOT RUN, and --python names an interpreter that has it.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import cast

import uvloop

from benchmarks.processes import ROOT, cpu_s
from benchmarks.receivers import CLIENTS
from gateway.wire.mqtt import encode
from gateway.wire.mqtt.codes import Code
from gateway.wire.mqtt.framer import Framer
from gateway.wire.mqtt.packets import Ack, Connect, PingReq, Subscribe

SLOW = 10
"""How many times fewer messages the libraries get: they would take minutes."""
_WINDOW = 1000
_TOPIC = b"sekisho/v1/river-1/up"
_PAYLOAD = b'{"t":"2026-05-12T07:00:00+09:00","seq":123456,"distance_m":2.345,"temperature_c":11.5,"battery_v":3.61,"note":"............"}'
_ACK_HELP = {
    "ours": "acknowledges when the commit is done",
    "paho": "manual_ack; a thread",
    "aiomqtt": "acknowledges on receipt",
    "gmqtt": "acknowledges when its callback ends",
}


class Hose(asyncio.Protocol):
    """A broker that has one thing to say, as often as it is acknowledged."""

    def __init__(self, messages: int) -> None:
        self._left = messages
        self._due = messages
        self._framer = Framer(1 << 16)
        self._number = 0
        self.started = asyncio.Event()
        self.done = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        acked = 0
        for packet in self._framer.feed(data):
            match packet:
                case Ack():
                    acked += 1
                case Connect():
                    self._transport.write(encode.connack(4, Code.SUCCESS, {}))
                case Subscribe():
                    granted = [Code.GRANTED_QOS_1 for _ in packet.filters]
                    self._transport.write(encode.suback(4, packet.packet_id, granted))
                    self.started.set()
                case PingReq():
                    self._transport.write(encode.PINGRESP)
        self._due -= acked
        self.send(acked)
        if not self._due:
            self.done.set()

    def send(self, count: int) -> None:
        """So many more, as far as there are any."""
        parts = []
        for _ in range(min(count, self._left)):
            self._number = self._number % 0xFFFF + 1
            parts.append(encode.publish(4, _TOPIC, _PAYLOAD, 1, self._number))
        self._left -= len(parts)
        if parts:
            self._transport.write(b"".join(parts))


async def measure(name: str, messages: int, python: str) -> float | None:
    """CPU-seconds per million messages; None where the library is not there."""
    if name not in ("ours", "paho", "aiomqtt") and not _has(python, name):
        return None
    hose = Hose(messages)
    server = await asyncio.get_running_loop().create_server(lambda: hose, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    line = [python, str(Path(__file__).with_name("receivers.py")), name, str(port)]
    process = subprocess.Popen(line, cwd=ROOT, env={"PYTHONPATH": str(ROOT)})
    try:
        async with asyncio.timeout(180):
            await hose.started.wait()
            await asyncio.sleep(0.3)
            before = cpu_s(process)
            hose.send(_WINDOW)
            await hose.done.wait()
        return (cpu_s(process) - before) / messages * 1e6
    finally:
        process.kill()
        process.wait()
        server.close()


def _has(python: str, name: str) -> bool:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({name!r}) is None)"
    return subprocess.run([python, "-c", code], check=False).returncode == 0


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--json", action="store_true")
    wish = parser.parse_args()
    found: dict[str, list[float]] = {name: [] for name in CLIENTS}
    for _ in range(wish.rounds):
        for name, figures in found.items():
            count = wish.messages if name == "ours" else wish.messages // SLOW
            python = wish.python if name == "gmqtt" else sys.executable
            cost = uvloop.run(measure(name, count, python))
            if cost is not None:
                figures.append(cost)
    if wish.json:
        print(json.dumps(found))
        return
    for name, figures in found.items():
        if not figures:
            print(f"{name:<8} NOT RUN: not installed (--python names an interpreter that has it)")
            continue
        print(
            f"{name:<8} {statistics.median(figures):>6.1f} CPU-s per million messages, {_ACK_HELP[name]} "
            f"({min(figures):.1f} to {max(figures):.1f})"
        )


if __name__ == "__main__":
    main()
