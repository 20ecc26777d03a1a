"""The pages about kinds are written from the kinds, and are up to date."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from gateway.devices.catalog import catalog

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return loaded("describe_kinds")


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_are_as_the_kinds_are(tool: ModuleType) -> None:
    assert tool.stale() == [], "run python -m tools.describe_kinds"


def test_every_field_and_example_stands_on_the_page(tool: ModuleType) -> None:
    page = tool.page()
    for kind in catalog().values():
        assert all(f"`{field.name}`" in page for field in kind.fields)
        assert all(example.name in page for example in kind.examples)


def test_the_tables_of_formats_are_as_the_code_is() -> None:
    tool = loaded("describe_formats")
    assert tool.PAGE.read_text("utf-8") == tool.page(), "run python -m tools.describe_formats"
