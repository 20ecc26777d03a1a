"""Metres on the plane against Vincenty's geodesic on the ellipsoid, written here on its own."""

from math import asin, atan, atan2, cos, degrees, isnan, radians, sin, sqrt, tan

import pytest

from gateway.privacy.distance import Plane

SEMI_MAJOR, FLATTENING = 6_378_137.0, 1 / 298.257223563


def destination(lat: float, lon: float, bearing: float, metres: float) -> tuple[float, float]:
    """Vincenty's direct solution, WGS 84."""
    semi_minor = SEMI_MAJOR * (1 - FLATTENING)
    tan_u1 = (1 - FLATTENING) * tan(radians(lat))
    u1, alpha1 = atan(tan_u1), radians(bearing)
    sigma1 = atan2(tan_u1, cos(alpha1))
    sin_alpha = cos(u1) * sin(alpha1)
    cos2_alpha = 1 - sin_alpha**2
    u2 = cos2_alpha * (SEMI_MAJOR**2 - semi_minor**2) / semi_minor**2
    a = 1 + u2 / 16384 * (4096 + u2 * (-768 + u2 * (320 - 175 * u2)))
    b = u2 / 1024 * (256 + u2 * (-128 + u2 * (74 - 47 * u2)))
    sigma = metres / (semi_minor * a)
    for _ in range(20):
        cos2m = cos(2 * sigma1 + sigma)
        d_sigma = b * sin(sigma) * (cos2m + b / 4 * cos(sigma) * (2 * cos2m**2 - 1))
        sigma = metres / (semi_minor * a) + d_sigma
    cos2m = cos(2 * sigma1 + sigma)
    x = sin(u1) * sin(sigma) - cos(u1) * cos(sigma) * cos(alpha1)
    lat2 = atan2(
        sin(u1) * cos(sigma) + cos(u1) * sin(sigma) * cos(alpha1),
        (1 - FLATTENING) * sqrt(sin_alpha**2 + x**2),
    )
    lam = atan2(sin(sigma) * sin(alpha1), cos(u1) * cos(sigma) - sin(u1) * sin(sigma) * cos(alpha1))
    c = FLATTENING / 16 * cos2_alpha * (4 + FLATTENING * (4 - 3 * cos2_alpha))
    turn = lam - (1 - c) * FLATTENING * sin_alpha * (
        sigma + c * sin(sigma) * (cos2m + c * cos(sigma) * (2 * cos2m**2 - 1))
    )
    east = lon + degrees(turn)
    return degrees(lat2), (east + 180) % 360 - 180


@pytest.mark.channel("C20")
@pytest.mark.parametrize("lat", [-70.0, -33.9, 0.0, 0.0005, 36.7, 45.7, 70.0])
@pytest.mark.parametrize(
    ("metres", "within"), [(50, 0.001), (1_000, 0.001), (5_000, 0.01), (20_000, 0.1)]
)
def test_the_plane_agrees_with_the_geodesic(lat: float, metres: float, within: float) -> None:
    plane = Plane(lat, 137.2)
    for bearing in range(0, 360, 15):
        there = destination(lat, 137.2, bearing, metres)
        assert sqrt(plane.squared(*there)) == pytest.approx(metres, abs=within)


@pytest.mark.channel("C20")
def test_the_short_way_round_crosses_the_antimeridian() -> None:
    east, west = Plane(-16.8, 179.999), Plane(-16.8, -179.999)
    assert sqrt(east.squared(-16.8, -179.999)) == pytest.approx(213.2, abs=0.2)
    assert west.squared(-16.8, 179.999) == pytest.approx(east.squared(-16.8, -179.999))


def test_far_away_is_never_near() -> None:
    plane = Plane(36.7, 137.2)
    assert all(
        plane.squared(lat, lon) > 50_000**2
        for lat in range(-90, 91, 5)
        for lon in range(-180, 181, 5)
        if abs(lat - 36.7) > 2 or abs(lon - 137.2) > 2
    )


def test_not_a_number_is_nowhere() -> None:
    plane = Plane(36.7, 137.2)
    assert isnan(plane.squared(float("nan"), 137.2))
    assert isnan(plane.squared(36.7, float("nan")))
    assert not plane.squared(float("nan"), 137.2) > 0


@pytest.mark.parametrize(
    "place",
    [(85.1, 0.0), (-90.0, 0.0), (float("nan"), 0.0), (0.0, float("inf")), (36.7, 181.0)],
)
def test_no_plane_is_laid_where_it_would_bend(place: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="no plane") as refusal:
        Plane(*place)
    assert str(place[0]) not in str(refusal.value)


@pytest.mark.channel("C20")
def test_a_haversine_on_a_sphere_differs_by_less_than_the_metre_kept_for_it() -> None:
    def haversine(lat_1: float, lon_1: float, lat_2: float, lon_2: float) -> float:
        half = (
            sin(radians(lat_2 - lat_1) / 2) ** 2
            + cos(radians(lat_1)) * cos(radians(lat_2)) * sin(radians(lon_2 - lon_1) / 2) ** 2
        )
        return 2 * 6_371_008.8 * asin(sqrt(half))

    plane = Plane(36.7, 137.2)
    for bearing in range(0, 360, 10):
        there = destination(36.7, 137.2, bearing, 150)
        assert abs(sqrt(plane.squared(*there)) - haversine(36.7, 137.2, *there)) < 1
