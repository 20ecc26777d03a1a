"""Finds the products: every module of `devices/products`, by its file's name."""

from functools import cache

from gateway.devices import products
from gateway.devices.modules import named
from gateway.devices.product import Product


@cache
def shelf() -> dict[str, Product]:
    """Name → product, in name order.

    Raises:
        ImportError: a file's stem and its PRODUCT's name differ.
    """
    return named(products, "PRODUCT")
