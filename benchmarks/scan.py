"""How fast `sekisho privacy scan` goes through bytes of four sorts, beside a search for one needle after another.

    python -m benchmarks.scan

Ten canaries in all their forms; one core. What is packed or written in another alphabet counts once, as it lies
on disk, whatever it unfolds to.
"""

import base64
import json
from random import Random
from time import process_time

from gateway.canary.canaries import Canaries
from gateway.canary.search import Search
from gateway.canary.stream import scan_bytes

_SIZE = 8 << 20
_LEAST = 5.0
"""MB/s that a scan is to reach with ten canaries."""


def _canaries(dice: Random) -> Canaries:
    places = [(36.6 + dice.random() / 5, 137.1 + dice.random() / 5) for _ in range(8)]
    return Canaries(tuple(places[1:]), (dice.randbytes(12).hex(),), ("child-q0042",), (places[0],))


def _rows(dice: Random) -> bytes:
    """A log of rows of the same town, as JSON lines."""
    lines = []
    for n in range(_SIZE // 110):
        place = {
            "lat": round(36.6 + dice.random() / 5, 5),
            "lon": round(137.1 + dice.random() / 5, 5),
        }
        lines.append(
            json.dumps({"seq": n, "device": f"child-{n:05}", **place, "rssi": -dice.random()})
        )
    return "\n".join(lines).encode()


def main() -> None:
    """Print megabytes a second for each sort, and needles."""
    dice = Random(7)
    canaries = _canaries(dice)
    search = Search(canaries)
    noise = dice.randbytes(_SIZE)
    sorts = {
        "random bytes": noise,
        "rows as JSON": _rows(dice),
        "base64 of noise": base64.b64encode(noise[: _SIZE // 4]),
        "hex of noise": noise[: _SIZE // 4].hex().encode(),
    }
    print(f"{len(canaries)} canaries, {len(search.stems()):,} needles")
    rates = {}
    for name, data in sorts.items():
        begun = process_time()
        hits = scan_bytes(data, search)
        rates[name] = len(data) / 1e6 / (process_time() - begun)
        print(f"  {name:<16} {rates[name]:6.1f} MB/s of CPU   {len(hits)} hits")
    begun = process_time()
    for needle in search.stems():
        noise.find(needle, 0, 1 << 18)
    alone = (1 << 18) / 1e6 / (process_time() - begun)
    print(f"  needle by needle {alone:6.1f} MB/s, without opening anything")
    slowest = min(rates.values())
    print(f"slowest {slowest:.1f} MB/s: {'reaches' if slowest >= _LEAST else 'MISSES'} {_LEAST:g}")


if __name__ == "__main__":
    main()
