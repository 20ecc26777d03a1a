"""Reads a rule set from its file: the typed value, or every fault with its place."""

from pathlib import Path
from typing import Any

from gateway.privacy.partition import Partition
from gateway.rules.canonical import digest
from gateway.rules.finding import Finding
from gateway.rules.lint_partitions import Pins, between
from gateway.rules.lints import findings, misplaced
from gateway.rules.masks import Zone
from gateway.rules.model import RuleSet
from gateway.settings.complaints import Complaint, SettingsError, complain
from gateway.settings.document import Document
from gateway.settings.lane_schema import RuleSetFile
from gateway.settings.partition import read_partition
from gateway.settings.reading import read
from gateway.settings.rule_building import built, first_form
from gateway.settings.schema import PrivacyFile

_WHOLE_DAY_S = 86_400
PARTITIONS = "partitions"
"""The folder beside a rule set in which its partitions lie, `<id>.yaml` each."""


def load_rules(path: Path, *, invented: bool = False, before: Path | None = None) -> RuleSet:
    """The rule set of a file; one without `schema` is the gateway's first form (`config/privacy.yaml`).

    Args:
        invented: whether it is for a directory of invented people (SIM), where `explain: full` may stand.
        before: the rule set that was in force until now, to which it must not contradict.

    Raises:
        SettingsError: with every fault of the file; or of a partition that it pins and that was edited.
    """
    document = Document(path)
    if _is_first(path):
        return _first(document, invented=invented)
    file, complaints = read(document, RuleSetFile)
    complaints += _misplaced(document)
    if file is None:
        raise SettingsError(complaints)
    rules = built(file)
    found: list[Finding] = [*findings(rules, _pins(path.parent / PARTITIONS), invented=invented)]
    if before is not None:
        found += between(load_rules(before, invented=invented), rules)
    complaints += [complain(document, where, sentence) for where, sentence in found]
    if complaints:
        raise SettingsError(complaints)
    return rules


def partitions_of(path: Path, rules: RuleSet) -> dict[str, Partition]:
    """The partitions that a rule set of this file stands on, by name.

    Raises:
        SettingsError: one cannot be read, or contradicts itself.
    """
    named = {
        rule.partition for lane in rules.lanes for rule in lane.suppress if isinstance(rule, Zone)
    }
    folder = path.parent / PARTITIONS
    return {name: read_partition(folder / f"{name}.yaml")[1] for name in sorted(named)}


def name_of(rules: RuleSet) -> str:
    """How a rule set is named to a person: its id and the beginning of its digest."""
    return f"{rules.id} {digest(rules)[:12]}"


def _is_first(path: Path) -> bool:
    document = Document(path)
    document.read()
    raw = document.data
    return isinstance(raw, dict) and "lanes" in raw and not {"schema", "id"} & set(raw)


def _first(document: Document, *, invented: bool) -> RuleSet:
    file, complaints = read(document, PrivacyFile)
    if file is not None and file.lanes[0].retain_s % _WHOLE_DAY_S:
        sentence = "whole days only, for example 28 d."
        complaints.append(complain(document, ("lanes", 0, "retain"), sentence))
    if file is None:
        raise SettingsError(complaints)
    rules = first_form(file)
    found = findings(rules, lambda _partition: None, invented=invented)
    complaints += [complain(document, where, sentence) for where, sentence in found]
    if complaints:
        raise SettingsError(complaints)
    return rules


def _misplaced(document: Document) -> list[Complaint]:
    """Stages in another order than they act. A reader must not take the file's order for theirs."""
    lanes: Any = document.data.get("lanes") if isinstance(document.data, dict) else None
    found = []
    for position, lane in enumerate(lanes if isinstance(lanes, list) else ()):
        for early, first in misplaced(list(lane)) if isinstance(lane, dict) else ():
            sentence = (
                f"{early} stands before {first}, and {first} always acts first: what is made coarse before it is "
                f"hidden marks the edge. Write {early} below {first}."
            )
            found.append(complain(document, ("lanes", position, early), sentence, at_key=True))
    return found


def _pins(folder: Path) -> Pins:
    def pin(partition: str) -> str | None:
        file = folder / f"{partition}.yaml"
        return read_partition(file)[0].sha256 if file.is_file() else None

    return pin
