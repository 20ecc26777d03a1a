"""Reads the kinds that a configuration declares: one file a kind, its examples proven before it counts."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from gateway.devices.catalog import clash, declare
from gateway.devices.declared import Declaration, build, slot_faults
from gateway.devices.kind import DeviceKind, Example, Field, Motion, Sensitivity
from gateway.devices.packing import LARGEST, Slot, width
from gateway.devices.proof import disproof
from gateway.registry.words import nearest
from gateway.settings.complaints import Complaint, complain
from gateway.settings.document import Document, displayed
from gateway.settings.kind_schema import FieldFile, KindFile
from gateway.settings.reading import read
from gateway.settings.search import find_file
from gateway.settings.settings import DeclaredKind
from gateway.stores.declared import taken

FOLDER = "kinds"
"""Beside `gateway.yaml`, where the setting of this name says nothing else."""


def configured(
    document: Document, wanted: object, found: list[Complaint]
) -> tuple[DeclaredKind, ...]:
    """The kinds of a configuration, which are in the catalog from then on."""
    kinds: list[DeclaredKind] = []
    for file in _files(document, wanted, found):
        kind, complaints = read_kind(file)
        found += complaints
        if kind is None:
            continue
        if (other := next((k.file for k in kinds if k.kind.name == kind.name), None)) is not None:
            sentence = f"{displayed(other)} declares {kind.name} too."
            found.append(Complaint(displayed(file), 1, 1, "", sentence))
            continue
        declare([kind])
        kinds.append(DeclaredKind(kind, file))
    return tuple(kinds)


def _files(document: Document, wanted: object, found: list[Complaint]) -> list[Path]:
    if wanted is None:
        return declarations_in(document.folder / FOLDER)
    if isinstance(wanted, str):
        folder = document.folder / Path(wanted).expanduser()
        if not folder.is_dir():
            found.append(complain(document, ("kinds",), f'no folder named "{wanted}".'))
        return declarations_in(folder)
    files = []
    for position, name in enumerate(wanted if isinstance(wanted, list) else ()):
        try:
            files.append(find_file(document, str(name)))
        except ValueError as error:
            found.append(complain(document, ("kinds", position), str(error)))
    return files


def declarations_in(folder: Path) -> list[Path]:
    """The files of a folder that declare kinds, by name; none where there is no folder."""
    return sorted(folder.glob("*.yaml"))


def read_kind(path: Path) -> tuple[DeviceKind | None, list[Complaint]]:
    """The kind that a file declares, or everything that is wrong with it."""
    document = Document(path)
    file, complaints = read(document, KindFile)
    if file is None or complaints:
        return None, complaints
    complaints = [*_faults(file, document)]
    if complaints:
        return None, complaints
    kind = build(_declaration(file))
    for index, example in enumerate(kind.examples):
        if (fault := disproof(kind, example)) is not None:
            complaints.append(complain(document, ("examples", index), f"{example.name}: {fault}"))
    return (None if complaints else kind), complaints


def _faults(file: KindFile, document: Document) -> Iterator[Complaint]:
    """What only shows when the parts are held against each other."""
    if file.name != document.file.stem:
        sentence = f"the file of this kind is called {file.name}.yaml."
        yield complain(document, ("name",), sentence)
    if (fault := clash(file.name, file.f_port)) is not None:
        where = "f_port" if fault.startswith("port") else "name"
        yield complain(document, (where,), fault)
    elif file.name in taken():
        yield complain(document, ("name",), f"city.db has a table or view {file.name} already.")
    names = [field.name for field in file.fields]
    for index, field in enumerate(file.fields):
        yield from _faults_of_field(field, document, ("fields", index), names.index(field.name))
    if all(field.sensitivity == "secret" for field in file.fields):
        sentence = "nothing of this would be kept: say sensitivity: public of a field."
        yield complain(document, ("fields",), sentence)
    if all(field.binary is None for field in file.fields):
        yield complain(document, ("fields",), "no field has its place in the binary form.")
    size = sum(width(field.binary.type) for field in file.fields if field.binary is not None)
    if size > LARGEST:
        sentence = (
            f"together they take {size} bytes, and a LoRaWAN frame carries {LARGEST} at most."
        )
        yield complain(document, ("fields",), sentence)
    yield from _motion_faults(file, document, names)
    yield from _example_faults(file, document, names)


def _motion_faults(file: KindFile, document: Document, names: list[str]) -> Iterator[Complaint]:
    limits = {field.name: field.limits for field in file.fields}
    for name, motion in file.simulate.fields.items():
        path = ("simulate", "fields", name)
        if name in limits and not limits[name][0] <= motion.value <= limits[name][1]:
            sentence = f"{motion.value:g} lies outside the limits of {name}."
            yield complain(document, (*path, "value"), sentence)
        if name not in names:
            hint = nearest(name, names, unless=f" There are {', '.join(names)}.")
            yield complain(document, path, f"no field of this name.{hint}", at_key=True)


def _faults_of_field(
    field: FieldFile, document: Document, path: tuple[str, int], first: int
) -> Iterator[Complaint]:
    if first != path[1]:
        yield complain(document, (*path, "name"), f"{field.name} stands in this file already.")
    for sentence in _faults_of_bytes(field):
        yield complain(document, (*path, "binary"), sentence)
    if field.whole and any(limit != int(limit) for limit in field.limits):
        yield complain(document, (*path, "limits"), "a whole number has whole limits.")


def _faults_of_bytes(field: FieldFile) -> Iterator[str]:
    if field.binary is None:
        if field.required:
            yield "a required field needs its place in the binary form too."
        return
    yield from slot_faults(_field(field), _slot(field), whole=field.whole)


def _example_faults(file: KindFile, document: Document, names: list[str]) -> Iterator[Complaint]:
    sorts = Counter[str]()
    for index, example in enumerate(file.examples):
        path = ("examples", index)
        if (example.json_text is None) == (example.binary is None):
            yield complain(document, path, "either json or binary is needed, and not both.")
        if (example.values is None) == (example.rejected is None):
            yield complain(document, path, "either values or rejected is needed, and not both.")
        if example.rejected is None:
            sorts["json" if example.binary is None else "binary"] += 1
        else:
            sorts["rejected"] += 1
        for name in example.values or {}:
            if name not in names:
                hint = nearest(name, names, unless=f" There are {', '.join(names)}.")
                sentence = f"no field of this name.{hint}"
                yield complain(document, (*path, "values", name), sentence, at_key=True)
    for sort, missing in (
        ("json", "an accepted JSON document"),
        ("binary", "an accepted binary payload"),
        ("rejected", "a payload that must be rejected"),
    ):
        if not sorts[sort]:
            yield complain(document, ("examples",), f"{missing} is missing here.")


def _field(file: FieldFile) -> Field:
    binary = file.binary
    how = "" if binary is None else f"{binary.type} · {binary.scale:g} {file.unit}".rstrip()
    if binary is not None and binary.none is not None:
        how += f", {binary.none} = not measured"
    return Field(
        file.name,
        file.meaning,
        file.unit,
        file.limits[0],
        file.limits[1],
        how,
        Sensitivity(file.sensitivity),
        file.required,
    )


def _slot(file: FieldFile) -> Slot:
    assert file.binary is not None
    binary = file.binary
    return Slot(file.name, binary.type, binary.scale, binary.offset, binary.none)


def _declaration(file: KindFile) -> Declaration:
    return Declaration(
        name=file.name,
        summary=file.summary,
        f_port=file.f_port,
        fields=tuple(map(_field, file.fields)),
        slots=tuple(_slot(field) for field in file.fields if field.binary is not None),
        whole=frozenset(field.name for field in file.fields if field.whole),
        attributes=file.attributes,
        examples=tuple(
            Example(
                example.name,
                example.binary if example.json_text is None else example.json_text,  # type: ignore[arg-type]
                example.values,
                example.rejected or "",
                example.attributes,
            )
            for example in file.examples
        ),
        every_s=file.simulate.every_s,
        motions={
            name: Motion(motion.way, motion.value, motion.by)
            for name, motion in file.simulate.fields.items()
        },
    )
