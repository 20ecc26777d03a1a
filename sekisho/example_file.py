"""Examples in a configuration (`tests/*.yaml` beside `gateway.yaml`): uplinks in, what becomes of them out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field

from gateway.model.device import Device, Household
from gateway.model.identity import DeviceId, HouseholdId
from gateway.model.instant import Instant, parse_rfc3339
from gateway.model.position import Position
from gateway.model.quantity import LENGTH
from gateway.model.reason import Reason
from gateway.privacy.distance import HIGHEST_LATITUDE
from gateway.registry.imports import DeviceEntry
from gateway.registry.purposes import STORE
from gateway.registry.words import nearest
from gateway.settings.complaints import Complaint, complain
from gateway.settings.devices import read_devices
from gateway.settings.document import Document
from gateway.settings.forms import Name, Strict, fault, quantity
from gateway.settings.load import Settings
from gateway.settings.reading import read
from gateway.settings.schema import DeviceFile, DevicesFile

FOLDER = "tests"


def _moment(given: object) -> Instant:
    try:
        return parse_rfc3339(str(given))
    except ValueError:
        raise fault(
            "a time with its offset is needed here, as 2026-05-12T12:00:05+09:00."
        ) from None


def _bytes(given: object) -> str:
    try:
        bytes.fromhex(str(given))
    except ValueError:
        raise fault("hex digits in pairs are needed here; blanks are free.") from None
    return str(given)


def _reason(given: str) -> str:
    known = [reason.value for reason in Reason]
    if given not in known:
        raise fault(
            f'no uplink is refused as "{given}".' + nearest(given, known, unless=" docs/operations.md lists the reasons.")
        )  # fmt: skip
    return given


def _one_or_more(given: object) -> object:
    return [given] if isinstance(given, dict) else given


def _home(given: list[float]) -> list[float]:
    lat, lon = given
    if not (abs(lat) <= HIGHEST_LATITUDE and abs(lon) <= 180.0):
        raise fault("latitude and longitude in degrees are needed here, as [36.70, 137.20].")
    return given


Why = Annotated[str, AfterValidator(_reason)]
Line = Annotated[str, Field(min_length=1, max_length=200)]


class ExpectFile(Strict):
    """`expect:`, exactly one of these."""

    stored: Annotated[list[dict[str, Any]] | None, BeforeValidator(_one_or_more)] = None
    rejected: Why | None = None
    suppressed: Why | None = None
    counted: Literal[True] | None = None
    duplicate: Literal[True] | None = None


class UplinkFile(Strict):
    """One uplink: `json`, or `binary` with its head, or `binary` with `f_port` as LoRaWAN carries it."""

    received_at: Annotated[Instant, BeforeValidator(_moment)]
    json_text: Annotated[str | None, Field(alias="json")] = None
    binary: Annotated[str | None, BeforeValidator(_bytes)] = None
    f_port: Annotated[int, Field(ge=1, le=223)] | None = None
    expect: ExpectFile


class ExampleFile(Strict):
    """One example: a device, and its uplinks in order; the mask begins anew with each example."""

    name: Line
    device: Name
    uplinks: Annotated[list[UplinkFile], Field(min_length=1)]


class HouseholdFile(Strict):
    """An invented family: its home, and whether its guardians agreed that rows are stored."""

    home: (
        Annotated[list[float], Field(min_length=2, max_length=2), AfterValidator(_home)] | None
    ) = None
    radius_m: Annotated[
        float | None, quantity(LENGTH, "1 m", "10 km"), Field(alias="radius")
    ] = None  # fmt: skip
    consent: bool = False


class ExamplesFile(Strict):
    """One file of examples."""

    fictional: bool = False
    households: dict[Name, HouseholdFile] = Field(default_factory=dict)
    devices: list[DeviceFile] = Field(default_factory=list)
    examples: Annotated[list[ExampleFile], Field(min_length=1)]


class Examples(NamedTuple):
    """A file that can be run: its document, for places; its examples; its devices, by id."""

    document: Document
    examples: list[ExampleFile]
    devices: Mapping[str, Device]


def read_examples(path: Path, settings: Settings) -> tuple[Examples | None, list[Complaint]]:
    """The examples of a file with the devices they speak of, or everything that is wrong with it."""
    document = Document(path)
    file, complaints = read(document, ExamplesFile)
    if file is None:
        return None, complaints
    if any(family.home for family in file.households.values()) and not file.fictional:
        sentence = (
            "homes in a file that many can read must be invented: say fictional: true where they are, "
            "and never write a real one here."
        )
        complaints.append(complain(document, ("households",), sentence))
    entries, faults = read_devices(DevicesFile(devices=file.devices), document, settings.owner)
    complaints += faults
    known = {entry.device: entry for entry in (*settings.entries.devices, *entries.devices)}
    for index, example in enumerate(file.examples):
        complaints += _faults(example, document, index, list(known))
    if complaints:
        return None, complaints
    devices = {name: _device(entry, file.households) for name, entry in known.items()}
    return Examples(document, file.examples, devices), []


def _faults(
    example: ExampleFile, document: Document, index: int, known: list[str]
) -> list[Complaint]:
    found = []
    if example.device not in known:
        hint = nearest(
            example.device, known, unless=" It must stand under devices here, or in devices.yaml."
        )
        sentence = f'no device named "{example.device}".{hint}'
        found.append(complain(document, ("examples", index, "device"), sentence))
    for number, uplink in enumerate(example.uplinks):
        path = ("examples", index, "uplinks", number)
        if (uplink.json_text is None) == (uplink.binary is None):
            found.append(complain(document, path, "either json or binary is needed, and not both."))
        if uplink.f_port is not None and uplink.binary is None:
            found.append(complain(document, (*path, "f_port"), "a port belongs to binary alone."))
        if len(uplink.expect.model_fields_set) != 1:
            sentence = "one of stored, rejected, suppressed, counted and duplicate is needed."
            found.append(complain(document, (*path, "expect"), sentence))
    return found


def _device(entry: DeviceEntry, families: Mapping[str, HouseholdFile]) -> Device:
    family = None if entry.household is None else families.get(entry.household)
    household = None
    if entry.household is not None:
        home = None if family is None or family.home is None else Position(*family.home)
        radius = None if family is None else family.radius_m
        household = Household(HouseholdId(entry.household), home, radius, "EPSG:4326")
    return Device(
        DeviceId(entry.device),
        entry.kind,
        entry.owner,
        0,
        household,
        frozenset({STORE} if family is not None and family.consent else ()),
        entry.attributes,
    )
