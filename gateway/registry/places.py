"""Where the things of the city stand, read without a key: devices and their facts are not sealed."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from gateway.model.errors import Refusal


class Standing(NamedTuple):
    """Owner municipality of a device, and its place in WGS 84 degrees where one was registered."""

    owner: str
    lat: float | None
    lon: float | None


def standings(registry: Path) -> dict[str, Standing]:
    """Device → where it stands; empty where there is no registry.

    Raises:
        Refusal: the registry cannot be read.
    """
    if not registry.exists():
        return {}
    try:
        with closing(sqlite3.connect(f"file:{quote(str(registry))}?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT device, owner, attributes FROM devices").fetchall()
    except sqlite3.Error as error:
        raise Refusal(
            f"The registry {registry} cannot be read ({error}). It must belong to the user who runs "
            "this command."
        ) from error
    return {device: _standing(owner, json.loads(facts)) for device, owner, facts in rows}


def _standing(owner: str, facts: dict[str, float]) -> Standing:
    return Standing(owner, facts.get("lat"), facts.get("lon"))
