"""Finds the device kinds: every module in `devices/kinds` whose KIND carries the file's own name."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from gateway.devices import kinds
from gateway.devices.kind import DeviceKind


@cache
def catalog() -> dict[str, DeviceKind]:
    """Kind name → kind, in name order.

    Raises:
        ImportError: a file's stem and its KIND's name differ.
    """
    found: dict[str, DeviceKind] = {}
    for module in sorted(iter_modules(kinds.__path__), key=lambda m: m.name):
        kind: DeviceKind = import_module(f"{kinds.__name__}.{module.name}").KIND
        if kind.name != module.name:
            raise ImportError(f"devices/kinds/{module.name}.py defines a kind named {kind.name!r}")
        found[kind.name] = kind
    return found
