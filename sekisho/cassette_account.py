"""What became of a cassette, in figures and in sentences."""

from typing import Any

from sekisho import forwarded_account, screen
from sekisho.cassette_replay import Result


def figures(result: Result) -> dict[str, Any]:
    """Every figure that the text has."""
    return {
        **forwarded_account.figures(result.uplinks),
        "people": {"stored": result.rows, "duplicate": result.repeated},
        "whole": result.left_out is not None,
        "left_out": result.left_out or {},
    }


def tell(result: Result) -> None:
    """Print them."""
    forwarded_account.tell(result.uplinks)
    for kind, count in sorted(result.rows.items()):
        print(f"  of people  {count:>9,}   {kind}")
    if result.repeated:
        print(f"  of people  {result.repeated:>9,}   there already")
    for why, count in (result.left_out or {}).items():
        print(f"  not in it  {count:>9,}   {why}")
    if result.left_out is None:
        screen.warn("This recording was cut off: its last line is missing.")
