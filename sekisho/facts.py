"""What a command line says of a device, checked against its kind and against the registry."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from gateway.devices.catalog import catalog
from gateway.devices.kind import DeviceKind, Sensitivity
from gateway.model.errors import Refusal
from gateway.registry import attributes as kind_attributes
from gateway.registry.registry import Registry
from gateway.registry.rules import kind_fault
from gateway.settings.settings import Settings


def kind(name: str) -> DeviceKind:
    """The kind of a name.

    Raises:
        Refusal: there is none, with the nearest.
    """
    if (fault := kind_fault(name)) is not None:
        raise Refusal(f"--kind {name}: {fault}", exit_code=2)
    return catalog()[name]


def beginning(text: str) -> DeviceKind:
    """The kind of a name, or of what only its name begins with: river.

    Raises:
        Refusal: there is none, with the nearest; or there are several.
    """
    kinds = catalog()
    matching = [text] if text in kinds else [name for name in kinds if name.startswith(text)]
    if len(matching) == 1:
        return kinds[matching[0]]
    if matching:
        raise Refusal(f'"{text}" begins {" and ".join(matching)}: write more of it.', exit_code=2)
    words = {name.partition("_")[0]: name for name in kinds} | {name: name for name in kinds}
    near = get_close_matches(text, list(words), n=1, cutoff=0.6)
    hint = f"Did you mean {words[near[0]]}?" if near else f"There are {', '.join(kinds)}."
    raise Refusal(f'No kind begins with "{text}". {hint}', exit_code=2)


def attributes(kind_name: str, pairs: Iterable[str]) -> dict[str, str | float | bool]:
    """`NAME=VALUE` of the command line as the kind's attributes.

    Raises:
        Refusal: the kind has no such attribute, or it takes no such value.
    """
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise Refusal(f"--attribute {pair}: write NAME=VALUE, as datum_m=4.2.", exit_code=2)
        try:
            full, read = kind_attributes.read(kind(kind_name), name, value)
        except ValueError as error:
            raise Refusal(f"--attribute {name}: {error}", exit_code=2) from None
        found[full] = read
    return found


def owner(settings: Settings | None, registry: Registry) -> str:
    """The municipality of a device that names none: the configuration's, or that of all others.

    Raises:
        Refusal: neither is there.
    """
    if settings is not None:
        return settings.owner
    owners = {row.owner for row in registry.devices()}
    if len(owners) == 1:
        return owners.pop()
    raise Refusal("Whose device is it? Say the municipality: --owner 16201.", exit_code=2)


def is_personal(kind_name: str) -> bool:
    """Whether rows of the kind are about people; a kind that is gone counts as such."""
    found = catalog().get(kind_name)
    return found is None or found.personal


def hint(kind_name: str, attributes: Mapping[str, object]) -> str:
    """What a device so registered cannot send; "" if nothing."""
    found = catalog().get(kind_name)
    return "" if found is None else found.hint(attributes)


def needs_household(kind_name: str) -> bool:
    """Whether the kind follows a person, so that a home and a consent are needed."""
    found = catalog().get(kind_name)
    return found is not None and any(
        field.sensitivity is Sensitivity.POSITION for field in found.fields
    )
