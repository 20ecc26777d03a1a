"""`sekisho privacy try`: what rules would keep of one recorded way, said and drawn."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.app.cores import forbid_cores
from gateway.model.errors import Refusal
from gateway.privacy.policy import Policy
from gateway.statedir import write_durably
from gateway.transports.replay.track_file import read_track
from sekisho import picture, place, screen, track, trial
from sekisho.place import Config, Json, Quiet
from sekisho.trial import Trial
from sekisho.ways import Way
from sekisho.what_if import policy_of

_LARGEST_M = 10_000.0
_NEAR_M = 1000.0


def try_(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="GPX, packed by gzip or not.")],
    home: Annotated[
        str, typer.Option(metavar="LAT,LON", help="The home that is to stay hidden, in degrees.")
    ],
    rules: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A rule set to try. Default: the one of the configuration, else a circle of 50 m.",
        ),
    ] = None,
    radius: Annotated[
        float | None,
        typer.Option(
            metavar="METRES", help="Home radius to try. Default: the configured one, else 50."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Draw what is hidden and what is shown."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Let --out replace a file that is there.")
    ] = False,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show what the mask would keep of a recorded way, and what it would hide.

    Nothing is stored anywhere but the picture that you ask for, which only you may read: it shows
    the exact way and the home. The recording may come from anywhere: a box round it is the service area.
    """
    forbid_cores()
    target = None if out is None else place.replaceable("--out", out, force=force)
    where = track.home(home)
    recording = read_track(file)
    policy = _policy(rules, config, trial.way_of(recording, where))
    configured = policy.home_radius_m
    if radius is not None:
        if policy.zoned is not None:
            raise Refusal("--radius: zones hide here, and a circle round the home would undo them. Leave it out.", exit_code=2)  # fmt: skip
        if not 1.0 <= radius <= _LARGEST_M:
            raise Refusal(f"--radius takes 1 to {_LARGEST_M:,.0f} metres.", exit_code=2)
        policy = replace(policy, home_radius_m=radius)
    tried = trial.run(recording, where, policy)
    if target is not None:
        _save(target, picture.page(tried, file.name))
    if json:
        screen.document(_figures(tried, out))
    elif not quiet:
        _tell(tried, configured, out)


def _policy(rules: Path | None, config: Path | None, way: Way) -> Policy:
    """The rules to try, over a box round the recording."""
    if rules is None:
        return track.rules(place.settings_of(config))
    policy = policy_of(rules, [way])
    if not policy.keeps_ways:
        raise Refusal(f"{rules} has no lane store: it keeps nothing of a way.", exit_code=2)
    return policy


def _save(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    try:
        write_durably(path, text.encode(), 0o600)
    except OSError as error:
        raise Refusal(
            f"{path} cannot be written: {error.strerror}. Choose another --out."
        ) from None


def _figures(tried: Trial, out: Path | None) -> dict[str, Any]:
    """Every figure that the text has."""
    fixes = len(tried.marks)
    nearest = tried.nearest_shown_m
    return {
        "fixes": fixes,
        "without_time": tried.undated,
        "duration_min": round(tried.minutes, 1),
        "length_km": round(tried.length_m / 1000, 2),
        "radius_m": tried.policy.home_radius_m if tried.policy.zoned is None else None,
        "zone": tried.zone,
        "hidden": tried.hidden,
        "shown": tried.shown,
        "shown_percent": round(100 * tried.shown / fixes, 1),
        "nearest_shown_m": None if nearest is None else round(nearest),
        "picture": None if out is None else str(out),
    }


def _tell(tried: Trial, configured: float, out: Path | None) -> None:
    said = _figures(tried, out)
    print(
        f"{screen.count(said['fixes'], 'fix', 'fixes')}, {tried.minutes:.0f} min, {tried.length_m / 1000:.1f} km"
        f" · {tried.hides} · service area: a box round this recording"
    )
    hidden = " · ".join(f"{reason} {n:,}" for reason, n in tried.hidden.items())
    print(f"  hidden   {hidden or 'nothing'}")
    print(f"  shown    {tried.shown:,} ({said['shown_percent']} %), {tried.says}")
    if tried.nearest_shown_m is not None:
        print(f"  nearest  {said['nearest_shown_m']} m from home is the nearest place shown")
    if tried.nearest_m > _NEAR_M:
        print("  note     This way never comes within 1 km of the home: is --home right?")
    elif not tried.near_home:
        what = "circle" if tried.policy.zoned is None else "zone"
        print(f"  note     no fix lies within the {what}: is that the home, latitude first?")
    if tried.policy.zoned is not None and tried.zone is None:
        print(
            "  note     this home lies in no zone of the partition that these rules pin: nothing is kept of it"
        )
    if tried.undated:
        print(f"  unread   {tried.undated:,} without a time")
    if tried.shown and tried.policy.zoned is None:
        print(track.CAREFUL)
    if tried.policy.home_radius_m < configured:
        print(f"  note     a gateway with these settings hides {configured:g} m, not less")
    if out is not None:
        print(f"  picture  {out}  (shows the exact way and the home: keep it to yourself)")
