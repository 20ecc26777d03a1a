"""What `sekisho lorawan coverage` prints: a column for each number of forwarders, and beside it what others measured."""

from collections.abc import Sequence
from statistics import quantiles
from typing import Any, NamedTuple

from gateway.lorawan.airtime import FRAME, airtime_us
from gateway.lorawan.plan import DataRate
from sekisho import screen
from simulators.lorawan.air import Fate
from simulators.lorawan.book import CHANNEL_BUSY
from simulators.lorawan.coverage import NOT_SENT, Covered, Wish
from simulators.lorawan.square import Stand
from simulators.lorawan.talker import MARGIN_DB


class Measured(NamedTuple):
    """A device of a real network: forwarders per uplink that was heard, per cent that were lost by its counter."""

    receptions: float
    lost: float


MEASURED = (Measured(6.8, 0.6), Measured(1.14, 31.7))
"""From a hilltop, with up to twelve forwarders in the valley, and from where mostly one hears it (CampusIoT, Grenoble)."""

MEASURED_PDR = {"at rest": (0.988, 0.977, 0.907), "car": (0.776,)}
"""Share that one forwarder heard: devices in sight near and far, and out of sight; on a car. The same source."""

MEASURED_MS = (62, 113, 206, 412, 823, 1483)
"""Airtime of twelve bytes at SF7 to SF12."""

_ALIKE = 0.15
_FEW = 20


def document(wish: Wish, found: Sequence[Covered]) -> dict[str, Any]:
    """Every figure, for scripts; shares are 0 to 1, times seconds."""
    return {
        "fictional": True,
        "region": wish.plan.name,
        "seed": wish.seed,
        "nodes": wish.nodes,
        "area_km2": wish.area_km2,
        "size": wish.size,
        "every_s": wish.every_s,
        "for_s": wish.for_s,
        "at_full": wish.at_full,
        "confirmed": wish.confirmed,
        "rates": wish.rates,
        "eirp_dbm": wish.eirp_dbm,
        "runs": [_run(told) for told in found],
        "measured": [
            {"receptions": one.receptions, "lost": one.lost / 100, "beside": _beside(one, found)}
            for one in MEASURED
        ],
        "one_forwarder": _one(found),
    }


def _run(told: Covered) -> dict[str, Any]:
    return {
        "forwarders": len(told.antennas),
        "uplinks": told.uplinks,
        "air_s": round(told.air_us / 1e6, 1),
        "air_share": round(told.air_share, 5),
        "receptions": round(told.mean_receptions, 2),
        "heard_by": {str(n): many for n, many in sorted(told.receptions.items())},
        "lost": round(told.lost_share, 5),
        "fates": dict(told.fates),
        "lost_by_stand": {stand.value: _lost(told, stand) for stand in Stand},
        "lost_at_full": _share(told.full[False], told.full.total()),
        "lost_others": _share(*_others(told)),
        "rates": {f"SF{sf}": n for sf, n in sorted(told.rates.items())},
        "answers": told.answers[True],
        "answers_not_sent": told.answers[False],
    }


def _others(told: Covered) -> tuple[int, int]:
    """Uplinks that were lost, of nodes that keep their own time; and all of theirs."""
    lost = told.uplinks - told.heard - told.full[False]
    return lost, told.uplinks - told.full.total()


def _lost(told: Covered, stand: Stand) -> float | None:
    lost, heard = told.by_stand[stand, False], told.by_stand[stand, True]
    return _share(lost, lost + heard)


def _share(part: int, of: int) -> float | None:
    return round(part / of, 5) if of else None


def _beside(one: Measured, found: Sequence[Covered]) -> dict[str, Any]:
    """What comes nearest to a measured device: the run with about as many receptions, and of the nodes of all runs, each counted
    once in each, those heard as often.
    """
    nearest = min(found, key=lambda told: abs(told.mean_receptions - one.receptions))
    alike = [
        node
        for told in found
        for node in told.talkers
        if node.heard
        and not node.at_full
        and abs(node.receptions / node.heard / one.receptions - 1) <= _ALIKE
    ]
    sent = sum(node.sent for node in alike)
    return {
        "forwarders": len(nearest.antennas),
        "receptions": round(nearest.mean_receptions, 2),
        "lost": round(nearest.lost_share, 5),
        "nodes": len(alike),
        "of": sum(len(told.talkers) for told in found),
        "nodes_lost": _share(sent - sum(node.heard for node in alike), sent),
    }


def _one(found: Sequence[Covered]) -> dict[str, float] | None:
    """Of the run with one forwarder, share heard of nodes with 10 dB to spare: at rest, half of them and nine of ten; on cars."""
    single = next((told for told in found if len(told.antennas) == 1), None)
    if single is None:
        return None
    nodes = [one for one in single.talkers if one.spare_db >= MARGIN_DB and not one.at_full]
    rest = [node.heard / node.sent for node in nodes if node.site.stand is not Stand.CAR]
    cars = [node for node in nodes if node.site.stand is Stand.CAR]
    if len(rest) < _FEW or len(cars) < _FEW:
        return None
    tenths = quantiles(rest, n=10)
    moving = sum(node.heard for node in cars) / sum(node.sent for node in cars)
    return {
        "half": round(tenths[4], 3),
        "nine_of_ten": round(tenths[0], 3),
        "car": round(moving, 3),
    }


def show(wish: Wish, found: Sequence[Covered]) -> None:
    """Print it."""
    full = f", {wish.at_full:.0%} of them when the clock strikes" if wish.at_full else ""
    print(
        f"{screen.count(wish.nodes, 'node')} on {wish.area_km2:g} km², {wish.size} bytes every {wish.every_s:g} s{full}; "
        f"{round(wish.for_s / 3600, 2):g} h, seed {wish.seed}, data rates: {wish.rates}; {wish.plan.name}"
    )
    runs = [_run(told) for told in found]
    screen.table(
        ("forwarders", *(str(run["forwarders"]) for run in runs)),
        [(name, *cells) for name, cells in _rows(runs, found[0].channels)],
    )
    print()
    _compare(found)


def _rows(runs: Sequence[dict[str, Any]], channels: int) -> list[tuple[str, list[Any]]]:
    sfs = sorted({sf for run in runs for sf in run["rates"]}, key=lambda sf: int(sf[2:]))
    named = [fate.value for fate in Fate if fate is not Fate.HEARD] + [CHANNEL_BUSY, NOT_SENT]
    fates = [name for name in named if any(name in run["fates"] for run in runs)]
    rows: list[tuple[str, list[Any]]] = [
        ("uplinks", [run["uplinks"] for run in runs]),
        ("their airtime, s", [run["air_s"] for run in runs]),
        (f"of the time of {channels} channels, %", [_percent(run["air_share"]) for run in runs]),
        ("an uplink that is heard is heard by", [run["receptions"] for run in runs]),
        ("  by one only, %", [_by(run, 1, 1) for run in runs]),
        ("  by two or three, %", [_by(run, 2, 3) for run in runs]),
        ("  by four to seven, %", [_by(run, 4, 7) for run in runs]),
        ("  by eight and more, %", [_by(run, 8, 1 << 16) for run in runs]),
        ("lost, % of all uplinks", [_percent(run["lost"]) for run in runs]),
    ]
    rows += [(f"  {name}, %", [_percent(run["fates"].get(name, 0) / run["uplinks"]) for run in runs]) for name in fates]  # fmt: skip
    rows += [
        ("lost, when the clock strikes, %", [_percent(run["lost_at_full"]) for run in runs]),
        ("lost, at any other time, %", [_percent(run["lost_others"]) for run in runs]),
    ]
    rows += [(f"  lost {stand.value}, %", [_percent(run["lost_by_stand"][stand.value]) for run in runs]) for stand in Stand]  # fmt: skip
    rows += [(f"nodes at {sf}", [run["rates"].get(sf, 0) for run in runs]) for sf in sfs]
    rows.append(("acknowledgements sent", [run["answers"] for run in runs]))
    return rows


def _by(run: dict[str, Any], low: int, high: int) -> float | None:
    heard = sum(run["heard_by"].values())
    some = sum(many for n, many in run["heard_by"].items() if low <= int(n) <= high)
    return _percent(some / heard) if heard else None


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1 if share >= 0.01 else 2)


def _compare(found: Sequence[Covered]) -> None:
    """What was measured in real networks, and what comes nearest to it here."""
    rows: list[tuple[str, str, str]] = []
    for one in MEASURED:
        near = _beside(one, found)
        lost = _percent(near["nodes_lost"])
        which = "nodes" if len(found) == 1 else f"nodes of all {len(found)} columns"
        alike = f"; heard as often {near['nodes']:,} of the {near['of']:,} {which}: {lost} %" if near["nodes"] else ""  # fmt: skip
        rows.append(
            (
                f"a device heard by {one.receptions:g} forwarders",
                f"{one.lost:g} % lost",
                f"{screen.count(near['forwarders'], 'forwarder')}, {near['receptions']:g}: {_percent(near['lost'])} % lost{alike}",
            )
        )
    single = _one(found)
    if single is not None:
        rest = ", ".join(f"{share:.0%}" for share in MEASURED_PDR["at rest"])
        rows += [
            (
                "one forwarder, at rest",
                f"{rest} heard",
                f"with 10 dB to spare, half of the nodes: {single['half']:.0%}, nine of ten: {single['nine_of_ten']:.0%}",
            ),
            (
                "one forwarder, on a car",
                f"{MEASURED_PDR['car'][0]:.0%} heard",
                f"with 10 dB to spare: {single['car']:.0%}",
            ),
        ]
    ours = (airtime_us(FRAME + 12, DataRate(sf, 125_000)) / 1000 for sf in range(7, 13))
    rows.append(
        (
            "twelve bytes, SF7 to SF12",
            f"{', '.join(map(str, MEASURED_MS))} ms",
            ", ".join(f"{ms:.0f}" for ms in ours) + " ms",
        )
    )
    screen.table(("measured elsewhere", "there", "here, what comes nearest"), rows)
