"""A town of our own on one machine: state directory, keys, configuration, registered devices."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from gateway.clock import SystemClock
from gateway.keys.ring import KeyRing
from gateway.model.instant import Instant, parse_rfc3339
from gateway.registry.registry import Registry
from gateway.statedir import Mark, StateDir

ZONE = ZoneInfo("Asia/Tokyo")
SINCE = parse_rfc3339("2020-01-01T00:00:00+09:00")
"""When every device of these tests was registered."""

SOUTH, WEST, NORTH, EAST = 36.0, 136.5, 37.5, 138.5
"""The service area."""

_GATEWAY = """\
state: {folder}/state
keys: {folder}/keys
owner: "16201"
timezone: Asia/Tokyo
service_area:
  bbox: [{area}]
doors:
  - kind: mqtt_listener
    name: mqtt
    port: {port}
{door}{more}privacy: {folder}/privacy.yaml
"""

_PRIVACY = """\
lanes:
  - name: store
    purpose: Prove what the gateway promises.
    retain: 28 d
    suppress:
      - kind: circle
        anchor: home
        radius: 50 m
"""

Member = dict[str, Any]
"""A device as a roster line of a ledger has it (docs/ledger.md): what a registry knows, for the oracle too."""


def member(device: str, kind: str, **facts: Any) -> Member:
    """A device that nobody lives with, registered in 2020; `facts` say more."""
    return {
        "roster": device,
        "kind": kind,
        "owner": "16201",
        "registered_at": SINCE,
        "attributes": {},
        "household": None,
        "home": None,
        "crs": "EPSG:4326",
        "radius_m": None,
        "consent": False,
        **facts,
    }


def gauge(device: str) -> Member:
    """A river gauge 4.2 m above its river's zero."""
    return member(device, "river_gauge", attributes={"datum_m": 4.2})


def child(device: str, home: tuple[float, float], radius_m: float | None = None) -> Member:
    """A consenting child's tracker; its household has its name."""
    return member(
        device,
        "child_tracker",
        household=f"house-{device}",
        home=home,
        radius_m=radius_m,
        consent=True,
    )


def reader(device: str) -> Member:
    """An RFID reader at the stop of its own name."""
    return member(device, "bus_stop_reader", attributes={"mount": "stop", "stop": f"stop-{device}"})


def in_area(lat: float, lon: float) -> bool:
    """The oracle's own view of the service area."""
    return SOUTH <= lat <= NORTH and WEST <= lon <= EAST


class Town:
    """One directory with everything a gateway needs, under `folder`.

    Args:
        mark: SIM, or None for a directory as in production.
        port: of the door; 0 = any free one.
        door: further settings of the door, name → YAML value.

    Attributes:
        more_doors: YAML of further doors, in force with the next `set_door`.
    """

    def __init__(
        self, folder: Path, mark: Mark | None = Mark.SIM, port: int = 0, **door: Any
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.config = folder / "gateway.yaml"
        self.state = StateDir.create(folder / "state", mark, SystemClock())
        self.keys = KeyRing.create(folder / "keys", self.state.id, SystemClock(), ZONE)
        self.more_doors = ""
        self.set_door(port, **door)
        (folder / "privacy.yaml").write_text(_PRIVACY)

    def twin(self, folder: Path) -> Self:
        """This town as it is now, once more: same id, keys, registry and rows, in another folder."""
        shutil.copytree(self.folder, folder)
        other = copy(self)
        other.folder, other.config = folder, folder / "gateway.yaml"
        other.state = StateDir.open(folder / "state")
        other.set_door(0)
        return other

    def moved(self, folder: Path) -> Self:
        """The town whose state and keys lie in another folder already, on a free port."""
        other = copy(self)
        other.folder, other.config = folder, folder / "gateway.yaml"
        other.state = StateDir.open(folder / "state")
        other.set_door(0)
        (folder / "privacy.yaml").write_text(_PRIVACY)
        return other

    def set_door(self, port: int, **door: Any) -> None:
        """Write the configuration."""
        more = "".join(f"    {name}: {value}\n" for name, value in door.items())
        area = f"{SOUTH}, {WEST}, {NORTH}, {EAST}"
        self.config.write_text(
            _GATEWAY.format(
                folder=self.folder, port=port, door=more, more=self.more_doors, area=area
            )
        )

    @contextmanager
    def registry(self) -> Iterator[Registry]:
        """The registry, open for a while."""
        with Registry.open(self.state, self.keys) as opened:
            yield opened

    def enrol(
        self, members: Iterable[Member], credential: str = "fleet", at: Instant = SINCE
    ) -> str:
        """Register devices, homes, consents and one credential for all; the credential's token."""
        members = list(members)
        self.keys.households.make_all(m["household"] for m in members if m["household"])
        with self.registry() as registry, registry.change():
            for m in members:
                registry.put_device(
                    *(m["roster"], m["kind"], m["owner"], m["registered_at"], m["household"]),
                    attributes=m["attributes"],
                )
                if m["home"] is not None:
                    lat, lon = m["home"]
                    registry.put_home(m["household"], lat, lon, m["radius_m"], at=at)
                if m["consent"]:
                    registry.record_consent(m["roster"], "store", "a guardian", "a sheet", at)
            return registry.put_credential(credential, [m["roster"] for m in members], at=at)
