"""What may be registered: names, kinds and their attributes, with the nearest right word."""

from collections.abc import Mapping
from difflib import get_close_matches

from gateway.devices.catalog import catalog
from gateway.devices.kind import DeviceKind
from gateway.model.errors import Refusal
from gateway.model.identity import is_name

Attributes = Mapping[str, str | float | bool]

NAMES = "use 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit"


def nearest(word: str, choices: list[str], *, unless: str = "") -> str:
    """` Did you mean …?`, or `unless` where nothing is near."""
    near = get_close_matches(word, choices, n=1, cutoff=0.6)
    return f" Did you mean {near[0]}?" if near else unless


def kind_fault(kind: str) -> str | None:
    """The sentence about a kind that does not exist."""
    known = list(catalog())
    if kind in known:
        return None
    return f'no kind named "{kind}".' + nearest(
        kind, known, unless=f" There are {', '.join(known)}."
    )


def attribute_faults(kind: DeviceKind, attributes: Attributes) -> dict[str, str]:
    """Attribute name → sentence about it; a required one that is missing stands under its name."""
    faults: dict[str, str] = {}
    units = units_of(kind)
    for name, value in attributes.items():
        if name not in units:
            known = list(units)
            choice = f" {kind.name} has {', '.join(known) or 'none'}."
            faults[name] = f"{kind.name} has no attribute {name}." + nearest(
                name, known, unless=choice
            )
        elif units[name] == "text" and not isinstance(value, str):
            faults[name] = "a text is needed here."
        elif units[name] != "text" and not _is_number(value):
            faults[name] = f"a number is needed here, in {units[name]}."
    for name in required(kind):
        if name not in attributes:
            faults[name] = f"{kind.name} needs the attribute {name}."
    return faults


def units_of(kind: DeviceKind) -> dict[str, str]:
    """Attribute name → unit, or "text"."""
    return {name.lstrip("*"): unit.lstrip("*") for name, unit in kind.attributes.items()}


def required(kind: DeviceKind) -> list[str]:
    """Names of the attributes a device of the kind cannot do without."""
    return [
        name.lstrip("*")
        for name, unit in kind.attributes.items()
        if name.startswith("*") or unit.startswith("*")
    ]


def require_name(text: str, what: str) -> None:
    """Refuse a text that may not name a device, a credential or a household."""
    if not is_name(text):
        raise Refusal(f'"{text}" cannot name a {what}: {NAMES}.', exit_code=2)


def require_device(device: str, kind: str, household: str | None, attributes: Attributes) -> None:
    """Refuse a device that could not work.

    Raises:
        Refusal: with every fault of it.
    """
    require_name(device, "device")
    if household is not None:
        require_name(household, "household")
    if fault := kind_fault(kind):
        raise Refusal(f"{device}: {fault}", exit_code=2)
    entry = catalog()[kind]
    faults = list(attribute_faults(entry, attributes).values())
    if household is not None and not entry.personal:
        faults.append(f"{kind} is a thing of the city and belongs to no household.")
    if faults:
        raise Refusal(f"{device}: " + " ".join(faults), exit_code=2)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
