"""Sekisho's commands as real processes, each wait with its deadline."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.e2e.town import Town

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
SEKISHO = ("-m", "sekisho")


def until(reached: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Poll until `reached` answers something true, which is returned; fail after `patience_s`."""
    deadline = time.monotonic() + patience_s
    while True:
        found = reached()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {patience_s:g} s in vain for {what}"
        time.sleep(0.01)


def environment(**more: str) -> dict[str, str]:
    """Ours, without what would point a command at another directory."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SEKISHO")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


def sekisho(folder: Path, *words: str, patience_s: float = PATIENCE_S) -> tuple[int, str, str]:
    """Run a command in `folder` to its end: exit code, standard output, standard error."""
    done = subprocess.run(
        [sys.executable, *SEKISHO, *words],
        cwd=folder,
        env=environment(),
        capture_output=True,
        check=False,
        text=True,
        timeout=patience_s,
    )
    return done.returncode, done.stdout, done.stderr


@contextmanager
def ended(process: "subprocess.Popen[bytes]", by: signal.Signals = signal.SIGKILL) -> Iterator["subprocess.Popen[bytes]"]:  # fmt: skip
    """A process that is over when the block is left, however that happens.

    Args:
        by: what it is told if it still runs then; SIGKILL follows where that does not help.
    """
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(by)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S)
        process.kill()
        process.wait()


@contextmanager
def background(folder: Path, name: str, *words: str) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:  # fmt: skip
    """A command that runs beside the test, and the file with what it prints."""
    said = folder / f"{name}.txt"
    with said.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *SEKISHO, *words],
            cwd=folder,
            env=environment(),
            stdout=out,
            stderr=out,
        )
    with ended(process, signal.SIGINT):
        yield process, said


class Gateway:
    """`sekisho run` on a town; leaving the block kills what still runs.

    Args:
        words: further options of `run`; another life may get others.
        launcher: what Python is told to run instead of `-m sekisho`.
    """

    def __init__(
        self,
        town: Town,
        *words: str,
        launcher: Sequence[str] = SEKISHO,
        variables: dict[str, str] | None = None,
    ) -> None:
        self.town = town
        self.log = town.folder / "gateway.log"
        self.words = words
        self._launcher = tuple(launcher)
        self._environment = environment(**(variables or {}))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.running: dict[str, Any] = {}

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "not started"
        return self._process

    def launch(self) -> None:
        """Start the process and do not wait for its doors."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    *self._launcher,
                    "run",
                    "--config",
                    str(self.town.config),
                    *self.words,
                ],
                cwd=self.town.folder,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start(self, launcher: Sequence[str] | None = None) -> Self:
        """Start and wait until the doors are open."""
        if launcher is not None:
            self._launcher = tuple(launcher)
        self.launch()
        self.running = until(self._described, "the gateway's doors")
        self.port = self.running["doors"]["mqtt"]["port"]
        return self

    def _described(self) -> dict[str, Any] | None:
        code = self.process.poll()
        assert code is None, f"the gateway ended with {code}: {self.said()}"
        try:
            found: dict[str, Any] = json.loads(self.town.state.run_file.read_bytes())
        except (OSError, ValueError):
            return None
        return found if found["pid"] == self.process.pid else None

    def said(self) -> str:
        """Everything printed and logged so far, by all its lives."""
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL, now."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, patience_s: float = PATIENCE_S) -> int:
        """Its exit code."""
        return self.process.wait(patience_s)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self._end()
            raise

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
