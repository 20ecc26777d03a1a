"""Imports of devices: what a file would change, and the change (decisions 11).

A file adds and changes; it deletes, and takes a device from a credential, only where pruning is asked for.
What a later command set wins over it unless forced, and no file brings back what was revoked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.devices.catalog import catalog
from gateway.model.errors import Refusal
from gateway.model.instant import Instant
from gateway.registry import attributes as kind_attributes
from gateway.registry import rules, table
from gateway.registry.device_rows import DeviceRow
from gateway.registry.registry import Registry
from gateway.registry.words import nearest

FILE = "file"
_FIELDS = ("kind", "owner", "household", "name", "attributes")
DEVICE_WORDS = ("device", "kind", "owner", "household", "name", "credential")


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """A device as a file describes it; see `gateway.model.device.Device`."""

    device: str
    kind: str
    owner: str
    household: str | None = None
    name: str | None = None
    attributes: Mapping[str, str | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entries:
    """What a file says: devices, and credential name → the devices it speaks for."""

    devices: tuple[DeviceEntry, ...] = ()
    credentials: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Speaking(NamedTuple):
    """For whom a credential is to speak.

    Attributes:
        new: it does not exist yet.
        more: devices it speaks for from now on.
        less: devices it no longer speaks for.
        devices: all of them, afterwards.
    """

    new: bool
    more: list[str]
    less: list[str]
    devices: frozenset[str]

    def line(self, name: str) -> str:
        if self.new:
            count = len(self.devices)
            return f"+ credential {name}  for {count} device{'' if count == 1 else 's'}"
        changes = [f"+ {device}" for device in self.more] + [f"- {device}" for device in self.less]
        return f"~ credential {name}  {'  '.join(changes)}"


@dataclass(slots=True)
class Plan:
    """What an import would do.

    Attributes:
        add, change: entries to write; `change` with the names of the facts that differ.
        keep: devices that differ but were set by a command: they stay as they are.
        drop: devices to forget.
        speakers: credentials to add or change.
        drop_credentials: credentials to forget.
        keep_credentials: credentials that differ but were set by a command.
        same: how many devices are as the file says.
    """

    add: list[DeviceEntry] = field(default_factory=list)
    change: list[tuple[DeviceEntry, list[str]]] = field(default_factory=list)
    keep: list[tuple[str, list[str]]] = field(default_factory=list)
    drop: list[str] = field(default_factory=list)
    speakers: dict[str, Speaking] = field(default_factory=dict)
    drop_credentials: list[str] = field(default_factory=list)
    keep_credentials: list[str] = field(default_factory=list)
    same: int = 0

    def __bool__(self) -> bool:
        return bool(self.add or self.change or self.drop or self.speakers or self.drop_credentials)

    def lines(self) -> Iterator[str]:
        """The difference, one line per thing."""
        yield from (f"+ {entry.device}  {entry.kind}" for entry in self.add)
        yield from (f"~ {entry.device}  {', '.join(names)}" for entry, names in self.change)
        yield from (f"- {device}" for device in self.drop)
        yield from (
            f"= {device}  {', '.join(names)}: kept as a command set it (--force follows the file)"
            for device, names in self.keep
        )
        yield from (speaking.line(name) for name, speaking in self.speakers.items())
        yield from (f"- credential {name}" for name in self.drop_credentials)
        yield from (
            f"= credential {name}: kept as a command set it (--force follows the file)"
            for name in self.keep_credentials
        )


def plan(registry: Registry, entries: Entries, *, prune: bool = False, force: bool = False) -> Plan:
    """What importing `entries` would do now; changes nothing."""
    found = Plan()
    known = {row.device: row for row in registry.devices()}
    for entry in entries.devices:
        row = known.get(entry.device)
        if row is None:
            found.add.append(entry)
        elif not (names := _differing(entry, row)):
            found.same += 1
        elif row.source != FILE and not force:
            found.keep.append((entry.device, names))
        else:
            found.change.append((entry, names))
    _plan_credentials(found, registry, entries, prune=prune, force=force)
    if prune:
        named = {entry.device for entry in entries.devices}
        found.drop = [
            device
            for device, row in known.items()
            if device not in named and (row.source == FILE or force)
        ]
    return found


def apply(registry: Registry, planned: Plan, now: Instant) -> None:
    """Make a plan true, whole or not at all. New credentials have no token yet."""
    known = {row.device: row for row in registry.devices()}
    with registry.change():
        for entry in [*planned.add, *(entry for entry, _ in planned.change)]:
            before = known.get(entry.device)
            registry.put_device(
                *(entry.device, entry.kind, entry.owner),
                now if before is None else before.registered_at,
                entry.household,
                attributes=entry.attributes,
                name=entry.name,
                source=FILE,
                changed_at=now,
            )
        for name, speaking in planned.speakers.items():
            registry.put_speakers(name, speaking.devices, at=now, source=FILE)
        for device in planned.drop:
            registry.drop_device(device)
        for name in planned.drop_credentials:
            registry.drop_credential(name)


def read_csv(text: str, file: str, owner: str) -> Entries:
    """Devices from CSV: `device,kind[,owner][,household][,name][,credential]` and attributes by name.

    Raises:
        Refusal: every fault, one `file:line` sentence each.
    """
    columns = table.columns(text)
    if wrong := _column_faults(columns):
        said = "\n".join(f"{file}:1 {fault}" for fault in wrong)
        raise Refusal(f"{said}\nNothing was imported.", exit_code=2)
    missing = [column for column in ("device", "kind") if column not in columns]
    if missing:
        raise Refusal(
            f"{file}:1 the column {' and '.join(missing)} is missing. The first line names the "
            "columns: device,kind and, as needed, owner, household, name, credential and attributes.",
            exit_code=2,
        )
    devices: dict[str, DeviceEntry] = {}
    credentials: dict[str, set[str]] = {}
    faults: list[str] = []
    for number, cells in table.lines(text):
        try:
            if cells is None:
                raise ValueError("it has more or fewer cells than line 1.")
            entry = _entry(cells, owner)
            if entry.device in devices:
                raise ValueError(f"{entry.device} stands here twice.")
        except (ValueError, Refusal) as error:
            faults.append(f"{file}:{number} {error}")
            continue
        devices[entry.device] = entry
        if cells.get("credential"):
            credentials.setdefault(cells["credential"], set()).add(entry.device)
    if faults:
        count = f"{len(faults)} fault{'' if len(faults) == 1 else 's'}. Nothing was imported."
        raise Refusal("\n".join([*faults, count]), exit_code=2)
    speakers = {name: frozenset(speaks) for name, speaks in credentials.items()}
    return Entries(tuple(devices.values()), speakers)


def _column_faults(columns: list[str]) -> list[str]:
    """Sentences about columns that stand twice, or that mean nothing for any kind."""
    kinds = catalog().values()
    known = {*DEVICE_WORDS, *(word for kind in kinds for word in kind_attributes.spellings(kind))}
    twice = {column for column in columns if columns.count(column) > 1}
    return [f'the column "{column}" stands here twice.' for column in sorted(twice)] + [
        f'no kind knows a column "{column}".{nearest(column, sorted(known))}'
        for column in columns
        if column not in known
    ]


def _entry(cells: Mapping[str, str], owner: str) -> DeviceEntry:
    kind = catalog().get(cells["kind"])
    if kind is None:
        raise ValueError(rules.kind_fault(cells["kind"]))
    facts: dict[str, str | float | bool] = {}
    for column, cell in cells.items():
        if column in DEVICE_WORDS or not cell:
            continue
        try:
            name, value = kind_attributes.read(kind, column, cell)
        except ValueError as error:
            raise ValueError(f"{column}: {error}{nearest(column, DEVICE_WORDS)}") from None
        facts[name] = value
    entry = DeviceEntry(
        *(cells["device"], kind.name, cells.get("owner") or owner),
        *(cells.get("household") or None, cells.get("name") or None, facts),
    )
    rules.require_owner(entry.owner)
    rules.require_device(entry.device, entry.kind, entry.household, facts)
    return entry


def _differing(entry: DeviceEntry, row: DeviceRow) -> list[str]:
    return [name for name in _FIELDS if getattr(entry, name) != getattr(row, name)]


def _plan_credentials(
    found: Plan, registry: Registry, entries: Entries, *, prune: bool, force: bool
) -> None:
    sources = registry.credential_sources()
    speaks = registry.credentials()
    for name, devices in entries.credentials.items():
        before = speaks.get(name, frozenset())
        less = sorted(before - devices) if prune else []
        more = sorted(devices - before)
        if name in speaks and not more and not less:
            continue
        if force or sources.get(name, FILE) == FILE:
            after = devices if prune else devices | before
            found.speakers[name] = Speaking(name not in speaks, more, less, after)
        else:
            found.keep_credentials.append(name)
    if prune:
        found.drop_credentials = [
            name
            for name, source in sources.items()
            if name not in entries.credentials and (source == FILE or force)
        ]
