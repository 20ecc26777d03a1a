"""What every test may ask for, and the guards that run around all of them."""

import fcntl
import logging
import os
import shutil
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings

from gateway.devices import catalog as catalog_module
from sekisho.canary_fixture import canary_scan

__all__ = ["canary_scan"]

settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("ci")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Real recordings that may be read but not shipped; required where the folder exists."""


class _Strict(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        record.getMessage()


@pytest.fixture(autouse=True)
def log_lines_must_format() -> Iterator[None]:
    """A log call whose arguments do not fit its text fails the test that made it."""
    handler = _Strict()
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)


@pytest.fixture(autouse=True)
def kinds_are_declared_for_one_test_alone() -> Iterator[None]:
    """What a test declares, or a configuration that it loads, is gone behind it."""
    before = dict(catalog_module._DECLARED)
    yield
    if before != catalog_module._DECLARED:
        catalog_module._DECLARED.clear()
        catalog_module._DECLARED.update(before)
        catalog_module.catalog.cache_clear()


# -- tests that need a tool or a recording, and the count by sort at the end

APT = {
    "mosquitto": "mosquitto",
    "mosquitto_pub": "mosquitto-clients",
    "zstd": "zstd",
    "npm": "nodejs npm",
    "ogrinfo": "gdal-bin",
    "systemd-analyze": "systemd",
    "strace": "strace",
}
"""Tool → the Debian package that brings it."""

REQUIRED = os.environ.get("SEKISHO_REQUIRE") == "all"

_NOT_RUN = "not run"
"""The property by which a skipped test says what it needs, also where it ran in a worker."""

_begun = time.monotonic()
_seconds: dict[str, float] = defaultdict(float)
_counts: Counter[str] = Counter()
_not_run: dict[str, list[str]] = defaultdict(list)


def tool(name: str) -> str | None:
    """Where a program lies, Debian's sbin included."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@cache
def may_mount() -> bool:
    """Whether this user may mount a small disk of a test's own."""
    with TemporaryDirectory() as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder],
            capture_output=True,
            check=False,
        )
        if mounted.returncode == 0:
            subprocess.run(["umount", folder], check=True)
    return mounted.returncode == 0


NPM = Path(__file__).parent / "e2e" / "npm"
"""The npm client; what it needs is installed beside it, as its lock file says."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Of all processes that ask for a folder one at a time is inside."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


@cache
def npm_lacks() -> str | None:
    """What would make the npm client run; None where it can, after installing it if it is not there."""
    npm = tool("npm")
    if npm is None or tool("node") is None:
        return f"sudo apt install {APT['npm']}"
    installed, lock = NPM / "node_modules" / ".package-lock.json", NPM / "package-lock.json"
    line = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    with alone(NPM):
        if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
            return None
        try:
            done = subprocess.run(line, cwd=NPM, capture_output=True, check=False, timeout=300)
        except subprocess.TimeoutExpired:
            return "a network that reaches a registry of npm"
    return None if done.returncode == 0 else "a network that reaches a registry of npm"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A missing tool is a failure where everything is required, and named at the end elsewhere."""
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            if name == "shared data":
                missing = not SHARED_DATA.is_dir()
                remedy, required = "a checkout with the shared recordings beside it", False
            elif name == "mount":
                missing = not may_mount()
                remedy, required = "a user who may mount a disk (root, outside a sandbox)", False
            elif name == "npm":
                missing, required = npm_lacks() is not None, REQUIRED
                remedy = npm_lacks() or ""
            else:
                missing = tool(name) is None
                remedy, required = f"sudo apt install {APT[name]}", REQUIRED
            if missing and required:
                pytest.fail(f"needs {name}: {remedy}")
            if missing:
                item.user_properties.append((_NOT_RUN, remedy))
                pytest.skip(f"NOT RUN, needs {name}: {remedy}")


def pytest_xdist_auto_num_workers() -> int:
    """Workers for `-n auto`: two a core, since a test of real processes waits more than it works; more than
    eight would not end sooner than the longest tests do.
    """
    return min(2 * len(os.sched_getaffinity(0)), 8)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count a test; of a worker's tests this is what the process that prints learns."""
    sort = report.nodeid.split("/")[1]
    _seconds[sort] += report.duration
    if report.when == "call":
        _counts[sort] += 1
    if report.when == "setup" and report.skipped:
        for name, remedy in report.user_properties:
            if name == _NOT_RUN:
                _not_run[str(remedy)].append(report.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tests of each sort and the sum of their seconds; then what was not run, with what would make it run."""
    for sort in sorted(_seconds):
        terminalreporter.write_line(f"{sort:<10} {_counts[sort]:>5} tests {_seconds[sort]:>7.1f} s")
    took = time.monotonic() - _begun
    terminalreporter.write_line(
        f"{'together':<10} {_counts.total():>5} tests {sum(_seconds.values()):>7.1f} s, run in {took:.1f} s"
    )
    for remedy, tests in sorted(_not_run.items()):
        terminalreporter.write_line(f"NOT RUN: {len(tests)} tests need: {remedy}")
        for test in sorted(tests):
            terminalreporter.write_line(f"  {test}")
