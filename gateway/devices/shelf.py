"""Finds the products: every module of `devices/products`, by its file's name."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from gateway.devices import products
from gateway.devices.product import Product


@cache
def shelf() -> dict[str, Product]:
    """Name → product, in name order.

    Raises:
        ImportError: a file's stem and its PRODUCT's name differ.
    """
    found: dict[str, Product] = {}
    for module in sorted(iter_modules(products.__path__), key=lambda m: m.name):
        product: Product = import_module(f"{products.__name__}.{module.name}").PRODUCT
        if product.name != module.name:
            raise ImportError(f"devices/products/{module.name}.py defines {product.name!r}")
        found[product.name] = product
    return found
