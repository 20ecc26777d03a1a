"""Rows per CPU-second of `sekisho replay`: a ChirpStack v3 log of one weather station, ten times in a row.

The log is repeated with shifted times and counters and packed again, then replayed into a fresh directory: gunzip,
envelopes, codec, pipeline and commits are all counted, of all threads, user and system. Start-up is what a replay
of the log's first lines costs, and is taken off.

    python -m benchmarks.replay LOG.ndjson.gz [--times 10] [--rounds 3] [--json]

LOG holds the device of `config/codecs/wyres_base.yaml`. The bar: 20,000 stored rows per CPU-second.
"""

import argparse
import gzip
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.processes import ROOT

BAR = 20_000
_DEVICES = """\
devices:
  - id: station
    kind: weather_station
    dev_eui: {eui}
    codec: wyres_base
"""


def repeated(log: Path, times: int) -> Iterator[str]:
    """The log's lines, `times` in a row, each time behind the one before."""
    with gzip.open(log, "rt") as file:
        lines = [json.loads(line) for line in file]
    moments = [datetime.fromisoformat(line["_date"]) for line in lines]
    span = max(moments) - min(moments) + timedelta(minutes=10)
    counters = max(line.get("fCnt", 0) for line in lines) + 1
    for time in range(times):
        for line, moment in zip(lines, moments, strict=True):
            shifted = {**line, "_date": (moment + time * span).isoformat()}
            if "fCnt" in line:
                shifted["fCnt"] = line["fCnt"] + time * counters
            yield json.dumps(shifted, separators=(",", ":"))


def write(lines: Iterator[str], path: Path) -> None:
    """Lines, packed as logs are."""
    with gzip.open(path, "wt") as file:
        for line in lines:
            file.write(line + "\n")


def replay(log: Path, config: Path, state: Path) -> tuple[float, dict[str, Any]]:
    """CPU-seconds of one replay in a process of its own, and what it says."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    line = [sys.executable, "-m", "sekisho", "replay", str(log), "--json"]
    where = ["--format", "chirpstack_v3_hex", "--config", str(config), "--state", str(state)]
    done = subprocess.run([*line, *where], cwd=ROOT, check=True, capture_output=True, timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, json.loads(done.stdout)


def measure(log: Path, times: int, rounds: int) -> dict[str, Any]:
    """Stored rows per CPU-second, one figure a round."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "config", folder / "config")
        with gzip.open(log, "rt") as file:
            first = [next(file) for _ in range(2)]
        eui = json.loads(first[0])["devEUI"]
        (folder / "config" / "devices.yaml").write_text(_DEVICES.format(eui=eui))
        config = folder / "config" / "gateway.yaml"
        write(repeated(log, times), folder / "many.ndjson.gz")
        write((line.rstrip() for line in first), folder / "few.ndjson.gz")
        rates = []
        for n in range(rounds):
            idle, _ = replay(folder / "few.ndjson.gz", config, folder / f"few{n}" / "state")
            spent, said = replay(folder / "many.ndjson.gz", config, folder / f"many{n}" / "state")
            assert said["stored"] + said["rejected"] == said["uplinks"]
            rates.append(said["stored"] / (spent - idle))
            print(f"  {rates[-1]:,.0f}/s ({spent:.2f} s - {idle:.2f} s)", file=sys.stderr)
    return {"rates": rates, "rows_per_cpu_s": statistics.median(rates), "said": said}


def main() -> int:
    """Measure and print; 1 where the bar is not met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    wish = parser.parse_args()
    result = measure(wish.log, wish.times, wish.rounds)
    met = result["rows_per_cpu_s"] >= BAR
    if wish.json:
        print(json.dumps(result))
    else:
        said = result["said"]
        print(
            f"replay     {result['rows_per_cpu_s']:,.0f} stored rows per CPU-second (bar: {BAR:,}); "
            f"{said['records']:,} records, {said['stored']:,} stored, {said['rejected']:,} rejected"
        )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
