"""The one form of a rule set that all ways of writing it share, and its digest."""

import json
from dataclasses import fields, is_dataclass
from hashlib import sha256
from typing import Any

from gateway.rules.model import RuleSet


def canonical(rules: RuleSet) -> str:
    """JSON with sorted names, SI numbers and the kind of each rule; the same for every spelling of one rule set."""
    return json.dumps(_plain(rules), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(rules: RuleSet) -> str:
    """Hex SHA-256 of the canonical form."""
    return sha256(canonical(rules).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        named = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return {"kind": type(value).__name__, **named}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value
