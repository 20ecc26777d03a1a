"""For which lanes of the rules in force guardians are asked, and for which a device still needs their word."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from gateway.model.errors import Refusal
from gateway.registry.purposes import PURPOSES, STORE
from gateway.registry.registry import Registry
from gateway.registry.words import nearest
from gateway.settings.settings import Settings
from gateway.statedir import StateDir
from sekisho import screen
from sekisho.homes import policy_of, wanting
from sekisho.place import Place


class Known(NamedTuple):
    """What decides whether anything of a device is stored; see `homes.lacking`."""

    consents: Mapping[str, frozenset[str]]
    homes: Mapping[str, str]
    needed: frozenset[str]


def known(here: Place, registry: Registry) -> Known:
    """What is known of all devices just now."""
    homes = wanting(registry.families.homes(), policy_of(here.settings, here.state))
    lanes = lanes_in(here.settings, here.state)
    return Known(registry.consents(), homes, needed(lanes))


def lanes_in(settings: Settings | None, directory: StateDir) -> tuple[str, ...] | None:
    """The lanes that take something of a child; None where this configuration is not the directory's own."""
    if settings is None or settings.state.resolve() != directory.path.resolve():
        return None
    return tuple(
        lane.name
        for lane in settings.rules.lanes
        if lane.name in PURPOSES
        and (not lane.count or any(rule.distinct == "household" for rule in lane.count))
    )


def needed(lanes: Collection[str] | None) -> frozenset[str]:
    """One of these a device needs a consent for: before anything of it is kept, or else before it is counted or shown."""
    return frozenset({STORE} if lanes is None or STORE in lanes else lanes)


def for_which(purpose: str | None, lanes: Collection[str] | None) -> str:
    """The lane that a consent is for: the one that is said, else the one that there is.

    Raises:
        Refusal: there is none of that name, or nobody can tell which is meant.
    """
    if purpose is not None:
        require(purpose)
        if lanes is not None and purpose not in lanes:
            screen.warn(f"The rules in force have no lane {purpose} of children: {_there(lanes)}.")
        return purpose
    asked = needed(lanes)
    if len(asked) == 1:
        return next(iter(asked))
    raise Refusal(
        f"--purpose: for which lane? The rules in force have no lane {STORE}: {_there(asked)}.", 2
    )


def require(purpose: str) -> None:
    """Refuse a name that no lane of children bears.

    Raises:
        Refusal: with the nearest.
    """
    if purpose not in PURPOSES:
        hint = nearest(purpose, sorted(PURPOSES))
        raise Refusal(
            f"--purpose {purpose}: guardians agree to one of {', '.join(sorted(PURPOSES))}.{hint}",
            exit_code=2,
        )


def _there(lanes: Collection[str]) -> str:
    return f"there is {', '.join(sorted(lanes))}" if lanes else "there is none that asks guardians"
