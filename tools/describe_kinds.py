"""Writes `docs/kinds.md` and `docs/schema/<kind>.json` from the device kinds themselves.

    python -m tools.describe_kinds            write them
    python -m tools.describe_kinds --check    name those that are not as they should be, exit 1

A test compares them too, so they cannot tell another story than the code.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

import msgspec

from gateway.devices import kinds
from gateway.devices.catalog import catalog
from gateway.devices.kind import DeviceKind, Field
from gateway.devices.tables import table_columns, table_key

DOCS = Path(__file__).resolve().parents[1] / "docs"

_HEAD = """# Device kinds

What each kind of device may say, in which two forms, and what is kept of it. Written by
`tools/describe_kinds.py` from `gateway/devices/kinds/`: change it there.

JSON goes to `sekisho/v1/<device>/up`: one object with `t` (RFC 3339 with offset; left out by a device
without a clock), `seq` (the device's own counter, 0 to 4294967295) and the kind's fields; members that are
not in the table are ignored and never kept. Compact binary goes to `sekisho/v1/<device>/up/bin` behind a
head of 9 bytes (`gateway/devices/decode.py`), or without it as a LoRaWAN payload on the kind's port.

Beside the facts that stand with each kind, every thing of the city may have its place in the registry:
`lat` and `lon`, WGS 84 degrees, both of them.

What a field may reveal: *public*: kept as it is · *position*: kept only as the mask allows · *tag*: kept
only as a pseudonym of one service day · *coarse*: kept in classes · *live*: shown to those it concerns,
never stored · *secret*: never kept.
"""


def pages() -> dict[Path, str]:
    """Path below `docs/` → its text."""
    written = {Path("kinds.md"): page()}
    for name, kind in catalog().items():
        written[Path("schema") / f"{name}.json"] = schema(kind)
    return written


def schema(kind: DeviceKind) -> str:
    """JSON Schema (2020-12) of the kind's JSON form."""
    described = msgspec.json.schema(kind.document)
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.name,
        "description": kind.summary,
        **described,
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def page() -> str:
    """All kinds on one page."""
    parts = [_HEAD]
    for name, kind in catalog().items():
        parts.append("\n".join(_kind(name, kind)))
    return "\n".join(parts) + "\n"


def _kind(name: str, kind: DeviceKind) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"{kind.summary}\n"
    whose = "about people: personal files" if kind.personal else "a thing of the city: `city.db`"
    yield f"Port {kind.f_port} · {whose} · JSON Schema: `schema/{name}.json`\n"
    yield from _table(
        ("field", "meaning", "unit", "limits", "compact binary", "may reveal", "needed"),
        (_field(field) for field in kind.fields),
    )
    yield "\n" + _layout(name)
    if kind.attributes:
        facts = ", ".join(
            f"`{key}` ({_in_words(unit)}{', needed' if unit.startswith('*') else ''})"
            for key, unit in kind.attributes.items()
        )
        yield f"\nFacts in the registry: {facts}.\n"
    else:
        yield ""
    columns = ", ".join(f"`{column.name}`" for column in table_columns(kind))
    yield f"Kept: {columns}. Recognised by {', '.join(table_key(kind))}.\n"
    yield from _table(
        ("example", "payload", "comes to"),
        (
            (example.name, f"`{example.payload}`" if example.payload else "(empty)", example.rejected or "accepted")
            for example in kind.examples
        ),
    )  # fmt: skip
    yield ""


def _in_words(unit: str) -> str:
    unit = unit.lstrip("*")
    return "a number" if unit == "1" else unit


def _field(field: Field) -> tuple[str, ...]:
    limits = "" if field.low is None else f"{field.low:g} … {field.high:g}"
    return (
        f"`{field.name}`",
        field.meaning,
        field.unit,
        limits,
        field.binary or "not carried",
        field.sensitivity.value,
        "yes" if field.required else "no",
    )


def _layout(name: str) -> str:
    """The byte layout out of the kind's own docstring: its indented lines."""
    said = import_module(f"{kinds.__name__}.{name}").__doc__ or ""
    drawn = [line for line in said.splitlines() if line.startswith("    ")]
    return "```\n" + "\n".join(line[4:] for line in drawn) + "\n```"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    titles = list(head)
    yield "| " + " | ".join(titles) + " |"
    yield "|" + "---|" * len(titles)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def stale() -> list[Path]:
    """Pages that are not as the kinds are, and schemas of kinds that are gone."""
    wanted = pages()
    wrong = [
        path
        for path, text in wanted.items()
        if not (DOCS / path).exists() or (DOCS / path).read_text("utf-8") != text
    ]
    there = {path.relative_to(DOCS) for path in (DOCS / "schema").glob("*.json")}
    return sorted([*wrong, *(there - wanted.keys())])


def main() -> int:
    """Write, or with `--check` only compare; the exit code."""
    wrong = stale()
    if "--check" in sys.argv[1:]:
        for path in wrong:
            print(f"docs/{path} is not as the kinds are: run python -m tools.describe_kinds")
        return 1 if wrong else 0
    (DOCS / "schema").mkdir(exist_ok=True)
    for path, text in pages().items():
        (DOCS / path).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
