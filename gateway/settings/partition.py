"""The file of a public partition: written once, pinned by its digest, and refused when it was edited.

It holds no count of a cell: what a zone has stands there in classes.
"""

from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gateway.privacy.mesh import MESHES, Mesh
from gateway.privacy.partition import Partition, Zone
from gateway.privacy.zoning import CHECKS, Zoning
from gateway.settings.complaints import Complaint, SettingsError, complain
from gateway.settings.document import Document
from gateway.settings.forms import Name, Strict, fault
from gateway.settings.reading import read

PIN = b"sha256: "
"""Begins the last line, which names the digest of all lines above it; rule sets pin by it."""
_TRUTHS = {"true", "false", "null"}
_CLASSES = (1, 2, 5, 10)
"""Bounds of the classes, in multiples of k."""


def _date(given: str) -> str:
    try:
        return date.fromisoformat(given).isoformat()
    except ValueError:
        raise fault("a day is needed here, as 2026-04-01.") from None


class ZoneFile(Strict):
    """One of `zones:`."""

    dwellings: str
    cells: Annotated[str, Field(min_length=1)]


class PartitionFile(Strict):
    """A partition's file."""

    form: Annotated[Literal[1], Field(alias="schema")]
    id: Name
    level: Literal["500m", "250m", "125m"]
    k: Annotated[int, Field(ge=2)]
    k_gate: Annotated[int, Field(ge=1)]
    source: str
    date: Annotated[str, AfterValidator(_date)]
    checked: list[Literal["dwellings", "buildings", "discs", "entries", "gates"]]
    not_checked: list[Literal["dwellings", "buildings", "discs", "entries", "gates"]]
    zones: dict[str, ZoneFile]
    without: str
    sha256: str


def render(
    zoning: Zoning,
    *,
    name: str,
    mesh: Mesh,
    k: int,
    k_gate: int,
    source: str,
    day: str,
    checked: Sequence[str],
) -> bytes:
    """The file of what was built; the same arguments give the same bytes."""
    missing = [check for check in CHECKS if check not in checked]
    lines = [
        "# Zones of the public mesh (JIS X 0410). Made by sekisho privacy partition build; docs/privacy/partitions.md.",
        "# Not to be edited: the last line pins all others. It may be published, and should be.",
        "schema: 1",
        f"id: {name if name[0].isalpha() and name not in _TRUTHS else _quoted(name)}",
        f"level: {mesh.name}",
        f"k: {k}",
        f"k_gate: {k_gate}",
        f"source: {_quoted(source)}",
        f'date: "{day}"',
        f"checked: [{', '.join(checked)}]",
        f"not_checked: [{', '.join(missing)}]",
        "zones:" if zoning.zones else "zones: {}",
    ]
    for number, zone in enumerate(zoning.zones, 1):
        lines.append(f"  z-{number:04}:")
        lines.append(f"    dwellings: {_class(zone.dwellings, k)}")
        lines.append(f'    cells: "{_codes(mesh, zone.cells)}"')
    lines.append(f'without: "{_codes(mesh, zoning.without)}"')
    body = "".join(f"{line}\n" for line in lines).encode()
    return body + PIN + f'"{sha256(body).hexdigest()}"\n'.encode()


def read_partition(path: Path) -> tuple[PartitionFile, Partition]:
    """A partition and the file that it came from.

    Raises:
        SettingsError: it cannot be read, was edited, or contradicts itself; with file, line and column.
    """
    document = Document(path)
    file, complaints = read(document, PartitionFile)
    if file is None or complaints:
        raise SettingsError(complaints)
    if not _is_whole(path.read_bytes(), file.sha256):
        sentence = (
            "the lines above do not have this digest: the file was edited after it was made. "
            "Build it again, or take the one that was published."
        )
        raise SettingsError([complain(document, ("sha256",), sentence)])
    mesh = MESHES[file.level]
    seen: dict[int, str] = {}
    zones = {}
    for name, zone in file.zones.items():
        cells = _cells(mesh, zone.cells, name, ("zones", name, "cells"), document, seen, complaints)
        zones[name] = Zone(cells, zone.dwellings)
    without = _cells(mesh, file.without, "without", ("without",), document, seen, complaints)
    if complaints:
        raise SettingsError(complaints)
    return file, Partition(file.id, mesh, zones, without)


def _cells(
    mesh: Mesh,
    codes: str,
    zone: str,
    path: tuple[str, ...],
    document: Document,
    seen: dict[int, str],
    complaints: list[Complaint],
) -> frozenset[int]:
    """The cells of a line of codes; what is wrong with them becomes a complaint."""
    found = set()
    for code in codes.split():
        try:
            cell = mesh.of_code(code)
        except ValueError as error:
            complaints.append(complain(document, path, f"{code} is {error}"))
            continue
        if cell in seen:
            complaints.append(
                complain(document, path, f"cell {code} is in {seen[cell]} already: zones overlap.")
            )
        seen[cell] = zone
        found.add(cell)
    return frozenset(found)


def _is_whole(content: bytes, digest: str) -> bool:
    body, pin, last = content.rpartition(PIN)
    return bool(pin) and last == f'"{digest}"\n'.encode() and sha256(body).hexdigest() == digest


def _class(dwellings: int, k: int) -> str:
    for low, high in pairwise(_CLASSES):
        if dwellings < high * k:
            return f"{low * k} to {high * k - 1}"
    return f"{_CLASSES[-1] * k} or more"


def _codes(mesh: Mesh, cells: frozenset[int]) -> str:
    return " ".join(sorted(mesh.code(cell) for cell in cells))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
