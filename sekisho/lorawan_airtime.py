"""`sekisho lorawan airtime`: time on air, the longest payload, and how many frames of an hour are legal."""

from typing import Annotated, Any

import typer

from gateway.lorawan.airtime import FRAME, airtime_us
from gateway.lorawan.plan import DataRate, Plan
from gateway.lorawan.regions import PLANS
from gateway.lorawan.rules import SubBand
from gateway.model.errors import Refusal
from sekisho import screen
from sekisho.place import Json

_SIZES = (5, 12, 24, 51, 115, 222)
_LONGEST = 255 - FRAME


def airtime(
    size: Annotated[
        int | None,
        typer.Argument(
            metavar="BYTES",
            show_default=False,
            min=0,
            max=_LONGEST,
            help="Of the application's payload; without it the table has several sizes.",
        ),
    ] = None,
    *,
    region: Annotated[
        str, typer.Option("--region", "-r", metavar="REGION", help=", ".join(PLANS))
    ] = "AS923-1",
    sf: Annotated[
        int | None, typer.Option(min=5, max=12, show_default=False, help="One spreading factor.")
    ] = None,
    down: Annotated[
        bool, typer.Option("--down", help="Downlinks: they have no CRC, and rates of their own.")
    ] = False,
    json: Json = False,
) -> None:
    """Show how long LoRaWAN frames take on the air, and how many of an hour are legal.

    A frame is 13 bytes longer than its payload: header, port and MIC. What is legal holds for one transmitter on one
    of the region's first channels; whether a channel is free (carrier sense) nobody can tell beforehand.
    """
    plan = PLANS.get(region)
    if plan is None:
        raise Refusal(f'No region "{region}". There are {", ".join(PLANS)}.', exit_code=2)
    rates = [
        (number, rate)
        for number, rate in plan.data_rates.items()
        if (number in plan.down_only) == (down and bool(plan.down_only)) and sf in (None, rate.sf)
    ]
    if not rates:
        raise Refusal(f"{region} has no data rate of SF{sf} in this direction.", exit_code=2)
    sizes = _SIZES if size is None else (size,)
    rows = [_row(plan, number, rate, sizes, down=down) for number, rate in rates]
    if json:
        screen.document({"region": region, "direction": "down" if down else "up", "rates": rows})
    elif size is not None and sf is not None:
        for row in rows:
            print(_line(row, region, size))
    else:
        _table(rows, sizes)


def _row(plan: Plan, number: int, rate: DataRate, sizes: tuple[int, ...], *, down: bool) -> dict[str, Any]:  # fmt: skip
    most = plan.max_payload.get(number, 0)
    freq_hz = plan.rx2.freq_hz if number in plan.down_only else _channel(plan, number)
    rule = plan.rule(freq_hz, rate)
    return {
        "dr": number,
        "rate": str(rate),
        "max_payload": most,
        "law": "" if rule is None else rule.law,
        "frames": [_frame(size, rate, most, rule, down=down) for size in sizes],
    }


def _channel(plan: Plan, number: int) -> int:
    """A channel on which this data rate is used."""
    fitting = [one.freq_hz for one in plan.channels if one.low <= number <= one.high]
    return (fitting or [plan.channels[0].freq_hz])[0]


def _frame(size: int, rate: DataRate, most: int, rule: SubBand | None, *, down: bool) -> dict[str, Any]:  # fmt: skip
    air_us = airtime_us(size + FRAME, rate, crc=not down)
    return {
        "bytes": size,
        "ms": round(air_us / 1000, 1),
        "fits": size <= most,
        "an_hour": rule.an_hour(air_us) if rule and size <= most else 0,
    }


def _line(row: dict[str, Any], region: str, size: int) -> str:
    frame = row["frames"][0]
    head = f"{region} {row['rate']} (DR{row['dr']}), {screen.count(size, 'byte')} of payload, {size + FRAME} on the air: {frame['ms']} ms"
    if not frame["fits"]:
        most = row["max_payload"]
        why = f"the longest payload is {most}" if most else "this data rate is not used here"
        return f"{head}. Not permitted: {why}."
    return f"{head}; the longest payload is {row['max_payload']}; at most {frame['an_hour']:,} an hour ({row['law']})."


def _table(rows: list[dict[str, Any]], sizes: tuple[int, ...]) -> None:
    """Milliseconds by data rate and size; then the longest payload, and frames an hour of the first size that is usual."""
    usual = sizes.index(12) if 12 in sizes else 0
    screen.table(
        ("rate", "DR", *(f"{size} B, ms" for size in sizes), "longest, B", f"an hour of {sizes[usual]} B"),
        [
            (
                *(row["rate"], row["dr"]),
                *(frame["ms"] if frame["fits"] else None for frame in row["frames"]),
                row["max_payload"],
                row["frames"][usual]["an_hour"],
            )
            for row in rows
        ],
    )  # fmt: skip
    for law in dict.fromkeys(row["law"] for row in rows if row["law"]):
        print(f"an hour: {law}")
