"""Holds a ledger of simulated nodes against a gateway: every uplink, copy, acknowledgement and downlink counter."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.devices.catalog import catalog
from gateway.lorawan.refusals import Refused
from gateway.model.instant import SECOND
from gateway.statedir import StateDir
from sekisho import air_answers
from sekisho.air_answers import TOO_LATE, WITH_THE_GATEWAY
from simulators.ledger import read_ledger
from simulators.lorawan.chronicle import (
    LATE,
    UNDELIVERED,
    Chronicle,
    Uplink,
    counters_reused,
    read,
    told_of,
)

STORED = "stored"
_ROUNDING = 1e-9
_BEFORE_US = 5 * SECOND


@dataclass(slots=True)
class AirReconciliation:
    """What a ledger says beside what a gateway stored and counted.

    Attributes:
        nodes, joined, requests: so many; join-requests that were sent until everybody had joined.
        uplinks: what became of those that a forwarder heard.
        unheard: uplinks that no forwarder heard.
        copies: hearings of all frames: "frames", "merged", "late copies", and what was lost on the way.
        broken: collided frames that forwarders told of with a wrong CRC.
        confirmed: what became of confirmed uplinks that the gateway was told of.
        answers: what became of their frames, try by try.
        counters: downlinks of data that forwarders were asked for.
        gone: how often the gateway went away.
        asked: whether it could be asked.
        faults: what nothing explains, in words.
    """

    nodes: int = 0
    joined: int = 0
    requests: int = 0
    uplinks: Counter[str] = field(default_factory=Counter)
    unheard: int = 0
    copies: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    confirmed: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    counters: int = 0
    gone: int = 0
    asked: bool = False
    faults: list[str] = field(default_factory=list)

    @property
    def unexplained(self) -> int:
        return len(self.faults)


def reconcile(ledger: Path, radio: Mapping[str, Any] | None, state: StateDir) -> AirReconciliation:
    """Judge a whole ledger.

    Args:
        radio: what the gateway says of its network (`{"ask": "radio"}`); None where none runs.
        state: the directory whose rows are compared, plain (SIM).
    """
    told = read(read_ledger(ledger))
    found = AirReconciliation(len(told.nodes), len(told.joined), unheard=len(told.lost))
    found.requests = sum(frame["sort"] == "join" for frame in told.frames.values())
    found.gone = len(told.absences())
    found.asked = radio is not None
    found.counters = sum(
        line["sort"] == "data" for lines in told.downlinks.values() for line in lines
    )
    found.faults += [
        f"{device} joined and spoke, and asked to join again" for device in _again(told)
    ]
    found.faults += [
        f"downlink counter {counter} of session {session} had two frames"
        for session, counter in counters_reused(told)
    ]
    _uplinks(found, told, _rows(state, told))
    _copies(found, told, radio)
    found.confirmed, found.answers, faults = air_answers.judged(told, radio)
    found.faults += faults
    return found


def _again(told: Chronicle) -> list[str]:
    """Devices that asked to join when they had spoken already."""
    spoken: set[str] = set()
    again = set()
    for _, frame in sorted(told.frames.items()):
        if frame["sort"] == "data":
            spoken.add(frame["device"])
        elif frame["device"] in spoken:
            again.add(frame["device"])
    return sorted(again)


def _rows(state: StateDir, told: Chronicle) -> dict[Uplink, list[dict[str, Any]]]:
    """Device and counter → rows that were observed since the ledger began."""
    found: defaultdict[Uplink, list[dict[str, Any]]] = defaultdict(list)
    with closing(sqlite3.connect(f"file:{state.city_db}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        for kind in sorted(set(told.nodes.values()) & catalog().keys()):
            if not db.execute(f"PRAGMA table_info({kind})").fetchone():
                continue
            since = told.start_us - _BEFORE_US
            for row in db.execute(f"SELECT * FROM {kind} WHERE observed_at >= ?", (since,)):  # noqa: S608
                if row["device"] in told.nodes:
                    found[row["device"], row["counter"]].append(dict(row))
    return found


def _uplinks(found: AirReconciliation, told: Chronicle, rows: Mapping[Uplink, list[dict[str, Any]]]) -> None:  # fmt: skip
    """Each is stored once as it was sent, or the ledger knows why not."""
    absences = told.absences()
    for key in rows.keys() - told.heard.keys():
        found.faults.append(f"{key[0]} {key[1]}: stored, and no forwarder heard it")
    for key, values in told.heard.items():
        stored = rows.get(key, [])
        if len(stored) > 1:
            found.faults.append(f"{key[0]} {key[1]}: stored {len(stored)} times")
        elif stored and (wrong := _differing(values, stored[0])):
            found.faults.append(f"{key[0]} {key[1]}: stored with another {', '.join(wrong)}")
        elif stored:
            found.uplinks[STORED] += 1
        elif fate := _missing(told, key, absences, rows):
            found.uplinks[fate] += 1
        else:
            found.faults.append(f"{key[0]} {key[1]}: heard, and not stored")


def _missing(told: Chronicle, key: Uplink, absences: list[tuple[int, int]], rows: Mapping[Uplink, Any]) -> str:  # fmt: skip
    """Why an uplink that was heard has no row; "" where nothing explains it."""
    numbers = told.of[key]
    fates = [fate for number in numbers for fate in told.hearings(number)]
    if all(fate in UNDELIVERED for fate in fates):
        return Counter(fates).most_common(1)[0][0]
    ends = [told.frames[number]["at"] for number in numbers if told.arrived(number)]
    if all(any(begin <= end <= over for begin, over in absences) for end in ends):
        return WITH_THE_GATEWAY
    newer = any(device == key[0] and counter > key[1] for device, counter in rows)
    if newer and all(fate == LATE or fate in UNDELIVERED for fate in fates):
        return TOO_LATE
    return ""


def _copies(found: AirReconciliation, told: Chronicle, radio: Mapping[str, Any] | None) -> None:
    """Every hearing is a frame's first, merged into one, a late copy, or was lost on the way by name."""
    hearings = told_of(told)
    found.copies.update({fate: n for fate, n in hearings.items() if fate in UNDELIVERED})
    reached = hearings[""] + hearings[LATE]
    frames = sum(
        frame["fate"] == "heard" and told.arrived(number) for number, frame in told.frames.items()
    )
    late = 0 if radio is None else radio["late"]
    found.copies.update({"frames": frames, "late copies": late, "merged": reached - frames - late})
    broken = told.broken()
    found.broken = broken[""] + broken[LATE]
    if radio is None or radio["since"] > told.start_us:
        return  # it counts since it began
    harmed = sum(roof.get("harmed", 0) for roof in radio["forwarders"])
    if not found.broken <= harmed <= broken.total():
        found.faults.append(
            f"{found.broken:,} frames arrived with a wrong CRC, and the gateway counts {harmed:,}"
        )
    if not reached - hearings[LATE] <= radio["receptions"] + late <= reached:
        found.faults.append(
            f"{reached:,} hearings were handed over, and the gateway counts {radio['receptions'] + late:,}"
        )
    refused = Counter(radio["refused"])
    for why in (Refused.REPLAYED.value, Refused.NONCE_REUSED.value):
        refused[why] -= hearings[LATE]
    found.faults += [f"{n:,} frames refused: {why}" for why, n in (+refused).items()]


def _differing(values: Mapping[str, Any], row: Mapping[str, Any]) -> list[str]:
    return [
        name
        for name, value in values.items()
        if name in row and row[name] != value and abs(row[name] - value) > _ROUNDING
    ]
