"""Pieces of street: where lines are cut, which ends are dead, and which piece is near."""

from gateway.counting.streets import NEAR_M, Streets
from tests.fakes.readings import HOME, METRE_NORTH

EAST = METRE_NORTH / 0.8018  # degrees of longitude in one metre at HOME
LAT, LON = HOME


def place(north_m: float, east_m: float) -> tuple[float, float]:
    return LAT + north_m * METRE_NORTH, LON + east_m * EAST


# a main road from west to east, a side road from its middle to the north, a ring at the east end
MAIN = [place(0, -200), place(0, 0), place(0, 200)]
SIDE = [place(0, 0), place(100, 0)]
RING = [place(0, 200), place(100, 300), place(-100, 300), place(0, 200)]
TOWN = Streets([("main", MAIN), ("side", SIDE), ("ring", RING)])


def test_lines_are_cut_where_others_meet_them() -> None:
    assert [piece.name for piece in TOWN.pieces] == ["main.1", "main.2", "side.1", "ring.1"]


def test_an_end_where_nothing_goes_on_is_dead() -> None:
    """A ring ends nowhere, and neither does what leads to it."""
    assert {TOWN.name(unit) for unit in TOWN.dead_ends} == {"main.1", "side.1"}


def test_the_nearest_piece_is_found_and_none_far_from_all() -> None:
    for spot, name in (
        (place(3, -100), "main.1"),
        (place(-20, 150), "main.2"),
        (place(60, 10), "side.1"),
        (place(0, 299), "ring.1"),
    ):
        unit = TOWN.nearest(*spot)
        assert unit is not None
        assert TOWN.name(unit) == name
    assert TOWN.nearest(*place(NEAR_M - 1, -100)) is not None
    assert TOWN.nearest(*place(NEAR_M + 1, -100)) is None
    assert TOWN.nearest(*place(5000, 0)) is None


def test_a_long_straight_road_is_near_all_along() -> None:
    road = Streets([("road", [place(0, 0), place(3000, 2000)])])
    assert all(road.nearest(*place(30 * n + 5, 20 * n)) == 1 for n in range(101))


def test_a_piece_is_shown_as_a_line_longitude_first() -> None:
    shape = TOWN.shape(3)
    assert shape["type"] == "LineString"
    assert [[round(a, 4) for a in at] for at in shape["coordinates"]] == [
        [round(LON, 4), round(LAT, 4)],
        [round(LON, 4), round(LAT + 100 * METRE_NORTH, 4)],
    ]


def test_other_lines_have_another_pin() -> None:
    """A street file that was edited is another one."""
    assert Streets([("main", MAIN)]).pin != TOWN.pin
    assert Streets([("main", MAIN), ("side", SIDE), ("ring", RING)]).pin == TOWN.pin
