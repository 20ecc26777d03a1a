"""A made-up partition round HOME, and policies that stand on it."""

from dataclasses import replace
from typing import Any

from gateway.model.instant import MINUTE
from gateway.privacy.mesh import MESHES
from gateway.privacy.partition import Partition, Zone
from gateway.privacy.policy import Believed, Policy, Shape, Staying, Zoned
from tests.fakes.readings import HOME, policy

QUARTER = MESHES["250m"]
EIGHTH = MESHES["125m"]
_HERE = QUARTER.cell(*HOME)
PIN = "7" * 64


def _partition() -> Partition:
    """Two zones of two cells each, beside one another; HOME lies in z-0001."""
    beside = QUARTER.neighbours(_HERE)
    south, west, east, north = beside
    return Partition(
        "made-up",
        QUARTER,
        {
            "z-0001": Zone(frozenset({_HERE, north}), "100 to 199"),
            "z-0002": Zone(frozenset({south, west}), "200 to 499"),
        },
        frozenset({east}),
    )


PARTITION = _partition()


def zoned(**rules: Any) -> Policy:
    """The recommended rules in short: a zone and 100 m, cells of 125 m, ten minutes, runs of three, stays."""
    usual = policy(
        zoned=Zoned(PARTITION, PIN),
        buffer_m=100.0,
        reopen_far_m=None,
        believed=Believed(15 * MINUTE, 15 / 3.6),
        staying=Staying(15 * MINUTE, 100.0),
        shape=Shape(frozenset({"cell", "leg_class"}), cells=EIGHTH, step=10 * MINUTE, run=3),
    )
    return replace(usual, **rules)
