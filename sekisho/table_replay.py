"""A table of readings (CSV) through the gateway without a door."""

from pathlib import Path

from gateway.devices.catalog import catalog
from gateway.devices.codecs import codec
from gateway.devices.kind import DeviceKind
from gateway.devices.mapping import Mapped, Source
from gateway.model.device import Device
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.model.uplink import Route
from gateway.registry import attributes, imports
from gateway.registry.registry import Registry
from gateway.registry.words import nearest
from gateway.settings.settings import Settings
from gateway.statedir import StateDir
from gateway.transports.replay.clock import RecordedClock
from gateway.transports.replay.columns import Readings, Table, decoder
from gateway.transports.replay.door import Replay
from sekisho import place, recorded, screen, track
from sekisho.forwarded_replay import Result, result
from sekisho.kinds_in_force import keep

_NO_OWNER = "00000"
_DEVICE = "device"


def table(kind: DeviceKind, columns: str | None, named: str | None, device: str | None, encoding: str, settings: Settings | None) -> Table:  # fmt: skip
    """How the columns are read, of what a command line says.

    Args:
        columns: `field=column,…`; `device=column` where a column names the device.
        named: a declared codec instead, whose members are the columns.
        device: the one device that speaks in the table.

    Raises:
        Refusal: they do not say which column is the time, or whose readings they are.
    """
    if kind.personal:
        raise Refusal(
            f"{kind.name} is about people: tables are for things of the city. Ways go by --home.",
            exit_code=2,
        )
    fields, whose = _fields(kind, columns) if columns is not None else (_declared(kind, named), "")
    if "t" not in fields:
        raise Refusal("Which column is the time? Say --columns t=COLUMN,…", exit_code=2)
    if bool(whose) == (device is not None):
        raise Refusal(
            "Whose readings are they? Say either --device ID, or --columns device=COLUMN,…",
            exit_code=2,
        )
    mapped = Mapped("columns", kind.name, fields)
    zone = place.zone_of(settings)
    if settings is None:
        screen.warn(
            f"Times without an offset are read in {zone}: no configuration here says another zone."
        )
    return Table(mapped, whose or device or "", bool(whose), zone, encoding)


def run(file: Path, how: Table, settings: Settings | None, state: Path, keys: Path | None, speed: float | None) -> Result:  # fmt: skip
    """Replay a table into `state`, which is made if it is not there.

    Raises:
        Refusal: see `Readings` and `recorded.checkpoint`; or a device is of another kind, or lacks facts.
    """
    kind = catalog()[how.mapped.kind]
    readings = Readings(file, how)
    begun = readings.readings[0].at
    clock = RecordedClock(begun)

    def register(directory: StateDir, registry: Registry) -> None:
        if settings is not None:
            keep(directory, settings)
            if planned := imports.plan(registry, settings.entries):
                imports.apply(registry, planned, begun)
        owner = _NO_OWNER if settings is None else settings.owner
        known = registry.directory().devices
        with registry.change():
            for name in readings.devices():
                if _known(known.get(DeviceId(name)), kind, name):
                    continue
                registry.put_device(DeviceId(name), kind.name, owner, begun)

    rules = track.rules(settings)
    with recorded.checkpoint(state, keys, clock, rules, register) as checkpoint:
        decode = decoder(kind, how.mapped)
        routes = {
            name: Route(checkpoint.directory.devices[DeviceId(name)], kind.name, decode)
            for name in readings.devices()
        }
        records = readings.records(routes.__getitem__)
        recorded.carry(checkpoint, lambda _: Replay(records, checkpoint.intake, clock, speed))
        return result(checkpoint, len(readings.readings), begun, undated=readings.undated)


def _known(device: Device | None, kind: DeviceKind, name: str) -> bool:
    """Whether a device is registered, as what speaks in the table.

    Raises:
        Refusal: as another kind; or it is not, and cannot be without facts that no table has.
    """
    if device is None:
        if missing := attributes.required(kind):
            raise Refusal(
                f"{name} must stand in devices.yaml: a {kind.name} needs {', '.join(missing)}."
            )
        return False
    if device.kind != kind.name:
        raise Refusal(
            f"{name} is registered as a {device.kind}, not as a {kind.name}.", exit_code=2
        )
    return True


def _fields(kind: DeviceKind, columns: str) -> tuple[dict[str, Source], str]:
    known = [*kind.document.__struct_fields__, _DEVICE]
    found: dict[str, Source] = {}
    whose = ""
    for pair in columns.split(","):
        name, equals, column = (part.strip() for part in pair.partition("="))
        if name not in known or not equals or not column:
            hint = nearest(name, known, unless=f" {kind.name} has {', '.join(known)}.")
            raise Refusal(f"--columns {pair}: write FIELD=COLUMN, as t=time.{hint}", exit_code=2)
        if name == _DEVICE:
            whose = column
        else:
            found[name] = Source((column,))
    return found, whose


def _declared(kind: DeviceKind, named: str | None) -> dict[str, Source]:
    found = None if named is None else codec(named)
    if not isinstance(found, Mapped) or found.kind != kind.name or found.script:
        raise Refusal(
            f"--codec {named}: the configuration declares no codec of this name that fills the fields of "
            f"{kind.name} without a script (codecs/{named}.yaml).",
            exit_code=2,
        )
    return dict(found.fields)
