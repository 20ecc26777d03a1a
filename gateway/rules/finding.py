"""A contradiction in a rule set, and where it stands."""

from typing import NamedTuple, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Names and positions from the top of the file, as the file writes them: `("lanes", 0, "suppress")`."""


class Finding(NamedTuple):
    """What contradicts what, and what to do about it."""

    path: Path
    sentence: str
