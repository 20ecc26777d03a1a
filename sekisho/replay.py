"""`sekisho replay`: a recorded way through the very pipeline that `sekisho run` uses, and what is left."""

import math
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.app.cores import forbid_cores
from gateway.model.errors import Refusal
from gateway.transports.replay import Recording
from sekisho import place, rerun, screen, track
from sekisho.place import Config, Json, Keys, Quiet
from sekisho.rerun import KIND, OtherReplay, Result


def replay(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="GPX, packed by gzip or not.")],
    as_: Annotated[
        str, typer.Option("--as", metavar="KIND", help="What recorded it: child_tracker.")
    ] = KIND,
    home: Annotated[
        str, typer.Option(metavar="LAT,LON", help="The home that is to stay hidden, in degrees.")
    ],
    radius: Annotated[
        float | None,
        typer.Option(
            metavar="METRES",
            help="Home radius, no smaller than the configured one (else 50), which is the default.",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="DIR",
            help="State directory, made if it is not there; only one marked REPLAY is taken. "
            "Default: .replay/<name of the file>, a new one for each home.",
        ),
    ] = None,
    keys: Keys = None,
    config: Config = None,
    pace: Annotated[
        str,
        typer.Option(metavar="at-once|recorded|FACTOR", help="How fast; 60 is an hour a minute."),
    ] = "at-once",
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Send a recorded way through the mask, and tell what it keeps and what it hides.

    Rows go to a state directory of their own, by the recording's own clock. The recording may come
    from anywhere: a box round it is the service area.
    """
    forbid_cores()
    if as_ != KIND:
        raise Refusal(f"A GPX recording can be replayed as {KIND} only.", exit_code=2)
    where, speed = track.home(home), _pace(pace)
    settings = place.settings_of(config)
    rules = track.rules(settings)
    recording = Recording.read(file)

    def into(directory: Path) -> Result:
        return rerun.run(recording, where, radius, rules, directory, keys, speed)

    result = _first_free(file, into) if state is None else into(state)
    if json_:
        screen.document(_figures(result))
    elif not quiet:
        _tell(result)


def _first_free(file: Path, into: Callable[[Path], Result]) -> Result:
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
    """The recording's name without `.gpx` and `.gz`; never hidden, and never the folder of the keys."""
    name = file.name
    for ending in (".gz", ".gpx"):
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


def _figures(result: Result) -> dict[str, Any]:
    """Every figure that the text has."""
    kept = result.kept_of_beyond
    return {
        "fixes": result.fixes,
        "without_time": result.undated,
        "duration_min": round(result.minutes, 1),
        "length_km": round(result.length_m / 1000, 2),
        "hidden": result.hidden,
        "shown": result.shown,
        "shown_percent": round(100 * result.shown / result.fixes, 1),
        "already_stored": result.repeated,
        "rejected": result.refused,
        "beyond_radius_and_margin": result.beyond,
        "kept_of_beyond_percent": None if kept is None else round(kept, 1),
        "rows": [str(path) for path in result.rows],
    }


def _tell(result: Result) -> None:
    said = _figures(result)
    print(
        f"{result.fixes:,} fixes, {result.minutes:.0f} min, {result.length_m / 1000:.1f} km"
        " · service area: a box round this recording"
    )
    hidden = " · ".join(f"{reason} {n:,}" for reason, n in result.hidden.items())
    print(f"  hidden   {hidden or 'nothing'}")
    print(
        f"  shown    {result.shown:,} ({said['shown_percent']} %), rounded to 1.1 m, one-minute times"
        + (f" · {result.repeated:,} were there already" if result.repeated else "")
    )
    if result.beyond:
        print(
            f"  kept     {said['kept_of_beyond_percent']} % of the {result.beyond:,} fixes beyond"
            " radius and margin"
        )
    if result.refused or result.undated:
        print(f"  unread   {result.refused:,} rejected · {result.undated:,} without a time")
    for path in result.rows:
        print(f"  rows     {path}")
    print(track.CAREFUL)
