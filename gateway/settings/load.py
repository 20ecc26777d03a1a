"""Loads a configuration: reads its three files, and either resolves all of it or names every fault."""

from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from gateway.registry.imports import Entries
from gateway.settings import doors
from gateway.settings.area import ServiceArea, service_area
from gateway.settings.complaints import Complaint, SettingsError, complain, translate
from gateway.settings.devices import read_devices
from gateway.settings.document import Document
from gateway.settings.rules import compile_policy
from gateway.settings.schema import DevicesFile, GatewayFile, LaneFile, PrivacyFile, ServiceAreaFile
from gateway.settings.search import find_file
from gateway.settings.settings import Settings

__all__ = ["Settings", "SettingsError", "load_devices", "load_settings"]

Schema = TypeVar("Schema", bound=BaseModel)
_WHOLE_DAY_S = 86_400


def load_settings(path: Path) -> Settings:
    """The settings of `path` (a `gateway.yaml`) and of the files it names.

    Raises:
        SettingsError: with every fault of all three files.
    """
    document = Document(path)
    gateway, complaints = _read(document, GatewayFile)
    raw = document.data if isinstance(document.data, dict) else {}
    privacy, lane = _privacy(document, raw, complaints)
    entries = _devices(document, raw, complaints)
    if gateway is None:
        raise SettingsError(complaints)
    area = _area(document, gateway.service_area, complaints)
    listeners = doors.resolve(gateway.doors, document, complaints)
    state, keys = _folder(document, gateway.state), gateway.keys and _folder(document, gateway.keys)
    if keys and keys.resolve().is_relative_to(state.resolve()):
        sentence = "the keys would lie inside the state directory: choose a place outside."
        complaints.append(complain(document, ("keys",), sentence))
    if complaints or lane is None or area is None or privacy is None:
        raise SettingsError(complaints)
    zone = ZoneInfo(gateway.timezone)
    return Settings(
        file=path,
        state=state,
        keys=keys or None,
        owner=gateway.owner,
        zone=zone,
        doors=listeners,
        tick_s=gateway.intake.tick_s,
        batch=gateway.intake.batch,
        policy=compile_policy(lane, area, zone),
        purpose=lane.purpose,
        entries=entries,
    )


def load_devices(path: Path, owner: str) -> Entries:
    """The entries of one `devices.yaml`.

    Raises:
        SettingsError: with every fault of it.
    """
    document = Document(path)
    entries, complaints = _entries(document, owner)
    if complaints:
        raise SettingsError(complaints)
    return entries


def _read(document: Document, schema: type[Schema]) -> tuple[Schema | None, list[Complaint]]:
    """The file as its schema, unknown settings left out; None where more than those is wrong."""
    document.read()
    complaints = [
        Complaint(document.name, fault.line, fault.column, "", fault.sentence)
        for fault in document.faults
    ]
    if document.data is None and complaints:
        return None, complaints
    data = {} if document.data is None else document.data
    try:
        return schema.model_validate(data), complaints
    except ValidationError as error:
        complaints += translate(error, document, schema)
        unknown = [f["loc"] for f in error.errors() if f["type"] == "extra_forbidden"]
    try:
        return schema.model_validate(_without(data, (), set(unknown))), complaints
    except ValidationError:
        return None, complaints


def _without(data: Any, path: tuple[str | int, ...], unknown: set[tuple[str | int, ...]]) -> Any:
    if isinstance(data, dict):
        return {
            key: _without(value, (*path, key), unknown)
            for key, value in data.items()
            if (*path, key) not in unknown
        }
    if isinstance(data, list):
        return [_without(value, (*path, index), unknown) for index, value in enumerate(data)]
    return data


def _named(
    document: Document, raw: dict[str, Any], key: str, found: list[Complaint]
) -> Path | None:
    if not isinstance(raw.get(key), str):
        return None
    try:
        return find_file(document, raw[key])
    except ValueError as error:
        found.append(complain(document, (key,), str(error)))
        return None


def _privacy(
    document: Document, raw: dict[str, Any], found: list[Complaint]
) -> tuple[PrivacyFile | None, LaneFile | None]:
    path = _named(document, raw, "privacy", found)
    if path is None:
        return None, None
    rules = Document(path)
    privacy, complaints = _read(rules, PrivacyFile)
    found += complaints
    if privacy is None:
        return None, None
    lane = privacy.lanes[0]
    if lane.retain_s % _WHOLE_DAY_S:
        found.append(complain(rules, ("lanes", 0, "retain"), "whole days only, for example 28 d."))
    return privacy, lane


def _devices(document: Document, raw: dict[str, Any], found: list[Complaint]) -> Entries:
    path = _named(document, raw, "devices", found)
    if path is None:
        return Entries()
    owner = raw.get("owner")
    entries, complaints = _entries(Document(path), owner if isinstance(owner, str) else "")
    found += complaints
    return entries


def _entries(document: Document, owner: str) -> tuple[Entries, list[Complaint]]:
    file, complaints = _read(document, DevicesFile)
    if file is None:
        return Entries(), complaints
    entries, faults = read_devices(file, document, owner)
    return entries, [*complaints, *faults]


def _area(
    document: Document, wanted: ServiceAreaFile, found: list[Complaint]
) -> ServiceArea | None:
    path: tuple[str, ...] = ("service_area",)
    given = [form for form in wanted.model_fields_set if getattr(wanted, form) is not None]
    if len(given) == 1:
        path = ("service_area", given[0])
    try:
        return service_area(wanted, document)
    except (ValueError, OSError) as error:
        sentence = str(error)
        found.append(
            complain(document, path, sentence if sentence.endswith(".") else f"{sentence}.")
        )
        return None


def _folder(document: Document, name: str) -> Path:
    """A folder that the configuration names: relative ones begin beside the configuration."""
    return (document.folder / Path(name).expanduser()).resolve()
