"""Finds the device kinds: those of `devices/kinds`, and those a configuration declared at the start."""

from collections.abc import Iterable
from functools import cache

from gateway.devices import kinds
from gateway.devices.kind import DeviceKind
from gateway.devices.modules import named

_DECLARED: dict[str, DeviceKind] = {}


@cache
def shipped() -> dict[str, DeviceKind]:
    """The kinds that are files of this package: every module whose KIND carries the file's own name.

    Raises:
        ImportError: a file's stem and its KIND's name differ.
    """
    return named(kinds, "KIND")


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
