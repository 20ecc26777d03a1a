"""Two thousand forwarders that hear nothing: what their keep-alives cost, over UDP and as Basics Stations.

    python -m benchmarks.forwarders [--forwarders 2000] [--seconds 60] [--json]

A UDP forwarder pulls every ten seconds; a station's line is asked every thirty whether it is there. Bars: 10 % of a core and
50 MB more than without them, each. Exit code 1 where one is not met.
"""

import argparse
import asyncio
import json
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.processes import Gateway, cpu_s, resident_mb
from gateway.wire.lorawan.identifiers import Eui

CORE, MEMORY_MB = 0.1, 50.0
PULL_S = 10.0
_VERSION = {"msgtype": "version", "station": "2.0.6(linux/std)", "protocol": 2}
_AT_ONCE = 100
_DOORS = """\
  - {kind: lorawan_udp, name: udp, port: 0}
  - {kind: basics_station, name: stations, port: 0}
"""


def euis(forwarders: int) -> list[Eui]:
    """Theirs."""
    return [Eui((0xAA555A << 40 | n).to_bytes(8, "big")) for n in range(forwarders)]


async def connect(http: aiohttp.ClientSession, port: int, known: list[Eui]) -> list[aiohttp.ClientWebSocketResponse]:  # fmt: skip
    """Every station asks where to go, goes there, and is configured."""
    some = asyncio.Semaphore(_AT_ONCE)

    async def one(eui: Eui) -> aiohttp.ClientWebSocketResponse:
        async with some:
            async with http.ws_connect(f"ws://127.0.0.1:{port}/router-info") as asking:
                await asking.send_json({"router": str(eui)})
                uri = json.loads(await asking.receive_str())["uri"]
            line = await http.ws_connect(uri)
            await line.send_json(_VERSION)
            assert "router_config" in await line.receive_str()
            return line

    return await asyncio.gather(*map(one, known))


async def stations(gateway: Gateway, known: list[Eui], seconds: float) -> dict[str, float]:
    """Figures of as many silent stations; pings are answered as a station does."""
    before = resident_mb(gateway.process)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        begun = time.monotonic()
        lines = await connect(http, gateway.doors["stations"]["port"], known)
        connected_s = time.monotonic() - begun
        listening = [asyncio.create_task(line.receive()) for line in lines]
        cpu = cpu_s(gateway.process)
        await asyncio.sleep(seconds)
        core = (cpu_s(gateway.process) - cpu) / seconds
        assert not any(task.done() for task in listening), "a line ended"
        more = resident_mb(gateway.process) - before
        for line in lines:
            await line.close()
        await asyncio.gather(*listening)
    return {"connected_s": connected_s, "core": core, "more_mb": more}


def pulling(gateway: Gateway, known: list[Eui], seconds: float) -> dict[str, float]:
    """Figures of as many UDP forwarders that pull; every pull is answered."""
    before, cpu = resident_mb(gateway.process), cpu_s(gateway.process)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect(("127.0.0.1", gateway.doors["udp"]["port"]))
        udp.settimeout(5)
        begun = time.monotonic()
        pulls = int(seconds / PULL_S * len(known))
        for n in range(pulls):
            time.sleep(max(0.0, begun + n * PULL_S / len(known) - time.monotonic()))
            udp.send(b"\x02" + (n & 0xFFFF).to_bytes(2, "big") + b"\x02" + known[n % len(known)])
            assert udp.recv(100)[3] == 4
        core = (cpu_s(gateway.process) - cpu) / (time.monotonic() - begun)
    return {"pulls": pulls, "core": core, "more_mb": resident_mb(gateway.process) - before}


def measure(forwarders: int, seconds: float) -> dict[str, Any]:
    """Both, one behind the other, of one gateway."""
    known = euis(forwarders)
    listed = "".join(f"    - eui: {eui}\n" for eui in known)
    more = f"lorawan:\n  region: AS923-1\n  forwarders:\n{listed}"
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(Path(folder), doors=_DOORS, more=more)
        try:
            udp = pulling(gateway, known, seconds)
            return {"udp": udp, "stations": asyncio.run(stations(gateway, known, seconds))}
        finally:
            gateway.stop()


def main() -> int:
    """Measure and print; 1 where a bar is not met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--forwarders", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--json", action="store_true")
    wish = parser.parse_args()
    found = measure(wish.forwarders, wish.seconds)
    udp, lines = found["udp"], found["stations"]
    if wish.json:
        print(json.dumps(found))
    else:
        print(f"UDP       {wish.forwarders:,} pull every {PULL_S:g} s: {udp['core']:.1%} of a core, {udp['more_mb']:.1f} MB more   (bar: {CORE:.0%}, {MEMORY_MB:g} MB)")  # fmt: skip
        print(f"stations  {wish.forwarders:,} connected in {lines['connected_s']:.1f} s: {lines['core']:.1%} of a core, {lines['more_mb']:.1f} MB more   (the same)")  # fmt: skip
    met = all(one["core"] <= CORE and one["more_mb"] <= MEMORY_MB for one in found.values())
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
