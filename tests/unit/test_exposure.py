"""What the simple guess of a home is worth, and how much use is counted: cases worked out by hand."""

from math import cos, radians

from gateway.model.instant import MINUTE
from gateway.privacy.area import Area
from gateway.privacy.mesh import MESHES
from gateway.privacy.partition import Partition, Zone
from gateway.privacy.policy import Policy, Zoned
from sekisho.exposure import exposure_of, guesses_of
from sekisho.ways import Fix, Way
from sekisho.what_if import Kept, Network, Row, keep, use_of

HOME = 36.6953, 137.2113
DEGREE_M = 111_320.0
BOX = Area.from_bbox(36.0, 137.0, 37.0, 138.0)
CIRCLE = Policy("", BOX.contains)
MESH = MESHES["250m"]
ZONES = Partition("made-up", MESH, {"z-1": Zone(frozenset({MESH.cell(*HOME)}), "100 to 199")}, frozenset())  # fmt: skip
ZONED = Policy("", BOX.contains, zoned=Zoned(ZONES, "0" * 64), buffer_m=100.0)


def off(north_m: float, east_m: float) -> tuple[float, float]:
    """So many metres from the home."""
    narrow = cos(radians(HOME[0]))
    return HOME[0] + north_m / DEGREE_M, HOME[1] + east_m / DEGREE_M / narrow


def walked(*places: tuple[float, float], trip: int | None = 0, start: int = 0) -> list[Fix]:
    """A fix a minute."""
    return [Fix((start + n) * MINUTE, lat, lon, 5.0, trip) for n, (lat, lon) in enumerate(places)]


def rows(*ends: tuple[float, float]) -> list[Row]:
    """Runs of rows, hours apart, each of one row only."""
    return [Row(n, n * 120 * MINUTE, lat, lon, None) for n, (lat, lon) in enumerate(ends)]


def test_ends_on_a_circle_name_its_middle() -> None:
    """Ways that end all round a home leave its dwelling alone; one that ends in a park changes nothing."""
    ends = [off(80, 0), off(-85, 0), off(0, 90), off(0, -80), off(900, 900)]
    houses = [HOME, off(120, 10), off(-60, 110), off(30, -150)]
    way = Way("c", HOME, [])

    (guess,) = guesses_of(Kept("", CIRCLE, [rows(*ends)], [[]]), [way], houses)

    assert guess.away_m == 0.0
    assert exposure_of([guess]).found_percent == 100.0
    assert exposure_of([guess]).fewest == 1


def test_what_is_shown_in_a_circle_is_no_home() -> None:
    """Of two dwellings that fit the ends alike, the one with rows round it is passed over."""
    ends = [off(80, 40), off(-80, 40)]
    kept = [*rows(*ends), Row(9, 0, *off(5, 80), None)]
    way = Way("c", HOME, [])

    (guess,) = guesses_of(Kept("", CIRCLE, [sorted(kept, key=lambda row: row.minute)], [[]]), [way], [off(0, 80), HOME])  # fmt: skip

    assert guess.away_m == 0.0


def test_without_dwellings_the_guess_is_a_place() -> None:
    """Ends all round leave a place within a step of the home."""
    ends = [off(80, 0), off(-80, 0), off(0, 80), off(0, -80)]

    (guess,) = guesses_of(Kept("", CIRCLE, [rows(*ends)], [[]]), [Way("c", HOME, [])], [])

    assert guess.away_m is not None
    assert guess.away_m < 50.0
    assert guess.found


def test_in_a_zone_chance_is_the_share_of_near_dwellings() -> None:
    """Four dwellings in the zone, two within 50 m of the home (itself too): one in two; the fifth is elsewhere."""
    south, west, north, east = MESH.bounds(MESH.cell(*HOME))
    inside = [HOME, off(20, 20), (south + 1e-5, west + 1e-5), (north - 1e-5, east - 1e-5)]
    way = Way("c", HOME, [])

    unseen, seen = (
        guesses_of(Kept("", ZONED, [found], [[]]), [way], [*inside, off(2000, 0)])[0]
        for found in ([], rows(off(500, 500)))
    )

    assert (unseen.chance, unseen.among, unseen.away_m, unseen.found) == (0.5, 4, None, False)
    assert seen.away_m is not None
    assert seen.away_m > 50.0
    assert exposure_of([unseen, seen]).chance_percent == 50.0
    assert exposure_of([unseen, seen]).fewest == 4


def test_ends_of_cells_are_all_of_the_last_bin() -> None:
    """Inside a time bin nothing tells which row was last: the guess follows the middle of them."""
    fine = MESHES["125m"]
    south, _, north, _ = MESH.bounds(MESH.cell(*HOME))
    low, high = (south + 1e-5, HOME[1]), (north - 1e-5, HOME[1])
    early, late = (fine.code(fine.cell(*off(metres, 0))) for metres in (-600, 600))
    found = [Row(0, 0, None, None, early), *(Row(n, 600_000_000, None, None, late) for n in (1, 2))]
    houses = [HOME, low, high]

    (guess,) = guesses_of(Kept("", ZONED, [found], [[]]), [Way("c", HOME, [])], houses)

    assert guess.away_m is not None
    assert abs(guess.away_m - (high[0] - HOME[0]) * DEGREE_M) < 0.01


def test_use_is_counted_on_the_way_only() -> None:
    """Two trips of three fixes: of five with a place two are kept, on one of two streets; a stay counts for nothing."""
    street, other = (off(0, 0), off(0, 500)), (off(300, 0), off(300, 500))
    first = walked(off(0, 100), off(0, 200), off(5, 300))
    second = [*walked(off(300, 100), off(305, 200), trip=1, start=200), Fix(300 * MINUTE, None, None, None, 1)]  # fmt: skip
    way = Way("c", HOME, [*first, *walked(off(0, 0), trip=None, start=100), *second])
    kept = Kept("", CIRCLE, [[Row(1, 0, *off(0, 200), None), Row(2, 0, *off(0, 300), None), Row(3, 0, *HOME, None)]], [[]])  # fmt: skip

    use = use_of(kept, [way], Network([street, other]).where)

    assert (use.trips, use.fixes, use.rows, use.streets, use.streets_kept) == (2, 5, 2, 2, 1)
    assert (use.rows_per_trip, use.points_percent, use.streets_percent) == (1.0, 40.0, 50.0)
    assert use_of(kept, [way], lambda *_: None).streets_percent == 0.0


def test_every_fix_has_one_end() -> None:
    """A row or a reason, also where the rules decide later than the fix came."""
    there = [off(150 + 66 * n, 0) for n in range(20)]
    way = Way("c", HOME, walked(HOME, *there, *reversed(there), HOME))

    for policy in (CIRCLE, ZONED):
        kept = keep("", policy, [way], lambda _: None)
        shown = {row.fix for row in kept.rows[0]}
        assert {n for n, end in enumerate(kept.ends[0]) if end is None} == shown
        assert len(shown) + sum(kept.hidden.values()) == len(way.fixes)
        assert shown
