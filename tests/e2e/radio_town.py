"""A town with one gauge that joins by LoRaWAN."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from gateway.registry.radio_rows import Secrets
from sekisho.window import ask
from tests.e2e.town import SINCE, Town, member
from tests.fakes.node import APP_KEY, DEV_EUI, NWK_KEY

STAGE = bytes.fromhex("0107088000ff00")
"""A river gauge's own seven bytes: stage 1.8 m, no thermometer, mains."""

GAUGE_PORT = 4


def radio_town(folder: Path, doors: str, is_1_1: bool = False) -> Town:
    """The town.

    Args:
        doors: YAML of the doors for forwarders, and of `lorawan`.
    """
    town = Town(folder)
    town.more_doors = doors
    town.set_door(0)
    town.enrol([member("node-1", "river_gauge", attributes={"dev_eui": str(DEV_EUI)})])
    with town.registry() as registry:
        nwk_key = NWK_KEY.secret if is_1_1 else None
        secrets = Secrets(app_key=APP_KEY.secret, nwk_key=nwk_key, counting=True)
        registry.radio.put("node-1", secrets, SINCE)
    return town


def rows(town: Town) -> list[tuple[Any, ...]]:
    """Counter, stage and clock of what was stored."""
    with closing(sqlite3.connect(f"file:{town.state.city_db}?mode=ro", uri=True)) as db:
        return db.execute("SELECT counter, stage_m, clock FROM river_gauge ORDER BY 1").fetchall()


def has(town: Town, count: int) -> bool:
    """Whether so many rows were stored."""
    return len(rows(town)) == count


def radio(town: Town) -> dict[str, Any]:
    """What the gateway says of the network."""
    return next(ask(town.state, "radio"))
