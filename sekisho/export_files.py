"""Rows as files for others: CSV, Parquet, GeoPackage, GeoJSON; each there whole or not at all."""

import csv
import os
import secrets
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from errno import EIO
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from gateway.devices.kind import Column
from gateway.model.errors import Refusal
from gateway.registry.places import Standing
from gateway.statedir import sync_directory
from sekisho import geojson
from sekisho.asking import TIMES

_BATCH = 10_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""

_POINT = struct.Struct("<BIdd")
"""A point as well-known binary: little endian, 1, x, y."""


class Sheet(NamedTuple):
    """What is to be written.

    Attributes:
        name: of the kind or view.
        columns: its columns, in order.
        raw: rows as they are stored.
        readable: the same rows with times as local texts.
        standings: where the things of the city stand.
    """

    name: str
    columns: Sequence[Column]
    raw: Callable[[], Iterator[Sequence[Any]]]
    readable: Callable[[], Iterator[Sequence[Any]]]
    standings: Mapping[str, Standing]


def write(sheet: Sheet, form: str, path: Path, mode: int) -> int:
    """Write a file; how many rows it has.

    Raises:
        Refusal: an extra is missing, or the place cannot be written.
    """
    draft = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, mode))
        count = FORMS[form](sheet, draft)
        draft.chmod(mode)
        draft.replace(path)
        sync_directory(path.parent)
    except ImportError:
        raise Refusal(
            f"--format {form} needs the extra export: pip install 'sekisho[export]'. csv and geojson do not.",
            exit_code=2,
        ) from None
    except OSError as error:
        raise Refusal(f"{path} cannot be written ({os.strerror(error.errno or 0)}).") from error
    finally:
        with suppress(OSError):
            draft.unlink()
    return count


def _csv(sheet: Sheet, path: Path) -> int:
    """RFC 4180 in UTF-8 with a byte order mark, by which Excel knows it; no cell begins a formula."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.name for column in sheet.columns])
        return _counted(sheet.readable(), lambda row: writer.writerow([_plain(c) for c in row]))


def _plain(cell: Any) -> Any:
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return cell


def _counted(rows: Iterable[Sequence[Any]], do: Callable[[Sequence[Any]], object]) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 it is the result
        do(row)
    return count


def _geojson(sheet: Sheet, path: Path) -> int:
    names = [column.name for column in sheet.columns]
    count = 0

    def mapped() -> Iterator[dict[str, Any]]:
        nonlocal count
        for row in sheet.readable():
            count += 1
            yield dict(zip(names, row, strict=True))

    file: TextIO
    with path.open("w", encoding="utf-8") as file:
        geojson.write(mapped(), sheet.standings, file)
    return count


def _parquet(sheet: Sheet, path: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(_fields(sheet))
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in _batches(sheet.raw()):
            writer.write_batch(_batch(schema, sheet, rows))
            count += len(rows)
    return count


def _gpkg(sheet: Sheet, path: Path) -> int:
    """One layer of points in WGS 84, named after the kind or view."""
    import pyarrow as pa
    from pyogrio import write_arrow

    schema = pa.schema([*_fields(sheet), pa.field("geom", pa.binary())])
    names = [column.name for column in sheet.columns]
    count = 0

    def stream() -> Iterator[Any]:
        nonlocal count
        for rows in _batches(sheet.raw()):
            count += len(rows)
            places = [_place(dict(zip(names, row, strict=True)), sheet.standings) for row in rows]
            yield _batch(schema, sheet, rows, pa.array(places, pa.binary()))

    try:
        write_arrow(
            pa.RecordBatchReader.from_batches(schema, stream()),
            path.resolve(),
            layer=sheet.name,
            driver="GPKG",
            geometry_name="geom",
            geometry_type="Point",
            crs="EPSG:4326",
        )
    except RuntimeError as error:  # what GDAL says of a place or a disk
        raise OSError(EIO, "GDAL cannot write there") from error
    return count


FORMS: Mapping[str, Callable[[Sheet, Path], int]] = {
    "csv": _csv,
    "parquet": _parquet,
    "gpkg": _gpkg,
    "geojson": _geojson,
}
"""Name → what writes it."""


def sort_of(column: Column) -> str:
    """What a column is in files that have sorts: time, whole, number or text (bytes are hexadecimal)."""
    if column.name in TIMES:
        return "time"
    return {"INTEGER": "whole", "REAL": "number"}.get(column.sql.partition(" ")[0], "text")


def _fields(sheet: Sheet) -> list[Any]:
    import pyarrow as pa

    sorts = {
        "time": pa.timestamp("us", tz="UTC"),
        "whole": pa.int64(),
        "number": pa.float64(),
        "text": pa.string(),
    }
    return [pa.field(column.name, sorts[sort_of(column)]) for column in sheet.columns]


def _batch(schema: Any, sheet: Sheet, rows: Sequence[Sequence[Any]], *more: Any) -> Any:
    import pyarrow as pa

    columns = zip(*rows, strict=True)
    arrays = [
        pa.array([_stored(column.name, cell) for cell in cells], field.type)
        for column, cells, field in zip(sheet.columns, columns, schema, strict=False)
    ]
    return pa.record_batch([*arrays, *more], schema=schema)


def _stored(name: str, cell: Any) -> Any:
    """Bytes as hexadecimal; no counter is none."""
    if isinstance(cell, bytes):
        return cell.hex()
    return None if name == "counter" and cell == -1 else cell


def _place(row: Mapping[str, Any], standings: Mapping[str, Standing]) -> bytes | None:
    where = geojson.place(row, standings)
    return None if where is None else _POINT.pack(1, 1, *where)


def _batches(rows: Iterator[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch
