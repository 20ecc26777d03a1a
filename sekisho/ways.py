"""Ways to try rule sets on, of one child or of many: recorded files, or the ledger of a simulated fleet."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from gateway.model.errors import Refusal
from gateway.model.instant import MINUTE, Instant, parse_rfc3339
from gateway.privacy.distance import HIGHEST_LATITUDE
from gateway.transports.replay.track_file import read_track
from sekisho.csv_file import read_table
from simulators.ledger import read_ledger

GAP: Instant = 30 * MINUTE
"""After so long without a fix, another trip begins; the mask begins closed then, too."""
_WORST_ACCURACY_M = 10_000
"""As far as a child_tracker says it."""
_LEDGER = b'{"sekisho_ledger":'


class Fix(NamedTuple):
    """One report of a tracker.

    Attributes:
        at: µs.
        lat, lon: WGS 84 degrees; None without a fix.
        accuracy_m: as the receiver says, None where it does not.
        trip: the number of the way that it belongs to, None where the child stays somewhere.
    """

    at: Instant
    lat: float | None
    lon: float | None
    accuracy_m: float | None
    trip: int | None


class Way(NamedTuple):
    """What one child's tracker reports.

    Attributes:
        child: a name for it.
        home: WGS 84 degrees of what is to stay hidden.
        fixes: in order of time.
    """

    child: str
    home: tuple[float, float]
    fixes: Sequence[Fix]

    def __repr__(self) -> str:
        return "<way>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("exact positions are never serialised")


def read_ways(
    files: Iterable[Path],
    home: tuple[float, float] | None,
    homes: Mapping[str, tuple[float, float]],
) -> list[Way]:
    """The ways of all files; a child that is in several of them goes on from one to the next.

    Args:
        files: GPX or NMEA, one child each, named as the file is; CSV; or a ledger of `sekisho simulate`.
        home: of every child, if they share one.
        homes: of each child by its name.

    Raises:
        Refusal: a file cannot be used, or nobody said where a child lives.
    """
    found: dict[str, list[Fix]] = defaultdict(list)
    known = dict(homes)
    for file in files:
        if file.suffix.lower() == ".csv":
            part: Mapping[str, list[Fix]] = _csv(file)
        elif _begins_as_a_ledger(file):
            part = _ledger(file, known)
        else:
            points = read_track(file).points
            part = {file.name.partition(".")[0]: [Fix(p.at, p.lat, p.lon, None, 0) for p in points]}
        for child, fixes in part.items():
            found[child] += fixes
    if home is not None:
        known = dict.fromkeys(found, home)
    for child in found:
        if child not in known:
            raise Refusal(
                f"Nobody said where {child} lives. Name it by --home LAT,LON, or in --homes FILE.csv (device,lat,lon).",
                exit_code=2,
            )
    return [
        Way(child, known[child], _in_trips(sorted(fixes, key=lambda fix: fix.at)))
        for child, fixes in sorted(found.items())
    ]


def read_homes(path: Path) -> dict[str, tuple[float, float]]:
    """Where each child lives, from a CSV of device, lat, lon.

    Raises:
        Refusal: it cannot be used; names file and line, and no value.
    """
    found: dict[str, tuple[float, float]] = {}
    for line, row in read_table(path, ("device", "lat", "lon"), (), unused=False):
        if row["device"] in found:
            raise Refusal(f"{path}:{line} its child stands here twice.", exit_code=2)
        found[row["device"]] = _degrees(path, line, row, "lat"), _degrees(path, line, row, "lon")
    return found


def _csv(path: Path) -> dict[str, list[Fix]]:
    found: dict[str, list[Fix]] = defaultdict(list)
    for line, row in read_table(
        path, ("time", "lat", "lon"), ("device", "accuracy_m"), unused=True
    ):
        try:
            at = parse_rfc3339(row["time"])
        except ValueError:
            raise Refusal(
                f"{path}:{line} a time with its offset, as 2026-05-12T07:00:00+09:00, is needed.",
                exit_code=2,
            ) from None
        accuracy = _accuracy(path, line, row)
        lat = lon = None
        if row["lat"] or row["lon"]:  # else it reported without a fix
            lat, lon = (_degrees(path, line, row, name) for name in ("lat", "lon"))
        found[row.get("device") or path.name.partition(".")[0]].append(Fix(at, lat, lon, accuracy, 0))  # fmt: skip
    if not found:
        raise Refusal(f"{path} holds no fix.", exit_code=2)
    return found


def _degrees(path: Path, line: int, row: Mapping[str, str], name: str) -> float:
    try:
        value = float(row[name])
    except ValueError:
        value = float("nan")
    if not abs(value) <= (HIGHEST_LATITUDE if name == "lat" else 180.0):
        raise Refusal(f"{path}:{line} {name} is no number of degrees.", exit_code=2)
    return value


def _accuracy(path: Path, line: int, row: Mapping[str, str]) -> float | None:
    said = row.get("accuracy_m")
    if not said:
        return None
    try:
        value = float(said)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= _WORST_ACCURACY_M:
        raise Refusal(
            f"{path}:{line} accuracy_m is a number of metres from 0 to {_WORST_ACCURACY_M}; leave it empty where "
            "nobody knows it.",
            exit_code=2,
        )
    return value


def _begins_as_a_ledger(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_LEDGER)) == _LEDGER
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}.", exit_code=2) from None


def _ledger(path: Path, known: dict[str, tuple[float, float]]) -> dict[str, list[Fix]]:
    """What children of a simulated fleet truly sent, harm left out; their homes are added to `known`."""
    found: dict[str, list[Fix]] = {}
    for line in read_ledger(path):
        if line.get("kind") != "child_tracker":
            continue
        if "roster" in line and line["home"] is not None:
            found[line["roster"]] = []
            known.setdefault(line["roster"], tuple(line["home"]))
        elif line.get("device") in found and line["harm"] is None:
            found[line["device"]].append(_reported(line))
    if not any(found.values()):
        raise Refusal(f"{path} holds no fix of a child whose home is known.", exit_code=2)
    return found


def _reported(line: Mapping[str, Any]) -> Fix:
    values = line["values"]
    on_the_way = line["truth"]["place"] == "walk"
    place = values.get("lat"), values.get("lon"), values.get("accuracy_m")
    return Fix(line["t"], *place, 0 if on_the_way else None)


def _in_trips(fixes: Sequence[Fix]) -> list[Fix]:
    """Number the trips: another one begins behind a stay, and behind a gap."""
    trip = 0
    numbered: list[Fix] = []
    for before, fix in pairwise([None, *fixes]):
        assert fix is not None
        if before is not None and (
            fix.at - before.at > GAP or (fix.trip is None) != (before.trip is None)
        ):
            trip += 1
        numbered.append(fix._replace(trip=None if fix.trip is None else trip))
    return numbered
