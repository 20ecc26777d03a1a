"""What a row says instead of where a fix was: five decimals, a cell of the public mesh, or a place moved by noise."""

from hashlib import blake2b
from math import cos, log, pi, sin
from struct import Struct

from gateway.model.reason import Reason
from gateway.privacy.generalise import rounded
from gateway.privacy.keysource import KeySource
from gateway.privacy.mesh import MESHES, NOWHERE, Mesh
from gateway.privacy.partition import scales
from gateway.privacy.policy import Policy
from gateway.privacy.pseudonym import text_part
from gateway.privacy.shelter import Shelter

Place = tuple[float | None, float | None, str | None]
"""Latitude and longitude in degrees, or None; the code of a cell, or None."""

_DRAWS = Struct(">QQQ")
_MEMO = MESHES["125m"]
"""One draw of noise for each of its cells."""


class Placing:
    """Places rows by one policy."""

    __slots__ = ("_dense", "_keys", "_mesh", "_noise", "_policy", "_says_cell", "_says_place")

    def __init__(self, policy: Policy, keys: KeySource) -> None:
        shape = policy.shape
        self._policy = policy
        self._keys = keys
        self._mesh, self._dense, self._noise = shape.cells, shape.dense, shape.noise
        self._says_place = "place" in shape.fields
        self._says_cell = "cell" in shape.fields

    @property
    def plain(self) -> bool:
        """Whether rows say rounded places and nothing else."""
        return self._mesh is None and not self._dense and self._noise is None and self._says_place

    def place(self, lat: float, lon: float, shelter: Shelter, household: str) -> Place | Reason:
        """What a row says of a place in degrees, or why it says nothing.

        Raises:
            KeysUnavailable: noise needs a key.
        """
        if self._noise is None:
            return self._said(lat, lon, shelter)
        still = self._said(lat, lon, shelter)
        if isinstance(still, Reason):  # noise brings out nothing that would not be said without
            return still
        return self._said(*self._moved(lat, lon, household), None)

    def _said(self, lat: float, lon: float, shelter: Shelter | None) -> Place | Reason:
        """A place as rows say it; None hides no cell, since the place was moved there."""
        mesh = self._by_density(lat, lon) if self._dense else self._mesh
        if mesh is None:
            if self._dense:
                return Reason.SPARSE
            return (rounded(lat), rounded(lon), None) if self._says_place else (None, None, None)
        cell = mesh.cell(lat, lon)
        if cell == NOWHERE:
            return Reason.OUTSIDE_AREA
        if shelter is not None and shelter.hides_cell(mesh, cell):
            return Reason.INSIDE_ZONE if self._policy.zoned else Reason.INSIDE_HOME
        return (None, None, mesh.code(cell) if self._says_cell else None)

    def _by_density(self, lat: float, lon: float) -> Mesh | None:
        zoned = self._policy.zoned
        zone = None if zoned is None else zoned.partition.zone_of(lat, lon)
        if zoned is None or zone is None:
            return None
        density = zoned.partition.density(zone)
        return next((mesh for least, mesh in self._dense if density >= least), None)

    def _moved(self, lat: float, lon: float, household: str) -> tuple[float, float]:
        """The middle of the place's cell, moved by the one draw of this household, cell and epoch.

        Planar Laplace: the radius is Gamma(2, mean / 2), the direction uniform (Andrés et al. 2013).
        """
        assert self._noise is not None
        cell = _MEMO.cell(lat, lon)
        if cell == NOWHERE:
            raise ValueError("no cell there")
        key = self._keys.epoch_key(self._noise.epoch)
        drawn = blake2b(
            text_part(household) + cell.to_bytes(8, "big"), key=key, digest_size=24, person=b"noise"
        ).digest()
        one, two, three = ((number + 1) / (1 << 64) for number in _DRAWS.unpack(drawn))
        radius = -(log(one) + log(two)) * self._noise.mean_m / 2.0
        south, west, north, east = _MEMO.bounds(cell)
        middle_lat, middle_lon = (south + north) / 2.0, (west + east) / 2.0
        up, along = scales(middle_lat)
        angle = 2.0 * pi * three
        return middle_lat + radius * sin(angle) / up, middle_lon + radius * cos(angle) / along
