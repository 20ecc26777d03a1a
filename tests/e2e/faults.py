"""Faults of the machine, done to one running process by the kernel itself."""

import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tests.conftest import tool
from tests.e2e.processes import ended, until


@contextmanager
def failing(process: int, folder: Path, *faults: str) -> Iterator[None]:
    """System calls of a process fail or linger while the block lasts.

    Args:
        faults: as strace's `inject` takes them, for example "fdatasync:error=EIO:when=1..2".
    """
    said = folder / "strace.txt"
    words = [word for fault in faults for word in ("-e", f"inject={fault}")]
    calls = ",".join(fault.partition(":")[0] for fault in faults)
    with said.open("wb") as out:
        strace = subprocess.Popen(
            [
                *(str(tool("strace")), "-f", "-p", str(process), "-o", "/dev/null"),
                *("-e", f"trace={calls}", *words),
            ],
            stderr=out,
        )
    with ended(strace, signal.SIGINT):
        until(lambda: b"attached" in said.read_bytes(), "strace to attach")
        yield


@contextmanager
def no_more_files(process: int) -> Iterator[None]:
    """The process may open no file beyond those it has, while the block lasts."""
    has = {int(entry.name) for entry in Path(f"/proc/{process}/fd").iterdir()}
    free = next(number for number in count() if number not in has)
    soft, hard = resource.prlimit(process, resource.RLIMIT_NOFILE)
    resource.prlimit(process, resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_NOFILE, (soft, hard))
