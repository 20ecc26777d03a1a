"""What is wrong with a configuration: every fault at once, each with file, line and column."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, get_args

from pydantic import BaseModel, ValidationError

from gateway.model.errors import Refusal
from gateway.model.quantity import LENGTH, parse
from gateway.registry.words import nearest
from gateway.settings.document import Document, Path

_HOME_WORDS = {"home", "homes", "lat", "lon", "latitude", "longitude", "position", "coordinates"}
_NEEDED = {
    "string_type": "a text is needed here",
    "int_type": "a whole number is needed here",
    "int_from_float": "a whole number is needed here",
    "float_type": "a number is needed here",
    "bool_type": "true or false is needed here",
    "list_type": "a list is needed here",
    "tuple_type": "a list is needed here",
    "dict_type": "settings with names are needed here",
    "union_tag_not_found": "the setting kind is missing here",
    "model_type": "settings with names are needed here",
    "model_attributes_type": "settings with names are needed here",
}


Bounds: TypeAlias = tuple[Any, Any]


class Complaint(NamedTuple):
    """One fault and where it stands. Printed as `file:line:col path: sentence`."""

    file: str
    line: int
    column: int
    path: str
    sentence: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where} {self.path}: {self.sentence}" if self.path else f"{where} {self.sentence}"


class SettingsError(Refusal):
    """A configuration that cannot be used; exit code 2.

    Attributes:
        complaints: every fault that was found, in the order of files and lines.
    """

    def __init__(self, complaints: Iterable[Complaint]) -> None:
        self.complaints = sorted(complaints)
        count = len(self.complaints)
        total = f"{count} fault{'' if count == 1 else 's'}. Nothing was started."
        super().__init__("\n".join([*map(str, self.complaints), total]), exit_code=2)


def complain(document: Document, path: Path, sentence: str, *, at_key: bool = False) -> Complaint:
    """A complaint about the value at `path`, or about its name."""
    line, column = document.place(path, at_key=at_key)
    return Complaint(document.name, line, column, shown(path), sentence)


def shown(path: Path) -> str:
    """`("doors", 0, "port")` as `doors[0].port`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def translate(
    error: ValidationError, document: Document, schema: type[BaseModel]
) -> list[Complaint]:
    """Pydantic's faults as complaints."""
    found = []
    faults = error.errors(include_url=False)
    meant = set()
    for fault in faults:
        if fault["type"] == "extra_forbidden":
            path = document.known(fault["loc"])
            name, choices = str(path[-1]), _names(schema, path[:-1])
            meant.add((path[:-1], nearest(name, choices)))
            found.append(complain(document, path, unknown_setting(name, choices), at_key=True))
    for fault in faults:
        path = document.known(fault["loc"])
        if fault["type"] == "missing":
            name = str(fault["loc"][-1])
            if (path, nearest(name, [name])) not in meant:
                found.append(complain(document, path, f"the setting {name} is missing here."))
        elif fault["type"] != "extra_forbidden":
            if fault["type"] == "union_tag_invalid":
                path = document.known((*path, "kind"))
            bounds = _bounds(schema, path)
            found.append(complain(document, path, _sentence(fault["type"], fault, bounds)))
    return found


def is_home(name: str) -> bool:
    """Whether a setting of this name would say where somebody lives."""
    return name.lower() in _HOME_WORDS


def unknown_setting(name: str, choices: Sequence[str]) -> str:
    """The sentence about a name that is no setting; homes are shown the way out."""
    if is_home(name):
        return (
            "homes do not belong in a file that many can read: take it out, then "
            "sekisho devices import-homes FILE."
        )
    known = f" There are {', '.join(sorted(choices))}." if choices else " None belongs here."
    return "unknown setting." + nearest(name, list(choices), unless=known)


def _sentence(kind: str, fault: Mapping[str, Any], bounds: Bounds) -> str:
    given, limits = fault["input"], fault.get("ctx", {})
    if kind in ("greater_than_equal", "less_than_equal"):
        return _outside(given, bounds, limits)
    if kind in ("literal_error", "union_tag_invalid"):
        return _not_known(given if kind == "literal_error" else limits["tag"], limits)
    if kind == "string_type" and isinstance(given, int) and not isinstance(given, bool):
        return f'a text is needed here: write it in quotes, "{given}".'
    if kind in ("too_short", "too_long"):
        word = "at least" if kind == "too_short" else "at most"
        bound = limits["min_length" if kind == "too_short" else "max_length"]
        return f"{word} {bound} here, and there {_are(limits['actual_length'])}."
    message = _NEEDED.get(kind, str(fault["msg"]))
    if kind.startswith("sekisho"):
        return message
    return message[:1].lower() + message[1:].removeprefix("Input ").rstrip(".") + "."


def _outside(given: object, bounds: Bounds, limits: Mapping[str, Any]) -> str:
    """A number beyond what may stand there, with both ends where there are two."""
    low, high = bounds
    if low is not None and high is not None:
        return f"{given} is outside {low} to {high}."
    return f"{given} is too small: {limits['ge']} or more." if "ge" in limits else f"{given} is too large: {limits['le']} or less."  # fmt: skip


def _not_known(given: object, limits: Mapping[str, Any]) -> str:
    """One of several words is needed."""
    expected = limits.get("expected") or limits["expected_tags"]
    choices = [part.strip(" '") for part in expected.replace(" or ", ",").split(",")]
    word = f'"{given}" is not known here.' if isinstance(given, str) else "not known here."
    try:
        sizes = {choice: parse(choice, LENGTH) for choice in choices}
        wanted = parse(str(given), LENGTH)
    except ValueError:
        sizes = {}
    if sizes:
        near = min(choices, key=lambda choice: abs(sizes[choice] - wanted))
        return f"{word} There are {', '.join(choices)}; the nearest is {near}."
    return word + nearest(str(given), choices, unless=f" Write {' or '.join(choices)}.")


def _are(count: int) -> str:
    return "is 1" if count == 1 else f"are {count}"


def _names(schema: type[BaseModel], path: Path) -> list[str]:
    """The settings that exist at `path`, by the names they have in the file."""
    return [name for model in _models_at(schema, path) for name in _fields(model)]


def _bounds(schema: type[BaseModel], path: Path) -> Bounds:
    """The least and the largest number that may stand at `path`; None where there is no such end."""
    names = [part for part in path if isinstance(part, str)]
    if not names or isinstance(path[-1], int):
        return None, None
    fields = [
        info
        for model in _models_at(schema, tuple(names[:-1]))
        for name, info in model.model_fields.items()
        if (info.alias or name) == names[-1]
    ]
    ends = [note for info in fields for note in info.metadata]
    lows = [note.ge for note in ends if hasattr(note, "ge")]
    highs = [note.le for note in ends if hasattr(note, "le")]
    return next(iter(lows), None), next(iter(highs), None)


def _models_at(schema: type[BaseModel], path: Path) -> list[type[BaseModel]]:
    models = [schema]
    for part in path:
        if isinstance(part, int):
            continue
        fields = [field for model in models for field in _fields(model).items()]
        models = [inner for name, note in fields if name == part for inner in _models(note)]
    return models


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {f.alias or name: f.annotation for name, f in model.model_fields.items()}


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]
