"""The same place in other coordinates: metres of Japan's plane, of UTM and of web maps, the Tokyo datum.

Transverse Mercator by Krüger's series to the fourth order in n (Kawase, Bulletin of GSI 59, 2011): about
0.1 mm from it in these zones. JGD2000 and JGD2011 differ from WGS 84 by less than a fix can tell.
"""

from math import atan, atan2, atanh, cos, cosh, hypot, log, pi, radians, sin, sinh, sqrt, tan
from typing import NamedTuple

_A = 6_378_137.0
_F_GRS80 = 1 / 298.257222101
_A_BESSEL, _F_BESSEL = 6_377_397.155, 1 / 299.1528128
_REACH = 4.0  # degrees from the central meridian
_SHIFT = (146.414, -507.337, -680.507)
"""WGS 84 to the Tokyo datum, metres, geocentric (GSI's three parameters of 2002)."""


class Plane(NamedTuple):
    """A transverse Mercator plane; degrees and metres."""

    name: str
    lat: float
    lon: float
    scale: float
    north: float
    east: float


ZONE_7 = Plane("plane zone VII", 36.0, 137 + 10 / 60, 0.9999, 0.0, 0.0)  # EPSG:2449, 6675
UTM_53 = Plane("UTM 53N", 0.0, 135.0, 0.9996, 0.0, 500_000.0)  # EPSG:32653, 6690


def on(plane: Plane, lat: float, lon: float) -> tuple[float, float]:
    """Metres north and east of the plane's origin."""
    n = _F_GRS80 / (2 - _F_GRS80)
    series = (
        n / 2 - 2 * n**2 / 3 + 5 * n**3 / 16 + 41 * n**4 / 180,
        13 * n**2 / 48 - 3 * n**3 / 5 + 557 * n**4 / 1440,
        61 * n**3 / 240 - 103 * n**4 / 140,
        49561 * n**4 / 161280,
    )
    radius = plane.scale * _A / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    turn = radians(lon - plane.lon)
    t = _conformal(radians(lat), n)
    xi, eta = atan2(t, cos(turn)), atanh(sin(turn) / sqrt(1 + t * t))
    north, east = xi, eta
    for j, alpha in enumerate(series, start=1):
        north += alpha * sin(2 * j * xi) * cosh(2 * j * eta)
        east += alpha * cos(2 * j * xi) * sinh(2 * j * eta)
    origin = atan(_conformal(radians(plane.lat), n))
    start = origin + sum(a * sin(2 * j * origin) for j, a in enumerate(series, start=1))
    return plane.north + radius * (north - start), plane.east + radius * east


def _conformal(phi: float, n: float) -> float:
    """The tangent of the conformal latitude."""
    k = 2 * sqrt(n) / (1 + n)
    return sinh(atanh(sin(phi)) - k * atanh(k * sin(phi)))


def on_web_maps(lat: float, lon: float) -> tuple[float, float]:
    """Web Mercator (EPSG:3857): metres north and east."""
    return _A * log(tan(pi / 4 + radians(lat) / 2)), _A * radians(lon)


def _by_three_parameters(lat: float, lon: float) -> tuple[float, float]:
    """Degrees of the Tokyo datum by three parameters, on Bessel's ellipsoid, at height 0."""
    squared = _F_GRS80 * (2 - _F_GRS80)
    phi, lam = radians(lat), radians(lon)
    normal = _A / sqrt(1 - squared * sin(phi) ** 2)
    x = normal * cos(phi) * cos(lam) + _SHIFT[0]
    y = normal * cos(phi) * sin(lam) + _SHIFT[1]
    z = normal * (1 - squared) * sin(phi) + _SHIFT[2]
    flat = _F_BESSEL * (2 - _F_BESSEL)
    across = hypot(x, y)
    phi = atan2(z, across * (1 - flat))
    for _ in range(6):  # settles below 1e-12 after four
        normal = _A_BESSEL / sqrt(1 - flat * sin(phi) ** 2)
        phi = atan2(z + flat * normal * sin(phi), across)
    return phi * 180 / pi, atan2(y, x) * 180 / pi


def _by_a_line(lat: float, lon: float) -> tuple[float, float]:
    """The same by the linear formula that many programs carry."""
    return (
        lat + 0.000_106_96 * lat - 0.000_017_467 * lon - 0.004_602_0,
        lon + 0.000_046_047 * lat + 0.000_083_049 * lon - 0.010_041,
    )


def in_japan(lat: float, lon: float) -> bool:
    """Whether Japan's datum, mesh and planes mean anything there."""
    return 20 <= lat < 46 and 122 <= lon < 154


def in_tokyo(lat: float, lon: float) -> dict[str, tuple[float, float]]:
    """Degrees of the Tokyo datum by each formula that is in use; none outside Japan."""
    if not in_japan(lat, lon):
        return {}
    return {
        "three parameters": _by_three_parameters(lat, lon),
        "linear": _by_a_line(lat, lon),
    }


def in_metres(lat: float, lon: float) -> dict[str, tuple[float, float]]:
    """Metres north and east in every projection that is looked for and reaches there."""
    planes = (plane for plane in (ZONE_7, UTM_53) if abs(lon - plane.lon) < _REACH)
    return {
        **{plane.name: on(plane, lat, lon) for plane in planes if in_japan(lat, lon)},
        "web map": on_web_maps(lat, lon),
    }
