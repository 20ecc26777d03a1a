"""Writes `docs/privacy/rules.md` and `docs/privacy/rules.schema.json` from the rule language itself.

    python -m tools.describe_rules

A test compares them, so they cannot tell another story than the code.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.settings.lane_schema import RuleSetFile

DOCS = Path(__file__).resolve().parents[1] / "docs" / "privacy"
PAGE = DOCS / "rules.md"
SCHEMA = DOCS / "rules.schema.json"

_HEAD = """# Rule sets

What may be kept of people, for whom, and how long: one YAML file that a city writes, reads and can prove. Written by
`tools/describe_rules.py` from the language itself (`gateway/settings/lane_schema.py`, `gateway/settings/rule_schema.py`).

```sh
sekisho privacy rules check config/privacy/legacy-50m.yaml config/privacy/open-data.yaml
sekisho privacy rules explain config/privacy/patrol-analysis.yaml
sekisho privacy rules check new.yaml --before config/privacy/legacy-50m.yaml
```

`check` names every contradiction with file, line and column, or prints the rule set's digest, its lanes and the order
in which their rules act. `explain` says in plain words who learns what about one child at most.

The running gateway acts on the rule set that `privacy` in `gateway.yaml` names, or on `config/privacy.yaml`, the first form; `check` and
`explain` read that file too, and say what it does. What the mask does with it stands in [mask.md](../mask.md).

## What is shipped

| file in `config/privacy/` | for |
|---|---|
| `toyama-zone.yaml` | recommended for ways to school: zones of 100 dwellings, cells of 125 m, steps of 10 min |
| `rural.yaml` | where houses are few: zones of 50 dwellings on 500 m cells, or nothing |
| `legacy-50m.yaml` | the cities' rule, 50 m round home: the floor, and the control that an audit must find broken |
| `guardian-live.yaml` | guardians see their own child now, from memory |
| `ridership.yaml` | how many get on and off where |
| `patrol-analysis.yaml` | how many households walk each piece of street |
| `open-data.yaml` | numbers for everybody, in classes |
| `research.yaml` | numbers for one research group, under an agreement |

Each says in its comments what it hides and what it does not. The two that stand on zones pin a partition, `partitions/<id>.yaml`
beside them: that of the [simulated towns](partitions.md#what-is-shipped), where nobody lives. A city makes its own and pins that.
Until it has one, `sekisho init` lays down `toyama-zone` with a circle in the place of the zone, and `ridership`.

## Stages

Rules act in one order, whatever the file says, and each may only take away: validate → dedupe → strip → suppress → shape →
generalise → perturb → pseudonymise → count → protect → write. A file that writes them in another order is refused, because its
reader would be misled. Inside a stage they act in the order of the file. `dedupe` and `write` have no settings.

Nothing may stand in a file that nobody does. A stage has one rule of a kind, and `suppress` one `circle` or one `zone`; `mesh` does
not stand beside `density_classes`. `strip` lets go on what the other rules make, and all of it: `time_bin` always; `cell` under a mesh, else
`place`; `pseudonym` with `pseudonymise` alone. `when` and `validate` name a limit that limits. There is one lane `store`; it keeps rows, for
a day at least, without `delay`, because they are read long after, without `protect` and `release`, which are for numbers, and without `ttl`
and `label`, which are for a screen. `guardian_live` has one circle or zone (that of `store`, where `store` stands on one) with
`label: near-home`, because that is what it says there; `ttl`, a seal and perhaps a `delay` shorter than that; and nothing else. All other
lanes count, kept for a day at least, and not twice on one ground, which cells of two sizes share. They have no stages of their own before
`count`: they take what the guard of `store` lets pass. Tags are counted by `stop`, households by all else.

**Floors.** A circle has 50 m, a zone a buffer of 50 m and an `accuracy_limit` no larger than that buffer, a circle one of 100 m at most;
`gap` has 2 h at most;
`reopen` takes 3 fixes and 150 m of way, or 300 m farther out, as [mask.md](../mask.md) has them: a tracker that lies indoors drifts over
less; a device that does not say how well it knows its place is taken to know it to 5 m at best. Numbers are told in steps (`round`) of 5 or more, or in `classes` as wide as `k` each, never both: of a number that is rounded
first nobody knows in which class it was.

**What everybody may read** goes by the rules of `open`, and no other lane has `audience: public`: k of 10, classes, totals of 250 m or 500 m
cells without hours, told after a term or a school year, never of a cell that one shelter or clinic dominates, and seen by two people before.

**Epochs.** Zones are frozen for an `epoch`: two partitions of one time together show what each hides. The state directory remembers which
partition, by name and digest, an epoch began with; the gateway does not start with another in the same epoch, `sekisho check` says so before,
and so does `--before OLD` of two files. A new partition begins a new epoch (and needs the homes again).

**Numbers in explanations.** `explain: full` lets `sekisho privacy explain --numbers` say distances, zones and times of a fix, which under
`reasons` it refuses. Such a file loads for invented people alone: in a gateway whose state directory is marked SIM, and for the verbs that
take a recorded way.

A lane reads the stream in memory (`from: ram`); to read the rows of another is not done. Lengths, times and
speeds have units: `50 m`, `15 min`, `15 km/h`. `retain` is in whole days, or `forever` for numbers.

## Digest

A rule set is named by the SHA-256 of its canonical form: JSON, sorted names, SI numbers, defaults written out. Comments, the order of
names and the spelling of units do not change it; everything else does, purpose and audience too.

An editor that knows JSON Schema completes and checks while you type: `# yaml-language-server: $schema=rules.schema.json`
in the first line, with the path to the file beside this page.

## Every setting

*needed* stands where there is no default.
"""


_TITLES = {
    "rule set": "the file",
    "rule lane": "one of lanes",
    "min visible fixes": "min_visible_fixes",
    "time floor": "time_floor",
    "density classes": "density_classes",
    "ksuppress": "k_suppress",
}


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a rule set's file, as an editor needs it."""
    described = RuleSetFile.model_json_schema(by_alias=True)
    for part in (described, *described["$defs"].values()):
        for field in part["properties"].values():
            _write_default(field)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}


def _write_default(field: dict[str, Any]) -> None:
    """Defaults as a file would have them: quantities with their units, and no more than one value."""
    value, quantity = field.get("default"), field.get("title", "").partition(",")[0]
    if quantity == "length":
        field["default"] = f"{value:g} m" if value is not None else None
    elif quantity == "time" and value is not None:
        field["default"] = f"{value // 60_000_000} min"
    if field.get("default") is None or isinstance(value, dict):
        field.pop("default", None)


def schema_text() -> str:
    """The file of it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def page() -> str:
    """The page."""
    whole = schema()
    parts = {"RuleSetFile": whole, **whole["$defs"]}
    order = sorted(parts, key=lambda name: (name != "RuleSetFile", name != "RuleLaneFile", name))
    return _HEAD + "".join("\n".join(_part(name, parts[name])) for name in order)


def _part(name: str, part: dict[str, Any]) -> Iterator[str]:
    fields = part["properties"]
    kind = fields.get("kind", {}).get("const")
    title = f"kind: {kind}" if kind else _title(name)
    yield f"\n### {title}\n\n{part['description'].strip()}\n"
    yield "| setting | meaning | what may stand there | default |"
    yield "|---|---|---|---|"
    for setting, field in fields.items():
        if setting != "kind":
            needed = setting in part.get("required", ())
            default = "*needed*" if needed else _default(field.get("default"))
            yield f"| `{setting}` | {field['description']} | {_allowed(field)} | {default} |"
    yield ""


def _title(name: str) -> str:
    words = re.sub(r"(?<=[a-z])([A-Z])", r" \1", name.removesuffix("File")).lower()
    return _TITLES.get(words, words.removesuffix(" rule"))


def _default(value: object) -> str:
    if value is None or value == []:
        return ""
    return f"`{json.dumps(value)}`".replace('"', "")


def _allowed(field: dict[str, Any]) -> str:
    choices = field.get("anyOf") or field.get("oneOf")
    if choices:
        told = [_allowed(one) for one in choices if one.get("type") != "null"]
        return " · ".join(told)
    if "$ref" in field:
        return _title(field["$ref"].rpartition("/")[2])
    if "enum" in field or "const" in field:
        words = field.get("enum", [field.get("const")])
        return ", ".join(f"`{json.dumps(word)}`".replace('"', "") for word in words)
    if field["type"] == "array":
        return f"list of: {_allowed(field['items'])}"
    return _plain(field)


def _plain(field: dict[str, Any]) -> str:
    if field["type"] == "boolean":
        return "`true`, `false`"
    if field["type"] == "integer":
        limits = "maximum" in field
        return (
            f"{field.get('minimum', 0):,} to {field['maximum']:,}" if limits else "a whole number"
        )
    title: str = field.get("title", "")
    return title if ", " in title else "text"


def main() -> None:
    """Write both."""
    SCHEMA.write_text(schema_text(), "utf-8")
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
