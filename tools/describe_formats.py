"""Writes the tables of `docs/formats.md` from the code, each between its two marks.

python -m tools.describe_formats            write them
python -m tools.describe_formats --check    exit 1 unless they are as they should be
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from gateway.devices.product import Proof
from gateway.devices.shelf import shelf

PAGE = Path(__file__).resolve().parents[1] / "docs" / "formats.md"


def products() -> Iterator[str]:
    """One line a proof; the product's name stands at its first."""
    yield "| `codec` | product | fills | port | payload | says | source |"
    yield "|---|---|---|---|---|---|---|"
    for name, product in shelf().items():
        head = f"| `{name}` | {product.title} | {', '.join(product.kinds)} "
        for proof in product.proofs:
            yield f"{head}| {proof.f_port} | `{proof.data}` | {_said(proof)} | {proof.source} |"
            head = "| | | "


def _said(proof: Proof) -> str:
    if proof.said is None:
        return f"*{proof.rejected}*"
    fields = (
        f"`{name}` {str(value).lower() if isinstance(value, bool) else f'{value:.10g}'}"
        for name, value in proof.said.items()
    )
    return ", ".join(fields) or "no position"


PARTS: Mapping[str, Callable[[], Iterator[str]]] = {"products": products}
"""Name in the marks → its lines."""


def page() -> str:
    """The page with every part as it should be.

    Raises:
        ValueError: a mark is missing.
    """
    text = PAGE.read_text("utf-8")
    for name, lines in PARTS.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"docs/formats.md has no marks {begin} and {end}")
        text = "\n".join([f"{before}{begin}", *lines(), f"{end}{after}"])
    return text


def main() -> int:
    """Write, or with `--check` only compare; the exit code."""
    wanted = page()
    stale = PAGE.read_text("utf-8") != wanted
    if "--check" in sys.argv[1:]:
        if stale:
            print("docs/formats.md is not as the code is: run python -m tools.describe_formats")
        return int(stale)
    PAGE.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
