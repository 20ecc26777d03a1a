"""What `sekisho simulate --lorawan` says at its end."""

import json
from collections.abc import Mapping
from typing import Any


def report(figures: Mapping[str, Any], *, as_json: bool, quiet: bool) -> None:
    """Print the figures."""
    if as_json:
        print(json.dumps(figures))
    elif not quiet:
        ups = figures["uplinks"]
        print(
            f"{figures['joined']:,} of {figures['nodes']:,} nodes joined through "
            f"{figures['forwarders']:,} forwarders, seed {figures['seed']}"
        )
        print(
            f"{ups.get('all', 0):,} uplinks, {ups.get('heard', 0):,} heard; {ups.get('confirmed', 0):,} confirmed, "
            f"{ups.get('acknowledged', 0):,} acknowledged; {figures['air_s']:,} s on the air"
        )
        for title in ("frames", "downlinks", "backhaul"):
            said = ", ".join(f"{name} {n:,}" for name, n in figures[title].items())
            print(f"  {title}: {said or 'none'}")


def why_nobody(figures: Mapping[str, Any]) -> str:
    """What to look at where nobody joined, by what became of the join-requests."""
    unheard = figures["backhaul"].get("not acknowledged", 0)
    if not figures["hearings"]:
        return "No forwarder heard a join-request: let it last longer (--for), or take more --forwarders."
    if unheard and not figures["downlinks"]:
        return (
            f"The gateway acknowledged nothing, or next to nothing, of {figures['hearings']:,} hearings ({unheard:,} are "
            "missing): it answers no forwarder that it does not list. Are their eui and from under lorawan.forwarders? "
            "sekisho simulate --lorawan N --settings prints them."
        )
    return (
        "The gateway took what forwarders heard and let nobody in: are these nodes and their keys registered there "
        "(--register DIR), and do they go on counting (--register or --follow; with --to alone they begin anew, and are refused "
        "the second time)? sekisho doctor lorawan names the causes."
    )
