"""What became of a network server's recording, in figures and in sentences."""

from typing import Any

from gateway.model.instant import to_rfc3339
from gateway.model.reason import Fate, Reason
from sekisho import screen
from sekisho.forwarded_replay import Result

_SHOWN = (Fate.STORED, Fate.DUPLICATE, Fate.SUPPRESSED, Fate.HELD, Fate.COUNTED, Fate.REJECTED)


def figures(result: Result) -> dict[str, Any]:
    """Every figure that the text has."""
    return {
        "records": result.records,
        "uplinks": result.uplinks,
        "events": result.events,
        "from": to_rfc3339(result.begun),
        "until": to_rfc3339(result.ended),
        **{fate.value: result.fates.get(fate, 0) for fate in _SHOWN},
        "reasons": result.reasons,
        "before_the_first_record": result.early,
        "without_time": result.undated,
        "rows": [str(path) for path in result.rows],
    }


def tell(result: Result) -> None:
    """Print them."""
    events = "".join(f" + {count:,} {name}" for name, count in result.events.items())
    print(f"{result.records:,} records = {result.uplinks:,} uplinks{events}")
    print(f"  recorded   {to_rfc3339(result.begun)[:16]} to {to_rfc3339(result.ended)[:16]} UTC")
    for fate in _SHOWN:
        count = result.fates.get(fate, 0)
        if count or fate is Fate.STORED:
            why = " · ".join(f"{r} {n:,}" for r, n in sorted(result.reasons.get(fate, {}).items()))
            print(f"  {fate.value:<10} {count:>9,}" + (f"   {why}" if why else ""))
    for path in result.rows:
        print(f"  rows       {path}")
    strangers = result.reasons.get(Fate.REJECTED, {}).get(Reason.UNKNOWN_DEVICE.value, 0)
    if strangers:
        screen.warn(
            f"{screen.count(strangers, 'uplink')} came of devices that nobody knows here. A replay knows those that the "
            "configuration lists (devices.yaml), by dev_eui or name; what sekisho devices add has registered elsewhere it does not."
        )
    if result.undated:
        print(f"  left out  {result.undated:>9,}   lines without a time")
    if result.early:
        screen.warn(
            f"{screen.count(result.early, 'uplink')} came before the first record, so the time of the "
            "record before each stands in its row: sort the recording by time."
        )
