"""Prose that cannot rot: what the pages name exists, and what exists is named on the pages."""

import ast
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from pydantic import BaseModel

from gateway.model.reason import Fate, Reason
from gateway.settings.kind_schema import KindFile
from gateway.settings.schema import DevicesFile, GatewayFile, PrivacyFile
from sekisho.__main__ import _VERBS, _load
from sekisho.example_file import ExamplesFile

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SEPARATORS = {"|", "&&", "||", ";", "&"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(text: str) -> str:
    """A page without its fenced blocks and code spans."""
    return re.sub(r"`[^`]*`", "", _FENCE.sub("", text))


def commands(page: Path) -> Iterator[list[str]]:
    """The `sekisho …` command lines in a page's shell blocks, as words."""
    for language, block in _FENCE.findall(page.read_text()):
        if language != "sh":
            continue
        for line in block.replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words: list[str] = []
            for word in [*lexer, ";"]:
                if word not in _SEPARATORS:
                    words.append(word)
                    continue
                if words[:1] == ["sekisho"]:
                    yield words[1:]
                words = []


def parse(words: list[str]) -> None:
    """Read a command line as the front door would, without doing it."""
    verb, rest = words[0], words[1:]
    assert verb in _VERBS, f"no verb {verb}"
    command = _load(verb)
    context = typer.Context(command)
    while hasattr(command, "get_command"):
        command = command.get_command(context, rest[0])
        assert command is not None, f"no verb {verb} {rest[0]}"
        rest = rest[1:]
    command.make_context(verb, rest)


def setting_keys(model: type[BaseModel]) -> Iterator[str]:
    """Every name that may be written in a file of this shape."""
    for name, field in model.model_fields.items():
        yield field.alias or name
        for inner in models_in(field.annotation):
            yield from setting_keys(inner)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def anchors(page: Path) -> set[str]:
    """The fragments that a page's headings may be linked by, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def noted_facts() -> set[str]:
    """The first argument of every `….note("fact", …)` in the gateway."""
    found = set()
    for source in (ROOT / "gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "note"
                and node.args
            ):
                assert isinstance(node.args[0], ast.Constant), f"{named(source)}:{node.lineno}"
                found.add(str(node.args[0].value))
    return found


def test_every_make_target_that_is_named_exists() -> None:
    """What README and CONTRIBUTING tell people to make can be made."""
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = {
        target
        for text in (page.read_text() for page in PAGES)
        for code in [*_SPAN.findall(text), *(block for _language, block in _FENCE.findall(text))]
        for target in re.findall(r"^make ([a-z0-9]+)", code, re.MULTILINE)
    }

    assert {"demo", "test", "check", "bench"} <= asked
    assert asked <= targets


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_on_a_page_is_understood(page: Path) -> None:
    """Verbs, options and arguments in shell blocks are those of the front door."""
    for words in commands(page):
        try:
            parse(words)
        except Exception as error:  # noqa: BLE001 whatever it is, the page is wrong
            pytest.fail(f"sekisho {shlex.join(words)}: {error}")


def test_the_reader_finds_commands_and_refuses_wrong_ones() -> None:
    """What reads commands and what tries them can fail: the README has many commands, and a misspelt one is none."""
    assert len(list(commands(ROOT / "README.md"))) > 8
    parse(["query", "river", "--last", "2h"])

    for wrong in (["query", "--lsat", "2h"], ["devices", "ad", "x"], ["quarry"], ["decode"]):
        with pytest.raises(Exception, match=r".+"):
            parse(wrong)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_piece_of_python_and_json_can_be_read(page: Path) -> None:
    """Examples have no slips of the pen."""
    for language, block in _FENCE.findall(page.read_text()):
        if language == "python":
            compile(block, named(page), "exec")
        elif language == "json":
            json.loads(block)


def test_every_verb_is_named_on_a_page() -> None:
    """Nothing can be called that nobody wrote about."""
    text = "\n".join(page.read_text() for page in PAGES)

    assert [verb for verb in _VERBS if f"sekisho {verb}" not in text] == []


def test_every_fate_reason_and_fact_is_explained() -> None:
    """What a screen or a log may say stands on the operator's page or the mask's."""
    text = (DOCS / "operations.md").read_text() + (DOCS / "mask.md").read_text()
    words = {*(fate.value for fate in Fate), *(reason.value for reason in Reason), *noted_facts()}

    assert {word for word in words if f"`{word}`" not in text} == set()


def test_no_fact_is_explained_that_nobody_notes() -> None:
    """The operator's table of facts holds no fact of the past."""
    section = (DOCS / "operations.md").read_text().partition("## What the gateway says")[2]
    table = re.findall(r"^\| `([^`]+)` \|", section.partition("\n## ")[0], re.MULTILINE)

    assert set(table) == noted_facts()


def test_every_bad_day_is_proved_by_a_test_that_exists() -> None:
    """The operator's table names its tests, one a row, and each of them is there."""
    section = (DOCS / "operations.md").read_text().partition("## Bad days")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    named = re.findall(r"`(test_\w+)`\*? \|$", section, re.MULTILINE)
    tests = {
        found
        for source in (ROOT / "tests").rglob("test_*.py")
        for found in re.findall(r"^(?:async )?def (test_\w+)", source.read_text(), re.MULTILINE)
    }

    assert len(named) == len(rows) > 15
    assert set(named) <= tests


def test_the_demo_on_the_first_page_shows_every_fate() -> None:
    """The columns of the summary are the terms of the law."""
    heads = re.findall(r"^ +handed over .*$", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert [head.split()[2 : 2 + len(Fate)] for head in heads] == [[fate.value for fate in Fate]]


@pytest.mark.parametrize("model", [GatewayFile, PrivacyFile, DevicesFile, KindFile, ExamplesFile])
def test_every_setting_is_shown(model: type[BaseModel]) -> None:
    """A setting stands in a shipped configuration, commented or not, or in a page."""
    shown = "\n".join(path.read_text() for path in (ROOT / "config").rglob("*.yaml"))
    pages = "\n".join(page.read_text() for page in PAGES)

    missing = {
        key
        for key in setting_keys(model)
        if not re.search(rf"\b{key}:", shown) and f"`{key}`" not in pages
    }
    assert missing == set()


def test_every_runtime_dependency_has_its_reason() -> None:
    """One line each, and none for what is not depended on."""
    names = {re.split(r"[<>=\[]", line)[0] for line in PYPROJECT["project"]["dependencies"]}
    page = (DOCS / "decisions" / "0002-dependencies.md").read_text()

    assert set(re.findall(r"^\| `([\w.-]+)` \| \S", page, re.MULTILINE)) == names


def test_every_room_stands_on_the_floor_plan() -> None:
    """The page about the architecture names what lies in `gateway/`, and nothing that does not."""
    rooms = {
        f"gateway/{path.name}" + ("/" if path.is_dir() else "")
        for path in (ROOT / "gateway").iterdir()
        if path.name[0] not in "._" and (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    page = (DOCS / "architecture.md").read_text()
    plan = page.partition("## Floors")[2].partition("\n## ")[0]

    assert set(re.findall(r"`(gateway/\w+(?:/|\.py))`", plan)) == rooms
    assert all(
        f"`{folder}/`" in plan for folder in ("sekisho", "simulators", "benchmarks", "tools")
    )


def test_every_path_on_the_floor_plan_exists() -> None:
    """The page leads to files that are there."""
    page = (DOCS / "architecture.md").read_text()
    paths = re.findall(r"`((?:gateway|simulators|sekisho|config|tools)/[\w./]*)`", page)

    assert len(paths) > 40
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_decision_that_code_names_is_on_the_list() -> None:
    """ "decisions 9" in a comment leads somewhere."""
    page = (DOCS / "decisions" / "README.md").read_text()
    listed = {int(n) for n in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    named_in_code = {
        int(number)
        for folder in ("gateway", "simulators", "sekisho", "benchmarks", "tools", "config", "docs")
        for source in (ROOT / folder).rglob("*.*")
        if source.suffix in {".py", ".sql", ".yaml", ".md"}
        for number in re.findall(r"\bdecisions (\d+)\b", source.read_text())
    }

    assert named_in_code
    assert named_in_code <= listed


def test_every_record_is_on_the_list_of_records() -> None:
    """Fifteen or more files, each linked from the index, each on one page."""
    index = (DOCS / "decisions" / "README.md").read_text()
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))

    assert [record.name for record in records if f"]({record.name})" not in index] == []
    assert [record.name for record in records if len(record.read_text().splitlines()) > 60] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Files and headings that are linked exist."""
    for target in _LINK.findall(_FENCE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        aim = (page.parent / path).resolve() if path else page
        assert aim.exists(), target
        if fragment and aim.suffix == ".md":
            assert fragment in anchors(aim), target


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_no_page_tells_of_a_developers_machine(page: Path) -> None:
    """What a reader does not have is not mentioned."""
    text = page.read_text()

    assert (
        re.findall(r"(?<![\w.~])/(?:work|home|root|tmp|opt|Users)/[\w.-]*|\.\./shared", text) == []
    )


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_no_page_claims_that_nobody_can_be_recognised(page: Path) -> None:
    """We mask and pseudonymise; we do not promise more."""
    assert re.findall(r"anonymi[sz]|anonymous", prose(page.read_text()), re.IGNORECASE) == []
