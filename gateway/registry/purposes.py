"""What a guardian may agree to: one purpose for each lane that takes something of a child."""

from typing import get_args

from gateway.rules.model import LaneName

STORE = "store"
"""The purpose that a child's device needs before anything of it is kept."""

PURPOSES = frozenset[str](get_args(LaneName)) - {"ridership"}
"""Names of lanes. Bags are counted without: they belong to no household that could be asked."""
