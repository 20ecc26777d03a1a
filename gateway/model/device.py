"""What the registry knows, as immutable values: devices, households, credentials, one directory of all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from gateway.model.identity import DeviceId, HouseholdId
from gateway.model.instant import Instant
from gateway.model.position import Position


class Household:
    """A family's home as the mask needs it; never shown, never serialised.

    Attributes:
        household: its name.
        home: exact position, WGS 84; None when no home was imported yet (fail closed).
        radius_m: this family's own home radius in metres; None means the policy's default.
        crs: coordinate reference system the home was given in; only "EPSG:4326" is accepted.
        zone: under zone rules all that is kept of a home: the name of its zone; None otherwise.
        partition: hex SHA-256 of the partition's file that has this zone.
        former: where the family lived before, as long as there are rows from then: hidden like its home.
    """

    __slots__ = ("crs", "former", "home", "household", "partition", "radius_m", "zone")

    def __init__(
        self,
        household: HouseholdId,
        home: Position | None,
        radius_m: float | None,
        crs: str,
        zone: str | None = None,
        partition: str = "",
        former: "tuple[Household, ...]" = (),
    ) -> None:
        self.household = household
        self.home = home
        self.radius_m = radius_m
        self.crs = crs
        self.zone = zone
        self.partition = partition
        self.former = former

    def __repr__(self) -> str:
        return "<household>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a household is never serialised")


@dataclass(frozen=True, slots=True)
class Device:
    """One physical box as registered.

    Attributes:
        device: its id, as in its topic.
        kind: name of its device kind.
        owner: municipality code it belongs to, for example "16201".
        registered_at: nothing it observed before this moment is believed to carry its own time.
        household: the family of a personal device; None for things of the city.
        consents: of a child tracker, the purposes (names of lanes) for which a guardian's opt-in stands; a
            lane takes nothing of a child whose purpose is not among them. Nothing else asks them: a tag
            reader belongs to no family, and whose bags it sees is registered nowhere.
        attributes: the kind's own registry facts, for example {"datum_m": 4.2} or {"stop": "12_1"}.
        revoked: it may not speak any more; its uplinks are rejected as an unknown device's are.
    """

    device: DeviceId
    kind: str
    owner: str
    registered_at: Instant
    household: Household | None = None
    consents: frozenset[str] = frozenset()
    attributes: Mapping[str, str | float | bool] = field(default_factory=dict)
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Credential:
    """Something that may connect and speak for devices.

    Attributes:
        name: the MQTT user name.
        digest: keyed hash of the 128-bit token, which itself is kept nowhere; empty for a credential
            without one, which a client certificate proves.
        devices: the devices it speaks for.
        origin: "own" or "simulated"; simulated fleets register as the latter, in SIM directories only.
    """

    name: str
    digest: bytes = field(repr=False)
    devices: frozenset[DeviceId]
    origin: str = "own"


@dataclass(frozen=True, slots=True)
class Directory:
    """Everything the hot path asks the registry for; swapped whole when the registry changes."""

    devices: Mapping[DeviceId, Device]
    credentials: Mapping[str, Credential]
    version: int = 0
