"""The settings that exist: three files, strict, with lengths, times and sizes written with units."""

import ipaddress
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from gateway.model.identity import is_name
from gateway.model.quantity import DURATION, LENGTH, SIZE, Dimension, parse, whole
from gateway.registry.rules import NAMES
from gateway.registry.words import nearest


def fault(sentence: str) -> PydanticCustomError:
    """A fault whose sentence reaches the reader as it is."""
    return PydanticCustomError("sekisho", "{sentence}", {"sentence": sentence})


def quantity(dimension: Dimension, low: str, high: str, *, in_wholes: bool = False) -> Any:
    """A validator: text with a unit between two limits → SI number."""
    read = whole if in_wholes else parse

    def check(given: object) -> float:
        if not isinstance(given, str):
            given = "" if given is None or isinstance(given, (bool, dict, list)) else str(given)
        try:
            value = read(given, dimension)
        except ValueError as error:
            raise fault(str(error)) from None
        if not parse(low, dimension) <= value <= parse(high, dimension):
            raise fault(f"{given.strip()} is outside {low} to {high}.")
        return value

    return BeforeValidator(check)


def _name(given: str) -> str:
    if not is_name(given):
        raise fault(f"not a name: {NAMES}.")
    return given


def _zone(given: str) -> str:
    try:
        ZoneInfo(given)
    except (KeyError, ValueError, OSError):
        hint = nearest(given, sorted(available_timezones()), unless=" For example Asia/Tokyo.")
        raise fault(f'no time zone named "{given}".{hint}') from None
    return given


def _address(given: str) -> str:
    try:
        ipaddress.ip_address(given)
    except ValueError:
        raise fault(
            "an IP address is needed here: 127.0.0.1 for this machine alone, 0.0.0.0 for all."
        ) from None
    return given


def _municipality(given: str) -> str:
    if not (given.isascii() and given.isdigit() and len(given) == 5):
        raise fault('a municipality is five digits in quotes, for example "16201".')
    return given


def _kinds(given: object) -> object:
    several = isinstance(given, list) and all(isinstance(one, str) for one in given)
    if not (several or given is None or isinstance(given, str)):
        raise fault("a folder is needed here, or a list of files.")
    return given


Name = Annotated[str, AfterValidator(_name)]
Municipality = Annotated[str, AfterValidator(_municipality)]
Port = Annotated[int, Field(ge=0, le=65535)]


class Strict(BaseModel):
    """Settings with names: nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )


class TlsFile(Strict):
    """`tls:` of a door."""

    port: Port
    certificate: str
    key: str
    client_ca: str | None = None
    client_certificate: Literal["offered", "required"] | None = None


class MqttListenerFile(Strict):
    """A door of kind `mqtt_listener`."""

    kind: Literal["mqtt_listener"]
    name: Name
    bind: Annotated[str, AfterValidator(_address)] = "127.0.0.1"
    port: Port | None = 1883
    tls: TlsFile | None = None
    anonymous: bool = False
    connections: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    packet_bytes: Annotated[
        int, quantity(SIZE, "256 B", "16 MiB", in_wholes=True), Field(alias="packet")
    ] = 65_536
    pending: Annotated[int, Field(ge=1, le=65_535)] = 1024
    topic_aliases: Annotated[int, Field(ge=0, le=1000)] = 64
    session_expiry_s: Annotated[
        float, quantity(DURATION, "0 s", "366 d"), Field(alias="session_expiry")
    ] = 604_800.0
    keep_alive_s: Annotated[float, quantity(DURATION, "1 s", "18 h"), Field(alias="keep_alive")] = (
        3600.0
    )


class HttpPushFile(Strict):
    """A door of kind `http_push`."""

    kind: Literal["http_push"]
    name: Name
    bind: Annotated[str, AfterValidator(_address)] = "127.0.0.1"
    port: Port | None = 8080
    tls: TlsFile | None = None
    body_bytes: Annotated[
        int, quantity(SIZE, "1 KiB", "16 MiB", in_wholes=True), Field(alias="body")
    ] = 262_144
    pending: Annotated[int, Field(ge=1, le=65_535)] = 1024


DoorFile = Annotated[MqttListenerFile | HttpPushFile, Field(discriminator="kind")]
"""Any door; which one it is, its `kind` says."""


class IntakeFile(Strict):
    """`intake:`."""

    tick_s: Annotated[float, quantity(DURATION, "1 ms", "1 s"), Field(alias="tick")] = 0.004
    batch: Annotated[int, Field(ge=1, le=65_536)] = 8192


class StoreFile(Strict):
    """`store:`."""

    kind: Literal["sqlite"] = "sqlite"


class ServiceAreaFile(Strict):
    """`service_area:`, exactly one of its three forms."""

    municipality: Municipality | None = None
    geojson: str | None = None
    bbox: Annotated[list[float], Field(min_length=4, max_length=4)] | None = None


class GatewayFile(Strict):
    """`gateway.yaml`."""

    state: str
    keys: str | None = None
    owner: Municipality
    timezone: Annotated[str, AfterValidator(_zone)]
    service_area: ServiceAreaFile
    doors: Annotated[list[DoorFile], Field(min_length=1)]
    intake: IntakeFile = IntakeFile()
    store: StoreFile = StoreFile()
    privacy: str
    devices: str | None = None
    kinds: Annotated[Any, AfterValidator(_kinds)] = None
    codecs: str | None = None


class ReopenFile(Strict):
    """`reopen:`, when a closed tracker opens again."""

    fixes: Annotated[int, Field(ge=1, le=60)] = 3
    net_m: Annotated[float, quantity(LENGTH, "0 m", "10 km"), Field(alias="net")] = 150.0
    far_m: Annotated[float, quantity(LENGTH, "0 m", "10 km"), Field(alias="far")] = 300.0


class CircleFile(Strict):
    """A rule of kind `circle`: nothing within a radius of home."""

    kind: Literal["circle"]
    anchor: Literal["home"]
    radius_m: Annotated[float, quantity(LENGTH, "1 m", "10 km"), Field(alias="radius")]
    buffer_m: Annotated[float, quantity(LENGTH, "0 m", "10 km"), Field(alias="buffer")] = 20.0
    accuracy_limit_m: Annotated[
        float, quantity(LENGTH, "1 m", "1 km"), Field(alias="accuracy_limit")
    ] = 50.0
    default_accuracy_m: Annotated[
        float, quantity(LENGTH, "1 m", "1 km"), Field(alias="default_accuracy")
    ] = 10.0
    reopen: ReopenFile = ReopenFile()
    gap_s: Annotated[float, quantity(DURATION, "1 min", "24 h"), Field(alias="gap")] = 1800.0


class LaneFile(Strict):
    """One lane: a purpose, how long its rows may stay, and what never enters it."""

    name: Literal["store"]
    purpose: Annotated[str, Field(min_length=1)]
    retain_s: Annotated[float, quantity(DURATION, "1 d", "3660 d"), Field(alias="retain")]
    suppress: Annotated[list[CircleFile], Field(min_length=1, max_length=1)]


class PrivacyFile(Strict):
    """`privacy.yaml`."""

    lanes: Annotated[list[LaneFile], Field(min_length=1, max_length=1)]


class DeviceFile(BaseModel):
    """One device of `devices.yaml`; what else stands beside these names are its kind's attributes."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True, hide_input_in_errors=True)

    id: Name
    kind: str
    name: str | None = None
    owner: Municipality | None = None
    household: Name | None = None
    attributes: dict[str, Any] = {}


class CredentialFile(Strict):
    """One credential of `devices.yaml`; its token is never in a file."""

    name: Name
    devices: list[str]


class DevicesFile(Strict):
    """`devices.yaml`."""

    devices: list[DeviceFile] = []
    credentials: list[CredentialFile] = []
