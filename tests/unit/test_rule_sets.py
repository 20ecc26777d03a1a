"""Rule sets: what loads, what is refused and with which words, and what the verbs say of them."""

import json
import re
import shutil
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.clock import SystemClock
from gateway.rules import words
from gateway.rules.canonical import digest
from gateway.rules.learned import fields
from gateway.rules.masks import Circle
from gateway.rules.model import STAGES
from gateway.rules.words import sentence
from gateway.settings.complaints import SettingsError
from gateway.settings.load import load_settings
from gateway.settings.rule_set import load_rules, partitions_of
from gateway.settings.rules import Ground, compile_policy
from gateway.statedir import Mark, StateDir
from sekisho.__main__ import main
from tests.fakes.front_door import Sekisho
from tests.unit.test_kinds_described import loaded

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "rules"
LINTS = sorted(GOLDEN.glob("lint_*.yaml"))
EXAMPLES = sorted(GOLDEN.glob("example_*.yaml"))
SHIPPED = sorted((ROOT / "config" / "privacy").glob("*.yaml"))


def stem(path: Path) -> str:
    return path.stem


def said(path: Path) -> str:
    """What is said about a file that is refused, with the file's own name alone."""
    with pytest.raises(SettingsError) as refused:
        load_rules(path)
    lines = [str(one)[str(one).index(path.name) :] for one in refused.value.complaints]
    return "\n".join(lines)


def sekisho(capsys: Any, monkeypatch: pytest.MonkeyPatch, *words: object) -> tuple[int, str, str]:
    """Exit code, output and errors of `sekisho privacy rules`."""
    monkeypatch.setattr(sys, "argv", ["sekisho", "privacy", "rules", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


@pytest.mark.channel("C22", "C38")
def test_every_contradiction_is_refused_in_the_golden_words() -> None:
    """Each file breaks one rule of the language; line, column and remedy are those of `said.txt`."""
    assert "\n".join(said(path) for path in LINTS) + "\n" == (GOLDEN / "said.txt").read_text()


def test_every_contradiction_that_the_code_knows_has_its_file() -> None:
    """A lint nobody trips is a lint nobody read: each sentence of the lints stands in `said.txt`."""
    spoken = (GOLDEN / "said.txt").read_text()
    heads = {
        "fresh noise", "a radius round home under a zone", "household_radius would", "always acts first", "finer than",
        "hides less than", "would outlive it", "keeps no pseudonym", "a lane that counts keeps no names", "the audit gives",
        "do not stay for ever", "is counted twice", "changes within the epoch", "is not the one that was pinned",
        "no partition", "frozen for an epoch", "k is at least 5", "k is at least 10", "without a smallest one",
        "tells numbers below k", "invented people only", "unknown setting", "setting purpose is missing",
        "setting retain is missing", "setting audience is missing", "setting legal_basis is missing", "would read itself",
        "no lane reads another's raw", "no lane named", "ttl is missing", "is sealed", "in memory alone", "two people look",
        "release is missing", "holds numbers alone", "agreement is missing", "a second lane analysis", "density is known",
        "would show where children live", "the floor is 50 m", "its own guardian alone", "worked out from its neighbours", "noise is remembered for an epoch",
        "a second circle", "a second zone", "a second stay", "a second mesh", "a second time_floor", "a second laplace",
        "a second min_visible_fixes", "a second k_suppress", "a second round", "a mesh beside density_classes",
        *(f"{what} is not done for what a guardian is shown" for what in (
            "when", "validate", "strip", "stay", "shape", "mesh", "time_floor", "density_classes", "perturb", "pseudonymise",
            "count", "k_suppress", "round",
        )),
        "a delay hides nothing", "0 d keeps none", "would keep them beside the numbers", "the lane research holds numbers alone",
        "nobody could be shown here", "exact numbers would leave", "tells everybody classes alone", "a table for everybody each month",
        "the ground of mesh_250 and mesh_500", "one gateway keeps one lane store", "shown the way to the door", "nobody seals analysis",
        "a row without its time", "no row would have a cell", "no row would have a place", "would say no place at all",
        "strip drops the name", "no rule makes a pseudonym", "rows are not shown and gone", "rows are read, and not released",
        "nobody holds rows to it", "a label is said to a guardian", "no density is named", "there is nothing, so nothing",
        "no limit is named", "refuses nothing more", "is seen at the door", "may lie in the zone", "tells nothing of where",
        "fixes that drift", "m of way prove nothing", "m farther out prove nothing", "nothing here says so", "too old to be shown",
        "round beside classes", "nearly exact", "so none would be", "is less than k", "tells everybody totals", "by the same few",
        "who goes there", "what everybody may read", "nobody would see one", "no household is ever seen by stop",
        "no tag is ever seen by mesh_250", "to count rows of store is not done", "to count in some places only is not done",
        "numbers are not shown and gone", *(f"a {stage} of its own is not done" for stage in (
            "validate", "strip", "suppress", "shape", "generalise", "perturb",
        )),
        "is outside 2 to 60", "the nearest is 125 m", "64 hex digits are needed", "is too small: 1 or more",
        "does not know it to 1 m", "alone shows each guardian its own child", "nothing here is frozen for it", "an audit attacks rows",
        "may have come home unseen",
        "nobody seals store", *(f"{what} protects numbers, and store keeps rows" for what in ("k_suppress", "round", "classes")),
    }  # fmt: skip
    assert {head for head in heads if head not in spoken} == set()


@pytest.mark.parametrize("path", [*EXAMPLES, *SHIPPED, ROOT / "config" / "privacy.yaml"], ids=stem)
def test_examples_and_shipped_sets_load(path: Path) -> None:
    """The six examples of the language, what is shipped, and the running gateway's own file."""
    rules = load_rules(path)

    for lane in rules.lanes:
        order = [STAGES.index(stage) for stage, _ in lane.steps()]
        assert order == sorted(order)
        assert all(sentence(rule) for _, rule in lane.steps())


def test_rows_are_tested_where_nothing_says_so(tmp_path: Path) -> None:
    """For forty days, or as long as they stay; numbers and what is shown are not."""
    text = EXAMPLES[0].read_text()
    longer = tmp_path / "longer.yaml"
    longer.write_text(text.replace("retain: 20 d", "retain: 90 d"))
    days = [
        lane.audit and lane.audit.days
        for path in (EXAMPLES[0], longer, EXAMPLES[2], EXAMPLES[4])
        for lane in load_rules(path).lanes
    ]

    assert days == [40, 90, None, None]


def test_the_six_examples_are_there() -> None:
    assert [path.stem[8:9] for path in EXAMPLES] == list("123456")


@pytest.mark.parametrize("path", SHIPPED, ids=stem)
def test_a_shipped_set_says_what_it_hides_and_what_not(path: Path) -> None:
    """Whoever opens the file reads it before the rules, and its id is its name."""
    comments = path.read_text().partition("schema:")[0]

    assert "# Hides:" in comments
    assert "# Does not hide:" in comments
    assert load_rules(path).id == path.stem


def test_the_gateway_refuses_what_check_refuses_in_the_same_words(tmp_path: Path) -> None:
    """Two lanes `store`: neither would check pass them, nor would a gateway start."""
    shutil.copytree(ROOT / "config", tmp_path, dirs_exist_ok=True)
    two = tmp_path / "lint_two_stores.yaml"
    shutil.copy(GOLDEN / two.name, two)
    shutil.copytree(GOLDEN / "partitions", tmp_path / "partitions")
    gateway = tmp_path / "gateway.yaml"
    gateway.write_text(gateway.read_text().replace("privacy: privacy.yaml", f"privacy: {two.name}"))

    with pytest.raises(SettingsError) as refused:
        load_settings(gateway)
    assert [str(one)[str(one).index(two.name) :] for one in refused.value.complaints] == [said(two)]


def test_the_gateways_file_means_the_same_as_a_rule_set() -> None:
    """What the mask is given and what the rule set says are the same numbers."""
    policy = load_settings(ROOT / "config" / "gateway.yaml").policy
    (lane,) = load_rules(ROOT / "config" / "privacy.yaml").lanes
    (circle,) = lane.suppress

    assert isinstance(circle, Circle)
    assert (circle.radius_m, circle.buffer_m) == (policy.home_radius_m, policy.buffer_m)
    assert lane.retain_us == policy.retain_days * 86_400_000_000


@pytest.mark.channel("C39")
def test_numbers_in_explanations_are_for_invented_people() -> None:
    """The same file is refused for a real directory and accepted for a simulated one."""
    path = GOLDEN / "lint_explain_full.yaml"

    assert "invented people only" in said(path)
    assert load_rules(path, invented=True).explain == "full"


@pytest.mark.parametrize("mark", [Mark.SIM, Mark.REPLAY, None])
def test_a_gateway_of_invented_people_may_tell_numbers(tmp_path: Path, mark: Mark | None) -> None:
    """`explain: full` is in force in a SIM directory, and keeps a gateway with any other from starting."""
    shutil.copytree(ROOT / "config", tmp_path, dirs_exist_ok=True)
    shutil.copy(GOLDEN / "lint_explain_full.yaml", tmp_path / "privacy.yaml")
    state = tmp_path / "of-the-test"
    gateway = tmp_path / "gateway.yaml"
    gateway.write_text(
        re.sub(r"^state: .*", f"state: {state}", gateway.read_text(), flags=re.MULTILINE)
    )
    StateDir.create(state, mark, SystemClock())

    if mark is Mark.SIM:
        assert load_settings(gateway).rules.explain == "full"
    else:
        with pytest.raises(SettingsError, match="use it with a SIM directory"):
            load_settings(gateway)


@pytest.mark.channel("C3", "C30")
def test_a_partition_does_not_change_within_its_epoch(tmp_path: Path) -> None:
    """Against the rule set before it: refused in the same epoch, accepted in the next."""
    old = EXAMPLES[1]
    text = old.read_text()
    partition = tmp_path / "partitions" / "made-up-2026.yaml"
    partition.parent.mkdir()
    there = rebuilt(partition)
    pin = text.partition("pin: ")[2].partition("\n")[0]
    new = tmp_path / "new.yaml"
    new.write_text(text.replace(pin, there))

    with pytest.raises(SettingsError, match="was another file when epoch school-2026 began"):
        load_rules(new, before=old)

    other = tmp_path / "other.yaml"
    other.write_text(
        new.read_text().replace("partition: made-up-2026", "partition: of-another-name")
    )
    shutil.copy(partition, partition.with_name("of-another-name.yaml"))
    with pytest.raises(
        SettingsError, match="zones stood on made-up-2026 when epoch school-2026 began"
    ):
        load_rules(other, before=old)

    for one in (new, other):
        one.write_text(one.read_text().replace("school-2026", "school-2027"))
        assert load_rules(one, before=old).epoch == "school-2027"


def rebuilt(target: Path) -> str:
    """Write the partition of the examples with another source, as a new build would; returns its pin."""
    content = (GOLDEN / "partitions" / "made-up-2026.yaml").read_bytes()
    body = content.rpartition(b"sha256: ")[0].replace(b'"made up"', b'"made up again"')
    pin = sha256(body).hexdigest()
    target.write_bytes(body + f'sha256: "{pin}"\n'.encode())
    return pin


def test_a_partition_that_was_edited_is_refused_where_it_is_pinned(tmp_path: Path) -> None:
    """Also where somebody put the digest of the edited lines into the rule set."""
    shutil.copytree(ROOT / "config" / "privacy" / "partitions", tmp_path / "partitions")
    rules = tmp_path / "toyama-zone.yaml"
    rules.write_text((ROOT / "config" / "privacy" / "toyama-zone.yaml").read_text())
    assert load_rules(rules).id == "toyama-zone"

    partition = tmp_path / "partitions" / "fictional-250m-k100.yaml"
    partition.write_text(partition.read_text().replace("k: 100", "k: 20"))

    with pytest.raises(
        SettingsError, match=r"fictional-250m-k100.yaml:\d+:\d+ sha256: .* was edited"
    ):
        load_rules(rules)


def test_all_files_are_complained_about_at_once(
    capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One run names the faults of every file; exit code 2."""
    code, out, err = sekisho(capsys, monkeypatch, "check", LINTS[0], LINTS[1], SHIPPED[0])

    assert (code, out) == (2, "")
    assert LINTS[0].name in err
    assert LINTS[1].name in err


def test_check_names_digest_lanes_and_stages(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As text and as JSON, in the order in which the rules act."""
    path = EXAMPLES[1]
    code, out, _ = sekisho(capsys, monkeypatch, "check", path)
    _, document, _ = sekisho(capsys, monkeypatch, "check", path, "--json")
    (told,) = json.loads(document)

    assert code == 0
    assert digest(load_rules(path)) in out
    assert told["hash"] == digest(load_rules(path))
    assert [one["stage"] for one in told["lanes"][0]["stages"]] == [
        "validate", "dedupe", "strip", "suppress", "suppress", "shape", "generalise", "generalise", "write",
    ]  # fmt: skip
    assert {"purpose", "audience", "legal_basis", "retain"} <= told["lanes"][0].keys()


def test_one_file_has_one_digest_wherever_it_is_named(tmp_path: Path, sekisho: Sekisho) -> None:
    """By `privacy rules check`, `check`, `privacy what-if` and the annex; what is in force, with area and time zone, stands
    beside it under a name of its own."""
    shutil.copytree(ROOT / "config", tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "tests")  # examples of other rules
    gateway, rules = tmp_path / "gateway.yaml", tmp_path / "privacy" / "toyama-zone.yaml"
    gateway.write_text(gateway.read_text().replace("privacy: privacy.yaml", f"privacy: {rules}"))
    walk = str(ROOT / "tests" / "golden" / "made_up_walk.gpx")
    asked = (
        "privacy",
        "what-if",
        "--rules",
        str(rules),
        "--tracks",
        walk,
        "--home",
        "36.90,137.20",
        "--json",
    )

    (by_rules,) = json.loads(sekisho("privacy", "rules", "check", str(rules), "--json").out)
    by_check = json.loads(sekisho("check", str(gateway), "--json").out)
    (by_ways,) = json.loads(sekisho(*asked).out)["rule_sets"]
    annex = sekisho("privacy", "register", str(gateway), "--part", "pia").out

    assert by_rules["hash"] == by_check["ruleset"] == by_ways["ruleset"]
    assert by_check["in_force"] == load_settings(gateway).policy.ruleset != by_rules["hash"]
    assert f"SHA-256 {by_rules['hash']}" in annex
    assert f"in force (with service area and time zone): {by_check['in_force']}" in annex


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("legacy-50m", ("centre, the home, can be worked out", "kept        20 d", "linked to its other rows")),
        ("guardian-live", ("this reader's own child", "not at all")),
        ("../../tests/golden/rules/example_6_rural", ("below 300", "by which street a child leaves it")),
        ("toyama-zone", ("a cell of about 125 m, at steps of 10 min", "its zone and 100 m round it")),
        ("open-data", ("one of 10 or more", "for ever")),
        ("patrol-analysis", ("one of 5 or more", "school:own-district")),
    ],
)  # fmt: skip
def test_explain_says_what_is_learned_at_most(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, name: str, words: tuple[str, ...]
) -> None:
    """Limits are told with the promise; to programs in the same words."""
    path = ROOT / "config" / "privacy" / f"{name}.yaml"

    code, out, _ = sekisho(capsys, monkeypatch, "explain", path)

    assert code == 0
    assert [word for word in words if word not in out] == []
    _, told, _ = sekisho(capsys, monkeypatch, "explain", path, "--json")
    for lane in json.loads(told)["lanes"]:
        steps = [step["does"] for step in lane["how"]]
        texts = (lane["purpose"], lane["kept"], lane["at_most"], *lane["not_hidden"], *steps)
        assert [text for text in texts if text not in out] == []


@pytest.mark.parametrize("path", [*EXAMPLES, *SHIPPED, ROOT / "config" / "privacy.yaml"], ids=stem)
def test_what_is_told_of_rows_is_what_rows_say(path: Path) -> None:
    """Fields, steps and cells of the explanation are those of the mask that is compiled of the same file."""
    rules = load_rules(path)
    policy = compile_policy(
        rules, partitions_of(path, rules), Ground(lambda _lat, _lon: True, "", ZoneInfo("UTC"))
    )
    for lane in (one for one in rules.lanes if one.name == "store"):
        cells = policy.shape.cells is not None or bool(policy.shape.dense)
        told = {*fields(lane)} - {"time_bin"}
        assert told == policy.shape.fields - {"place" if cells else "cell"}
        assert f"at steps of {words.span(policy.shape.step)}" in words.at_most(lane)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("{kind: time_floor, step: 1 h}", "as a point to 1 m, at steps of 1 h, with which leg"),
        ("{kind: mesh, cell: 500 m}", "as a cell of about 500 m, at steps of 1 min, with which leg"),
        ("{kind: mesh, cell: 500 m}\n    perturb:\n      - {kind: laplace, mean: 289 m, memo: epoch}", "about 500 m moved by about 289 m, at"),
    ],
)  # fmt: skip
def test_the_most_that_is_learned_follows_the_rules(tmp_path: Path, rules: str, told: str) -> None:
    """Rows of a rule set without strip and without steps say minutes, battery and leg, and it is told."""
    file = tmp_path / "rules.yaml"
    epoch = "epoch: school-2026\n" if "laplace" in rules else ""
    text = EXAMPLES[0].read_text().replace("lanes:", f"{epoch}lanes:")
    file.write_text(f"{text}    generalise:\n      - {rules}\n")
    (lane,) = load_rules(file).lanes

    assert told in words.at_most(lane)
    assert "the battery in four classes" in words.at_most(lane)


def test_the_page_and_the_schema_are_as_the_language_is() -> None:
    tool = loaded("describe_rules")

    assert tool.PAGE.read_text("utf-8") == tool.page(), "run python -m tools.describe_rules"
    assert tool.SCHEMA.read_text("utf-8") == tool.schema_text(), (
        "run python -m tools.describe_rules"
    )
