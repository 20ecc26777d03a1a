"""Vendors' own examples of what their codec makes of a payload, as two repositories of device profiles keep them.

The Things Network, YAML (`vendor/<vendor>/<codec>.yaml`): `uplinkDecoder: {fileName, examples: [{description,
input: {fPort, bytes, recvTime}, output: {data, warnings, errors}}]}`. ChirpStack, a list in JSON or JavaScript's
looser form (`codecs/test_decode_<name>.json`): `[{name, input: {fPort, bytes, recvTime}, expected: {…}}]`.
Both are read as YAML 1.2, in which `on` and `yes` are words; JSON is a part of it.
"""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from gateway.model.instant import parse_rfc3339
from gateway.scripts.messages import Answer

_COMMENT = re.compile(r'("(?:\\.|[^"\\\n])*")|//[^\n]*')
"""A comment, or a text, in which two strokes are none."""

_TOLERANCE = 1e-9
"""Relative: the last digits of a float are the engine's own."""


class Example(NamedTuple):
    """One payload and its result in the vendor's words: `data`, `warnings`, `errors`, as far as there are any."""

    name: str
    f_port: int
    data: bytes
    received_ms: int | None
    output: Mapping[str, Any]


class Codec(NamedTuple):
    """A codec in a repository: the file that describes it, its script, its examples."""

    file: Path
    script: Path | None
    examples: list[Example]


def document(file: Path) -> Any:
    """What a file says; None where it is empty.

    Raises:
        ValueError: it cannot be read, with a sentence.
    """
    try:
        text = file.read_text("utf-8")
        if file.suffix == ".json":
            text = _COMMENT.sub(lambda found: found[1] or "", text)
        return YAML(typ="safe").load(text)
    except YAMLError as error:
        raise ValueError(
            f"{file} is no YAML or JSON: {str(error).partition(chr(10))[0]}."
        ) from None
    except UnicodeDecodeError:
        raise ValueError(f"{file} is no text in UTF-8.") from None
    except OSError as error:
        raise ValueError(f"{file} cannot be read ({error.strerror}).") from None


def codec(file: Path) -> Codec | None:
    """The codec that a file of a repository describes; None if it describes something else.

    Raises:
        ValueError: it cannot be read, or an example has not the form.
    """
    said = document(file)
    decoder = said.get("uplinkDecoder") if isinstance(said, dict) else None
    if not isinstance(decoder, dict):
        return None
    name = decoder.get("fileName")
    script = file.parent / str(name) if name else None
    return Codec(file, script, [*_examples(file, decoder.get("examples") or [])])


def examples(file: Path) -> list[Example]:
    """The examples of a file of either form; raises `ValueError` with a sentence."""
    said = document(file)
    if isinstance(said, dict) and isinstance(said.get("uplinkDecoder"), dict):
        said = said["uplinkDecoder"].get("examples") or []
    found = [*_examples(file, said)] if isinstance(said, list) else []
    if not found:
        raise ValueError(f"{file} holds no examples: neither uplinkDecoder.examples nor a list.")
    return found


def _examples(file: Path, listed: list[Any]) -> Iterator[Example]:
    for number, one in enumerate(listed, 1):
        try:
            if one.get("type", "uplink") != "uplink":
                continue
            asked = one["input"]
            data = asked["bytes"]
            output = one["output"] if "output" in one else one["expected"]
            yield Example(
                str(one.get("description") or one.get("name") or number),
                int(asked.get("fPort") or 0),
                bytes.fromhex(data) if isinstance(data, str) else bytes(data),
                _milliseconds(asked.get("recvTime")),
                {name: _plain(value) for name, value in output.items()},
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ValueError(f"{file}: example {number} has no input and output.") from None


def _milliseconds(time: Any) -> int | None:
    if time is None:
        return None
    return parse_rfc3339(time.isoformat() if isinstance(time, datetime) else str(time)) // 1000


def _plain(value: Any) -> Any:
    """As JSON has it: a date that YAML found is the text that JavaScript makes of one."""
    if isinstance(value, datetime):
        return f"{value.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00.000Z"
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def difference(example: Example, answer: Answer) -> str | None:
    """Where an answer differs from what the vendor expects; None where it does not."""
    if answer.fault is not None:
        where = "" if answer.line is None else f" (line {answer.line})"
        return f"{answer.fault.value}{where}"
    given: dict[str, Any] = {
        "data": answer.object, "warnings": answer.warnings, "errors": answer.errors,
    }  # fmt: skip
    wanted = example.output
    for part in ("data", "warnings", "errors"):
        if (found := _differs(wanted.get(part) or None, given[part] or None, part)) is not None:
            return found
    return None


def _differs(wanted: Any, given: Any, path: str) -> str | None:
    """The path to the first place where two values are not the same."""
    if isinstance(wanted, dict) and isinstance(given, dict):
        names = sorted(wanted.keys() ^ given.keys())
        if names:
            return f"{path}.{names[0]}"
        parts = ((f"{path}.{name}", wanted[name], given[name]) for name in wanted)
    elif isinstance(wanted, list) and isinstance(given, list):
        if len(wanted) != len(given):
            return f"{path}, of which there are {len(given)}"
        parts = ((f"{path}.{n}", *pair) for n, pair in enumerate(zip(wanted, given, strict=True)))
    else:
        return None if _equal(wanted, given) else path
    return next((found for name, a, b in parts if (found := _differs(a, b, name))), None)


def _equal(wanted: Any, given: Any) -> bool:
    numbers = (int, float)
    if isinstance(wanted, bool) or isinstance(given, bool):
        return wanted is given
    if isinstance(wanted, numbers) and isinstance(given, numbers):
        return math.isclose(wanted, given, rel_tol=_TOLERANCE)
    return bool(wanted == given)
