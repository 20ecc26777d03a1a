"""What every test may ask for, and the two guards that run around all of them."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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
