"""Which households' homes the rules in force can use: kept as zones of another partition, or of a circle as zones alone, they hide nothing."""

from collections.abc import Iterable, Mapping

from gateway.keys.ring import KeyRing
from gateway.model.device import Household
from gateway.privacy.policy import Policy
from gateway.registry import family_book
from gateway.registry.device_rows import DeviceRow
from gateway.settings.settings import Settings
from gateway.statedir import StateDir
from sekisho import facts, screen

_CIRCLE = "as a zone alone, and the rules in force draw a circle"
_ANOTHER = "as a zone of another partition than that of the rules in force"


def unusable(family: Household | None, policy: Policy | None) -> str | None:
    """Why nothing can be hidden round a family's home, in words; None where it can. Without rules, whether one is known."""
    if family is None:
        return "it belongs to no household"
    if family.home is None and family.zone is None:
        return "its household has no home"
    if policy is None:
        return None
    waits = _waits(family, policy)
    if waits:
        return f"a home that its household moved from is kept {waits}: nothing is stored until no row from before is left"
    kept = None if family.home is not None else _kept(family, policy)
    if kept:
        return f"the home of its household is kept {kept}"
    return (
        "its household lives in no zone of the rules in force"
        if in_no_zone(family, policy)
        else None
    )


def in_no_zone(family: Household, policy: Policy | None) -> bool:
    """Whether a home is known, and lies outside all zones that the rules in force stand on; without rules, whether it was kept so."""
    if policy is None:
        return family.zone == ""
    if policy.zoned is None:
        return False
    if family.home is None:
        return family.zone == "" and family.partition == policy.zoned.pin
    return policy.zoned.partition.zone_of(family.home.lat, family.home.lon) is None


def _waits(family: Household, policy: Policy) -> str | None:
    """How a home that a family moved from is kept, where these rules cannot lay it out."""
    left = (one for one in family.former if one.home is None and one.zone)
    return next((kept for one in left if (kept := _kept(one, policy))), None)


def lacking(
    row: DeviceRow,
    consents: Mapping[str, frozenset[str]],
    homes: Mapping[str, str],
    needed: frozenset[str],
) -> str:
    """What has to be known before anything of a device is stored; "" for nothing, and for things of the city.

    Args:
        homes: of each household whose home is known, what `wanting` says.
        needed: for one of these lanes it needs a consent; none, where the rules have no lane of children.
    """
    if not facts.is_personal(row.kind) or not facts.needs_household(row.kind):
        return ""
    missing = [
        "household" if row.household is None else homes.get(row.household, "home"),
        "consent" if needed and needed.isdisjoint(consents.get(row.device, ())) else "",
    ]
    return ", ".join(word for word in missing if word)


def wanting(homes: Mapping[str, Household], policy: Policy | None) -> dict[str, str]:
    """Household → "" where the rules can hide its home, `zone` where it lives in none of theirs, `home` where they cannot."""
    return {
        name: "zone" if in_no_zone(home, policy) else "home" if unusable(home, policy) else ""
        for name, home in homes.items()
    }


def policy_of(settings: Settings | None, directory: StateDir) -> Policy | None:
    """The rules in force in a directory; None where this configuration is not its own."""
    if settings is None or settings.state.resolve() != directory.path.resolve():
        return None
    return settings.policy


def strange(homes: Iterable[Household], policy: Policy) -> str | None:
    """How many homes are kept in a way that these rules cannot use, and what to do; None where none is."""
    if not policy.keeps_ways:
        return None
    known = list(homes)
    found = [kept for home in known if home.home is None and (kept := _kept(home, policy))]
    if found:
        return (
            f"{screen.count(len(found), 'household')}: the home is kept {found[0]}. Nothing of their children is stored: import "
            "the homes again (sekisho devices import-homes)"
        )
    waiting = [kept for home in known if (kept := _waits(home, policy))]
    if not waiting:
        return None
    return (
        f"{screen.count(len(waiting), 'household')}: a home that they moved from is kept {waiting[0]}. Nothing of their children "
        "is stored until no row from before the move is left: that goes by itself"
    )


def _kept(family: Household, policy: Policy) -> str | None:
    """How a home that is known by its zone alone is kept, where these rules cannot use it."""
    if policy.zoned is None:
        return _CIRCLE
    return None if family.partition == policy.zoned.pin else _ANOTHER


def strange_in(directory: StateDir, ring: KeyRing, policy: Policy) -> str | None:
    """The same of a directory, whose registry is only read.

    Raises:
        Refusal: its homes cannot be read.
    """
    if not directory.registry_db.exists():
        return None
    return strange(family_book.homes_in(directory.registry_db, ring).values(), policy)
