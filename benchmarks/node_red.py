"""Node-RED with its sqlite node, one row per message: what many towns begin with.

Installed once, by npm, into `.bench/node_red` (some minutes: it compiles SQLite).
"""

import json
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

from benchmarks.processes import ROOT, free_port, stop, until

_FOLDER = ROOT / ".bench" / "node_red"
_PACKAGES = ("node-red@4", "node-red-node-sqlite@1")
_PARAMETERS = """\
const d = JSON.parse(msg.payload);
msg.params = {$topic: msg.topic, $t: d.t, $body: msg.payload};
msg.payload = null;
return msg;
"""


def installed() -> Path | None:
    """Where Node-RED lies, after installing it; None without npm."""
    program = _FOLDER / "node_modules" / ".bin" / "node-red"
    if program.exists():
        return program
    if shutil.which("npm") is None:
        return None
    _FOLDER.mkdir(parents=True, exist_ok=True)
    line = ["npm", "install", "--no-audit", "--no-fund", "--silent", *_PACKAGES]
    done = subprocess.run(line, cwd=_FOLDER, check=False, timeout=600)
    return program if done.returncode == 0 and program.exists() else None


class NodeRed:
    """One process that takes everything from a broker and inserts it, row by row."""

    def __init__(self, program: Path, folder: Path, broker: int) -> None:
        self._database = folder / "node_red.db"
        with sqlite3.connect(self._database) as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("CREATE TABLE uplink (topic TEXT, t TEXT, body TEXT)")
        home = folder / "node_red"
        home.mkdir()
        (home / "flows.json").write_text(json.dumps(_flow(broker, self._database)))
        (home / "settings.js").write_text(
            f"module.exports = {{uiPort: {free_port()}, uiHost: '127.0.0.1', "
            "logging: {console: {level: 'error'}}}\n"
        )
        modules = program.parents[1]
        self.process = subprocess.Popen(
            [str(program), "--userDir", str(home), "flows.json"],
            cwd=home,
            env={**os.environ, "NODE_PATH": str(modules)},
            stdout=subprocess.DEVNULL,
        )

    def rows(self) -> int:
        """Rows on disk."""
        with sqlite3.connect(f"file:{self._database}?mode=ro", uri=True) as db:
            count: int = db.execute("SELECT count(*) FROM uplink").fetchone()[0]
        return count

    def wait_for(self, rows: int, patience_s: float = 180.0) -> None:
        """Until so many rows are on disk."""
        until(lambda: self.rows() >= rows, patience_s)

    def stop(self) -> None:
        """SIGTERM, and wait."""
        stop(self.process)


def _flow(broker: int, database: Path) -> list[dict[str, object]]:
    sql = "INSERT INTO uplink VALUES ($topic, $t, $body)"
    return [
        {"id": "tab", "type": "tab", "label": "bench"},
        {"id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(broker), "clientid": "node-red", "autoConnect": True, "protocolVersion": "4", "keepalive": "60", "cleansession": True},
        {"id": "file", "type": "sqlitedb", "db": str(database), "mode": "RW"},
        {"id": "in", "type": "mqtt in", "z": "tab", "topic": "#", "qos": "1", "datatype": "utf8", "broker": "broker", "inputs": 0, "wires": [["read"]]},
        {"id": "read", "type": "function", "z": "tab", "func": _PARAMETERS, "outputs": 1, "wires": [["write"]]},
        {"id": "write", "type": "sqlite", "z": "tab", "mydb": "file", "sqlquery": "prepared", "sql": sql, "wires": [[]]},
    ]  # fmt: skip
