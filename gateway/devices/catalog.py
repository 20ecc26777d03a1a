"""Finds the device kinds: those of `devices/kinds`, and those a configuration declared at the start."""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from gateway.devices import kinds
from gateway.devices.kind import DeviceKind

_DECLARED: dict[str, DeviceKind] = {}


@cache
def shipped() -> dict[str, DeviceKind]:
    """The kinds that are files of this package: every module whose KIND carries the file's own name.

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


@cache
def catalog() -> dict[str, DeviceKind]:
    """Kind name → kind, in name order."""
    return dict(sorted({**_DECLARED, **shipped()}.items()))


def declared() -> dict[str, DeviceKind]:
    """The kinds that are no files of this package."""
    return dict(_DECLARED)


def declare(some: Iterable[DeviceKind]) -> None:
    """Take kinds into the catalog: once, at the start of a process, before anything asks for it.

    A kind declared again takes the place of the one before.

    Raises:
        ValueError: one bears the name or the port of a shipped kind, or another's port.
    """
    for kind in some:
        if (fault := clash(kind.name, kind.f_port)) is not None:
            raise ValueError(fault)
        _DECLARED[kind.name] = kind
    catalog.cache_clear()


def clash(name: str, f_port: int) -> str | None:
    """Why a kind of this name and port cannot be declared; None if it can."""
    if name in shipped():
        return f"{name} is a kind of Sekisho's own: choose another name."
    for other in (*shipped().values(), *_DECLARED.values()):
        if other.f_port == f_port and other.name != name:
            return f"port {f_port} belongs to {other.name}: choose another, 1 to 223."
    return None
