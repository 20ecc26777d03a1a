"""Golden cases: one folder is one uplink, its device, and what becomes of it. Adding one needs no code.

    uplink.hex or uplink.json   what the device sent: compact binary (blanks are free) or JSON
    device.yaml                 how it is registered; also `left_home`, `received_at`, `retain_days`
    expected.json               fate, reason, and the rows without their keyed columns
    expected.err                or the reason for which it is refused

Bytes come from data sheets, recordings and arithmetic by hand, digests from `b2sum -l 64`; never from
our encoder.
"""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ruamel.yaml import YAML

from gateway.devices.catalog import catalog
from gateway.devices.tables import table_columns
from gateway.interfaces import Table
from gateway.model.device import Device
from gateway.model.identity import DeviceId
from gateway.model.instant import SECOND, parse_rfc3339
from gateway.model.reason import Reason
from gateway.model.uplink import Uplinks
from gateway.pipeline.flow import Flow
from gateway.pipeline.intake import Intake
from gateway.pipeline.process import Process
from gateway.telemetry import Tally
from tests.fakes.loop import VirtualLoop
from tests.fakes.readings import NOON, household, leave_home, mask, policy
from tests.fakes.store import MemoryStore
from tests.fakes.uplinks import route

HERE = Path(__file__).parent
KEYED = {"identity", "pseudonym", "tag"}
JAPAN = ZoneInfo("Asia/Tokyo")


def cases() -> list[Any]:
    folders = sorted(path.parent for path in HERE.glob("*/device.yaml"))
    return [pytest.param(folder, id=folder.name) for folder in folders]


def shown(table: Table, row: tuple[Any, ...]) -> dict[str, Any]:
    """A row as `expected.json` writes it."""
    period, kind = table
    columns = [column.name for column in table_columns(catalog()[kind])]
    values = {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in zip(columns, row, strict=True)
        if name not in KEYED
    }
    return {"kind": kind, "period": period, **values}


def registered(said: dict[str, Any]) -> Device:
    home = said.get("home")
    return Device(
        DeviceId(said["device"]),
        said["kind"],
        "16201",
        parse_rfc3339(said["registered_at"]) if "registered_at" in said else 0,
        None if home is None else household(tuple(home)),
        frozenset({"store"} if said.get("consent") else ()),
        said.get("attributes", {}),
    )


def sent(folder: Path) -> tuple[bytes, bool]:
    """The payload of a case, and whether it is compact binary."""
    binary = folder / "uplink.hex"
    if binary.exists():
        return bytes.fromhex(binary.read_text()), True
    return (folder / "uplink.json").read_bytes(), False


def became(folder: Path) -> dict[str, Any]:
    """What the gateway makes of a case, in the words of `expected.json` (or of `expected.err`)."""
    said = YAML(typ="safe", pure=True).load(folder / "device.yaml")
    device = registered(said)
    payload, binary = sent(folder)
    by = mask(policy(JAPAN, retain_days=said.get("retain_days", 28)))
    if said.get("left_home"):
        leave_home(by, device)
    at = parse_rfc3339(said["received_at"]) if "received_at" in said else NOON + 5 * SECOND
    refused: dict[int, Reason] = {}
    intake, store, tally, loop = Intake(), MemoryStore(), Tally(), VirtualLoop()
    intake.put(
        "a sender", Uplinks("own", at, [(route(device, binary=binary), payload)], refused.update)
    )
    intake.close()
    loop.run(Flow(intake, Process(by, JAPAN), store, tally, [], loop).carry())
    if refused:
        return {"refused": refused[0].value}
    ((_, _, fate, reason),) = tally.terms
    rows = [shown(table, row) for table, its in store.disk.rows.items() for row in its.values()]
    return {
        "fate": fate.value,
        **({} if reason is None else {"reason": reason.value}),
        **({"rows": rows} if rows else {}),
    }


@pytest.mark.parametrize("folder", cases())
def test_an_uplink_becomes_what_is_expected(folder: Path) -> None:
    """Decode, date, mask: to the last column."""
    refusal = folder / "expected.err"
    if refusal.exists():
        assert became(folder) == {"refused": refusal.read_text().strip()}
    else:
        assert became(folder) == json.loads((folder / "expected.json").read_text())


def test_every_kind_has_a_kept_and_a_refused_case() -> None:
    """A new kind brings its folders."""
    kept: set[str] = set()
    refused: set[str] = set()
    for path in HERE.glob("*/device.yaml"):
        kind = YAML(typ="safe", pure=True).load(path)["kind"]
        (refused if (path.parent / "expected.err").exists() else kept).add(kind)
    assert kept == refused == set(catalog())
