"""A recording of uplinks through the gateway without a door, and what became of it."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from gateway.app.checkpoint import Checkpoint
from gateway.model.errors import Refusal
from gateway.model.instant import Instant
from gateway.registry import imports
from gateway.registry.registry import Registry
from gateway.settings.settings import Settings
from gateway.statedir import StateDir
from gateway.transports.replay.capture import Capture, lines_of
from gateway.transports.replay.clock import RecordedClock
from gateway.transports.replay.documents import Documents, Log
from gateway.transports.replay.door import Replay
from gateway.wire.envelopes.event import Event
from sekisho import recorded, screen
from sekisho.file_bar import FileBar
from sekisho.kinds_in_force import keep
from sekisho.scripts import declared


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a recording: records = uplinks + events; uplinks = the sum of their fates.

    Attributes:
        records: lines that are not empty.
        begun, ended: the recording's own time.
        events: what the records are that are no uplinks, by name.
        fates: of uplinks.
        reasons: why uplinks were rejected or suppressed.
        early: uplinks that were dated by the record before them.
        undated: lines of a table that were left out, because their time cannot be read.
        rows: files that hold the rows.
    """

    records: int
    uplinks: int
    begun: Instant
    ended: Instant
    events: dict[str, int] = field(default_factory=dict)
    fates: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, dict[str, int]] = field(default_factory=dict)
    early: int = 0
    undated: int = 0
    rows: list[Path] = field(default_factory=list)


def run(
    file: Path,
    named: str,
    log: Log,
    settings: Settings,
    state: Path,
    keys: Path | None,
    speed: float | None,
    bar: FileBar,
) -> Result:
    """Replay the documents of a file into `state`, which is made if it is not there.

    Args:
        named: the format, for sentences.
        settings: whose devices, codecs and rules.
        speed: how many times faster than recorded; None for at once.

    Raises:
        Refusal: no line is a dated uplink of this format; or see `recorded.checkpoint`.
    """
    lines = lines_of(file)
    begun = log.begun(lines)
    if begun is None:
        raise Refusal(
            f"None of the first lines of {file} is a dated uplink of {named}. sekisho replay --help "
            "lists the formats; a recording has one document a line, or a topic, a blank and a document, "
            "as mosquitto_sub -v prints it, of sekisho's own binary form in hex (-F '%t %x').",
            exit_code=2,
        )
    clock = RecordedClock(begun)

    def register(directory: StateDir, registry: Registry) -> None:
        keep(directory, settings)
        if planned := imports.plan(registry, settings.entries):
            imports.apply(registry, planned, begun - log.registered_before)

    with recorded.checkpoint(state, keys, clock, settings.policy, register) as checkpoint:
        sort = log.sorting(checkpoint.directory, checkpoint.facts, clock)
        documents = Documents(lines, log, sort, begun)
        with bar:
            recorded.carry(
                checkpoint,
                lambda scripts: Replay(
                    *(documents, checkpoint.intake, clock, speed, scripts),
                    watch=lambda: bar.show(lines, clock.now()),
                ),
                declared(settings),
            )
        if isinstance(lines, Capture) and lines.encrypted:
            count = screen.count(lines.encrypted, "connection")
            screen.warn(f"{count} in {file} could not be read: TLS. Record at the broker.")
        return result(
            checkpoint, documents.uplinks, begun, events=documents.events, early=documents.early
        )


def result(
    checkpoint: Checkpoint,
    uplinks: int,
    begun: Instant,
    events: Counter[Event] | None = None,
    early: int = 0,
    undated: int = 0,
) -> Result:
    """What became of the uplinks that a checkpoint carried."""
    events = events or Counter()
    fates: dict[str, int] = {}
    reasons: dict[str, dict[str, int]] = {}
    for (_origin, _kind, fate, reason), count in checkpoint.tally.terms.items():
        fates[fate] = fates.get(fate, 0) + count
        if reason is not None:
            known = reasons.setdefault(fate, {})
            known[reason] = known.get(reason, 0) + count
    state = checkpoint.state
    return Result(
        records=uplinks + events.total(),
        uplinks=uplinks,
        begun=begun,
        ended=checkpoint.clock.now(),
        events={event.value: count for event, count in events.most_common()},
        fates=fates,
        reasons=reasons,
        early=early,
        undated=undated,
        rows=[state.city_db, *sorted(state.personal_dir.glob("*.db"))],
    )
