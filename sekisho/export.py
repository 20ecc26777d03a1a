"""`sekisho export`: stored rows as a file for a spreadsheet, a map or an analysis."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.devices.tables import table_columns
from gateway.model.errors import Refusal
from gateway.registry.places import standings
from gateway.stores.views import views
from sekisho import asking, completion, facts, looking, place, screen
from sekisho.asking import Device, Last, Moment, Personal
from sekisho.export_files import FORMS, Sheet, write
from sekisho.looking import Purpose
from sekisho.place import Config, Json, Keys, Quiet, State
from sekisho.rows import rows
from sekisho.sealed_rows import SealedRows

_FOR_READERS, _OWNER_ONLY = 0o640, 0o600
_NEVER = ("identity",)
"""Columns of people's rows that leave no directory: what the store knows a row by again."""


def export(
    name: Annotated[
        str,
        typer.Argument(
            metavar="KIND|VIEW",
            help="A kind, or how it begins: river; or a view (river_levels), which has fewer columns.",
            autocompletion=completion.kinds,
        ),
    ],
    *,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="|".join(FORMS),
            help="csv for spreadsheets; parquet for DuckDB and pandas; gpkg and geojson for maps. parquet "
            "and gpkg need the extra export.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The file to write.")],
    last: Last = None,
    since: Moment = None,
    until: Moment = None,
    device: Device = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    personal: Personal = False,
    purpose: Purpose = None,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write stored rows into a file, oldest first, beside a running gateway.

    People's rows are masked as they are stored, and what the store knows them by is left out. The file is
    plain, and outlives their retention: deleting it is yours. Of a directory that seals its rows, --personal
    is asked for.
    """
    if format_ not in FORMS:
        raise Refusal(f"--format {format_}: there are {', '.join(FORMS)}.", exit_code=2)
    directory, settings = place.find_state(state, config)
    kind_name, chosen = views().get(name, (name, None))
    kind = facts.beginning(kind_name)
    zone = place.zone_of(settings)
    times = (last, since, until)
    wanted = asking.wanted(kind, directory, zone, times, device, None, personal=personal)
    place.refuse_inside(out, directory)
    target = place.replaceable("--out", out, force=force)
    sealed = None
    if kind.personal and directory.sealed:
        asking.require_word(kind, personal=personal)
        looking.require_purpose(directory, purpose)
        sealed = SealedRows.of(directory, settings, keys)
        seen = sum(1 for _row in rows(directory, wanted, sealed))
        looking.note(directory, sealed.ring, "export", purpose, kind.name, format_, rows=seen)
    every = table_columns(kind)
    names = [column.name for column in every]
    shown = [names.index(n) for n in chosen or names if not (kind.personal and n in _NEVER)]

    def chosen_of(raw: Iterator[Sequence[Any]]) -> Iterator[list[Any]]:
        return ([row[n] for n in shown] for row in raw)

    sheet = Sheet(
        name if chosen else kind.name,
        [every[n] for n in shown],
        lambda: chosen_of(rows(directory, wanted, sealed)),
        lambda: chosen_of(asking.readable(rows(directory, wanted, sealed), kind, zone)),
        {} if kind.personal else standings(directory.registry_db),
    )
    count = write(sheet, format_, target, _OWNER_ONLY if kind.personal else _FOR_READERS)
    if json:
        screen.document({"file": str(out), "rows": count, "bytes": out.stat().st_size})
    elif not quiet:
        print(f"{out}  {screen.count(count, 'row')}, {out.stat().st_size:,} bytes")
