"""Full-width letters of a Japanese keyboard where YAML and numbers need half-width ones: they look alike, and mean nothing."""

import re
from unicodedata import normalize

_WIDE = re.compile(r"[\u3000\uff01-\uff5e]")
_SAID = {"\u3000": "space", "\uff1a": "colon"}
_NAME = re.compile(r"[\s-]*[A-Za-z_][\w-]*\s*(:.*)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?[\d.,]*\d\s*[A-Za-z%°/]*", re.ASCII)


def in_name(text: str) -> str | None:
    """The sentence about a name that is one of ours but for its width; None where it is not."""
    return _sentence(text) if _NAME.fullmatch(normalize("NFKC", text)) else None


def in_value(text: str, *, unnamed: bool) -> str | None:
    """The same about a value without quotes that would be a number, or, standing alone, a setting with its value.

    Args:
        unnamed: whether it stands alone, in a list or as the whole file.
    """
    plain = normalize("NFKC", text)
    meant = _NUMBER.fullmatch(plain) or (unnamed and ":" in plain and _NAME.fullmatch(plain))
    return _sentence(text) if meant else None


def before(lines: list[str], number: int) -> tuple[int, int, str] | None:
    """Line, column (from 1) and sentence of the nearest full-width letter between a setting and its value, from line
    `number` backwards to the one before it; None where there is none.
    """
    for at in (number, number - 1):
        line = lines[at - 1] if 0 < at <= len(lines) else ""
        bare = re.sub(r"\"[^\"]*\"|'[^']*'|#.*", lambda cut: "x" * len(cut[0]), line)
        if (found := _WIDE.search(bare)) is not None:
            return at, found.start() + 1, f"{_what(found[0])}: write it half-width."
    return None


def _sentence(text: str) -> str | None:
    found = _WIDE.search(text)
    return found and f"{_what(found[0])}: write it half-width, or in quotes where it is meant so."


def _what(letter: str) -> str:
    plain = normalize("NFKC", letter)
    what = _SAID.get(letter, "digit" if plain.isdigit() else f"“{plain}”")
    return f"there is a full-width {what} here"
