"""The digest of a rule set is of what it means, and of nothing else."""

import io
import pathlib
import random
import tempfile
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gateway.rules.canonical import digest
from gateway.settings.complaints import SettingsError
from gateway.settings.rule_set import load_rules

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "rules"
SHIPPED = pathlib.Path(__file__).parents[2] / "config" / "privacy"
FILES = [*sorted(GOLDEN.glob("example_*.yaml")), *sorted(SHIPPED.glob("*.yaml"))]
SPELLINGS = {
    "50 m": ["0.05 km", "5000 cm", " 50.0 m"],
    "100 m": ["0.1 km", "100.00 m"],
    "10 min": ["600 s", "600000 ms"],
    "15 min": ["900 s", "0.25 h"],
    "2 min": ["120 s"],
    "20 d": ["480 h", "20.0 d"],
    "366 d": ["8784 h"],
}
STAGES = (
    "validate", "strip", "suppress", "shape", "generalise", "perturb", "pseudonymise", "count", "protect",
)  # fmt: skip


def respelt(value: Any, dice: random.Random) -> Any:
    """The same with other spellings of quantities, and names in another order (stages stay in theirs)."""
    if isinstance(value, dict):
        loose = [name for name in value if name not in STAGES]
        dice.shuffle(loose)
        names = [*loose, *(name for name in STAGES if name in value)]
        return {name: respelt(value[name], dice) for name in names}
    if isinstance(value, list):
        return [respelt(one, dice) for one in value]
    return dice.choice([value, *SPELLINGS[value]]) if value in SPELLINGS else value


@cache
def shipped(file: pathlib.Path) -> str:
    """Of a file as it lies there."""
    return digest(load_rules(file))


def digest_of(text: str) -> str:
    """Of a rule set beside the partitions of the golden files and the shipped ones."""
    with tempfile.TemporaryDirectory() as folder:
        beside = pathlib.Path(folder)
        (beside / "partitions").mkdir()
        for file in (*GOLDEN.glob("partitions/*"), *SHIPPED.glob("partitions/*")):
            (beside / "partitions" / file.name).symlink_to(file)
        (beside / "rules.yaml").write_text(text)
        return digest(load_rules(beside / "rules.yaml"))


@given(file=st.sampled_from(FILES), dice=st.randoms(use_true_random=False), flow=st.booleans())
def test_spelling_order_and_comments_do_not_change_the_digest(
    file: pathlib.Path, dice: random.Random, flow: bool
) -> None:
    """Another order of names, other units, other layout, other comments: the same rule set."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = flow
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    written = io.StringIO()
    yaml.dump(respelt(yaml.load(file.read_text()), dice), written)

    assert digest_of(f"# another comment\n{written.getvalue()}") == shipped(file)


JUNK: list[Any] = [
    None, True, 0, -1, 1.5, 1e9, "", "x", "store", "forever", "0 d", [], {}, [[]], [None], {"kind": "zone"}, [{"kind": "circle"}],
]  # fmt: skip


def harmed(value: Any, dice: random.Random) -> Any:
    """The same with one value anywhere gone or replaced by something that does not belong there."""
    if not isinstance(value, (dict, list)) or not value or dice.random() < 0.2:
        return dice.choice(JUNK)
    spot = dice.choice(list(value)) if isinstance(value, dict) else dice.randrange(len(value))
    if dice.random() < 0.2:
        del value[spot]
    else:
        value[spot] = harmed(value[spot], dice)
    return value


@given(
    file=st.sampled_from([*FILES, SHIPPED.with_suffix(".yaml")]),
    dice=st.randoms(use_true_random=False),
)
def test_a_harmed_rule_set_is_refused_with_its_place_or_loads(
    file: pathlib.Path, dice: random.Random
) -> None:
    """Whatever stands in a file: a rule set, or sentences with lines. Never another error."""
    yaml = YAML(typ="safe", pure=True)
    written = io.StringIO()
    yaml.dump(harmed(yaml.load(file.read_text()), dice), written)
    try:
        said = [digest_of(written.getvalue())]
    except SettingsError as refused:
        said = [one.sentence for one in refused.complaints if one.line > 0]
    assert said
    assert all(said)


@given(file=st.sampled_from(FILES), days=st.integers(1, 39).filter(lambda n: n not in (10, 20)))
def test_every_other_number_changes_the_digest(file: pathlib.Path, days: int) -> None:
    """How long rows stay is part of what a rule set is."""
    text = file.read_text()
    before = text.partition("retain: ")[2].partition("\n")[0]
    if before == "0 d":
        return
    assert digest_of(text.replace(f"retain: {before}", f"retain: {days} d")) != shipped(file)
