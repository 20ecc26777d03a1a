"""Reads `devices.yaml`: what its devices are, checked against the kinds and against each other."""

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches

from gateway.devices.catalog import catalog
from gateway.devices.codecs import codec_fault, codec_names
from gateway.devices.kind import DeviceKind
from gateway.registry import attributes
from gateway.registry.imports import DeviceEntry, Entries
from gateway.registry.rules import kind_fault, line_fault
from gateway.registry.words import nearest
from gateway.settings.complaints import Complaint, complain, is_home, unknown_setting
from gateway.settings.document import Document, Path
from gateway.settings.schema import DeviceFile, DevicesFile

_NAMES = [name for name in DeviceFile.model_fields if name != "attributes"]


def read_devices(
    file: DevicesFile, document: Document, owner: str
) -> tuple[Entries, list[Complaint]]:
    """The entries of a file, and everything that is wrong with what they refer to."""
    complaints: list[Complaint] = []
    entries = []
    for index, device in enumerate(file.devices):
        entry, faults = _device(device, document, ("devices", index), owner)
        entries.append(entry)
        complaints += faults
    complaints += _twice(document, "devices", "id", [device.id for device in file.devices])
    complaints += _twice(document, "credentials", "name", [c.name for c in file.credentials])
    known = {device.id for device in file.devices}
    speakers = {}
    for index, credential in enumerate(file.credentials):
        speakers[credential.name] = frozenset(credential.devices)
        for position, device_id in enumerate(credential.devices):
            if device_id not in known:
                path: Path = ("credentials", index, "devices", position)
                hint = nearest(device_id, sorted(known), unless=" It must stand under devices.")
                complaints.append(
                    complain(document, path, f'no device named "{device_id}" in this file.{hint}')
                )
    return Entries(tuple(entries), speakers), complaints


def _device(
    device: DeviceFile, document: Document, path: Path, owner: str
) -> tuple[DeviceEntry, list[Complaint]]:
    words = {"kind": kind_fault(device.kind), "name": line_fault(device.name or "", "A name")}
    complaints = [complain(document, (*path, n), fault) for n, fault in words.items() if fault]
    facts: dict[str, str | float | bool] = {}
    kind = _meant(device)
    for where, key, given in _extras(device, path):
        if kind is None:
            if is_home(key):
                complaints.append(complain(document, where, unknown_setting(key, []), at_key=True))
            continue
        try:
            name, value = attributes.read(kind, key, given)
            facts[name] = value
        except attributes.UnknownAttribute as error:
            sentence = unknown_setting(key, [*_NAMES, *error.choices])
            complaints.append(complain(document, where, sentence, at_key=True))
        except ValueError as error:
            complaints.append(complain(document, where, str(error)))
    if kind is not None:
        complaints += [
            complain(document, path, f"{kind.name} needs the attribute {name}.")
            for name in attributes.required(kind)
            if name not in facts
        ] or [
            complain(document, (*path, name) if name in facts else path, sentence)
            for name, sentence in attributes.contradictions(kind, facts).items()
        ]
        word = facts.get("codec")
        if isinstance(word, str) and (fault := codec_fault(kind.name, word)) is not None:
            fault += nearest(word, codec_names(), unless="")
            complaints.append(complain(document, (*path, "codec"), fault))
        if device.household is not None and not kind.personal:
            sentence = f"{kind.name} is a thing of the city and belongs to no household."
            complaints.append(complain(document, (*path, "household"), sentence))
    entry = DeviceEntry(
        *(device.id, device.kind, device.owner or owner, device.household, device.name, facts)
    )
    return entry, complaints


def _meant(device: DeviceFile) -> DeviceKind | None:
    """The device's kind; where it is misspelt the one meant, so that all faults show at once."""
    kinds = catalog()
    if device.kind in kinds:
        return kinds[device.kind]
    if near := get_close_matches(device.kind, list(kinds), n=1):
        return kinds[near[0]]
    keys = {*(device.model_extra or {}), *device.attributes}
    fitting = {name: len(keys & attributes.spellings(kind)) for name, kind in kinds.items()}
    best = max(fitting, key=lambda name: fitting[name])
    return kinds[best] if fitting[best] else None


def _extras(device: DeviceFile, path: Path) -> Iterator[tuple[Path, str, object]]:
    for key, given in (device.model_extra or {}).items():
        yield (*path, key), key, given
    for key, given in device.attributes.items():
        yield (*path, "attributes", key), key, given


def _twice(document: Document, section: str, field: str, names: list[str]) -> Iterator[Complaint]:
    counts = Counter(names)
    seen: set[str] = set()
    for index, name in enumerate(names):
        if counts[name] > 1 and name in seen:
            sentence = f"{name} stands in this file already."
            yield complain(document, (section, index, field), sentence)
        seen.add(name)
