"""Loads a configuration: reads its files, and either resolves all of it or names every fault."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.model.errors import Refusal
from gateway.registry.imports import Entries
from gateway.rules.model import RuleSet
from gateway.settings import doors
from gateway.settings.area import ServiceArea, service_area
from gateway.settings.codecs import configured_codecs
from gateway.settings.complaints import Complaint, SettingsError, complain
from gateway.settings.counting import ground, plans
from gateway.settings.devices import read_devices
from gateway.settings.document import Document
from gateway.settings.kinds import configured
from gateway.settings.lorawan import lorawan
from gateway.settings.reading import read
from gateway.settings.rule_set import load_rules, partitions_of
from gateway.settings.rules import Ground, compile_policy
from gateway.settings.schema import DevicesFile, GatewayFile, ServiceAreaFile
from gateway.settings.search import find_file
from gateway.settings.settings import Settings
from gateway.statedir import Mark, StateDir

__all__ = ["Settings", "SettingsError", "load_devices", "load_settings"]


def load_settings(path: Path, now: datetime | None = None) -> Settings:
    """The settings of `path` (a `gateway.yaml`) and of the files it names.

    Kinds that it declares are in the catalog from then on: its devices may be of them.

    Args:
        now: the time at which certificates must be valid; None leaves that to the clients, so that one
            expired certificate does not keep a gateway's other doors shut.

    Raises:
        SettingsError: with every fault of all files.
    """
    document = Document(path)
    gateway, complaints = read(document, GatewayFile)
    raw = document.data if isinstance(document.data, dict) else {}
    privacy = _rules(document, raw, complaints, invented=_invented(document, raw))
    kinds = configured(document, raw.get("kinds"), complaints)
    codecs = configured_codecs(document, raw.get("codecs"), complaints)
    entries = _devices(document, raw, complaints)
    if gateway is None:
        raise SettingsError(complaints)
    area = _area(document, gateway.service_area, complaints)
    resolved = doors.resolve(gateway.doors, document, complaints)
    if now is not None:
        doors.complain_of_expired(document, gateway.doors, resolved, now, complaints)
    forwarders = lorawan(gateway.lorawan, gateway.doors, document, complaints)
    zone = ZoneInfo(gateway.timezone)
    stands = ground(gateway.counting, document, complaints)
    counted = () if privacy is None else plans(privacy[1], stands, zone, document, complaints)
    state, keys = _folder(document, gateway.state), gateway.keys and _folder(document, gateway.keys)
    if keys and keys.resolve().is_relative_to(state.resolve()):
        sentence = "the keys would lie inside the state directory: choose a place outside."
        complaints.append(complain(document, ("keys",), sentence))
    if complaints or area is None or privacy is None:
        raise SettingsError(complaints)
    file, rules = privacy
    return Settings(
        file=path,
        state=state,
        keys=keys or None,
        owner=gateway.owner,
        zone=zone,
        doors=resolved.listeners,
        tick_s=gateway.intake.tick_s,
        batch=gateway.intake.batch,
        policy=compile_policy(rules, partitions_of(file, rules), Ground.of(area, zone)),
        rules=rules,
        entries=entries,
        kinds=kinds,
        codecs=codecs,
        pushes=resolved.pushes,
        brokers=resolved.brokers,
        udp=resolved.udp,
        stations=resolved.stations,
        lorawan=forwarders,
        counted=counted,
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


def _rules(
    document: Document, raw: dict[str, Any], found: list[Complaint], *, invented: bool
) -> tuple[Path, RuleSet] | None:
    """The rule set in force and its file: in the rule language, or in the gateway's first form."""
    path = _named(document, raw, "privacy", found)
    if path is None:
        return None
    try:
        rules = load_rules(path, invented=invented)
    except SettingsError as error:
        found += error.complaints
        return None
    return path, rules


def _devices(document: Document, raw: dict[str, Any], found: list[Complaint]) -> Entries:
    path = _named(document, raw, "devices", found)
    if path is None:
        return Entries()
    owner = raw.get("owner")
    entries, complaints = _entries(Document(path), owner if isinstance(owner, str) else "")
    found += complaints
    return entries


def _entries(document: Document, owner: str) -> tuple[Entries, list[Complaint]]:
    file, complaints = read(document, DevicesFile)
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


def _invented(document: Document, raw: dict[str, Any]) -> bool:
    """Whether the state directory is one of invented people alone."""
    if not isinstance(raw.get("state"), str):
        return False
    try:
        return StateDir.open(_folder(document, raw["state"])).mark is Mark.SIM
    except (Refusal, OSError):
        return False


def _folder(document: Document, name: str) -> Path:
    """A folder that the configuration names: relative ones begin beside the configuration."""
    return (document.folder / Path(name).expanduser()).resolve()
