"""Names of things: which spellings a device, a credential and a household may have."""

import re
import unicodedata
from typing import NewType

DeviceId = NewType("DeviceId", str)
"""A device's name in topics and commands, for example `river-12`: 1 to 64 of `a-z 0-9 . _ -`."""

HouseholdId = NewType("HouseholdId", str)
"""A household's name, for example `h-0007`; the same alphabet. It says nothing about the place."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def is_name(text: str) -> bool:
    """Whether `text` may name a device, a credential or a household."""
    return _NAME.fullmatch(text) is not None


_TURNS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What turns the direction of a text."""


def is_printed(letter: str) -> bool:
    """Whether a letter stands in its line and changes no other: no control character, no end of a line, no turn."""
    return unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp") and letter not in _TURNS
