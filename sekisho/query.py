"""`sekisho query`: stored rows as a table, JSON, CSV or GeoJSON."""

import csv as csv_format
import json as json_format
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import typer

from gateway.devices.catalog import catalog
from gateway.devices.kind import DeviceKind
from gateway.devices.tables import table_columns
from gateway.model.errors import Refusal
from gateway.registry.places import standings
from gateway.registry.words import nearest
from gateway.statedir import StateDir
from sekisho import asking, completion, facts, looking, place, screen
from sekisho.asking import TIMES, Device, Last, Moment, Personal
from sekisho.geojson import write as write_geojson
from sekisho.looking import Purpose
from sekisho.place import Config, Json, Keys, State
from sekisho.rows import Wanted, rows
from sekisho.sealed_rows import SealedRows

_SHOWN = 20
_MOST = 1_000_000_000
"""Rows that --limit may ask for; without it there is no limit to --json and --csv."""
_ON_SCREEN = ("observed_at", "minute", "device")
"""Columns of a row's head that a person wants to see; scripts get all."""


def query(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND",
            show_default=False,
            help="A kind, or how it begins: river. Left out: the kinds there are.",
            autocompletion=completion.kinds,
        ),
    ] = None,
    *,
    last: Last = None,
    since: Moment = None,
    until: Moment = None,
    device: Device = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=_MOST,
            metavar="N",
            help="The newest N. Default: 20 on the screen, all with --json, --csv, --geojson.",
        ),
    ] = None,
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV with all columns.")] = False,
    geojson: Annotated[
        bool,
        typer.Option(
            "--geojson",
            help="Print GeoJSON: people's rows at their masked place, the city's things where they are "
            "registered (facts lat and lon).",
        ),
    ] = False,
    personal: Personal = False,
    purpose: Purpose = None,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
) -> None:
    """Show stored rows, oldest first. Times are local with offset; TIME may be written so too."""
    if json + csv + geojson > 1:
        raise Refusal("--json, --csv and --geojson exclude each other.", exit_code=2)
    directory, settings = place.find_state(state, config)
    if kind is None:  # the directory knows of kinds that were declared
        screen.table(("kind", "about"), [(name, it.summary) for name, it in catalog().items()])
        return
    if limit == 0:
        raise Refusal("--limit 0 asks for no row. Give 1 or more, or leave it out.", exit_code=2)
    found = facts.beginning(kind)
    zone = place.zone_of(settings)
    if limit is None and not (json or csv or geojson):
        limit = _SHOWN
    times = (last, since, until)
    wanted = asking.wanted(found, directory, zone, times, device, limit, personal=personal)
    sealed = None
    if found.personal and directory.sealed:
        looking.require_purpose(directory, purpose)
        sealed = SealedRows.of(directory, settings, keys)
        seen = sum(1 for _row in rows(directory, wanted, sealed))
        asked = [name for name, said in zip(("last", "since", "until"), times, strict=True) if said]
        looking.note(directory, sealed.ring, "query", purpose, found.name, *asked, rows=seen)
    read = asking.readable(rows(directory, wanted, sealed), found, zone)
    names = [column.name for column in table_columns(found)]
    if json:
        _as_json(names, read)
    elif geojson:
        known = {} if found.personal else standings(directory.registry_db)
        write_geojson((dict(zip(names, row, strict=True)) for row in read), known, sys.stdout)
    elif csv:
        writer = csv_format.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(read)
    else:
        shown = list(read)
        if shown:
            _as_table(found, names, shown, limited=wanted.limit)
        else:
            print(_nothing(wanted, directory))


def _as_json(names: list[str], read: Iterator[list[Any]]) -> None:
    """One array, one row a line: written as it is read."""
    before = "[\n"
    for row in read:
        line = json_format.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)
        print(before + line, end="")
        before = ",\n"
    print("[]" if before == "[\n" else "\n]")


def _as_table(
    kind: DeviceKind, names: list[str], read: list[list[Any]], limited: int | None
) -> None:
    wanted = {*_ON_SCREEN, *(column.name for column in kind.columns)}
    shown = [
        n
        for n, name in enumerate(names)
        if name in wanted and any(row[n] is not None for row in read)
    ]
    units = {column.name: column.unit for column in kind.columns}
    screen.table(
        [_titled(names[n], units.get(names[n], "")) for n in shown],
        [[_short(names[n], row[n]) for n in shown] for row in read],
    )
    if limited is not None and len(read) == limited:
        screen.warn(f"The newest {screen.count(limited, 'row')}; --limit N shows more.")


def _nothing(wanted: Wanted, directory: StateDir) -> str:
    """Why there is no row to show."""
    when = "yet" if wanted.since is None and wanted.until is None else "in this time"
    if wanted.device is None:
        return f"No row of {wanted.kind.name} is stored {when}."
    said = f"No row of {wanted.kind.name} from {wanted.device} is stored {when}."
    known = list(standings(directory.registry_db))
    if wanted.device in known:
        return said
    return f"{said} No such device is registered.{nearest(wanted.device, known)}"


def _titled(name: str, unit: str) -> str:
    spelt = unit.lower().replace("/", "_").replace("%", "pct")
    said = unit in ("", "1", "Cel") or name.endswith(f"_{spelt}")
    return name if said else f"{name} [{unit}]"


def _short(name: str, value: Any) -> Any:
    """Times to the second; pseudonyms to what tells them apart on a screen."""
    if name in TIMES:
        return datetime.fromisoformat(value).isoformat(" ", "seconds")
    if isinstance(value, str) and name in ("pseudonym", "tag"):
        return value[:12]
    return value
