"""A town of LoRaWAN nodes and forwarders, and the judge of what became of their uplinks."""

import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from gateway.clock import SystemClock
from gateway.model.instant import to_datetime
from sekisho import certificate
from sekisho.air_settings import settings
from simulators.ledger import read_ledger
from simulators.lorawan.meters import KINDS
from tests.e2e.processes import sekisho
from tests.e2e.town import Town

SEED = 7
REGION = "AS923-1"

Uplink = tuple[str, int]
"""Device, counter."""


def air_town(folder: Path, nodes: int, forwarders: int, port: int = 0, over: str = "udp") -> Town:
    """A town whose gateway knows these nodes and listens for these forwarders."""
    town = Town(folder)
    _, _, mine = settings(SEED, forwarders, REGION, over).partition("doors:\n")
    town.more_doors = mine.replace("port: 1700", f"port: {port}").replace(
        "port: 8888", f"port: {port}"
    )
    town.set_door(0)
    (folder / "tls").mkdir()
    certificate.issue(folder / "tls", ["localhost"], to_datetime(SystemClock().now()))
    known = ("--register", str(town.state.path), "--keys", f"{folder}/keys", "--seed", str(SEED))
    code, _, err = sekisho(folder, "simulate", "--lorawan", str(nodes), "--over", over, *known)
    assert code == 0, err
    return town


def words(town: Town, ledger: Path, **options: str) -> list[str]:
    """`sekisho simulate` for this town; options as `report_every="8"`."""
    said = {"seed": str(SEED), "keys": f"{town.folder}/keys", "ledger": f"{ledger}", **options}
    state = str(town.state.path)
    return [
        *("simulate", "--register", state, "--follow", state, "--json"),
        *(word for name, value in said.items() for word in (f"--{name.replace('_', '-')}", value)),
    ]


class Told(NamedTuple):
    """A ledger, read.

    Attributes:
        heard: uplinks that a forwarder heard → their values.
        lost: those that none heard.
        frames: every uplink frame by its number.
        downlinks: of each frame's number, those that forwarders were asked for.
        over: (device, counter) → how an uplink of data ended.
        joined: devices.
        handed: forwarder and frame → why the gateway did not get it as it should.
        away: when forwarders found that the gateway was not there, µs since the beginning.
    """

    heard: dict[Uplink, dict[str, Any]]
    lost: set[Uplink]
    frames: dict[int, dict[str, Any]]
    downlinks: dict[int, list[dict[str, Any]]]
    over: dict[Uplink, dict[str, Any]]
    joined: set[str]
    handed: dict[tuple[str, int], str]
    away: list[tuple[int, int]]

    @property
    def hearings(self) -> int:
        return sum(len(frame.get("heard_by", ())) for frame in self.frames.values())


def read(path: Path) -> Told:
    """What a ledger says."""
    told = Told({}, set(), {}, defaultdict(list), {}, set(), {}, [])
    for line in read_ledger(path):
        if "n" in line:
            told.heard[line["device"], line["seq"]] = line
        elif "lost" in line:
            told.lost.add((line["lost"], line["seq"]))
        elif "handed" in line:
            told.handed[line["handed"], line["frame"]] = line["fate"]
        elif "away" in line:
            told.away.append((line["from"], line["until"]))
        elif "frame" in line:
            told.frames[line["frame"]] = line
        elif "downlink" in line:
            told.downlinks[line["answers"]].append(line)
        elif "over" in line:
            told.over[line["over"], line["f_cnt"]] = line
        elif "joined" in line:
            told.joined.add(line["joined"])
    return told


def stored(town: Town) -> dict[Uplink, list[dict[str, Any]]]:
    """Device and counter → rows."""
    found: defaultdict[Uplink, list[dict[str, Any]]] = defaultdict(list)
    with closing(sqlite3.connect(f"file:{town.state.city_db}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        for kind in KINDS:
            for row in db.execute(f"SELECT * FROM {kind}"):  # noqa: S608
                found[row["device"], row["counter"]].append(dict(row))
    return found


def unexplained_uplinks(told: Told, town: Town) -> list[str]:
    """Heard and not stored exactly once with its values, stored and not heard; each in words."""
    rows = stored(town)
    faults = [f"{key} stored and never heard" for key in rows.keys() - told.heard.keys()]
    for key, line in told.heard.items():
        found = rows.get(key, [])
        if len(found) != 1:
            faults.append(f"{key} stored {len(found)} times")
        elif wrong := _differ(line["values"], found[0]):
            faults.append(f"{key} stored otherwise: {wrong}")
    faults += [f"{key} has no end" for key in told.heard.keys() - told.over.keys()]
    return faults


def _differ(values: dict[str, Any], row: dict[str, Any]) -> list[str]:
    return [
        name
        for name, value in values.items()
        if name in row and row[name] != value and abs(row[name] - value) > 1e-9
    ]


def acknowledged_share(told: Told) -> float:
    """Of the confirmed uplinks that were heard, how many were acknowledged."""
    heard = [end for end in told.over.values() if end["confirmed"] and end["heard"]]
    return sum(end["acked"] is not None for end in heard) / len(heard)


def counters_reused(told: Told) -> list[tuple[str, int]]:
    """Sessions and downlink counters that two different frames had."""
    seen: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for line in (line for lines in told.downlinks.values() for line in lines):
        if line["sort"] == "data":
            seen[line["session"], line["f_cnt"]].add(line["mic"])
    return [key for key, mics in seen.items() if len(mics) > 1]


def fewest_uplinks(told: Told) -> int:
    """Of any node that joined."""
    sent = Counter(device for device, _ in told.over)
    return min(sent[device] for device in told.joined)


def joins_after_the_first(told: Told) -> list[int]:
    """Join-requests of devices that had spoken before."""
    spoken: set[str] = set()
    again = []
    for number, frame in sorted(told.frames.items()):
        if frame["sort"] == "data":
            spoken.add(frame["device"])
        elif frame["device"] in spoken:
            again.append(number)
    return again
