"""`sekisho privacy`: what the rules do to a way of one's own, before anybody's rows depend on them."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.app.cores import forbid_cores
from gateway.model.errors import Refusal
from gateway.statedir import write_durably
from gateway.transports.replay.track_file import read_track
from sekisho import partition, picture, place, screen, suggest, track, trial
from sekisho.place import Config, Json, Quiet
from sekisho.privacy_access import access
from sekisho.privacy_erase import erase
from sekisho.privacy_proof import proof
from sekisho.privacy_rules import app as rules
from sekisho.privacy_scan import scan
from sekisho.privacy_what_if import what_if
from sekisho.trial import Trial

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")
app.add_typer(partition.app, name="partition")
app.command("suggest")(suggest.suggest)
app.command("scan")(scan)
app.command("what-if")(what_if)
app.command("access")(access)
app.command("erase")(erase)
app.command("proof")(proof)
app.add_typer(rules, name="rules")

_LARGEST_M = 10_000.0
_NEAR_M = 1000.0


@app.callback()
def privacy() -> None:
    """Read and try rules, and search for what they must not leave."""


@app.command("try")
def try_(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="GPX, packed by gzip or not.")],
    home: Annotated[
        str, typer.Option(metavar="LAT,LON", help="The home that is to stay hidden, in degrees.")
    ],
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
    rules = track.rules(place.settings_of(config))
    configured = rules.home_radius_m
    if radius is not None:
        if not 1.0 <= radius <= _LARGEST_M:
            raise Refusal(f"--radius takes 1 to {_LARGEST_M:,.0f} metres.", exit_code=2)
        rules = replace(rules, home_radius_m=radius)
    tried = trial.run(read_track(file), where, rules)
    if target is not None:
        _save(target, picture.page(tried, file.name))
    if json:
        screen.document(_figures(tried, out))
    elif not quiet:
        _tell(tried, configured, out)


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
        "radius_m": tried.policy.home_radius_m,
        "hidden": tried.hidden,
        "shown": tried.shown,
        "shown_percent": round(100 * tried.shown / fixes, 1),
        "nearest_shown_m": None if nearest is None else round(nearest),
        "picture": None if out is None else str(out),
    }


def _tell(tried: Trial, configured: float, out: Path | None) -> None:
    said = _figures(tried, out)
    print(
        f"{said['fixes']:,} fix{'' if said['fixes'] == 1 else 'es'}, {tried.minutes:.0f} min, {tried.length_m / 1000:.1f} km"
        f" · home radius {tried.policy.home_radius_m:g} m · service area: a box round this recording"
    )
    hidden = " · ".join(f"{reason} {n:,}" for reason, n in tried.hidden.items())
    print(f"  hidden   {hidden or 'nothing'}")
    print(
        f"  shown    {tried.shown:,} ({said['shown_percent']} %), rounded to 1.1 m, one-minute times"
    )
    if tried.nearest_shown_m is not None:
        print(f"  nearest  {said['nearest_shown_m']} m from home is the nearest place shown")
    if tried.nearest_m > _NEAR_M:
        print("  note     This way never comes within 1 km of the home: is --home right?")
    elif not tried.near_home:
        print("  note     no fix lies within the circle: is that the home, latitude first?")
    if tried.undated:
        print(f"  unread   {tried.undated:,} without a time")
    if tried.shown:
        print(track.CAREFUL)
    if tried.policy.home_radius_m < configured:
        print(f"  note     a gateway with these settings hides {configured:g} m, not less")
    if out is not None:
        print(f"  picture  {out}  (shows the exact way and the home: keep it to yourself)")
