"""Who was seen in which unit and slice, by keyed numbers alone, in memory of fixed size.

Every subject has one row: its number, and room for as many units as the rule's cap. A unit takes 16 bytes: its
number, and in one word the slices in which the subject was there (48 bits) below the unit's rank for this subject
(16 bits). Where more units come than there is room for, those of the lowest ranks stay. Ranks are keyed, so which
ones stay is decided by nobody's order of arrival, and by no unit's being early or late in the day.
"""

from array import array
from collections import Counter

from gateway.counting.calendar import SLICES

_RANK_SHIFT = SLICES
_SLICES_MASK = (1 << SLICES) - 1
_WORD = 8
RANKS = 1 << (64 - SLICES)
"""A rank is below this."""


class Presences:
    """A table of subjects and units; numbers are 64 bits and never 0.

    Attributes:
        room: for how many subjects.
        cap: for how many units of each.
        turned_away: how often a subject came for which there was no room.
    """

    __slots__ = ("_marks", "_rows", "_subjects", "_units", "cap", "room", "turned_away")

    def __init__(self, room: int, cap: int) -> None:
        self.room = room
        self.cap = cap
        self.turned_away = 0
        self._rows: dict[int, int] = {}
        self._subjects = array("Q", bytes(_WORD * room))
        self._units = array("Q", bytes(_WORD * room * cap))
        self._marks = array("Q", bytes(_WORD * room * cap))

    def __repr__(self) -> str:
        return "<presences>"

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, subject: int, unit: int, rank: int, slice_: int) -> None:
        """Note that a subject was in a unit in a slice; noting it again changes nothing."""
        row = self._rows.get(subject)
        if row is None:
            row = len(self._rows)
            if row == self.room:
                self.turned_away += 1
                return
            self._rows[subject] = row
            self._subjects[row] = subject
        begin, end = row * self.cap, (row + 1) * self.cap
        held = self._units[begin:end]
        bit = 1 << slice_
        try:
            at = begin + held.index(unit)
        except ValueError:
            mark = rank << _RANK_SHIFT | bit
            if 0 in held:
                at = begin + held.index(0)
            else:
                at = max(range(begin, end), key=self._order)
                if (rank, unit) > self._order(at):
                    return
            self._units[at], self._marks[at] = unit, mark
        else:
            self._marks[at] |= bit

    def cells(self) -> Counter[tuple[int, int]]:
        """(unit, slice) → how many subjects were there."""
        found: Counter[tuple[int, int]] = Counter()
        for unit, mark in zip(self._units, self._marks, strict=True):
            slices = mark & _SLICES_MASK
            while slices:
                low = slices & -slices
                found[unit, low.bit_length() - 1] += 1
                slices ^= low
        return found

    def to_bytes(self) -> bytes:
        """The whole table; its length follows from `room` and `cap` and from nothing else."""
        return b"".join(part.tobytes() for part in (self._subjects, self._units, self._marks))

    @classmethod
    def size(cls, room: int, cap: int) -> int:
        """How long `to_bytes` is."""
        return _WORD * room * (1 + 2 * cap)

    def fill(self, content: bytes, room: int) -> None:
        """Take up what `to_bytes` gave of a table of as many units and no more subjects.

        Raises:
            ValueError: of another shape.
        """
        if room > self.room or len(content) != self.size(room, self.cap):
            raise ValueError("a table of another shape")
        first, second = _WORD * room, _WORD * room * (1 + self.cap)
        subjects = array("Q", content[:first])
        self._subjects[:room] = subjects
        self._units[: room * self.cap] = array("Q", content[first:second])
        self._marks[: room * self.cap] = array("Q", content[second:])
        self._rows = {subject: row for row, subject in enumerate(subjects) if subject}

    def _order(self, at: int) -> tuple[int, int]:
        return self._marks[at] >> _RANK_SHIFT, self._units[at]
