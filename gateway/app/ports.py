"""Who holds a TCP port on this machine, as far as this user may see (Linux, /proc)."""

import errno
import os
from pathlib import Path

_LISTEN = "0A"  # tcp_states.h: TCP_LISTEN


def holder(port: int, proc: Path = Path("/proc")) -> str | None:
    """The process that listens on `port`, as "mosquitto (process 812)"; None if it cannot be seen."""
    inodes = {
        fields[9]
        for table in ("tcp", "tcp6")
        for fields in map(str.split, _lines(proc / "net" / table))
        if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port
    }
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in proc.glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in wanted for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            continue
    return None


def _lines(table: Path) -> list[str]:
    try:
        return table.read_text().splitlines()[1:]
    except OSError:
        return []


def sentence(door: str, setting: str, host: str, port: int, error: OSError) -> str:
    """Why a door stays shut: what holds its port, and which setting to change."""
    name = f"Door {door}: {host}:{port} cannot be opened"
    if error.errno == errno.EADDRINUSE:
        who = holder(port) or "another process"
        return (
            f"{name}, because {who} holds it. Stop that, or choose another port: "
            f"{setting} (0 takes a free one)."
        )
    if error.errno == errno.EACCES:
        return f"{name}: ports below 1024 are the system's. Choose another: {setting}."
    return f"{name} ({os.strerror(error.errno or 0)}). Check bind and {setting}."
