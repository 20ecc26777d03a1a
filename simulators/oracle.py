"""What should become of every uplink in a ledger: docs/mask.md a second time, written apart.

The mask in the gateway and this file were written from the same page by different hands, and
neither imports the other; tests compare what they say. Where the ledger says that the gateway went in
lock-step, the time of receipt is known exactly; else the oracle takes the time of sending for it, and
assumes that the gateway's clock shows town time to within an hour.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from gateway.model.instant import DAY, HOUR, MINUTE, Instant
from gateway.model.reason import Fate, Reason
from simulators.area import in_municipality
from simulators.calendar import day_of, midnight
from simulators.oracle_mask import Fix, Memory, Rules, judge_child

InArea = Callable[[float, float], bool]
Line = Mapping[str, Any]

_HARMED = {
    "corrupt": Reason.UNDECODABLE,
    "out_of_range": Reason.OUT_OF_RANGE,
    "unknown_device": Reason.UNKNOWN_DEVICE,
}
_LATE = 7 * DAY
_DAY_BEGINS = 3 * HOUR  # of a service day, by local time
_WINDOW = 4096  # no client has more in flight
_CLASS_TOPS = (25.0, 50.0, 75.0)


class ExpectedRow(NamedTuple):
    """One row that should be stored.

    Attributes:
        kind: device kind.
        at: personal kinds: the start of the one-minute bin; city kinds: the exact time.
        device: the device it came from (a personal row itself does not say).
        values: child: lat, lon (5 decimals), battery_class; read: stop, vehicle, antenna;
            city kinds: the sent values, for gauges with `stage_m`, for passages with both counts.
        who: personal kinds: whom its pseudonym stands for: a child's device, a tag on a service day.
    """

    kind: str
    at: Instant
    device: str
    values: Mapping[str, Any]
    who: str = ""


class Verdict(NamedTuple):
    """What should become of the `n`-th uplink of the ledger.

    Attributes:
        n: its number in the ledger.
        device, kind: as in the ledger.
        fate: exactly one term of the conservation law.
        reason: why, where it was rejected or suppressed.
        rows: what should be stored; empty unless `fate` is stored.
        slack_m: the least distance, in metres, between a measured and a deciding length: where it
            is tiny, two correct implementations may differ by their distance formulas.
    """

    n: int
    device: str
    kind: str
    fate: Fate
    reason: Reason | None = None
    rows: tuple[ExpectedRow, ...] = ()
    slack_m: float = float("inf")


class Oracle:
    """Judges a ledger line by line.

    Args:
        in_area: the service area; the town's municipality unless handed in.
        rules_since: nothing observed before this instant is stored.
        default_radius_m: home radius where the household has none of its own.
        retain_days: how long a personal file may stay; what would make one again that is over is late.
    """

    def __init__(
        self,
        in_area: InArea = in_municipality,
        rules_since: Instant = 0,
        default_radius_m: float = 50.0,
        retain_days: int = 28,
    ) -> None:
        self._retain_days = retain_days
        self._rules = Rules(in_area=in_area, since=rules_since, default_radius_m=default_radius_m)
        self._roster: dict[str, Line] = {}
        self._memory: dict[str, Memory] = {}
        self._stored: set[tuple[Any, ...]] = set()
        self._step: Instant = 0
        self._day_keys: set[date] = set()

    def restart(self) -> None:
        """The gateway was killed or stopped: all mask state is forgotten, stored rows are not."""
        self._memory.clear()

    def judge(self, line: Line) -> Verdict | None:
        """The verdict on an uplink; None for the ledger's other lines, which it remembers."""
        if "sekisho_ledger" in line:
            self._step = line.get("step_us", 0)
        if "roster" in line:
            self._roster[line["roster"]] = line
        if "n" not in line:
            return None
        if line["harm"] in _HARMED:
            return _verdict(line, Fate.REJECTED, _HARMED[line["harm"]])
        if line["device"] not in self._roster:
            return _verdict(line, Fate.REJECTED, Reason.UNKNOWN_DEVICE)
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
            return _verdict(line, Fate.REJECTED, Reason.UNDATED)
        values, at = line["values"], self._observed_at(line)
        fix = Fix(
            identity=_identity(line),
            at=at,
            late=self._is_late(self._received_at(line), at),
            lat=values.get("lat"),
            lon=values.get("lon"),
            accuracy_m=values.get("accuracy_m"),
        )
        memory = self._memory.setdefault(line["device"], Memory())
        ruling = judge_child(fix, self._roster[line["device"]], memory, self._rules)
        if ruling.fate is not Fate.STORED:
            return _verdict(line, ruling.fate, ruling.reason, slack_m=ruling.slack_m)
        place = {
            "lat": round(values["lat"], 5),
            "lon": round(values["lon"], 5),
            "battery_class": battery_class(values.get("battery_pct")),
        }
        row = ExpectedRow(line["kind"], at - at % MINUTE, line["device"], place, line["device"])
        return self._store(line, (row,), ruling.slack_m)

    def _reads(self, line: Line) -> Verdict:
        if line["t"] is None and line["seq"] is None:
            return _verdict(line, Fate.REJECTED, Reason.UNDATED)
        at = self._observed_at(line)
        if self._is_late(self._received_at(line), at):
            return _verdict(line, Fate.SUPPRESSED, Reason.LATE)
        if at < self._rules.since:
            return _verdict(line, Fate.SUPPRESSED, Reason.RULES_CHANGED)
        if not self._has_day_key(at, self._received_at(line)):
            return _verdict(line, Fate.SUPPRESSED, Reason.KEY_GONE)
        facts = self._roster[line["device"]]["attributes"]
        reads = line["values"]["reads"]
        if not reads:
            return _verdict(line, Fate.COUNTED)
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

    def _has_day_key(self, at: Instant, received: Instant) -> bool:
        """A service day's key is made while the day lasts, and is destroyed an hour after its end."""
        day = day_of(at - _DAY_BEGINS)
        end = midnight(day + timedelta(days=1)) + _DAY_BEGINS
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
        key = (line["device"], *_identity(line))
        if key in self._stored:
            return _verdict(line, Fate.DUPLICATE, slack_m=slack_m)
        self._stored.add(key)
        return _verdict(line, Fate.STORED, rows=rows, slack_m=slack_m)


def judge_ledger(
    lines: Iterable[Line],
    restarts: Mapping[int, int] | Collection[int] = (),
    in_area: InArea = in_municipality,
    rules_since: Instant = 0,
    retain_days: int = 28,
) -> Iterator[Verdict]:
    """Every uplink's verdict, in order, across restarts of the gateway.

    `restarts` names the last uplink that the gateway had committed when it stopped: after it the
    mask has forgotten all. As a mapping it also says which uplink was the last one acknowledged:
    those between the two are sent again, so the new mask meets them a second time; what became of
    them the first time stands.
    """
    oracle = Oracle(in_area, rules_since, retain_days=retain_days)
    unacknowledged: deque[Line] = deque(maxlen=_WINDOW)
    for line in lines:
        verdict = oracle.judge(line)
        if verdict is None:
            continue
        yield verdict
        unacknowledged.append(line)
        if verdict.n in restarts:
            oracle.restart()
            acked = restarts[verdict.n] if isinstance(restarts, Mapping) else verdict.n
            for again in unacknowledged:
                if again["n"] > acked:
                    oracle.judge(again)


def battery_class(per_cent: float | None) -> int | None:
    """1 (≤ 25 %) to 4 (above 75 %); None if unknown."""
    if per_cent is None:
        return None
    return 1 + sum(per_cent > top for top in _CLASS_TOPS)


def _identity(line: Line) -> tuple[Any, ...]:
    """What tells two uplinks of one device apart: counter, device's own time, payload digest."""
    return (line["seq"], line["t"], line["digest"])


def _verdict(
    line: Line,
    fate: Fate,
    reason: Reason | None = None,
    *,
    rows: tuple[ExpectedRow, ...] = (),
    slack_m: float = float("inf"),
) -> Verdict:
    return Verdict(line["n"], line["device"], line["kind"], fate, reason, rows, slack_m)
