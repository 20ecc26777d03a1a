"""An erasure as the command begins it."""

from pathlib import Path

from gateway.app import erasing
from gateway.app.erasure import Erasure
from gateway.keys.ring import KeyRing
from gateway.model.instant import Instant
from gateway.registry.registry import Registry
from gateway.statedir import StateDir


def begin(
    state: StateDir,
    ring: KeyRing,
    registry: Registry,
    household: str,
    copies: tuple[Path, ...],
    at: Instant,
) -> Erasure:
    """Write down the first thing that is to be done."""
    first = erasing.planned(state, ring, registry, household, copies, at).erasures[0]
    erasing.begin(state, first)
    return first
