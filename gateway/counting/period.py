"""The counter of one lane and period: what is in it, and as bytes of fixed size.

    head, 64 bytes, big endian: version u8 · clean u8 · kills u16 · missed u32 · turned away u32 · cap u32 · room u32 ·
    number u64 · time i64 · counted from i64 · not counted u64 · zeros; then 32 bytes that name rule and units; then the
    table (`Presences`)

A subject is BLAKE2b-64 of the household or tag under the period's key; a rank is BLAKE2b-16 of subject and unit under
it. Without the key neither can be made again, and it is destroyed when the period closes.
"""

from collections import Counter
from hashlib import blake2b, sha256
from struct import Struct
from typing import NamedTuple, Self

from gateway.counting.calendar import Span
from gateway.counting.presences import RANKS, Presences
from gateway.model.instant import Instant

_VERSION = 1
_HEAD = Struct(">BBHIIIIQqqQ12x32s")
HEAD_BYTES = _HEAD.size
_WORD = Struct(">QQ")
_MOST_KILLS = 0xFFFF
_MOST = 0xFFFF_FFFF


class Losses(NamedTuple):
    """What a counter may lack.

    Attributes:
        kills: how often it was taken up from a checkpoint after a run that did not stop by itself.
        missed: checkpoints that were due and are not there any more: a disk refused them, or an older one came back from
            a backup.
        turned_away: how often a subject came for which there was no room.
    """

    kills: int
    missed: int
    turned_away: int


class Coverage(NamedTuple):
    """For how much of its period a counter counted.

    Attributes:
        since: when it began to.
        missed: microseconds of the period in which it did not, before that and after.
    """

    since: Instant
    missed: Instant


class PeriodCounter:
    """One period's counter. It counts nothing until it is told to go on.

    Attributes:
        span: which period.
        number, written_at: of the last checkpoint.
        cut_off: whether the run before this one did not stop by itself.
        stands: whether nothing is counted just now.
    """

    def __init__(self, span: Span, key: bytes, basis: str, room: int, cap: int) -> None:
        """An empty one.

        Args:
            key: the 32 bytes of the period.
            basis: rule and units as text; a checkpoint made with another is not taken up.
            room: for how many subjects.
            cap: for how many units of each.
        """
        self.span = span
        self.number = 0
        self.written_at: Instant = 0
        self.cut_off = False
        self.stands = True
        self._stood_since = span.begins
        self._since: Instant | None = None
        self._not_counted: Instant = 0
        self._kills = 0
        self._missed = 0
        self._turned_away = 0
        self._basis = sha256(basis.encode()).digest()
        self._table = Presences(room, cap)
        self._subject = blake2b(key=key, digest_size=8, person=b"subject")
        self._rank = blake2b(key=key, digest_size=2, person=b"rank")

    def __repr__(self) -> str:
        return f"<counter {self.span.name}>"

    def subject(self, name: str) -> int:
        """The number of a household or tag in this period."""
        keyed = self._subject.copy()
        keyed.update(name.encode())
        return int.from_bytes(keyed.digest(), "big") or 1

    def add(self, subject: int, unit: int, slice_: int) -> None:
        """Note that a subject was in a unit in a slice."""
        keyed = self._rank.copy()
        keyed.update(_WORD.pack(subject, unit))
        rank = int.from_bytes(keyed.digest(), "big") % RANKS
        self._table.add(subject, unit, rank, slice_)

    def cells(self) -> Counter[tuple[int, int]]:
        """(unit, slice) → how many subjects were there."""
        return self._table.cells()

    @property
    def losses(self) -> Losses:
        """What it may lack."""
        turned_away = self._turned_away + self._table.turned_away
        return Losses(self._kills, self._missed, turned_away)

    @property
    def coverage(self) -> Coverage:
        """For how much of its period it counted, if it goes on as it is now."""
        return self._covered(self.span.ends)

    def go_on(self, at: Instant) -> None:
        """From now on it counts: what lies between is not counted."""
        if self.stands:
            self._since, self._not_counted = self._covered(at)
            self.stands = False

    def stand(self, at: Instant) -> None:
        """From now on nothing is counted: the disk would not know of it."""
        if not self.stands:
            self.stands, self._stood_since = True, at

    def lose(self) -> None:
        """The run before did not stop by itself."""
        self.cut_off = True
        self._kills = min(self._kills + 1, _MOST_KILLS)

    def find(self, number: int) -> None:
        """Checkpoints up to this number were due; those behind the one that was taken up are missing."""
        if number > self.number:
            self.cut_off = True
            self._missed = min(self._missed + number - self.number, _MOST)
            self.number = number

    def to_bytes(self, at: Instant, *, clean: bool) -> bytes:
        """The next checkpoint; as long as every other of its room and cap.

        Args:
            clean: whether nothing can be taken after it.
        """
        self.number += 1
        self.written_at = at
        covered = self._covered(at)
        losses = self.losses
        table = self._table
        head = _HEAD.pack(
            *(_VERSION, clean, losses.kills, losses.missed, min(losses.turned_away, _MOST)),
            *(table.cap, table.room, self.number, at, *covered, self._basis),
        )
        return head + table.to_bytes()

    @classmethod
    def from_bytes(
        cls, content: bytes, span: Span, key: bytes, basis: str, room: int, cap: int
    ) -> Self:
        """Take up a checkpoint; one that was not the last of its run is a kill. It stands since it was written.

        Raises:
            ValueError: of another version, shape, rule or units; the text is a sentence.
        """
        if len(content) < HEAD_BYTES or content[0] != _VERSION:
            raise ValueError("it was written by another version of Sekisho.")
        _, clean, kills, missed, turned_away, had_cap, had_room, number, at, *covered, had = (
            _HEAD.unpack_from(content)
        )
        counter = cls(span, key, basis, max(room, had_room), cap)
        if had != counter._basis or had_cap != cap:
            raise ValueError("it was counted by another rule, or in other units.")
        counter._table.fill(content[HEAD_BYTES:], had_room)
        counter._kills = kills
        if not clean:
            counter.lose()
        counter._missed, counter._turned_away = missed, turned_away
        counter.number, counter.written_at = number, at
        counter._since, counter._not_counted = covered[0] or span.begins, covered[1]
        counter._stood_since = at
        return counter

    def _covered(self, until: Instant) -> Coverage:
        """That of the time up to `until`; where it stands, as if it went on then."""
        begins, ends, _ = self.span[-3:]
        until = min(max(until, begins), ends)
        since = until if self._since is None else self._since
        if not self.stands:
            return Coverage(since, self._not_counted)
        return Coverage(since, self._not_counted + max(0, until - max(self._stood_since, begins)))


def room_in(content: bytes) -> int:
    """For how many subjects a checkpoint keeps room; it is as long as its head at least."""
    return int(_HEAD.unpack_from(content)[6])


def nothing_in(content: bytes, number: int) -> bool:
    """Whether nothing was counted up to a checkpoint, for certain: nobody is in it, and nothing may be missing.

    Args:
        content: as long as its head at least.
        number: that of the last checkpoint that was due.
    """
    version, clean, kills, missed, turned_away, _, _, had, *_ = _HEAD.unpack_from(content)
    whole = version == _VERSION and clean and number <= had
    return whole and not (kills or missed or turned_away) and not any(content[HEAD_BYTES:])
