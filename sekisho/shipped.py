"""Where the rule sets lie that are shipped: in the package, or in the project's folder."""

from pathlib import Path

import sekisho

_HERE = Path(sekisho.__file__).parent


def rule_sets() -> Path:
    """The folder of `toyama-zone.yaml` and the others, with `partitions/` in it."""
    packed = _HERE / "rule_sets"
    return packed if packed.is_dir() else _HERE.parent / "config" / "privacy"
