"""What became of each confirmed uplink, frame by frame: whichever was not acknowledged has its name, or is a fault."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from gateway.lorawan.reception import UNTOLD
from simulators.lorawan.air import Fate
from simulators.lorawan.book import CHANNEL_BUSY
from simulators.lorawan.chronicle import Chronicle, Uplink
from simulators.lorawan.field import REFUSED, UNHEARD

ACKNOWLEDGED = "acknowledged"
WITH_THE_GATEWAY = "lost when the gateway went"
TOO_LATE = "handed over late, refused as replayed"
_GONE = "not known: a gateway or a line had gone"
_MISSED = (UNTOLD, "its forwarder has gone")
"""What the gateway says of downlinks of which the ledger may know better."""

_SENT = (*(fate.value for fate in Fate), UNHEARD, REFUSED)
"""Fates of downlinks that were on the air, and of which the forwarder said so."""


class Answers(NamedTuple):
    """Of a whole ledger.

    Attributes:
        uplinks: what became of confirmed ones that the gateway was told of.
        frames: what became of theirs, try by try.
        faults: what nothing explains, in words.
    """

    uplinks: Counter[str]
    frames: Counter[str]
    faults: list[str]


def judged(told: Chronicle, radio: Mapping[str, Any] | None) -> Answers:
    """Judge every confirmed uplink.

    Args:
        radio: what the gateway says of its network, with `misses`; None where none runs.
    """
    found = Answers(Counter(), Counter(), [])
    names: defaultdict[str, list[str]] = defaultdict(list)
    for mic, why in [] if radio is None else radio["misses"] or []:
        names[mic].append(why)
    is_known = radio is not None and radio["since"] <= told.start_us and not told.outages
    absences = told.absences()
    for key, end in told.over.items():
        numbers = [number for number in told.of[key] if told.arrived(number)]
        if not end["confirmed"] or not numbers:
            continue
        fates = _Frames(told, names, absences, is_known=is_known).fates(numbers)
        if end["acked"] is not None and fates[-1] == Fate.HEARD.value:
            fates[-1] = ACKNOWLEDGED
        elif end["acked"] is not None:
            found.faults.append(f"{_text(key)}: acknowledged, and no forwarder sent that")
        found.uplinks[ACKNOWLEDGED if end["acked"] is not None else fates[-1]] += 1
        found.frames.update(fates)
        found.faults.extend(
            f"{_text(key)}, frame {number}: {why}"
            for number, fate in zip(numbers, fates, strict=True)
            if (why := _wrong(fate))
        )
    return found


def _wrong(fate: str) -> str:
    """What is wrong with that; "" where it may happen."""
    if fate == Fate.HEARD.value:
        return "its answer was heard, and did not acknowledge it"
    if fate in (f"answer {UNHEARD}", f"answer {REFUSED}"):
        return f"its answer was made wrong: {fate.removeprefix('answer ')}"
    return "" if fate else "confirmed, unanswered, and nobody says why"


class _Frames:
    """Those of one uplink.

    Args:
        names: MIC → what the gateway says why these have no answer; each explains one frame.
        is_known: the gateway is the one that heard all of them, and no line to it went away: it has to say why.
    """

    def __init__(self, told: Chronicle, names: Mapping[str, list[str]], absences: Iterable[tuple[int, int]], *, is_known: bool) -> None:  # fmt: skip
        self._told = told
        self._names = names
        self._absences = absences
        self._is_known = is_known

    def fates(self, numbers: list[int]) -> list[str]:
        """Of each of its frames: "heard", or why it was not acknowledged; "" where nothing says.

        What the ledger of the forwarders explains goes first: the gateway may have a name for that, too.
        """
        found = {number: self._by_forwarders(number) for number in numbers}
        return [found[number] or self._by_gateway(number) for number in numbers]

    def _by_forwarders(self, number: int) -> str:
        fates = [line["fate"] for line in self._told.downlinks[number]]
        if not fates:
            return ""
        names = self._names.get(self._told.frames[number]["mic"], [])
        told = fates[-1] in _SENT or (fates[-1] == CHANNEL_BUSY and self._told.over_udp)
        same = [name for name in names if name.endswith((*fates, *(() if told else _MISSED)))]
        if same:
            names.remove(same[0])
        return Fate.HEARD.value if Fate.HEARD.value in fates else f"answer {fates[-1]}"

    def _by_gateway(self, number: int) -> str:
        told, frame = self._told, self._told.frames[number]
        names = self._names.get(frame["mic"])
        if names:
            return names.pop(0)
        if any(begin <= frame["at"] <= over for begin, over in self._absences):
            return WITH_THE_GATEWAY
        if all(told.hearings(number)):
            return TOO_LATE
        return "" if self._is_known else _GONE


def _text(key: Uplink) -> str:
    return f"{key[0]} {key[1]}"
