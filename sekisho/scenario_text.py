"""A scenario as the text of a file that `sekisho simulate --scenario` reads back."""

from collections.abc import Mapping

from gateway.model.instant import Instant, to_rfc3339
from simulators.calendar import ZONE
from simulators.scenario import Scenario


def written(scenario: Scenario) -> str:
    """YAML; times to the millisecond."""
    lines = [
        "# Written by sekisho simulate --shrink. Use it:  sekisho simulate --scenario FILE",
        f"seed: {scenario.seed}",
        f"children: {scenario.children}",
        f"start: {_moment(scenario.start)}",
        f"report_every: {scenario.report_every_s} s",
        f"harm: {scenario.harm}",
        *_mapping("faults", scenario.faults),
        *_mapping("extra", scenario.extra),
    ]
    if scenario.devices is not None:
        lines.append(f"devices: {scenario.devices}")
    if scenario.begins is not None:
        lines.append(f"from: {_moment(scenario.begins)}")
    if scenario.ends is not None:
        lines.append(f"until: {_moment(scenario.ends)}")
    if scenario.only:
        lines += ["only:", *(f'  - "{name}"' for name in scenario.only)]
    return "\n".join(lines) + "\n"


def _moment(at: Instant) -> str:
    return to_rfc3339(at, ZONE)


def _mapping(name: str, values: Mapping[str, float]) -> list[str]:
    if not values:
        return []
    return [f"{name}:", *(f"  {key}: {value}" for key, value in values.items())]
