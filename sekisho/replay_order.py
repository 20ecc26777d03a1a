"""What a replay is told, and its ways: a network server's log, a table, a recorded way, another system."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

from gateway.model.errors import Refusal
from gateway.model.instant import SECOND
from gateway.settings.settings import Settings
from gateway.transports.replay.capture import lines_of
from gateway.transports.replay.track_file import read_track
from sekisho import (
    cassette_account,
    cassette_replay,
    facts,
    forwarded_account,
    forwarded_replay,
    place,
    rerun,
    screen,
    sending,
    table_replay,
    track,
    track_account,
)
from sekisho.file_bar import FileBar
from sekisho.formats import log_of
from sekisho.recorded import OtherReplay
from sekisho.replay_follow import Follower
from sekisho.spans import length

T = TypeVar("T")

_FORMS = (
    *(".cassette", ".gpx", ".nmea", ".ndjson", ".jsonl", ".json", ".csv", ".log", ".txt"),
    *(".pcap", ".pcapng", ".cap"),
)


@dataclass(frozen=True, slots=True)
class Order:
    """What every replay is told.

    Attributes:
        speed: how many times faster than recorded; None for at once.
    """

    file: Path
    state: Path | None
    keys: Path | None
    config: Path | None
    speed: float | None
    json: bool
    quiet: bool

    def settings(self) -> Settings | None:
        return place.settings_of(self.config)

    def into(self, run: Callable[[Path], T]) -> T:
        """Replay into the directory that is named, else into a free one of the recording's name."""
        return _first_free(self.file, run) if self.state is None else run(self.state)

    def bar(self) -> FileBar:
        return FileBar(self.file.name, quiet=self.quiet)


def cassette(order: Order) -> None:
    """What `sekisho record` wrote."""
    settings = order.settings()
    result = order.into(
        lambda state: cassette_replay.run(
            order.file, settings, state, order.keys, order.speed, order.bar()
        )
    )
    if order.json:
        screen.document(cassette_account.figures(result))
    elif not order.quiet:
        cassette_account.tell(result)


def forwarded(order: Order, format_: str) -> None:
    """A log of a network server, or of our own topics."""
    log = log_of(format_)
    settings = order.settings()
    if settings is None:
        raise Refusal(
            "Whose devices these are stands in a configuration, and there is no usable one here. Name it: "
            "--config config/gateway.yaml.",
            exit_code=2,
        )
    _account(
        order,
        order.into(
            lambda state: forwarded_replay.run(
                order.file, format_, log, settings, state, order.keys, order.speed, order.bar()
            )
        ),
    )


def table(order: Order, as_: str, columns: str | None, codec: str | None, device: str | None, encoding: str) -> None:  # fmt: skip
    """A table of readings."""
    settings = order.settings()
    how = table_replay.table(facts.kind(as_), columns, codec, device, encoding, settings)
    _account(
        order,
        order.into(
            lambda state: table_replay.run(
                order.file, how, settings, state, order.keys, order.speed
            )
        ),
    )


def way(order: Order, as_: str, home: str | None, radius: float | None) -> None:
    """A recorded way and the home that is to stay hidden."""
    if as_ != rerun.KIND:
        raise Refusal(
            f"A recorded way can be replayed as {rerun.KIND} only; a table as {as_} needs --columns.",
            exit_code=2,
        )
    if home is None:
        raise Refusal(
            "What is recorded there? Say --format NAME for what a network server wrote, --columns for a "
            "table, or --home LAT,LON for a way (GPX, NMEA) and the home that is to stay hidden.",
            exit_code=2,
        )
    hidden = track.home(home)
    rules = track.rules(order.settings())
    recording = read_track(order.file)
    result = order.into(
        lambda state: rerun.run(recording, hidden, radius, rules, state, order.keys, order.speed)
    )
    if order.json:
        screen.document(track_account.figures(result))
    elif not order.quiet:
        track_account.tell(result)


def send(order: Order, format_: str | None, topic: str | None, to: str, login: sending.Login, follow: Path | None, step: str) -> None:  # fmt: skip
    """To another system."""
    if format_ is None and (order.speed is not None or follow is not None):
        raise Refusal("When a record came, only its format knows: say --format, too.", exit_code=2)
    lines = lines_of(order.file)
    log = None if format_ is None else log_of(format_)
    recorded = sending.Recorded(order.file, lines, log, topic)
    moved = round(SECOND * length("--step", step, least=1e-6, below="the clock must move."))
    follower = None if follow is None else Follower(follow, moved)
    sent = sending.send(recorded, lines, to, login, order.speed, follower, order.bar())
    if order.json:
        screen.document({"sent": sent})
    elif not order.quiet:
        print(f"{screen.count(sent, 'record')} sent, and acknowledged by the broker.")


def _account(order: Order, result: forwarded_replay.Result) -> None:
    if order.json:
        screen.document(forwarded_account.figures(result))
    elif not order.quiet:
        forwarded_account.tell(result)


def _first_free(file: Path, into: Callable[[Path], T]) -> T:
    """Replay into `.replay/<name>`, or `<name>-2` … where those hold another home or recording.

    Two homes never share a directory: together they would show what each of them hides.
    """
    stem = _stem(file)
    for n in count(1):
        try:
            return into(Path(".replay") / (stem if n == 1 else f"{stem}-{n}"))
        except OtherReplay:
            continue
    raise AssertionError


def _stem(file: Path) -> str:
    """The recording's name without what says its form; never hidden, and never the folder of the keys."""
    name = file.name
    for ending in (".gz", *_FORMS):
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
    name = name.strip(".") or "replay"
    return "keys-replay" if name.lower() == "keys" else name
