"""What should become of every uplink in a ledger: docs/mask.md a second time, written apart.

The mask in the gateway and this file were written from the same page by different hands, and
neither imports the other; tests compare what they say. Where the ledger says that the gateway went in
lock-step, the time of receipt is known exactly; else the oracle takes the time of sending for it, and
assumes that the gateway's clock shows town time to within an hour.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from gateway.model.instant import DAY, HOUR, MINUTE, Instant
from gateway.model.reason import Fate, Reason
from simulators.area import in_municipality
from simulators.calendar import day_of
from simulators.oracle_mask import judge_child
from simulators.oracle_memory import Fix, Memory, unheard
from simulators.oracle_rules import Rules
from simulators.oracle_trip import Ended
from simulators.oracle_verdict import (
    ExpectedRow,
    Line,
    Verdict,
    child_row,
    identity,
    service_day_ends,
    verdict,
)

InArea = Callable[[float, float], bool]

_HARMED = {
    "corrupt": Reason.UNDECODABLE,
    "out_of_range": Reason.OUT_OF_RANGE,
    "unknown_device": Reason.UNKNOWN_DEVICE,
}
_LATE = 7 * DAY
_DAY_BEGINS = 3 * HOUR  # of a service day, by local time
_WINDOW = 4096  # no client has more in flight
_ROUND = HOUR // 4  # so often the gateway looks for children that fell silent
_SILENCE = 30 * MINUTE


class Oracle:
    """Judges a ledger line by line.

    Args:
        rules: those in force; None: a circle in the town's municipality.
        looks: whether somebody looks every quarter of an hour for children without a fix, as a gateway does.
    """

    def __init__(self, rules: Rules | None = None, *, looks: bool = True) -> None:
        self._looks = looks
        self._rules = Rules(in_municipality) if rules is None else rules
        self._retain_days = self._rules.retain_days
        self._roster: dict[str, Line] = {}
        self._memory: dict[str, Memory] = {}
        self._held: dict[tuple[Any, ...], Line] = {}
        self._stored: set[tuple[Any, ...]] = set()
        self._step: Instant = 0
        self._day_keys: set[date] = set()

    def restart(self) -> tuple[Verdict, ...]:
        """The gateway was killed or stopped: all mask state is forgotten, stored rows are not.

        Returns the verdicts on what was held.
        """
        ended = [one for memory in self._memory.values() for one in memory.trip.forget()]
        self._memory.clear()
        return self._settle(ended)

    def silent(self, now: Instant) -> tuple[Verdict, ...]:
        """The gateway has looked for children that fell silent before `now`; the verdicts on what was held."""
        looked = now - now % _ROUND
        return self._settle(
            one for memory in self._memory.values() for one in _lost(memory, looked)
        )

    def judge(self, line: Line) -> Verdict | None:
        """The verdict on an uplink; None for the ledger's other lines, which it remembers."""
        if "sekisho_ledger" in line:
            self._step = line.get("step_us", 0)
        if "roster" in line:
            self._roster[line["roster"]] = line
        if "n" not in line:
            return None
        if line["harm"] in _HARMED:
            return verdict(line, Fate.REJECTED, _HARMED[line["harm"]])
        if line["device"] not in self._roster:
            return verdict(line, Fate.REJECTED, Reason.UNKNOWN_DEVICE)
        match line["kind"]:
            case "child_tracker":
                return self._child(line)
            case "bus_stop_reader":
                return self._reads(line)
            case _:
                return self._city(line)

    def _received_at(self, line: Line) -> Instant:
        """In lock-step, the end of the stretch of the grid; else the town time of sending."""
        sent: Instant = line["sent"]
        return sent - sent % self._step + self._step if self._step else sent

    def _observed_at(self, line: Line) -> Instant:
        """Decisions 14."""
        t: Instant | None = line["t"]
        received = self._received_at(line)
        registered = self._roster[line["device"]]["registered_at"]
        if t is None or t > received + HOUR or t < registered:
            return received
        return t

    def _is_late(self, received: Instant, at: Instant) -> bool:
        """Step 3; files hold a week where rows stay 28 days or longer, else a day."""
        first = day_of(at)
        if self._retain_days >= 28:
            first -= timedelta(days=first.weekday())
        return received - at > _LATE or day_of(received) - first >= timedelta(
            days=self._retain_days
        )

    def _child(self, line: Line) -> Verdict:
        if line["t"] is None and line["seq"] is None:
            return verdict(line, Fate.REJECTED, Reason.UNDATED)
        values, at, received = line["values"], self._observed_at(line), self._received_at(line)
        fix = Fix(
            identity=(line["device"], *identity(line)),
            at=at,
            received_at=received,
            late=self._is_late(received, at),
            lat=values.get("lat"),
            lon=values.get("lon"),
            accuracy_m=values.get("accuracy_m"),
        )
        memory = self._memory.setdefault(line["device"], Memory())
        lost = _lost(memory, received - received % _ROUND) if self._looks else []
        if unheard(memory, received):
            memory = self._memory[line["device"]] = Memory()
        memory.heard = received
        ruling = judge_child(fix, self._roster[line["device"]], memory, self._rules)
        settled = self._settle((*lost, *ruling.ended))
        if ruling.fate is Fate.HELD:
            self._held[fix.identity] = line
        if ruling.fate is Fate.STORED and ruling.held is not None:
            row = child_row(line, ruling.held, self._rules)
            return self._store(line, (row,), ruling.slack_m)._replace(settled=settled)
        own = verdict(line, ruling.fate, ruling.reason, slack_m=ruling.slack_m)
        return own._replace(settled=settled)

    def _settle(self, ended: Iterable[Ended]) -> tuple[Verdict, ...]:
        """Verdicts on uplinks that were held."""
        found = []
        for held, reason in ended:
            line = self._held.pop(held.key)
            if reason is None:
                found.append(self._store(line, (child_row(line, held, self._rules),)))
            else:
                found.append(verdict(line, Fate.SUPPRESSED, reason))
        return tuple(found)

    def _reads(self, line: Line) -> Verdict:
        if line["t"] is None and line["seq"] is None:
            return verdict(line, Fate.REJECTED, Reason.UNDATED)
        at, received, counted = self._observed_at(line), self._received_at(line), self._counts
        over = received - at > _LATE if counted else self._is_late(received, at)
        refused = next(
            (
                reason
                for applies, reason in (
                    (over, Reason.LATE),
                    (at < self._rules.since, Reason.RULES_CHANGED),
                    (self._rules.reads == "refused", Reason.NO_LANE),
                    (not counted and not self._has_day_key(at, received), Reason.KEY_GONE),
                )
                if applies
            ),
            None,
        )
        if refused is not None:
            return verdict(line, Fate.SUPPRESSED, refused)
        facts = self._roster[line["device"]]["attributes"]
        reads = line["values"]["reads"]
        if not reads:
            return verdict(line, Fate.COUNTED)
        if counted:
            at_stop = facts.get("stop") is not None and facts.get("mount") != "door"
            taken = at_stop and received < service_day_ends(at, _DAY_BEGINS) + HOUR
            if taken:
                return verdict(line, Fate.COUNTED)
            return verdict(line, Fate.SUPPRESSED, Reason.NO_LANE)
        where = (facts.get("stop"), facts.get("vehicle"))
        rows = tuple(
            ExpectedRow(
                line["kind"],
                at - at % MINUTE,
                line["device"],
                {"stop": where[0], "vehicle": where[1], "antenna": read["antenna"]},
                f"{day_of(at - _DAY_BEGINS)} {read['epc']}",
            )
            for read in reads
        )
        return self._store(line, rows)

    @property
    def _counts(self) -> bool:
        """Whether tags are counted, not kept."""
        return self._rules.reads == "counted"

    def _has_day_key(self, at: Instant, received: Instant) -> bool:
        """A service day's key is made while the day lasts, and is destroyed an hour after its end."""
        day, end = day_of(at - _DAY_BEGINS), service_day_ends(at, _DAY_BEGINS)
        if received < end:
            self._day_keys.add(day)
        return received <= end + HOUR and day in self._day_keys

    def _city(self, line: Line) -> Verdict:
        values = dict(line["values"])
        datum = self._roster[line["device"]]["attributes"].get("datum_m")
        if line["kind"] == "river_gauge" and values.get("stage_m") is None:
            values["stage_m"] = round(datum - values["distance_m"], 4)
        if values.get("direction") is not None:  # one passage counts as one, a walker as none
            counts = values["passer"] != "person"
            values["in_count"] = int(counts and values["direction"] == "in")
            values["out_count"] = int(counts and values["direction"] == "out")
        row = ExpectedRow(line["kind"], self._observed_at(line), line["device"], values)
        return self._store(line, (row,))

    def _store(
        self, line: Line, rows: tuple[ExpectedRow, ...], slack_m: float = float("inf")
    ) -> Verdict:
        """Stored, unless rows of the same identity lie there already."""
        key = (line["device"], *identity(line))
        if key in self._stored:
            return verdict(line, Fate.DUPLICATE, slack_m=slack_m)
        self._stored.add(key)
        return verdict(line, Fate.STORED, rows=rows, slack_m=slack_m)


def judge_ledger(
    lines: Iterable[Line],
    restarts: Mapping[int, int] | Collection[int] = (),
    rules: Rules | None = None,
) -> Iterator[Verdict]:
    """Every uplink's verdict, in order, across restarts of the gateway.

    Under rules that hold fixes a later verdict with the same number takes the place of an earlier one.

    `restarts` names the last uplink that the gateway had committed when it stopped: after it the
    mask has forgotten all. As a mapping it also says which uplink was the last one acknowledged:
    those between the two are sent again, so the new mask meets them a second time; what became of
    them the first time stands.
    """
    oracle = Oracle(rules)
    unacknowledged: deque[Line] = deque(maxlen=_WINDOW)
    for line in lines:
        found = oracle.judge(line)
        if found is None:
            continue
        yield from (found, *found.settled)
        unacknowledged.append(line)
        if found.n in restarts:
            yield from oracle.restart()
            acked = restarts[found.n] if isinstance(restarts, Mapping) else found.n
            for again in unacknowledged:
                if again["n"] > acked:
                    oracle.judge(again)


def _lost(memory: Memory, looked: Instant) -> list[Ended]:
    """What was held of a child without a fix for too long when the gateway looked."""
    if not memory.trip.holds or looked - memory.trip.heard <= _SILENCE:
        return []
    return memory.trip.forget()
