"""What `sekisho simulate` sets out to do: its options, and what follows from them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gateway.devices.catalog import declared
from gateway.model.errors import Refusal
from gateway.model.instant import CALENDAR_END, HOUR, SECOND, Instant, parse_rfc3339
from gateway.registry.words import nearest
from sekisho import destination, fault_menu
from simulators.drive import Step
from simulators.scenario import Scenario

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_MQTT_PACE = 60.0
_MOST_EXTRA = 10_000
_STEP = "10s"
_LONGEST_STEP = HOUR


@dataclass(frozen=True, slots=True)
class Journey:
    """Everything decided before the first uplink leaves."""

    scenario: Scenario
    to: str
    pace: float
    until: Instant | None
    user: str | None
    password: bytes | None
    cafile: Path | None
    just_issued: bool = False
    step: Step | None = None
    connections: int = 1
    qos: int = 1

    @property
    def file(self) -> Path | None:
        """The file that it writes; None over MQTT and to standard output."""
        scheme, _, path = self.to.partition(":")
        return Path(path) if scheme == "file" and path != "-" else None


def wish(
    file: Path | None, faults: str | None, extra: Sequence[str] = (), **options: float | str | None
) -> Scenario:
    """The scenario of the file, or the usual one, with what the options say instead.

    Args:
        extra: devices of declared kinds, each as `snow_gauge=3`.

    Raises:
        Refusal: the file has faults, or the options have; `extra` names no declared kind.
    """
    scenario = Scenario()
    if file is not None:
        from sekisho.scenario_file import read_scenario

        scenario = read_scenario(file)
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    if extra:
        given["extra"] = {**scenario.extra, **dict(map(_some, extra))}
    if faults is not None:
        given["faults"] = {**scenario.faults, **fault_menu.read(faults)}
    return replace(scenario, **given)


def _some(text: str) -> tuple[str, int]:
    kind, equals, number = text.partition("=")
    if not equals or not number.isdecimal() or int(number) > _MOST_EXTRA:
        raise Refusal(f"--extra {text}: write KIND=N, as snow_gauge=3; at most {_MOST_EXTRA:,}.", 2)
    if kind not in declared():
        unless = (
            f" Declared are {', '.join(declared())}." if declared() else " None is: --kinds DIR."
        )
        hint = nearest(kind, list(declared()), unless=unless)
        raise Refusal(f'--extra {text}: no kind "{kind}" is declared.{hint}', 2)
    return kind, int(number)


def decide(
    wished: Scenario,
    to: str | None,
    pace: float | None,
    start: str | None,
    duration: str | None,
    follow: Path | None,
    user: str | None,
    password_file: Path | None,
    cafile: Path | None,
    register: Path | None,
    step: str | None,
) -> Journey:
    """Options and what follows from them.

    Raises:
        Refusal: they contradict each other or cannot be understood.
    """
    begin = wished.start if start is None else _moment(start)
    in_step = None
    if follow is not None:
        if start is not None:
            raise Refusal("--start and --follow both set the clock. Give one of them.", 2)
        gateway = destination.follow(follow)
        begin = gateway.now
        in_step = _in_step(gateway, step)
        to = to or gateway.door
        if to is None:
            raise Refusal(f"The gateway on {follow} has no open MQTT door. Give --to.")
        pace = pace if pace is not None else None if in_step else 1.0
        cafile = cafile or gateway.ca
    if step is not None and in_step is None:
        raise Refusal(
            "--step is how far the clock of a followed gateway moves at once: it needs --follow, and a "
            "gateway that lives in simulated time (sekisho run --clock sim://TIME).",
            2,
        )
    to = to or f"file:uplinks-{wished.seed}.jsonl"
    is_file = to.startswith("file:")
    if not is_file and not to.startswith(("mqtt://", "mqtts://")):
        raise Refusal(
            f"--to {to}: uplinks go to mqtt://host:port, mqtts://host:port or file:PATH.", 2
        )
    if pace is None:
        pace = 0.0 if is_file else _MQTT_PACE if wished.devices is None else 1.0
    lasts = length("--for", duration) if duration else (24 * HOUR if is_file else None)
    state = follow or register
    if not is_file and register is None:
        user, password = destination.password_of(password_file, state, user)
    else:
        user, password = destination.password_of(password_file, None, user)
    scenario = replace(wished, start=begin)
    until = None if lasts is None else begin + lasts
    if duration is None and wished.ends is not None:
        until = wished.ends
    if not 0 <= begin <= (begin if until is None else until) < CALENDAR_END:
        raise Refusal("The town lives between 1970 and 2200: choose --start and --for so.", 2)
    return Journey(scenario, to, pace, until, user, password, cafile, step=in_step)


def _moment(text: str) -> Instant:
    try:
        return parse_rfc3339(text)
    except ValueError:
        raise Refusal(
            f"--start {text}: a time with its offset is needed, as 2026-05-12T07:00:00+09:00.", 2
        ) from None


def _in_step(gateway: destination.Followed, step: str | None) -> Step | None:
    """How to go in lock-step with a gateway; None for one on real time."""
    if not gateway.simulated:
        return None
    long = length("--step", step or _STEP)
    if long > _LONGEST_STEP:
        raise Refusal(f"--step {step}: the clock moves by an hour at once, at most.", 2)
    return Step(long, gateway.advance)


def length(option: str, text: str) -> Instant:
    """A duration of an option, as 90min.

    Raises:
        Refusal: it is none.
    """
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,12})?)(s|m|min|h|d)", text)
    if not found or round(float(found[1]) * _UNITS[found[2]]) <= 0:
        raise Refusal(
            f"{option} {text}: a number and one of s min h d is needed, as 90min or 24h.", 2
        )
    return round(float(found[1]) * _UNITS[found[2]]) * SECOND


def pause_s(option: str, text: str) -> float:
    """Seconds between two reports: a duration as 10min, or a bare number of seconds; one at least.

    Raises:
        Refusal: it is none, or shorter.
    """
    bare = re.fullmatch(r"\d{1,12}(\.\d{1,12})?", text)
    seconds = float(text) if bare else length(option, text) / SECOND
    if seconds < 1:
        raise Refusal(f"{option} {text}: a second is the shortest.", 2)
    return seconds
