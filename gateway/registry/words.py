"""The nearest right word to a wrong one."""

from collections.abc import Sequence
from difflib import get_close_matches


def nearest(word: str, choices: Sequence[str], *, unless: str = "") -> str:
    """` Did you mean …?`, or `unless` where nothing is near."""
    near = get_close_matches(word, choices, n=1, cutoff=0.6)
    return f" Did you mean {near[0]}?" if near else unless
