"""What `sekisho release` says of releases: their state in words, and the one that is to be looked at."""

from collections.abc import Mapping
from typing import Any

from gateway.counting.ledger import Standing
from sekisho import release_forms, screen


def table(found: Mapping[tuple[str, str], Standing], today: str) -> None:
    """Print what became of each."""
    screen.table(
        ("name", "period", "days", "looked", "state"),
        [
            (name, period, _days(one), f"{len(one.approved)} of {one.facts.get('review', 0)}", state_of(one, today))
            for (name, period), one in found.items()
        ],
    )  # fmt: skip
    for sentence in of_before(found):
        print(sentence)


def of_before(found: Mapping[tuple[str, str], Standing]) -> list[str]:
    """Which reviews count for nothing, because they are from before reviewers signed."""
    return [
        f"{name} {period}: reviewed by {', '.join(one.unsigned)} before reviewers signed. Unsigned, that does not count"
        for (name, period), one in found.items()
        if one.unsigned
    ]


def told(name: str, period: str, found: Standing, today: str) -> dict[str, Any]:
    """What became of one, for a program."""
    return {
        "name": name,
        "period": period,
        "first": found.facts.get("first"),
        "last": found.facts.get("last"),
        "review": found.facts.get("review"),
        "approved": sorted(found.approved.values()),
        "refused": sorted(found.refused.values()),
        "unsigned": found.unsigned,
        "exported": found.exported,
        "agreement": found.facts.get("agreement"),
        "receipt": found.receipt or None,
        "state": state_of(found, today),
    }


def _days(found: Standing) -> str:
    return "" if found.withheld else f"{found.facts['first']} to {found.facts['last']}"


def state_of(found: Standing, today: str) -> str:  # noqa: PLR0911 one word for each
    """What became of one, in words."""
    if found.withheld:
        return f"withheld: {found.facts['why']}"
    if found.removed:
        return "had its time"
    if found.refused:
        return f"refused by {', '.join(found.refused.values())}"
    if found.receipt_due(today):
        return f"exported, receipt of {found.facts['agreement']['recipient']} due since {found.facts['agreement']['ends']}"
    if found.exported:
        times = f"exported {found.exported} times" if found.exported > 1 else "exported"
        return f"{times}, deleted by {found.receipt}" if found.receipt else times
    if found.ended(today):
        return "agreement over"
    return "may leave" if found.may_leave(today) else "to be looked at"


def show(document: Mapping[str, Any]) -> None:
    """Print what would leave."""
    counts, period, losses = document["counts"], document["period"], document["losses"]
    kills = losses["kills"]
    cut = (
        "nothing of what was counted"
        if not any(losses[name] for name in ("kills", "missed", "full"))
        else f"up to {losses['minutes_at_most']} min ({screen.count(kills, 'run')} cut off), "
        f"{screen.count(losses['missed'], 'checkpoint')} missing{', and those for whom there was no room' if losses['full'] else ''}"
    )
    screen.facts(
        [
            ("release", f"{document['name']} {period['name']}"),
            ("days", f"{period['first']} to {period['last']}"),
            ("for", document["purpose"]),
            ("read by", document["audience"]),
            ("counts", f"distinct {release_forms.said(document)} by {counts['unit']}, none below {counts['k']}"),
            ("counted", _covered(document)),
            ("lost", cut),
            ("rules", document["rules"]),
        ]
    )  # fmt: skip
    print()
    screen.table(release_forms.columns(document), release_forms.cells(document))


def _covered(document: Mapping[str, Any]) -> str:
    """From when it was counted, and for how long it was not."""
    losses = document["losses"]
    missed, since = losses.get("minutes_not_counted"), losses.get("counted_from")
    if not missed:
        return "unknown since when" if missed is None else "all the time"
    whole = document["period"]["hours"] * 60
    return f"from {since[:16].replace('T', ' ')}; {_long(missed)} of {_long(whole)} not counted"


def _long(minutes: int) -> str:
    """A length of time, in at most two units: `21 h`, `2 h 5 min`, `31 d`."""
    days, rest = divmod(minutes, 24 * 60)
    if days > 1:
        return f"{days} d {rest // 60} h" if rest >= 60 else f"{days} d"
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0)
    return " ".join(parts)
