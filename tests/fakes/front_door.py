"""What one command line came to."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias


class Answer(NamedTuple):
    """Exit code, standard output and standard error."""

    code: int
    out: str
    err: str


Sekisho: TypeAlias = Callable[..., Answer]
"""Runs a verb with these words, and `stdin` as standard input."""
