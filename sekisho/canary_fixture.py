"""A pytest fixture for other people's tests: `from sekisho.canary_fixture import canary_scan` in a conftest.

def test_nothing_private_stays(canary_scan, tmp_path):
    run_my_gateway(tmp_path)
    assert canary_scan(tmp_path, Canaries(homes=((36.69530417, 137.21130483),))) == []
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest

from gateway.canary.canaries import Canaries, Hit
from gateway.canary.search import Search
from gateway.canary.stream import scan_bytes
from sekisho.canary_controls import check
from sekisho.canary_tree import scan, unzstd

CanaryScan = Callable[[Path | bytes, Canaries], list[Hit]]


@lru_cache(maxsize=4)
def _proven(canaries: Canaries) -> Search:
    """A search whose every positive control was found."""
    search = Search(canaries, unzstd=unzstd)
    blind = check(canaries, search).blind
    assert not blind, f"the scanner is blind to {', '.join(f'{b.canary}: {b.form}' for b in blind)}"
    return search


def look(place: Path | bytes, canaries: Canaries) -> list[Hit]:
    """Everything found in a folder, a file or a piece of bytes; empty where there is nothing.

    Raises:
        AssertionError: a positive control was not found: the search would say nothing.
    """
    search = _proven(canaries)
    if isinstance(place, bytes):
        return scan_bytes(place, search)
    return scan(place, search).hits


@pytest.fixture
def canary_scan() -> CanaryScan:
    """`look`, as a fixture."""
    return look
