"""A ledger of simulated nodes, read: what was said, who heard it, what became of it on its way, what was answered."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Uplink = tuple[str, int]
"""Device, counter."""

UNDELIVERED = ("lost in the backhaul", "not acknowledged", "no line", "not listened to")
"""What a hearing comes to that the gateway was not told of, or not for certain."""

LATE = "late"
_GRACE_US = 1_500_000
"""So long before it is killed a gateway may have been told of what it has not written down (window and batch)."""


@dataclass(slots=True)
class Chronicle:
    """Everything of one ledger.

    Attributes:
        start_us: town time of its beginning.
        outages: whether backhauls went away on purpose.
        over_udp: whether its forwarders are no stations.
        nodes: device → kind.
        heard: uplinks that a forwarder heard → field → value.
        lost: uplinks that none heard.
        frames: number → line; joins and data.
        of: uplink → numbers of its frames that were heard.
        handed: (number, forwarder) → what became of the hearing, where that was not as usual.
        downlinks: number of a frame → downlinks that answer it.
        over: uplink → how it ended.
        joined: device → requests that it took.
        away: spans without the gateway, as each forwarder found them.
    """

    start_us: int = 0
    over_udp: bool = True
    outages: bool = False
    nodes: dict[str, str] = field(default_factory=dict)
    heard: dict[Uplink, Mapping[str, Any]] = field(default_factory=dict)
    lost: set[Uplink] = field(default_factory=set)
    frames: dict[int, dict[str, Any]] = field(default_factory=dict)
    of: defaultdict[Uplink, list[int]] = field(default_factory=lambda: defaultdict(list))
    handed: dict[tuple[int, str], str] = field(default_factory=dict)
    downlinks: defaultdict[int | None, list[dict[str, Any]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    over: dict[Uplink, dict[str, Any]] = field(default_factory=dict)
    joined: dict[str, int] = field(default_factory=dict)
    away: list[tuple[int, int]] = field(default_factory=list)

    def hearings(self, number: int) -> list[str]:
        """What became of each hearing of a frame on its way: "" as usual; an antenna each."""
        frame = self.frames[number]
        twice = frame.get("twice", ())
        return [
            self.handed.get((number, name), "")
            for name in frame["heard_by"]
            for _ in range(1 + (name in twice))
        ]

    def arrived(self, number: int) -> bool:
        """Whether the gateway was told of a frame for certain."""
        return any(fate not in UNDELIVERED for fate in self.hearings(number))

    def broken(self) -> Counter[str]:
        """Wrong CRCs that forwarders told of, by what became of them on their way: "" as usual; stations tell of none."""
        return Counter(
            self.handed.get((number, name), "")
            for number, frame in self.frames.items()
            for name in frame.get("broken_at", ())
            if self.over_udp
        )

    def absences(self) -> list[tuple[int, int]]:
        """When the gateway was not there, or was about to go, µs since the beginning.

        It begins with the last answer that any forwarder had.
        """
        found: list[tuple[int, int]] = []
        for begin, end in sorted(self.away):
            if found and begin < found[-1][1]:
                before, until = found.pop()
                found.append((max(before, begin), max(until, end)))
            else:
                found.append((begin, end))
        return [(begin - _GRACE_US, end) for begin, end in found]


def read(lines: Iterable[dict[str, Any]]) -> Chronicle:
    """Of all lines of a ledger."""
    made = Chronicle()
    for line in lines:
        if "sekisho_ledger" in line:
            made.start_us = line["start_us"]
            made.outages = "outage" in line.get("faults", {})
            made.over_udp = line["lorawan"].get("over") != "station"
        elif "roster" in line:
            made.nodes[line["roster"]] = line["kind"]
        else:
            _take(made, line)
    for number, frame in made.frames.items():
        if frame["sort"] == "data" and frame["fate"] == "heard":
            made.of[frame["device"], frame["f_cnt"]].append(number)
    return made


def _take(made: Chronicle, line: dict[str, Any]) -> None:
    if "n" in line:
        made.heard[line["device"], line["seq"]] = line["values"]
    elif "lost" in line:
        made.lost.add((line["lost"], line["seq"]))
    elif "handed" in line:
        made.handed[line["frame"], line["handed"]] = line["fate"]
    elif "frame" in line:
        made.frames[line["frame"]] = line
    elif "downlink" in line:
        made.downlinks[line["answers"]].append(line)
    elif "over" in line:
        made.over[line["over"], line["f_cnt"]] = line
    elif "joined" in line:
        made.joined[line["joined"]] = line["tries"]
    elif "away" in line:
        made.away.append((line["from"], line["until"]))


def counters_reused(made: Chronicle) -> list[tuple[str, int]]:
    """Sessions and downlink counters that two different frames had."""
    seen: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for line in (line for lines in made.downlinks.values() for line in lines):
        if line["sort"] == "data":
            seen[line["session"], line["f_cnt"]].add(line["mic"])
    return [key for key, mics in seen.items() if len(mics) > 1]


def told_of(made: Chronicle) -> Counter[str]:
    """Hearings of all frames by what became of them on their way: "" as usual."""
    return Counter(
        fate
        for number, frame in made.frames.items()
        if frame["fate"] == "heard"
        for fate in made.hearings(number)
    )
