"""`sekisho privacy rules`: whether a rule set contradicts itself, how it acts, and what it says in plain words."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sekisho import screen
from sekisho.place import Json, Quiet

if TYPE_CHECKING:
    from gateway.rules.model import Lane, RuleSet

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")

_Simulator = Annotated[
    bool, typer.Option("--simulator", help="For invented people (SIM): explain: full may stand.")
]


@app.callback()
def rules() -> None:
    """Check a rule set, and read it in plain words."""


@app.command()
def check(
    *,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Rule sets.")],
    before: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What was in force until now: must its epoch still agree?"
        ),
    ] = None,
    simulator: _Simulator = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read rule sets and say every contradiction with its line, or what they are and in which order they act.

    A rule set of which one line is wrong is refused whole.
    """
    from gateway.settings.complaints import SettingsError
    from gateway.settings.rule_set import load_rules

    read, complaints = [], []
    for file in files:
        try:
            read.append((file, load_rules(file, invented=simulator, before=before)))
        except SettingsError as error:
            complaints += error.complaints
    if complaints:
        raise SettingsError(complaints)
    if json:
        screen.document([_figures(file, one) for file, one in read])
    elif not quiet:
        for file, one in read:
            _tell(file, one)


@app.command()
def explain(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A rule set.")],
    simulator: _Simulator = False,
    json: Json = False,
) -> None:
    """Say in plain words who learns what about one child at most, and what is kept how long."""
    from gateway.rules.words import at_most, limits, stay, where
    from gateway.settings.rule_set import load_rules, name_of

    found = load_rules(file, invented=simulator)
    if json:
        screen.document(
            {"ruleset": name_of(found), "lanes": [_in_words(found, lane) for lane in found.lanes]}
        )
        return
    print(f"Rule set {name_of(found)}")
    for lane in found.lanes:
        there = where(lane)
        print(f"\n{lane.name}{f' ({there})' if there else ''}: {lane.purpose}")
        screen.facts(
            [
                ("read by", lane.audience),
                ("allowed by", lane.legal_basis),
                ("kept", stay(lane)),
                ("at most", at_most(lane)),
                *(("not hidden", said) for said in limits(lane)),
            ]
        )
        print("  how")
        for stage, does in _how(found, lane):
            print(f"    {stage}: {does}")


def _how(found: "RuleSet", lane: "Lane") -> Iterator[tuple[str, str]]:
    """Stage and what it does; what hides whoever is counted, too, where no rule says it."""
    from gateway.rules.words import sentence
    from sekisho.register_words import implied

    if hidden := implied(found, lane, "en"):
        yield "suppress", f"{hidden} (rules without a lane store stand on this circle)"
    for stage, rule in lane.steps():
        yield stage, sentence(rule)


def _in_words(found: "RuleSet", lane: "Lane") -> dict[str, Any]:
    """A lane in the sentences of `explain`."""
    from gateway.rules.words import at_most, limits, stay, where

    return {
        "name": lane.name,
        "where": where(lane) or None,
        "purpose": lane.purpose,
        "read_by": lane.audience,
        "allowed_by": lane.legal_basis,
        "kept": stay(lane),
        "at_most": at_most(lane),
        "not_hidden": list(limits(lane)),
        "how": [{"stage": stage, "does": does} for stage, does in _how(found, lane)],
    }


def _figures(file: Path, found: "RuleSet") -> dict[str, Any]:
    from gateway.rules.canonical import digest
    from gateway.rules.words import sentence, stay

    return {
        "file": str(file),
        "id": found.id,
        "hash": digest(found),
        "epoch": found.epoch,
        "lanes": [
            {
                "name": lane.name,
                "purpose": lane.purpose,
                "audience": lane.audience,
                "legal_basis": lane.legal_basis,
                "retain": stay(lane),
                "from": lane.source,
                "stages": [
                    {"stage": stage, "rule": _kind(rule), "does": sentence(rule)}
                    for stage, rule in lane.steps()
                ],
            }
            for lane in found.lanes
        ],
    }


def _kind(rule: object) -> str | None:
    return None if rule is None else type(rule).__name__


def _tell(file: Path, found: "RuleSet") -> None:
    figures = _figures(file, found)
    print(f"{file}  {found.id}\n  hash {figures['hash']}")
    for lane in figures["lanes"]:
        print(f"\n{lane['name']}: {lane['purpose']}")
        screen.facts(
            [
                ("read by", lane["audience"]),
                ("allowed by", lane["legal_basis"]),
                ("kept", lane["retain"]),
                ("reads", lane["from"]),
            ]
        )
        rows = [(one["stage"], one["rule"], one["does"]) for one in lane["stages"]]
        screen.table(("  stage", "rule", "what it does"), [(f"  {a}", b, c) for a, b, c in rows])
    print()
