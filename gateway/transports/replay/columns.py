"""A table of readings (CSV) as a door: each line is one uplink of a thing of the city, by a mapping of columns."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from gateway.devices.codecs import document_of
from gateway.devices.decode import Decoded
from gateway.devices.kind import DeviceKind
from gateway.devices.mapping import Mapped
from gateway.model.device import Device
from gateway.model.errors import Refusal
from gateway.model.instant import CALENDAR_END, Instant, from_datetime, to_datetime
from gateway.model.uplink import Route
from gateway.transports.replay.door import Record
from gateway.transports.replay.file import Lines


@dataclass(frozen=True, slots=True)
class Table:
    """How a table is read.

    Attributes:
        mapped: field of the kind → column; `t` is among them.
        device: a device's id, or, where `device_column`, the name of the column that holds it.
        zone: of times without an offset.
        encoding: of the file.
    """

    mapped: Mapped
    device: str
    device_column: bool
    zone: tzinfo
    encoding: str = "utf-8-sig"


class Reading(NamedTuple):
    """One line: when, whose, and its cells as JSON."""

    at: Instant
    device: str
    payload: bytes


class Readings:
    """The lines of a table in order of time, whatever their order in the file.

    Attributes:
        undated: lines left out, because their time cannot be read.
    """

    def __init__(self, file: Path, table: Table) -> None:
        """Read a file.

        Raises:
            Refusal: it cannot be read, has not the columns, or holds no line with a time.
        """
        self._table = table
        self.undated = 0
        rows = _rows(file, table)
        found: list[Reading] = []
        for cells in rows:
            reading = self._reading(cells)
            if reading is None:
                self.undated += 1
            else:
                found.append(reading)
        if not found:
            raise Refusal(
                f"{file} holds no line with a time in the column {_column(table)}: write times as "
                "2026-05-12T07:30 or 2026/05/12 07:30, with an offset where they are not local.",
                exit_code=2,
            )
        self.readings = sorted(found, key=lambda reading: reading.at)

    def devices(self) -> list[str]:
        """Who speaks in it."""
        return sorted({reading.device for reading in self.readings})

    def records(self, route: Callable[[str], Route]) -> Iterator[Record]:
        """The lines as a door hands them over."""
        for at, device, payload in self.readings:
            yield at, (route(device), payload)

    def _reading(self, cells: dict[str, str]) -> Reading | None:
        table = self._table
        try:
            at = moment(cells.get(_column(table), ""), table.zone)
        except (ValueError, OverflowError):
            return None
        said = {name: cell for name, cell in cells.items() if cell}
        said[_column(table)] = to_datetime(at).isoformat()
        device = cells.get(table.device, "") if table.device_column else table.device
        return Reading(at, device, msgspec.json.encode(said))


def decoder(kind: DeviceKind, mapped: Mapped) -> Callable[[bytes, Device], Decoded]:
    """What reads one line's cells as the kind's fields; raises `PayloadError`."""
    read = msgspec.json.Decoder(dict[str, Any]).decode

    def decode(payload: bytes, device: Device) -> Decoded:
        return document_of(kind, mapped.said(read(payload)), device, None)

    return decode


def moment(text: str, zone: tzinfo) -> Instant:
    """A time as tables have it: ISO 8601, also with slashes and one-digit hours; local without an offset.

    Raises:
        ValueError: none of these.
    """
    day, _, of_day = text.strip().replace("/", "-").replace("T", " ").partition(" ")
    year, month, date = (int(part) for part in day.split("-"))
    if of_day[1:2] == ":":
        of_day = f"0{of_day}"
    found = datetime.fromisoformat(f"{year:04}-{month:02}-{date:02}T{of_day or '00:00'}")
    at = from_datetime(found if found.tzinfo else found.replace(tzinfo=zone))
    if not 0 <= at < CALENDAR_END:
        raise ValueError("no time of these centuries")
    return at


def _column(table: Table) -> str:
    return table.mapped.fields["t"].path[0]


def _rows(file: Path, table: Table) -> Iterator[dict[str, str]]:
    try:
        text = b"\n".join(Lines(file)).decode(table.encoding)
    except (UnicodeDecodeError, LookupError):
        raise Refusal(
            f"{file} is not in {table.encoding}. Say how it is written: --encoding cp932 for what a "
            "Japanese spreadsheet saved.",
            exit_code=2,
        ) from None
    reader = csv.DictReader(io.StringIO(text), restval="", restkey="")
    try:
        yield from _cells(file, reader, table)
    except csv.Error as error:
        raise Refusal(
            f"{file}:{reader.line_num + 1} cannot be read as a table ({error}). Repair that line, or save "
            "the file as CSV once more.",
            exit_code=2,
        ) from None


def _cells(file: Path, reader: "csv.DictReader[str]", table: Table) -> Iterator[dict[str, str]]:
    columns = [column.strip() for column in reader.fieldnames or ()]
    reader.fieldnames = columns
    wanted = [source.path[0] for source in table.mapped.fields.values()]
    for column in [*wanted, *([table.device] if table.device_column else [])]:
        if column not in columns:
            raise Refusal(
                f"{file}:1 has no column {column}. It has {', '.join(columns[:12])}"
                f"{' …' if columns[12:] else ''}.",
                exit_code=2,
            )
    for cells in reader:
        yield {name: cell.strip() for name, cell in cells.items() if isinstance(cell, str)}
