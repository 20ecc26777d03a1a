"""The page of channels is as the tests are, and every channel has a test or a sentence."""

from pathlib import Path

import pytest

from tools import describe_channels
from tools.describe_channels import CANNOT, CHANNELS, PAGE, marked


def test_every_channel_has_a_test_or_a_sentence() -> None:
    """C1 to C40, each once, and never both."""
    assert list(CHANNELS) == [f"C{number}" for number in range(1, 41)]
    proved = set(marked())
    assert proved | CANNOT.keys() == CHANNELS.keys()
    assert not proved & CANNOT.keys()


def test_the_page_is_as_the_tests_are() -> None:
    assert PAGE.read_text("utf-8") == describe_channels.page(), (
        "run python -m tools.describe_channels"
    )


def test_a_marker_without_a_channel_is_refused(tmp_path: Path) -> None:
    """A misspelt number proves nothing."""
    (tmp_path / "test_x.py").write_text('@pytest.mark.channel("C41")\ndef test_it() -> None: ...\n')
    with pytest.raises(ValueError, match="test_it names no channel: C41"):
        marked(tmp_path)
