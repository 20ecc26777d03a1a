"""A town whose gauges speak through vendors' JavaScript: one that is good, and some that are not."""

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gateway.clock import SystemClock
from gateway.model.instant import to_rfc3339
from tests.e2e.town import Town, gauge

GOOD = "function decodeUplink(i) { return {data: {mm: i.bytes[0] * 256 + i.bytes[1]}} }"
HOSTILE = {
    "endless": "function decodeUplink(i) { for (;;) ; }",
    "greedy": "function decodeUplink(i) { const a = []; for (;;) a.push('x'.repeat(99) + a.length) }",
    "regex": "function Decoder(b) { return {mm: /^(a+)+$/.test('a'.repeat(40) + 'b')} }",
}
_MAPPING = """\
name: {name}
kind: river_gauge
script: {name}.js
fields:
  distance_m: {{from: mm, scale: 0.001}}
"""


class ScriptedTown:
    """A gauge for each codec, of the codec's name.

    Args:
        codecs: name → JavaScript.
        door: lines of `doors` that take network servers' documents in.
    """

    def __init__(self, folder: Path, codecs: dict[str, str], door: str) -> None:
        self.town = Town(folder)
        self.names = list(codecs)
        members = []
        for name in codecs:
            member = gauge(name)
            facts = {"dev_eui": self.eui(name), "codec": name}
            members.append({**member, "attributes": {**member["attributes"], **facts}})
        self.token = self.town.enrol(members)
        text = self.town.config.read_text()
        self.town.config.write_text(text.replace("privacy:", f"{door}privacy:"))
        self._declare(codecs.items())

    def _declare(self, codecs: Iterable[tuple[str, str]]) -> None:
        folder = self.town.config.parent / "codecs"
        folder.mkdir()
        for name, text in codecs:
            (folder / f"{name}.js").write_text(text)
            (folder / f"{name}.yaml").write_text(_MAPPING.format(name=name))

    def eui(self, name: str) -> str:
        return f"{self.names.index(name):016x}"

    def up(self, name: str, f_cnt: int) -> dict[str, Any]:
        """ChirpStack's event of a box that sends 2410 mm in two bytes."""
        return {
            "time": to_rfc3339(SystemClock().now()),
            "deviceInfo": {"devEui": self.eui(name)},
            "fCnt": f_cnt,
            "fPort": 2,
            "data": base64.b64encode(bytes.fromhex("096a")).decode(),
        }
