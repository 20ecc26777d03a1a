"""What became of a recorded way, in figures and in sentences."""

from typing import Any

from sekisho import screen, track
from sekisho.rerun import Result


def figures(result: Result) -> dict[str, Any]:
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


def tell(result: Result) -> None:
    said = figures(result)
    print(
        f"{screen.count(result.fixes, 'fix', 'fixes')}, {result.minutes:.0f} min, {result.length_m / 1000:.1f} km"
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
            f"  kept     {said['kept_of_beyond_percent']} % of the {screen.count(result.beyond, 'fix', 'fixes')} beyond"
            " radius and margin"
        )
    if result.refused or result.undated:
        print(f"  unread   {result.refused:,} rejected · {result.undated:,} without a time")
    for path in result.rows:
        print(f"  rows     {path}")
    print(track.CAREFUL)
