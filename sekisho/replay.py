"""`sekisho replay`: what came once comes again, through the very pipeline that `sekisho run` uses."""

import math
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from gateway.app.cores import forbid_cores
from gateway.model.errors import Refusal
from gateway.transports.replay.track_file import read_track
from sekisho import forwarded_account, forwarded_replay, place, rerun, screen, track, track_account
from sekisho.file_bar import FileBar
from sekisho.formats import opener
from sekisho.place import Config, Json, Keys, Quiet
from sekisho.recorded import OtherReplay

T = TypeVar("T")

_FORMS = (".gpx", ".nmea", ".ndjson", ".jsonl", ".json", ".csv", ".log", ".txt")
_AS, _HOW = "What it is", "How it goes"


def replay(
    *,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A recording, packed by gzip or not: a document a line, or what mosquitto_sub -v "
            "printed (--format); or a way as GPX or NMEA (--home).",
        ),
    ],
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            show_default=False,
            rich_help_panel=_AS,
            help="Which network server wrote it: chirpstack_v4, things_stack_v3 ... (docs/formats.md). "
            "Devices, codecs and rules are the configuration's.",
        ),
    ] = None,
    home: Annotated[
        str | None,
        typer.Option(
            metavar="LAT,LON",
            show_default=False,
            rich_help_panel=_AS,
            help="Of a recorded way: the home that is to stay hidden, in degrees.",
        ),
    ] = None,
    as_: Annotated[
        str,
        typer.Option(
            "--as", metavar="KIND", rich_help_panel=_AS, help="What recorded it: child_tracker."
        ),
    ] = rerun.KIND,
    radius: Annotated[
        float | None,
        typer.Option(
            metavar="METRES",
            rich_help_panel=_AS,
            help="Home radius, no smaller than the configured one (else 50), which is the default.",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="DIR",
            rich_help_panel=_HOW,
            help="State directory, made if it is not there; only one marked REPLAY is taken. "
            "Default: .replay/<name of the file>, a new one for each home.",
        ),
    ] = None,
    keys: Keys = None,
    config: Config = None,
    pace: Annotated[
        str,
        typer.Option(
            metavar="at-once|recorded|FACTOR",
            rich_help_panel=_HOW,
            help="How fast; 60 is an hour a minute.",
        ),
    ] = "at-once",
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Send a recording through the gateway, and tell what it keeps, what it hides and what it refuses.

    Rows go to a state directory of their own, by the recording's own clock. Replayed again, everything
    is there already; a replay that was cut off goes on so.
    """
    forbid_cores()
    speed = _pace(pace)
    if format_ is not None:
        if home is not None or radius is not None:
            raise Refusal(
                "--home and --radius are for recorded ways; --format is not.", exit_code=2
            )
        _forwarded(file, format_, (state, keys, config), speed, json_=json_, quiet=quiet)
    else:
        _way(file, as_, (home, radius), (state, keys, config), speed, json_=json_, quiet=quiet)


Where = tuple[Path | None, Path | None, Path | None]
"""State directory, keys root, configuration, as given."""


def _forwarded(
    file: Path, format_: str, where: Where, speed: float | None, *, json_: bool, quiet: bool
) -> None:
    state, keys, config = where
    open_ = opener(format_)
    settings = place.settings_of(config)
    if settings is None:
        raise Refusal(
            "Whose devices these are stands in a configuration, and there is no usable one here. Name it: "
            "--config config/gateway.yaml.",
            exit_code=2,
        )

    def into(directory: Path) -> forwarded_replay.Result:
        bar = FileBar(file.name, quiet=quiet)
        return forwarded_replay.run(file, format_, open_, settings, directory, keys, speed, bar)

    result = _first_free(file, into) if state is None else into(state)
    if json_:
        screen.document(forwarded_account.figures(result))
    elif not quiet:
        forwarded_account.tell(result)


def _way(
    file: Path,
    as_: str,
    home_: tuple[str | None, float | None],
    where: Where,
    speed: float | None,
    *,
    json_: bool,
    quiet: bool,
) -> None:
    state, keys, config = where
    home, radius = home_
    if as_ != rerun.KIND:
        raise Refusal(f"A recorded way can be replayed as {rerun.KIND} only.", exit_code=2)
    if home is None:
        raise Refusal(
            "What is recorded there? Say --format NAME for what a network server wrote, or --home "
            "LAT,LON for a way (GPX, NMEA) and the home that is to stay hidden.",
            exit_code=2,
        )
    hidden = track.home(home)
    rules = track.rules(place.settings_of(config))
    recording = read_track(file)

    def into(directory: Path) -> rerun.Result:
        return rerun.run(recording, hidden, radius, rules, directory, keys, speed)

    result = _first_free(file, into) if state is None else into(state)
    if json_:
        screen.document(track_account.figures(result))
    elif not quiet:
        track_account.tell(result)


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


def _pace(text: str) -> float | None:
    if text == "at-once":
        return None
    try:
        speed = 1.0 if text == "recorded" else float(text)
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        raise Refusal("--pace takes at-once, recorded, or a factor such as 60.", exit_code=2)
    return speed
