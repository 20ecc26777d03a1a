"""One YAML file as plain data that remembers where each name and value stands."""

import os
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gateway.settings import full_width

Path: TypeAlias = tuple[str | int, ...]
"""Names and positions from the top of a file down to one value."""

_TAG = "tag:yaml.org,2002:"
_SCALARS: dict[str, Callable[[str], Any]] = {
    "null": lambda _text: None,
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
    "int": lambda text: int(text) if text.lstrip("+-")[:1] != "0" or text == "0" else text,
    "float": float,
    "str": str,
    "timestamp": str,
}
"""YAML's tag → reader; what it cannot read stays text (0x10), and so do codes like 06201."""


class Fault(NamedTuple):
    """What makes a file unreadable: 1-based line and column, and the sentence."""

    line: int
    column: int
    sentence: str


class Document:
    """A file's data with its places.

    Attributes:
        file: where it lies.
        name: as it is named to a person: relative where it lies below the working directory.
        data: dicts, lists, texts, numbers, truth values and None.
        faults: what is wrong with it as YAML, duplicate names included.
    """

    def __init__(self, file: pathlib.Path) -> None:
        self.file = file
        self.name = displayed(file)
        self.data: Any = None
        self.faults: list[Fault] = []
        self._values: dict[Path, tuple[int, int]] = {(): (1, 1)}
        self._keys: dict[Path, tuple[int, int]] = {}

    @property
    def folder(self) -> pathlib.Path:
        """Where relative file names in this document begin."""
        return self.file.parent

    def place(self, path: Path, *, at_key: bool = False) -> tuple[int, int]:
        """Line and column (from 1) of the value at `path`, or of its name."""
        path = self.known(path)
        if at_key and path in self._keys:
            return self._keys[path]
        return self._values[path]

    def known(self, path: tuple[str | int, ...]) -> Path:
        """`path` without what the file does not contain: tags of unions, names that are missing."""
        found: Path = ()
        for part in path:
            if (*found, part) in self._values:
                found = (*found, part)
        return found

    def read(self) -> None:
        """Read the file; what cannot be read is noted in `faults`."""
        try:
            text = self.file.read_text("utf-8")
        except FileNotFoundError:
            self.faults.append(Fault(1, 1, "no such file."))
            return
        except UnicodeDecodeError:
            self.faults.append(Fault(1, 1, "not a text in UTF-8."))
            return
        except OSError as error:
            self.faults.append(Fault(1, 1, f"cannot be read: {error.strerror}."))
            return
        try:
            node = YAML(typ="safe", pure=True).compose(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            what = f"not readable as YAML: {error.problem or error.context or 'not YAML'}."
            wide = full_width.before(text.splitlines(), line)
            self.faults.append(Fault(*(wide or (line, column, what))))
        except YAMLError:
            self.faults.append(Fault(1, 1, "not readable as YAML: it holds a forbidden character."))
        else:
            self.data = None if node is None else self._take(node, ())

    def _take(self, node: Node, path: Path) -> Any:
        self._values[path] = _mark(node)
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self._take(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        unnamed = not path or isinstance(path[-1], int)
        if node.style is None and (wide := full_width.in_value(node.value, unnamed=unnamed)):
            self.faults.append(Fault(*_mark(node), wide))
        return self._scalar(node)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, ScalarNode) else ""
            if not name or name in found:
                what = f"{name} is set twice here." if name else "a name is needed here."
                self.faults.append(Fault(*_mark(key), what))
                continue
            if key.style is None and (wide := full_width.in_name(name)):
                self.faults.append(Fault(*_mark(key), wide))
            self._keys[*path, name] = _mark(key)
            found[name] = self._take(value, (*path, name))
        return found

    def _scalar(self, node: ScalarNode) -> Any:
        kind, text = str(node.tag).removeprefix(_TAG), str(node.value)
        if kind not in _SCALARS:
            self.faults.append(Fault(*_mark(node), f"the tag {node.tag} has no meaning here."))
            return text
        try:
            return _SCALARS[kind](text)
        except (KeyError, ValueError):
            return text


def displayed(file: pathlib.Path) -> str:
    """A path as a person knows it: relative where it lies below the working directory."""
    try:
        return str(file.absolute().relative_to(pathlib.Path(os.curdir).absolute()))
    except ValueError:
        return str(file)


def _mark(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
