"""Writes the tables of `docs/formats.md` from the code, each between its two marks.

python -m tools.describe_formats            write them
python -m tools.describe_formats --check    exit 1 unless they are as they should be
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from gateway.devices.catalog import catalog
from gateway.devices.product import Proof
from gateway.devices.shelf import shelf
from gateway.devices.tables import table_columns
from gateway.stores.views import views
from gateway.wire.envelopes import actility, chirpstack_v3, chirpstack_v4, things_stack_v3
from sekisho.export_files import sort_of

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


def envelopes() -> Iterator[str]:
    """One line for each member that is read of a network server's document, and what it is read as."""
    yield "| `--format` | member | read as |"
    yield "|---|---|---|"
    for module, names in _DOCUMENTS.items():
        head = f"| {names} "
        for member, meaning in _members(module.Document, _OF_UPLINKS):
            yield f"{head}| `{member}` | {meaning} |"
            head = "| "
        for member, meaning in _members(module.Forwarder, _OF_FORWARDERS):
            yield f"| | of a forwarder: `{member}` | {meaning} |"


_OBJECT = "the object that a declared codec reads"
_OF_UPLINKS = {
    "dev_eui": "the device's EUI",
    "dev_eui_too": "the same, in another spelling",
    "device_id": "the device, where it has no EUI",
    "dev_addr": "session",
    "session_key_id": "session, before the address",
    "f_port": "port",
    "f_cnt": "counter",
    "data": "payload",
    "frm_payload": "payload",
    "object": _OBJECT,
    "object_text": "the same, as a text",
    "decoded_payload": _OBJECT,
    "time": "the network server's clock",
    "received_at": "the network server's clock; the outer one where it has none",
    "published_at": "the network server's clock",
    "exported_at": "the clock of whoever wrote the line, where there is no other",
    "rx_info": "who heard it",
    "rx_metadata": "who heard it",
    "some": "who heard it",
    "tx_info": "whether it is an uplink",
    "simulated": "whether no radio was involved",
}
"""Our own name of a member → what it says of an uplink; a new member must be thought about here."""

_OF_FORWARDERS = {
    **dict.fromkeys(("gateway_id", "eui", "lrrid"), "its id"),
    **dict.fromkeys(("time", "gw_time"), "its clock"),
    "rssi": "dBm",
    "snr": "dB",
}

_DOCUMENTS: Mapping[Any, str] = {
    chirpstack_v4: "`chirpstack_v4`, `chirpstack_v4_protobuf`",
    chirpstack_v3: "`chirpstack_v3`, `chirpstack_v3_hex`",
    things_stack_v3: "`things_stack_v3`",
    actility: "`actility`",
}


def _members(
    form: type[msgspec.Struct], meanings: Mapping[str, str], outside: str = ""
) -> Iterator[tuple[str, str]]:
    """Path of a member as documents have it, and what it is read as."""
    for field in msgspec.structs.fields(form):
        path = f"{outside}{field.encode_name}"
        inner = next((one for one in _inside(field.type) if _is_struct(one)), None)
        if inner is not None:
            yield from _members(inner, meanings, f"{path}.")
        else:
            yield path, meanings[field.name]


def _inside(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) or (kind,)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def exports() -> Iterator[str]:
    """One line for each view and each of its columns, with the sort that typed files give it."""
    yield "| view | of | columns, with their sort in Parquet and GeoPackage |"
    yield "|---|---|---|"
    for view, (kind, shown) in views().items():
        sorts = {column.name: sort_of(column) for column in table_columns(catalog()[kind])}
        columns = ", ".join(f"`{name}` {sorts[name]}" for name in shown)
        yield f"| `{view}` | {kind} | {columns} |"


PARTS: Mapping[str, Callable[[], Iterator[str]]] = {
    "products": products,
    "envelopes": envelopes,
    "exports": exports,
}
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
