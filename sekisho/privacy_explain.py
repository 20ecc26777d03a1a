"""`sekisho privacy explain`: why one fix of a recorded way is kept or not; by words alone, or with every number."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.app.cores import forbid_cores
from gateway.model.errors import Refusal
from gateway.privacy.explain import Explanation, explained
from gateway.settings.rule_set import load_rules, name_of
from gateway.transports.replay.track_file import read_track
from sekisho import screen, track
from sekisho.explanation import Measured, measured
from sekisho.place import Json
from sekisho.trial import way_of
from sekisho.what_if import keep, policy_of


def explain(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="GPX, packed by gzip or not.")],
    *,
    home: Annotated[
        str, typer.Option(metavar="LAT,LON", help="The home that is to stay hidden, in degrees.")
    ],
    rules: Annotated[Path, typer.Option(metavar="FILE", help="The rule set.")],
    fix: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Which fix, counted from 1. Default: the first that is not kept.",
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Another rule set: what it does to the same fix."),
    ] = None,
    numbers: Annotated[
        bool,
        typer.Option(
            "--numbers",
            help="Say every number too, under rules that say explain: full. They show where the home is.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Say why one fix of a way is kept, held or suppressed: stage, rule, and the class of its reason.

    Without --numbers no word of it depends on where or when anything was: this form may be
    shown to anybody. Nothing is stored anywhere.
    """
    forbid_cores()
    where = track.home(home)
    recording = read_track(file)
    way = way_of(recording, where)
    if fix is not None and fix > len(way.fixes):
        raise Refusal("There are fewer fixes than that. Leave --fix out.", exit_code=2)
    said: list[dict[str, Any]] = []
    told: list[Measured | None] = []
    which = "Of the fix that --fix names:"
    number = None if fix is None else fix - 1
    for one in (rules, *([against] if against else [])):
        loaded = load_rules(one, invented=True)
        if numbers and loaded.explain != "full":
            raise Refusal(
                f"{one} says explain: {loaded.explain}, and numbers tell where the home is. For a way that nobody "
                "walked, or your own: write explain: full into a copy of it, and name that.",
                exit_code=2,
            )
        policy = policy_of(one, [way])
        if not policy.keeps_ways:
            raise Refusal(f"{one} has no lane store: it keeps nothing of a way.", exit_code=2)
        ends = keep("explained", policy, [way], lambda _: None).ends[0]
        if number is None:
            number = next((n for n, end in enumerate(ends) if end is not None), len(ends) - 1)
            which = (
                "Of the first fix that is not kept"
                if ends[number]
                else "Every fix is kept. Of the last one"
            )
            which += f" under {name_of(loaded)}:" if against else ":"
        why = explained(ends[number], policy)
        found = measured(way, ends, number, policy) if numbers else None
        said.append(_document(name_of(loaded), why, found))
        told.append(found)
    if json:
        screen.document(said if against else said[0])
        return
    print(which)
    for document, found in zip(said, told, strict=True):
        _tell(document, found)
    if against:
        same = said[0]["decision"] == said[1]["decision"]
        print("Both decide alike." if same else "The two decide otherwise.")


def _document(name: str, why: Explanation, found: Measured | None) -> dict[str, Any]:
    return {
        "decision": why.decision,
        "lane": "store",
        "stage": why.stage,
        "rule": why.rule,
        "reason": why.reason,
        "not_reached": list(why.not_reached),
        "ruleset": name,
        **({} if found is None else {"numbers": found._asdict()}),
    }


def _tell(said: dict[str, Any], numbers: Measured | None) -> None:
    head = f"{said['decision']}  lane {said['lane']}  stage {said['stage']}"
    rule = f"  rule {said['rule']}" if said["rule"] else ""
    print(f"{head}{rule}  ruleset {said['ruleset']}")
    print(f"  {said['reason']}")
    if said["not_reached"]:
        print(f"  not reached: {', '.join(said['not_reached'])}")
    for name, value in [] if numbers is None else numbers.spelled():
        print(f"  {name}: {value}")
