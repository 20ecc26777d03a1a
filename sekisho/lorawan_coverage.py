"""`sekisho lorawan coverage`: how many forwarders a city needs, before any is bought."""

import json as json_format
import sys
from math import nan
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.model.errors import Refusal
from gateway.model.instant import SECOND
from sekisho import coverage_table, place, screen
from sekisho.bar import Bar
from sekisho.journey import length
from sekisho.lorawan_lawful import require_lawful, simulated
from sekisho.place import Json
from simulators.lorawan.coverage import Covered, Wish, cover
from simulators.lorawan.square import CENTRE, HABITABLE_KM2, degrees
from simulators.lorawan.talker import RATES
from simulators.lorawan.tuning import slowest
from simulators.streets import Point

_TOYAMA = "98,48,24,12,6,3,1"
_MOST_FORWARDERS = 2000
_FARTHEST_LAT, _HALF_ROUND = 85, 180


def coverage(
    *,
    forwarders: Annotated[
        str, typer.Option(metavar="N,N,…", help="Numbers of forwarders, a column each.")
    ] = _TOYAMA,
    nodes: Annotated[int, typer.Option(min=1, max=100_000)] = 2000,
    area: Annotated[
        float, typer.Option(metavar="KM2", min=0.1, max=100_000, help="Land to be covered.")
    ] = HABITABLE_KM2,
    every: Annotated[
        str, typer.Option(metavar="TIME", help="Between two uplinks of a node, ± 5 %.")
    ] = "10min",
    size: Annotated[int, typer.Option(metavar="BYTES", min=0, max=222, help="Of payload.")] = 12,
    at_full: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of nodes that report when the clock strikes, as cron jobs do."
        ),
    ] = 0.1,
    confirmed: Annotated[
        float, typer.Option(min=0, max=1, help="Share of uplinks that are acknowledged.")
    ] = 0.2,
    rates: Annotated[
        str,
        typer.Option(
            help="adr: what a node's best forwarder hears with 10 dB to spare; adr+power: and power saved "
            "then; join: the data rate at which nodes join."
        ),
    ] = "adr",
    eirp: Annotated[
        float | None,
        typer.Option(
            metavar="DBM", show_default=False, help="Of the nodes. Default: as much as may be."
        ),
    ] = None,
    duration: Annotated[str, typer.Option("--for", metavar="TIME", help="Simulated time.")] = "2h",
    region: Annotated[str, typer.Option("--region", "-r", metavar="REGION")] = "AS923-1",
    seed: Annotated[int, typer.Option(help="Same seed, same figures.")] = 7,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Nodes and forwarders of the first column as GeoJSON, for a map."
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="LAT,LON",
            show_default=False,
            help="The middle of the map of --out, as 35.68,139.76. Default: the middle of Toyama's plain.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --out.")] = False,
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Simulate nodes and forwarders on a plain the size of Toyama's, and show what is heard and what is lost.

    No gateway takes part, no time passes, and nobody in it is real. Beside it stands what was measured elsewhere.

    \b
    sekisho lorawan coverage                                        a Toyama
    sekisho lorawan coverage --area 35 --nodes 400 --every 15min --forwarders 8,4,2
                                                                    your town: its land, devices and pause
    sekisho lorawan coverage --area 35 --nodes 400 --forwarders 8 --at 35.68,139.76 --out map.geojson
    """  # noqa: D301 - \b keeps the lines of the examples apart
    centre = _centre(at, out)
    place.refuse_to_replace("--out", out, force=force)
    plan = simulated(region)
    every_s, for_s = (
        length(option, text) / SECOND for option, text in (("--every", every), ("--for", duration))
    )
    if for_s < every_s:
        raise Refusal(
            f"--for {duration}: shorter than --every {every}, so some would say nothing. Let it last longer.",
            2,
        )
    if rates not in RATES:
        raise Refusal(f"--rates {rates}: there are {', '.join(RATES)}.", 2)
    fastest = max(channel.high for channel in plan.channels)
    usable = [slowest(plan)] if rates == "join" else list(range(slowest(plan), fastest + 1))
    power = plan.max_eirp_dbm if eirp is None else eirp
    require_lawful(plan, usable, size, every_s, "--every", power)
    wish = Wish(plan, nodes, seed, size, every_s, for_s, area, at_full, confirmed, rates, power)
    found = _run(wish, _numbers(forwarders), quiet=quiet or json)
    if out is not None:
        _write(out, wish, found[0], centre)
    if json:
        screen.document(coverage_table.document(wish, found))
    else:
        coverage_table.show(wish, found)


def _centre(at: str | None, out: Path | None) -> tuple[float, float]:
    """Latitude and longitude of the map's middle."""
    if at is None:
        return CENTRE
    if out is None:
        raise Refusal(
            f"--at {at}: says where the map of --out lies, and there is none. Add --out FILE.", 2
        )
    try:
        lat, lon = map(float, at.split(","))
    except ValueError:
        lat = lon = nan
    if not (abs(lat) <= _FARTHEST_LAT and abs(lon) <= _HALF_ROUND):
        raise Refusal(
            f"--at {at}: latitude and longitude in degrees are needed, as 35.68,139.76; latitude from -{_FARTHEST_LAT} to {_FARTHEST_LAT}.",
            2,
        )
    return lat, lon


def _numbers(text: str) -> list[int]:
    numbers = [int(part) if part.strip().isdecimal() else 0 for part in text.split(",")]
    if not all(1 <= number <= _MOST_FORWARDERS for number in numbers):
        raise Refusal(
            f"--forwarders {text}: numbers from 1 to {_MOST_FORWARDERS:,} with commas between are needed, as 98,24,6.",
            2,
        )
    return numbers


def _run(wish: Wish, numbers: list[int], *, quiet: bool) -> list[Covered]:
    found = []
    with Bar(sys.stderr, quiet=quiet) as bar:
        for done, number in enumerate(numbers):

            def watch(share: float, done: int = done, number: int = number) -> None:
                said = screen.count(number, "forwarder")
                bar.move(done + share, len(numbers), said, f"{share:.0%}")

            found.append(cover(wish, number, watch))
    return found


def _write(out: Path, wish: Wish, told: Covered, centre: tuple[float, float]) -> None:
    """A GeoJSON file of the first column."""
    features = [
        _feature(wish, spot, {"forwarder": name}, centre)
        for name, spot in sorted(told.antennas.items())
    ]
    features += [
        _feature(
            wish,
            one.site.place,
            {
                "node": one.site.name,
                "stands": one.site.stand.value,
                "rate": str(wish.plan.data_rates[one.dr]),
                "uplinks": one.sent,
                "lost": one.sent - one.heard,
                "heard_by": round(one.receptions / max(1, one.heard), 2),
            },
            centre,
        )
        for one in told.talkers
    ]
    whole = {"type": "FeatureCollection", "fictional": True, "features": features}
    try:
        out.write_text(json_format.dumps(whole), encoding="utf-8")
    except OSError as error:
        raise Refusal(f"--out {out} cannot be written ({error.strerror}).") from error


def _feature(wish: Wish, spot: Point, said: dict[str, Any], centre: tuple[float, float]) -> dict[str, Any]:  # fmt: skip
    lat, lon = degrees(spot, wish.area_km2, centre)
    where = {"type": "Point", "coordinates": [round(lon, 5), round(lat, 5)]}
    return {"type": "Feature", "geometry": where, "properties": said}
