"""What may be registered: names, kinds and their attributes, with the nearest right word."""

from gateway.devices.catalog import catalog
from gateway.model.errors import Refusal
from gateway.model.identity import is_name, is_printed
from gateway.registry.attributes import Attributes, attribute_faults
from gateway.registry.words import nearest

NAMES = "use 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit"


def kind_fault(kind: str) -> str | None:
    """The sentence about a kind that does not exist."""
    known = list(catalog())
    if kind in known:
        return None
    return f'no kind named "{kind}".' + nearest(
        kind, known, unless=f" There are {', '.join(known)}."
    )


def require_name(text: str, what: str) -> None:
    """Refuse a text that may not name a device, a credential or a household."""
    if not is_name(text):
        raise Refusal(f'"{text}" cannot name a {what}: {NAMES}.', exit_code=2)


def line_fault(text: str, what: str) -> str | None:
    """The sentence about a text that would not be printed as one line as it was said."""
    if all(map(is_printed, text)):
        return None
    return f"{what} is one line, and this has a control character (a new line, an escape) in it. Write it without."


def require_line(text: str, what: str) -> None:
    """Refuse a text that would not be printed as one line as it was said: it could pass for a line of somebody else."""
    if (fault := line_fault(text, what)) is not None:
        raise Refusal(fault, exit_code=2)


def require_owner(owner: str) -> None:
    """Refuse a municipality code that is not one."""
    if not (owner.isascii() and owner.isdigit() and len(owner) == 5):
        raise Refusal(
            f'"{owner}" is no municipality: write its five digits, as 16201.', exit_code=2
        )


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
