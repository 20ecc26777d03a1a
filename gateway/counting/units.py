"""What is counted in: cells of the public mesh, bus stops, pieces of street. Each has a number, 1 or more."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, Protocol

from gateway.model.reading import Reading
from gateway.privacy.mesh import MESHES


class Units(Protocol):
    """The units of one count rule.

    Attributes:
        pin: what the numbers stand for, as text: another pin, other units.
        dead_ends: the numbers of those at an end of the network.
        hidden: the numbers of those that are never shown.
    """

    @property
    def pin(self) -> str: ...

    @property
    def dead_ends(self) -> frozenset[int]: ...

    @property
    def hidden(self) -> frozenset[int]: ...

    def of(self, reading: Reading) -> int | None:
        """The unit in which a reading was made; None where there is none."""
        ...

    def name(self, unit: int) -> str:
        """What people call it."""
        ...

    def shape(self, unit: int) -> Mapping[str, Any] | None:
        """It as a GeoJSON geometry (RFC 7946); None where nobody knows its place."""
        ...


class MeshUnits:
    """Cells of JIS X 0410.

    Args:
        level: 250m or 500m.
        hidden: places (lat, lon) whose cells are never shown.
    """

    def __init__(self, level: str, hidden: Iterable[tuple[float, float]] = ()) -> None:
        self._mesh = MESHES[level]
        self.pin = f"mesh {level}"
        self.dead_ends = frozenset[int]()
        self.hidden = frozenset(self._mesh.cell(lat, lon) for lat, lon in hidden)

    def of(self, reading: Reading) -> int | None:
        """The cell of a fix."""
        values = reading.values
        cell = self._mesh.cell(values.lat, values.lon)
        return cell if cell > 0 else None

    def name(self, unit: int) -> str:
        """Its code."""
        return self._mesh.code(unit)

    def shape(self, unit: int) -> Mapping[str, Any]:
        """Its rectangle."""
        south, west, north, east = self._mesh.bounds(unit)
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        return {"type": "Polygon", "coordinates": [ring]}


class StopUnits:
    """Bus stops by the names that readers have in the registry. A reader at a bus's door has none."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self.pin = "stop"
        self.dead_ends = frozenset[int]()
        self.hidden = frozenset[int]()

    def learn(self, stops: Iterable[str]) -> None:
        """Know the names of stops: a checkpoint holds their numbers only."""
        for stop in stops:
            self._names.setdefault(_number(stop), stop)

    def of(self, reading: Reading) -> int | None:
        """The stop that a reader hangs at."""
        attributes = reading.device.attributes
        stop = attributes.get("stop")
        if stop is None or attributes.get("mount") == "door":
            return None
        unit = _number(str(stop))
        self._names.setdefault(unit, str(stop))
        return unit

    def name(self, unit: int) -> str:
        """Its name; of one that is registered no more, what is left."""
        return self._names.get(unit, f"a former stop {unit:016x}")

    def shape(self, unit: int) -> None:
        """The registry knows stops by name."""
        del unit


def _number(stop: str) -> int:
    return int.from_bytes(blake2b(stop.encode(), digest_size=8).digest(), "big") or 1
