"""Roads round zones: where they enter what is hidden, and how many dwellings lie behind.

Hidden is a zone with its buffer; here, the zone and one row of cells of 125 m round it. A child that vanishes where a
road enters it lives on the roads that hang together behind. So a zone hides well only if each such web of roads
reaches dwellings enough.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from math import ceil, floor
from typing import NamedTuple, TypeAlias

from gateway.privacy.mesh import MESHES, NOWHERE, Mesh

Place: TypeAlias = tuple[float, float]
"""Latitude and longitude in degrees."""
_DECIMALS = 7  # about a centimetre: ends that meet are one end
_FINE = MESHES["125m"]


class _Piece(NamedTuple):
    a: Place
    b: Place


class Roads:
    """Lines of roads, cut where they cross the lines of the mesh of 125 m."""

    __slots__ = ("_behind", "_cells_at", "_pieces")

    def __init__(self, lines: Iterable[Sequence[Place]]) -> None:
        """Cut `lines`, each a chain of places in degrees; roads meet where they share a place."""
        self._pieces: dict[int, list[_Piece]] = defaultdict(list)
        self._cells_at: dict[Place, set[int]] = defaultdict(set)
        self._behind: dict[int, Counter[Place]] = defaultdict(Counter)
        for line in lines:
            for start, end in pairwise(line):
                for piece in _cut(start, end):
                    middle = (piece.a[0] + piece.b[0]) / 2, (piece.a[1] + piece.b[1]) / 2
                    cell = _FINE.cell(*middle)
                    if cell != NOWHERE:
                        self._pieces[cell].append(piece)
                        self._cells_at[piece.a].add(cell)
                        self._cells_at[piece.b].add(cell)

    def __repr__(self) -> str:
        return "<roads>"

    def settle(self, place: Place, dwellings: int) -> None:
        """Let dwellings be reached from the nearest road of their cell and those round it; without one, from none."""
        cell = _FINE.cell(*place)
        pieces = [one for near in _FINE.around(cell, 1, 1) for one in self._pieces.get(near, ())]
        if pieces:
            nearest = min(pieces, key=lambda piece: (_squared(place, piece), piece))
            self._behind[cell][nearest.a] += dwellings

    def gates(self, mesh: Mesh, cells: Collection[int]) -> tuple[int, int | None]:
        """Where roads enter what is hidden of a zone of `cells` of `mesh`.

        Returns:
            In how many places; and how many of the zone's dwellings the smallest web of roads reaches that reaches
            any and can be entered, None without such a web.
        """
        zone = [part for cell in cells for part in mesh.parts(cell, _FINE)]
        hidden = {near for part in zone for near in _FINE.around(part, 1, 1)}
        web: dict[Place, Place] = {}

        def root(end: Place) -> Place:
            while web.setdefault(end, end) != end:
                web[end] = end = web[web[end]]
            return end

        for cell in hidden:
            for piece in self._pieces.get(cell, ()):
                web[root(piece.a)] = root(piece.b)
        entries = [end for end in web if not self._cells_at[end] <= hidden]
        entered = {root(end) for end in entries}
        sizes: Counter[Place] = Counter()
        for cell in zone:
            for end, dwellings in self._behind.get(cell, {}).items():
                sizes[root(end)] += dwellings
        return len(entries), min((sizes[end] for end in entered if sizes[end]), default=None)


def _cut(start: Place, end: Place) -> list[_Piece]:
    """One straight stretch as pieces of one cell each."""
    cuts = {0.0, 1.0}
    for axis, per_degree in enumerate(_FINE.per_degree):
        low, high = sorted((start[axis] * per_degree, end[axis] * per_degree))
        for line in range(ceil(low), floor(high) + 1):
            if high > low:
                cuts.add((line / per_degree - start[axis]) / (end[axis] - start[axis]))
    places = [_between(start, end, at) for at in sorted(cuts) if 0.0 <= at <= 1.0]
    return [_Piece(a, b) for a, b in pairwise(places) if a != b]


def _between(start: Place, end: Place, at: float) -> Place:
    lat = end[0] if at == 1.0 else start[0] + (end[0] - start[0]) * at
    lon = end[1] if at == 1.0 else start[1] + (end[1] - start[1]) * at
    return round(lat, _DECIMALS), round(lon, _DECIMALS)


def _squared(place: Place, piece: _Piece) -> float:
    """Degrees squared from a place to a piece: enough to compare within one cell."""
    (lat, lon), (lat_1, lon_1), (lat_2, lon_2) = place, piece.a, piece.b
    up, along = lat_2 - lat_1, lon_2 - lon_1
    at = ((lat - lat_1) * up + (lon - lon_1) * along) / (up * up + along * along)
    at = min(max(at, 0.0), 1.0)
    return float((lat - lat_1 - at * up) ** 2 + (lon - lon_1 - at * along) ** 2)
