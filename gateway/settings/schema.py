"""The settings that exist: three files, strict, with lengths, times and sizes written with units."""

from ipaddress import ip_network
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from gateway.lorawan.regions import PLANS
from gateway.model.quantity import DURATION, LENGTH
from gateway.registry.words import nearest
from gateway.settings.door_schema import DoorFile
from gateway.settings.forms import Municipality, Name, Strict, fault, quantity, sha256
from gateway.wire.lorawan.identifiers import Eui


def _zone(given: str) -> str:
    try:
        ZoneInfo(given)
    except (KeyError, ValueError, OSError):
        hint = nearest(given, sorted(available_timezones()), unless=" For example Asia/Tokyo.")
        raise fault(f'no time zone named "{given}".{hint}') from None
    return given


def _kinds(given: object) -> object:
    several = isinstance(given, list) and all(isinstance(one, str) for one in given)
    if not (several or given is None or isinstance(given, str)):
        raise fault("a folder is needed here, or a list of files.")
    return given


def _eui(given: str) -> str:
    try:
        return str(Eui.of(given))
    except ValueError:
        raise fault("sixteen hexadecimal digits are needed here.") from None


def _networks(given: list[str]) -> list[str]:
    for one in given:
        try:
            ip_network(one)
        except ValueError:
            raise fault(f"{one} is no network: write 192.0.2.0/24, or an address.") from None
    return given


def _region(given: str) -> str:
    if given not in PLANS:
        raise fault(f"no region of this name. There are {', '.join(PLANS)}.")
    return given


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


class ForwarderFile(Strict):
    """One of `lorawan.forwarders`."""

    eui: Annotated[str, AfterValidator(_eui)]
    networks: Annotated[list[str], AfterValidator(_networks), Field(alias="from")] = Field(
        default_factory=list
    )
    gain_db: Annotated[float, Field(ge=-20, le=30)] = 0.0
    credential: Name | None = None


_UNSERVED = ("beacon", "class", "class_b", "class_c", "multicast", "ping_slot", "rejoin", "roaming")


def _served(given: object) -> object:
    asked = sorted(set(_UNSERVED) & set(given)) if isinstance(given, dict) else []
    if asked:
        raise fault(
            f"{asked[0]} is not done here: Class A alone is, for devices one by one, and in this network. Leave it out "
            "(docs/pilot-lora.md)."
        )
    return given


class LorawanFile(Strict):
    """`lorawan:`, what all doors for forwarders share."""

    region: Annotated[str, AfterValidator(_region)]
    window_s: Annotated[float, quantity(DURATION, "10 ms", "800 ms"), Field(alias="window")] = 0.2
    forwarders: Annotated[list[ForwarderFile], Field(min_length=1)]
    adr: bool = False
    adr_margin_db: Annotated[float, Field(ge=0, le=30)] = 10.0


class PinnedFile(Strict):
    """A file that must not change unseen: its name, and its SHA-256 in hex."""

    file: str
    pin: Annotated[str, sha256("sha256sum FILE prints them")]


class CountingFile(Strict):
    """`counting:`, what numbers stand on."""

    streets: PinnedFile | None = None
    facilities: PinnedFile | None = None


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
    lorawan: Annotated[LorawanFile | None, BeforeValidator(_served)] = None
    counting: CountingFile | None = None


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

    devices: list[DeviceFile] = Field(default_factory=list)
    credentials: list[CredentialFile] = Field(default_factory=list)
