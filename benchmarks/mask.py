"""What the mask costs an uplink under the recommended rules, beside decoding and committing it, and what it remembers.

    python -m benchmarks.mask [--children 200] [--json]

A day of the fictional district, in the order in which it would arrive: every tracker every minute, around the clock. Figures
are microseconds of CPU an uplink, the best of many short rounds: what others do on the machine is left out. `toyama-zone` looks up the zone's table and keeps hysteresis, stays and
runs; `legacy-50m` is a circle. Memory is what the mask holds of a child beyond what all share: at rest (five in the morning), through
the day (the mean over its hours; a child at school, or on its way, has fixes that are held), and at the hour when it is most.
"""

import argparse
import gc
import json
import tracemalloc
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

from gateway.devices.catalog import catalog
from gateway.devices.decode import json_decoder, to_json
from gateway.interfaces import Outcome, Rows
from gateway.keys.memory import MemoryKeys
from gateway.model.device import Device, Household
from gateway.model.identity import DeviceId, HouseholdId
from gateway.model.instant import HOUR, SECOND, to_datetime
from gateway.model.observation import Observation
from gateway.model.position import Position
from gateway.model.reading import Reading
from gateway.privacy.mask import Mask
from gateway.privacy.policy import Policy
from gateway.privacy.shelter import Shelters
from gateway.privacy.turn import Turn
from gateway.stores.sqlite import SqliteStore
from gateway.telemetry import Facts
from sekisho.privacy_what_if import BEGIN
from sekisho.ways import Way
from sekisho.ways_of_town import ways_of
from sekisho.what_if import KIND, policy_of
from simulators.town import town

RULES = Path(__file__).parents[1] / "config" / "privacy"
LIMIT_US, LIMIT_BYTES = 5.0, 1024
"""What the recommended lane may cost an uplink, and keep of a child."""
ROUNDS = 15
_TIMED = 40
"""So many children are timed, all of them remembered."""
_AT_REST_H = 5
_BATCH = 512
_Values: Any = catalog()[KIND].document


def readings_of(ways: Sequence[Way]) -> list[Reading]:
    """Everything that all trackers say, in order of time."""
    found = []
    for number, way in enumerate(ways):
        name = HouseholdId(f"h-{number}")
        household = Household(name, Position(*way.home), None, "EPSG:4326")
        device = Device(DeviceId(way.child), KIND, "16201", 0, household, frozenset({"store"}))
        for counter, fix in enumerate(way.fixes):
            values = _Values(lat=fix.lat, lon=fix.lon, accuracy_m=fix.accuracy_m, battery_pct=80.0)
            digest = blake2b(f"{number} {counter}".encode(), digest_size=8).digest()
            late = fix.at + 2 * SECOND
            found.append(Reading(device, values, fix.at, fix.at, counter, digest, late, False))
    return sorted(found, key=lambda reading: reading.received_at)


def best(do: Callable[[], object], uplinks: int) -> float:
    """Microseconds an uplink of the fastest round."""
    rounds = []
    for _ in range(ROUNDS):
        gc.collect()
        begun = process_time()
        do()
        rounds.append(process_time() - begun)
    return min(rounds) / uplinks * 1e6


class Lane:
    """One rule set, compiled: its zones are laid out once, whoever lives there."""

    def __init__(self, policy: Policy, readings: Sequence[Reading]) -> None:
        self._policy = policy
        self._shelters = Shelters(policy)
        for household in {reading.device.household for reading in readings}:
            self._shelters.of(household)

    def mask(self) -> Mask:
        """One that heard of nobody yet."""
        mask = Mask(self._policy, MemoryKeys(), {KIND: None})
        mask._children._all.shelters = self._shelters  # noqa: SLF001 - what all share is not a child's
        return mask


def mask_all(lane: Lane, readings: Sequence[Reading]) -> list[Observation]:
    """The rows of all readings, by a fresh mask."""
    apply = lane.mask().apply
    rows: list[Observation] = []
    for reading in readings:
        verdict = apply(reading)
        if isinstance(verdict, Turn):
            rows += (row for _, row in verdict.kept)
        elif isinstance(verdict, list):
            rows += verdict
    return rows


def bytes_per_child(lane: Lane, readings: Sequence[Reading], children: int) -> list[int]:
    """What a mask holds of a child at each full hour, from one o'clock on."""
    mask_all(lane, readings)  # which cells a zone hides is remembered for all
    gc.collect()
    tracemalloc.start()
    mask = lane.mask()
    held, hour = [], BEGIN + HOUR
    for reading in map(_anew, readings):
        if reading.received_at >= hour:
            hour += HOUR
            gc.collect()
            held.append(round(tracemalloc.get_traced_memory()[0] / children))
        mask.apply(reading)
    tracemalloc.stop()
    return held


def _anew(reading: Reading) -> Reading:
    """The same, with numbers of its own: what the mask keeps of them is the mask's."""
    values = reading.values
    lat, lon = (None if one is None else one * 1.0 for one in (values.lat, values.lon))
    at, now = reading.observed_at + 0, reading.received_at + 0
    said = _Values(lat=lat, lon=lon, accuracy_m=values.accuracy_m, battery_pct=values.battery_pct)
    return Reading(reading.device, said, at, at, reading.counter, reading.digest, now, False)


def decoding(readings: Sequence[Reading]) -> float:
    """Microseconds to decode a payload in JSON."""
    kind = catalog()[KIND]
    payloads = [
        (to_json(_Values(t=to_datetime(r.observed_at), seq=r.counter, lat=r.values.lat, lon=r.values.lon,
                         accuracy_m=r.values.accuracy_m, battery_pct=80.0)), r.device)
        for r in readings
    ]  # fmt: skip
    decode = json_decoder(kind)
    return best(lambda: [decode(payload, device) for payload, device in payloads], len(payloads))


def committing(rows: Sequence[Observation]) -> float:
    """Microseconds to put a row on disk, in batches."""
    rounds = []
    for _ in range(ROUNDS):
        with TemporaryDirectory() as folder:
            (Path(folder) / "personal").mkdir()
            store = SqliteStore(Path(folder) / "city.db", Path(folder) / "personal", Facts())
            begun = process_time()
            for start in range(0, len(rows), _BATCH):
                outcome = Outcome()
                for number, row in enumerate(rows[start : start + _BATCH]):
                    group = outcome.rows.setdefault((row.period, row.kind), Rows())
                    group.uplinks.append(number)
                    group.observations.append(row)
                store.write(outcome)
            rounds.append(process_time() - begun)
    return min(rounds) / len(rows) * 1e6


def main() -> int:
    """Print the figures; 1 where a limit is passed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--children", type=int, default=200)
    options.add_argument("--json", action="store_true")
    wish = options.parse_args()
    ways = ways_of(town("district"), 7, wish.children, BEGIN, 1, 60.0, lambda _: None)
    readings = readings_of(ways)
    timed = readings_of(ways[:_TIMED])
    awake = [r for r in timed if 7 * HOUR <= r.received_at - BEGIN < 9 * HOUR]
    said: dict[str, Any] = {"children": wish.children, "uplinks": len(readings)}
    for name in ("toyama-zone", "legacy-50m"):
        lane = Lane(policy_of(RULES / f"{name}.yaml", ways), readings)
        held = bytes_per_child(lane, readings, wish.children)
        said[name] = {
            "day_us": round(best(lambda one=lane: mask_all(one, timed), len(timed)), 2),  # type: ignore[misc]
            "morning_us": round(best(lambda one=lane: mask_all(one, awake), len(awake)), 2),  # type: ignore[misc]
            "bytes_at_rest": held[_AT_REST_H - 1],
            "bytes": round(sum(held) / len(held)),
            "most_bytes": max(held),
        }
    said["decode_us"] = round(decoding(timed), 2)
    said["commit_us"] = round(committing(mask_all(lane, timed)), 2)
    if wish.json:
        print(json.dumps(said))
    else:
        _print(said)
    zones = said["toyama-zone"]
    return (
        0
        if max(zones["day_us"], zones["morning_us"]) <= LIMIT_US
        and zones["bytes_at_rest"] <= LIMIT_BYTES
        else 1
    )


def _print(said: dict[str, Any]) -> None:
    print(f"{said['uplinks']:,} uplinks of {said['children']} children, one day")
    print(f"{'':14} µs/uplink  07 to 09 h   bytes/child at rest  in the day  at most")
    for name in ("toyama-zone", "legacy-50m"):
        one = said[name]
        print(
            f"{name:14} {one['day_us']:9.2f} {one['morning_us']:11.2f} {one['bytes_at_rest']:21,} {one['bytes']:11,} "
            f"{one['most_bytes']:8,}"
        )
    print(
        f"beside them: decoding JSON {said['decode_us']:.2f} µs an uplink, committing {said['commit_us']:.2f} µs a row"
    )
    print(f"limits of toyama-zone: {LIMIT_US:g} µs, {LIMIT_BYTES:,} bytes at rest")


if __name__ == "__main__":
    raise SystemExit(main())
