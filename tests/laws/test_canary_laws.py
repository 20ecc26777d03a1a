"""The scanner's laws: it sees every form of any place, and nothing in trees that hold none."""

from base64 import b64encode
from math import cos, radians, sin
from random import Random
from struct import pack

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.canary.canaries import Canaries
from gateway.canary.search import Search
from gateway.canary.stream import PIECE, Hits, Stream, scan_bytes
from gateway.canary.window import Circle, Window
from sekisho.canary_controls import check
from sekisho.canary_tree import unzstd

TAILS = st.floats(0.000_011, 0.000_989, exclude_max=True)


def _degrees(most: int) -> st.SearchStrategy[float]:
    """Degrees with a tail of their own, one degree or more from zero."""
    whole = st.integers(1000, most * 1000).flatmap(lambda n: st.sampled_from([n, -n - 1]))
    return st.builds(lambda thousandths, tail: thousandths / 1000 + tail, whole, TAILS)


PLACES = st.tuples(_degrees(84), _degrees(179))
TOWN = Canaries(
    tuple((36.6 + Random(n).random() / 5, 137.1 + Random(-n - 1).random() / 5) for n in range(9)),
    ("30751FEB705C5904E3D50D70",),
    ("child-0042",),
    ((36.695304170318846, 137.21130482957152),),
)
SEARCH = Search(TOWN, tuple(Circle(name, *place, 50) for name, place in TOWN.places), unzstd)


@settings(max_examples=25)
@given(PLACES, st.binary(min_size=6, max_size=40), st.tuples(TAILS, TAILS))
def test_every_form_of_any_canary_is_found(
    home: tuple[float, float], tag: bytes, offset: tuple[float, float]
) -> None:
    """Wherever a home lies, with a place some metres on and any tag, no positive control is missed."""
    assume(len(set(tag)) >= 4)
    fix = home[0] + offset[0], home[1] - offset[1]
    canaries = Canaries((fix,), (tag.hex(),), (), (home,))
    assert check(canaries, Search(canaries, (), unzstd)).blind == []


@settings(max_examples=25)
@given(PLACES, st.floats(0, 360), st.floats(0.01, 2.0))
def test_any_pair_in_a_circle_is_found_and_none_outside(
    home: tuple[float, float], bearing: float, share: float
) -> None:
    """Window mode reports a pair of float64 exactly where it lies within the radius of the home."""
    assume(abs(share - 1) > 0.02)
    north = 100 * share * cos(radians(bearing)) / 111_200
    east = 100 * share * sin(radians(bearing)) / 111_200 / cos(radians(home[0]))
    fix = pack("<dd", home[0] + north, home[1] + east)
    window = Window((Circle("home 0", *home, 100),))
    found = {one.coat for one in window.find(b"\xff" * 9 + fix + b"\xff" * 9)}
    assert ("float64 LE, in the circle" in found) == (share < 1)


@settings(max_examples=25)
@given(st.integers(0, 1 << 32), st.sampled_from(["bytes", "digits", "letters", "numbers"]))
def test_random_data_holds_no_canary(seed: int, sort: str) -> None:
    """Random bytes, digits, base64 letters and numbers of other places in the town: 64 kB each, no hit."""
    dice = Random(seed)
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    data = {
        "bytes": lambda: dice.randbytes(1 << 16),
        "digits": lambda: bytes(dice.choices(b"0123456789", k=1 << 16)),
        "letters": lambda: bytes(dice.choices(letters, k=1 << 16)),
        "numbers": lambda: b"\n".join(_other_places(dice, 2000)),
    }[sort]()
    assert scan_bytes(data, SEARCH) == []


def _other_places(dice: Random, rows: int) -> list[bytes]:
    """Rows as the store keeps them: five decimals, somewhere in the canaries' own town."""
    places = ((36.6 + dice.random() / 5, 137.1 + dice.random() / 5) for _ in range(rows))
    return [f"{lat:.5f},{lon:.5f}".encode() for lat, lon in places if not _near(lat, lon)]


def _near(lat: float, lon: float) -> bool:
    return any(abs(lat - a) < 1e-3 and abs(lon - b) < 1e-3 for _, (a, b) in TOWN.places)


@settings(max_examples=40)
@given(
    st.sampled_from(["{0:.7f} {1:.7f}", "{0:.4f};{1:.4f}", "{0:.9e}"]),
    st.integers(-40, 40),
    st.sampled_from(["plain", "base64", "hex"]),
)
def test_edges_of_pieces_hide_nothing(form: str, shift: int, alphabet: str) -> None:
    """A text is found wherever it crosses the edge between two pieces, and in base64 and hex that go on over it."""
    text = form.format(*TOWN.positions[0]).encode()
    at = PIECE + shift
    if alphabet == "plain":
        data = b" " * at + text + b" " * 99
    else:
        inner = Random(shift).randbytes(at * (3 if alphabet == "base64" else 2) // 4 - len(text))
        whole = inner + b"   " + text + b" " * 99
        data = _coded(whole, alphabet)
    hits = Hits()
    stream = Stream(SEARCH, hits.add, "it")
    stream.feed(data)
    stream.end()
    assert {hit.canary for hit in hits.sorted()} == {"position 0"}


def _coded(data: bytes, alphabet: str) -> bytes:
    return b64encode(data) if alphabet == "base64" else data.hex().encode()
