"""What a search looks for, as a person writes it down, and what it says when it finds it."""

import re
from dataclasses import dataclass
from typing import NamedTuple

SHORTEST_WORD = 6
"""Bytes of a tag or word, at least, four of them different: others stand in any file."""

_SORTS = ("home", "place", "tag", "word")
_PLACE = re.compile(r"\s*([+-]?\d{1,3}(?:\.\d+)?)\s*,\s*([+-]?\d{1,3}(?:\.\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class Canaries:
    """What must not be found.

    Attributes:
        positions: (latitude, longitude) in degrees WGS 84, best with long random tails.
        tags: tag ids and keys, in hex.
        words: names and tokens, as they are.
        homes: positions that are homes; what lies near one is also looked for by its offset from it.
    """

    positions: tuple[tuple[float, float], ...] = ()
    tags: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    homes: tuple[tuple[float, float], ...] = ()

    @property
    def places(self) -> tuple[tuple[str, tuple[float, float]], ...]:
        """Every position with the name a report gives it: "home 0", "position 3"."""
        homes = ((f"home {n}", place) for n, place in enumerate(self.homes))
        others = ((f"position {n}", place) for n, place in enumerate(self.positions))
        return (*homes, *others)

    @property
    def texts(self) -> tuple[tuple[str, bytes], ...]:
        """Tags and words as bytes, with their names: "tag 0", "word 1"."""
        tags = ((f"tag {n}", bytes.fromhex(tag)) for n, tag in enumerate(self.tags))
        words = ((f"word {n}", word.encode()) for n, word in enumerate(self.words))
        return (*tags, *words)

    def __len__(self) -> int:
        return len(self.homes) + len(self.positions) + len(self.tags) + len(self.words)


class Hit(NamedTuple):
    """One find; it never holds the value.

    Attributes:
        where: the file below the root, and the layers opened on the way.
        coat: the form it was found in.
        canary: "home 0", "position 3", "tag 0", "word 1": its number in `Canaries`.
        offset: where in that layer, in bytes.
    """

    where: str
    coat: str
    canary: str
    offset: int


def read(lines: list[str]) -> Canaries:
    """Canaries from text: `home LAT,LON`, `place LAT,LON`, `tag HEX`, `word TEXT`, one a line.

    A line with a place alone is a place. Empty lines and those that begin with # say nothing.

    Raises:
        ValueError: "line 3: why"; it does not repeat what stands there.
    """
    found: dict[str, list[str]] = {sort: [] for sort in _SORTS}
    for number, raw in enumerate(lines, start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        sort, _, rest = line.partition(" ")
        if _PLACE.fullmatch(line):
            sort, rest = "place", line
        if sort not in found:
            raise ValueError(f"line {number}: it begins with none of home, place, tag, word")
        found[sort].append(rest.strip())
        try:
            _build({sort: [rest.strip()]})
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
    return _build(found)


def _build(found: dict[str, list[str]]) -> Canaries:
    for tag in found.get("tag", ()):
        _refuse_short(_unhex(tag), "a tag")
    for word in found.get("word", ()):
        _refuse_short(word.encode(), "a word")
    return Canaries(
        positions=tuple(place(text) for text in found.get("place", ())),
        tags=tuple(found.get("tag", ())),
        words=tuple(found.get("word", ())),
        homes=tuple(place(text) for text in found.get("home", ())),
    )


def place(text: str) -> tuple[float, float]:
    """A position that is worth looking for.

    Raises:
        ValueError: no `LAT,LON`, off the earth, or so round that other places have the same digits.
    """
    match = _PLACE.fullmatch(text)
    if match is None:
        raise ValueError("a place is LAT,LON in degrees")
    lat, lon = (float(part) for part in match.groups())
    if not (abs(lat) < 85 and abs(lon) <= 180):
        raise ValueError("latitude lies within 85 degrees, longitude within 180")
    if any(round(degrees, 4) == degrees for degrees in (lat, lon)):
        raise ValueError(
            "a canary has at least five decimals in both degrees: other places share fewer"
        )
    return lat, lon


def _unhex(tag: str) -> bytes:
    try:
        return bytes.fromhex(tag)
    except ValueError:
        raise ValueError("a tag is written in hex, two digits a byte") from None


def _refuse_short(data: bytes, what: str) -> None:
    if len(data) < SHORTEST_WORD or len(set(data)) < 4:
        raise ValueError(
            f"{what} has at least {SHORTEST_WORD} bytes, four of them different: others stand in any file"
        )
