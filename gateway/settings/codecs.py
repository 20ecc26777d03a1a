"""Reads the codecs that a configuration declares: one file a codec, `config/codecs/<name>.yaml`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from gateway.devices.catalog import catalog
from gateway.devices.codecs import declare_codecs
from gateway.devices.mapping import Mapped, Source
from gateway.registry.rules import kind_fault
from gateway.registry.words import nearest
from gateway.settings.complaints import Complaint, complain
from gateway.settings.document import Document, displayed
from gateway.settings.forms import Name, Strict
from gateway.settings.reading import read
from gateway.settings.settings import DeclaredCodec

FOLDER = "codecs"
"""Beside `gateway.yaml`, where the setting of this name says nothing else."""


class SourceFile(Strict):
    """One field of a codec in full."""

    source: Annotated[str, Field(alias="from", min_length=1)]
    scale: float = 1.0
    offset: float = 0.0
    refuse: tuple[float | str, ...] = Field(default=(), strict=False)
    words: dict[str, Any] | None = None


class CodecFile(Strict):
    """A file that declares a codec."""

    name: Name
    kind: str
    script: str | None = None
    fields: Annotated[dict[str, str | SourceFile], Field(min_length=1)]
    one_of: tuple[str, ...] = Field(default=(), strict=False)


def configured_codecs(
    document: Document, wanted: object, found: list[Complaint]
) -> tuple[DeclaredCodec, ...]:
    """The codecs of a configuration, which devices may name from then on."""
    if not (wanted is None or isinstance(wanted, str)):
        return ()  # the schema says so
    folder = document.folder / Path(wanted or FOLDER).expanduser()
    if wanted is not None and not folder.is_dir():
        found.append(complain(document, ("codecs",), f'no folder named "{wanted}".'))
    codecs = []
    for file in sorted(folder.glob("*.yaml")):
        codec, complaints = read_codec(file)
        found += complaints
        if codec is not None:
            codecs.append(codec)
    return tuple(codecs)


def read_codec(path: Path) -> tuple[DeclaredCodec | None, list[Complaint]]:
    """The codec that a file declares, taken in; or everything that is wrong with it."""
    document = Document(path)
    file, complaints = read(document, CodecFile)
    if file is None or complaints:
        return None, complaints
    complaints = [*_faults(file, document)]
    if complaints:
        return None, complaints
    script = None if file.script is None else document.folder / file.script
    mapped = Mapped(
        file.name,
        file.kind,
        {name: _source(given) for name, given in file.fields.items()},
        tuple(file.one_of),
        "" if script is None else str(script.resolve()),
    )
    try:
        declare_codecs([mapped])
    except ValueError as error:
        return None, [complain(document, ("name",), str(error))]
    return DeclaredCodec(mapped, path, script), []


def _source(given: str | SourceFile) -> Source:
    if isinstance(given, str):
        return Source(tuple(given.split(".")))
    path = tuple(given.source.split("."))
    return Source(path, given.scale, given.offset, tuple(given.refuse), given.words)


def _faults(file: CodecFile, document: Document) -> Iterator[Complaint]:
    if file.name != document.file.stem:
        sentence = f"the file of this codec is called {file.name}.yaml."
        yield complain(document, ("name",), sentence)
    if (sentence_ := kind_fault(file.kind)) is not None:
        yield complain(document, ("kind",), sentence_)
        return
    known = list(catalog()[file.kind].document.__struct_fields__)
    for name in file.fields:
        if name not in known:
            hint = nearest(name, known, unless=f" {file.kind} has {', '.join(known)}.")
            yield complain(document, ("fields", name), f"no field of this name.{hint}", at_key=True)
    for index, name in enumerate(file.one_of):
        if name not in file.fields:
            yield complain(document, ("one_of", index), f"{name} does not stand under fields.")
    if file.script is not None and not (document.folder / file.script).is_file():
        sentence = f"{displayed(document.folder / file.script)} is not there."
        yield complain(document, ("script",), sentence)
