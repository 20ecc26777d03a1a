"""Finds what a package holds a file each of: kinds, products."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any


def named(package: ModuleType, constant: str) -> dict[str, Any]:
    """File name → the constant of every module of a package, in name order.

    Raises:
        ImportError: what a file defines bears another name than the file.
    """
    found: dict[str, Any] = {}
    for module in sorted(iter_modules(package.__path__), key=lambda m: m.name):
        defined = getattr(import_module(f"{package.__name__}.{module.name}"), constant)
        if defined.name != module.name:
            raise ImportError(f"{package.__name__}.{module.name} defines {defined.name!r}")
        found[module.name] = defined
    return found
