"""Rows about people, moved into a fiction: what of them may be shown to a stranger.

A cassette is attached to bug reports, so it goes to everybody. What the mask left of a person's day is still a
way through a real town: whoever lays its shape over a map finds the streets again, wherever it was shifted to.
So each place becomes another one, by a one-way function under a key that is thrown away with the recording,
in a fictional square at 0° N 0° E (open sea). The same place stays the same place; no distance, direction or
shape of a way survives. Pseudonyms and identities are keyed anew, names of stops and vehicles are numbered, and
times count from the beginning of the recording. Kinds and columns that are not named here are refused.
"""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from struct import Struct
from typing import Any

from gateway.model.errors import PayloadError
from gateway.model.instant import MINUTE, Instant
from gateway.model.observation import Observation
from gateway.model.reason import Reason

SIDE_DEG = 0.02
"""Side of the fictional square; about 2.2 km."""

_DECIMALS = 5
_CLASSES = (1, 2, 3, 4)
_ANTENNAS = range(1, 9)
_SIZE = 16
_PLACE = Struct(">dd")

_NEVER_TOLD: Mapping[str, tuple[None, ...]] = {"child_tracker": (None, None)}
"""Columns behind those of a cassette: cells, which are places there, and legs."""

Values = Mapping[str, Any]
"""Column name → value; bytes as hex."""


class Aliases:
    """New names for old ones, numbered as they come: `stop-1`, `stop-2`."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], int] = {}
        self._last: dict[str, int] = {}

    def number(self, sort: str, name: str) -> int:
        """The number of a name among those of its sort."""
        found = self._known.get((sort, name))
        if found is None:
            found = self._known[sort, name] = self._last[sort] = self._last.get(sort, 0) + 1
        return found

    def alias(self, sort: str, name: str) -> str:
        """The new name."""
        return f"{sort}-{self.number(sort, name)}"

    def __repr__(self) -> str:
        return "<aliases>"


class Fiction:
    """Tells one recording's rows anew.

    Args:
        key: 32 random bytes, kept nowhere.
        begun: when the recording began; a whole minute.
    """

    def __init__(self, key: bytes, begun: Instant, aliases: Aliases) -> None:
        self._key = key
        self._begun = begun
        self._aliases = aliases
        self._tellers: dict[str, Callable[..., dict[str, Any]]] = {
            "child_tracker": self._child,
            "bus_stop_reader": self._tag,
        }

    def __repr__(self) -> str:
        return "<fiction>"

    def retell(self, observation: Observation) -> tuple[Instant, dict[str, Any]]:
        """The start of a masked row's minute, in µs from the beginning, and its other columns.

        Raises:
            ValueError: the row is of a kind that has no fiction.
        """
        kind, _period, row = observation
        tell = self._tellers.get(kind)
        if tell is None:
            raise ValueError(f"rows of {kind} have no fiction")
        minute, identity, *rest = row
        return minute - self._begun, {"identity": self._keyed(b"row", identity), **tell(*rest)}

    def _child(
        self,
        pseudonym: bytes | None,
        lat: float | None,
        lon: float | None,
        battery_class: int | None,
        cell: str | None,
        _leg: int | None,
    ) -> dict[str, Any]:
        where = b"" if cell is None else cell.encode()  # a cell becomes a place, as a place does
        if lat is not None and lon is not None:
            where = _PLACE.pack(lat, lon)
        north, east = self._place(where)
        return {
            "pseudonym": None if pseudonym is None else self._keyed(b"child", pseudonym),
            "lat": north,
            "lon": east,
            "battery_class": battery_class,
        }

    def _tag(
        self, stop: str | None, vehicle: str | None, antenna: int, tag: bytes
    ) -> dict[str, Any]:
        return {
            "stop": None if stop is None else self._aliases.alias("stop", stop),
            "vehicle": None if vehicle is None else self._aliases.alias("vehicle", vehicle),
            "antenna": antenna,
            "tag": self._keyed(b"tag", tag),
        }

    def _keyed(self, sort: bytes, name: bytes) -> str:
        return blake2b(name, key=self._key, digest_size=_SIZE, person=sort).hexdigest()

    def _place(self, where: bytes) -> tuple[float, float]:
        digest = blake2b(where, key=self._key, digest_size=8, person=b"place")
        whole = digest.digest()
        north, east = int.from_bytes(whole[:4], "big"), int.from_bytes(whole[4:], "big")
        step = SIDE_DEG / 2**32
        return round(north * step, _DECIMALS), round(east * step, _DECIMALS)


def observed(kind: str, period: str, minute: Instant, values: Values) -> Observation:
    """The row that a cassette's line tells, which takes no other form than `Fiction.retell` gives it.

    Args:
        minute: start of its minute, µs since 1970.
        values: the columns but `minute`.

    Raises:
        PayloadError: a column is missing, unknown, or tells something that no fiction tells: a place
            outside the fictional square, for one.
    """
    columns = COLUMNS.get(kind)
    if columns is None:
        raise PayloadError(Reason.UNDECODABLE, "kind: no kind of rows about people")
    if minute % MINUTE:
        raise PayloadError(Reason.OUT_OF_RANGE, "minute")
    if set(values) != set(columns):
        raise PayloadError(Reason.UNDECODABLE, "values: not the columns of this kind")
    row: list[Any] = [minute]
    for name, check in columns.items():
        value = values[name]
        if not check(value):
            raise PayloadError(Reason.OUT_OF_RANGE, f"values.{name}")
        keyed = check in {_is_keyed, _is_keyed_or_none} and value is not None
        row.append(bytes.fromhex(value) if keyed else value)
    if kind == "bus_stop_reader" and (values["stop"] is None) == (values["vehicle"] is None):
        raise PayloadError(Reason.UNDECODABLE, "values: a reader is at a stop or in a vehicle")
    return Observation(kind, period, (*row, *_NEVER_TOLD.get(kind, ())))


def _is_keyed(value: Any) -> bool:
    return (
        isinstance(value, str) and len(value) == 2 * _SIZE and set(value) <= set("0123456789abcdef")
    )


def _is_keyed_or_none(value: Any) -> bool:
    return value is None or _is_keyed(value)


def _is_degrees(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 <= value <= SIDE_DEG


def _one_of(*known: object) -> Callable[[Any], bool]:
    return lambda value: value in known and not isinstance(value, (bool, float))


def _named(sort: str) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        if value is None:
            return True
        head, _, number = str(value).partition("-")
        return head == sort and number.isascii() and number.isdecimal() and len(number) < 10

    return check


COLUMNS: Mapping[str, Mapping[str, Callable[[Any], bool]]] = {
    "child_tracker": {
        "identity": _is_keyed,
        "pseudonym": _is_keyed_or_none,
        "lat": _is_degrees,
        "lon": _is_degrees,
        "battery_class": _one_of(None, *_CLASSES),
    },
    "bus_stop_reader": {
        "identity": _is_keyed,
        "stop": _named("stop"),
        "vehicle": _named("vehicle"),
        "antenna": _one_of(*_ANTENNAS),
        "tag": _is_keyed,
    },
}
"""Kind → its table's columns behind `minute`, in their order, and what a cassette may say in them."""
