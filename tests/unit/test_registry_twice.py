"""A registry that one process has open twice, as a gateway with LoRaWAN has, loses nothing to another process."""

import subprocess
import sys
from pathlib import Path

from gateway.registry import database

_LOOK = """
import sys
from pathlib import Path
from gateway.registry import database
database.connect(Path(sys.argv[1])).close()
"""


def test_what_is_written_after_another_process_looked_is_on_disk(tmp_path: Path) -> None:
    """The other process is not the last one to have it open, and must not take the log away."""
    path = tmp_path / "registry.db"
    first, second = database.connect(path), database.connect(path)
    second.execute("CREATE TABLE notes (n INTEGER)")
    subprocess.run([sys.executable, "-c", _LOOK, str(path)], check=True, timeout=30)
    second.execute("INSERT INTO notes VALUES (1)")
    third = database.connect(path)
    assert third.execute("SELECT n FROM notes").fetchall() == [(1,)]
    for one in (first, second, third):
        one.close()
