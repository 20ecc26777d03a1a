"""What hides a home hides enough to be believed: floors of circles and zones, in every lane.

The numbers of reopening are those of docs/mask.md: a tracker that drifts indoors must not open its guard.
"""

from collections.abc import Iterator

from gateway.rules.finding import Finding, Path
from gateway.rules.masks import Circle, Zone
from gateway.rules.model import RAM, Lane
from gateway.rules.words import span

LEAST_RADIUS_M = 50.0
"""The cities' rule: nothing nearer to home."""
LEAST_BUFFER_M = 50.0
"""Round a zone: without it a family at the edge is seen at its door."""
LEAST_ACCURACY_M = 5.0
"""As well as a receiver under the open sky knows its place."""
MOST_ACCURACY_M = 100.0
"""A fix that knows less tells nothing that may be relied on."""
MOST_GAP_US = 7_200_000_000
"""A silence after which nobody knows where a tracker was."""
LEAST_FIXES = 3
LEAST_NET_M = 150.0
LEAST_FAR_M = 300.0


def guards(lane: Lane, path: Path) -> Iterator[Finding]:
    """Circles and zones that would hide less than they say."""
    if lane.count or lane.source != RAM:
        return
    if lane.name != "guardian_live" and not any(
        isinstance(rule, Circle | Zone) for rule in lane.suppress
    ):
        yield Finding(
            path, "this lane would show where children live. Add to suppress a zone, or at least a circle of 50 m."
        )  # fmt: skip
    for index, rule in enumerate(lane.suppress):
        if isinstance(rule, Circle | Zone):
            yield from _floors(rule, (*path, "suppress", index))


def _floors(rule: Circle | Zone, path: Path) -> Iterator[Finding]:
    if isinstance(rule, Circle) and rule.radius_m < LEAST_RADIUS_M:
        yield Finding(
            (*path, "radius"),
            f"the floor is {LEAST_RADIUS_M:g} m round home, and here it is {rule.radius_m:g} m. Write "
            f"{LEAST_RADIUS_M:g} m or more; better, a zone.",
        )
    if isinstance(rule, Zone) and rule.buffer_m < LEAST_BUFFER_M:
        yield Finding(
            (*path, "buffer"),
            f"who lives at the edge of a zone is seen at the door: with {rule.buffer_m:g} m round it hides too little. "
            f"Write {LEAST_BUFFER_M:g} m or more; better, 100 m.",
        )
    if rule.gap_us > MOST_GAP_US:
        yield Finding(
            (*path, "gap"),
            f"who was silent for {span(rule.gap_us)} may have come home unseen, and what drifts there would be shown. Write "
            f"{span(MOST_GAP_US)} or less; 30 min is usual.",
        )
    yield from _accuracy(rule, path)
    yield from _reopening(rule, path)


def _accuracy(rule: Circle | Zone, path: Path) -> Iterator[Finding]:
    limit = rule.accuracy_limit_m
    if rule.default_accuracy_m < LEAST_ACCURACY_M:
        yield Finding(
            (*path, "default_accuracy"),
            f"a device that does not say how well it knows its place does not know it to {rule.default_accuracy_m:g} m. "
            f"Write {LEAST_ACCURACY_M:g} m or more; 10 m is usual.",
        )
    if isinstance(rule, Zone) and limit > rule.buffer_m:
        yield Finding(
            (*path, "accuracy_limit"),
            f"a fix that knows its place to {limit:g} m may lie in the zone, although it seems {rule.buffer_m:g} m away "
            "from it. Write no more than buffer.",
        )
    elif limit > MOST_ACCURACY_M:
        yield Finding(
            (*path, "accuracy_limit"),
            f"a fix that knows its place to {limit:g} m tells nothing of where anybody was. Write "
            f"{MOST_ACCURACY_M:g} m or less.",
        )


def _reopening(rule: Circle | Zone, path: Path) -> Iterator[Finding]:
    opens = rule.reopen
    if opens.fixes < LEAST_FIXES:
        yield Finding(
            (*path, "reopen", "fixes"),
            f"fixes that drift come one by one: {opens.fixes} of them prove nothing. Write {LEAST_FIXES} or more.",
        )
    if opens.net_m < LEAST_NET_M:
        yield Finding(
            (*path, "reopen", "net"),
            f"a tracker that lies still drifts so far: {opens.net_m:g} m of way prove nothing. Write "
            f"{LEAST_NET_M:g} m or more.",
        )
    if opens.far_m is not None and opens.far_m < LEAST_FAR_M:
        yield Finding(
            (*path, "reopen", "far"),
            f"a tracker that lies still drifts so far: {opens.far_m:g} m farther out prove nothing. Write "
            f"{LEAST_FAR_M:g} m or more, or take far out.",
        )
