"""Vendors' codecs that end when a test says so."""

import asyncio
from collections.abc import Callable
from typing import Any

from gateway.model.forwarded import Forwarded
from gateway.model.reason import Reason
from gateway.model.uplink import Route
from gateway.pipeline.sorting import Counted, Item

SCRIPT = "vendor.js"


class Slow:
    """Satisfies `gateway.interfaces.Scripts`.

    Attributes:
        waiting: a run each, in order; its result is why it is refused, or None for an object.
    """

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[Reason | None]] = []

    async def run(self, script: str, uplink: Forwarded) -> Forwarded | Reason:
        assert script == SCRIPT
        self.waiting.append(asyncio.get_running_loop().create_future())
        refused = await self.waiting[-1]
        return uplink.decoded({"distance": 2.0}) if refused is None else refused


def scripted(sort: Callable[..., Any], eui: str) -> Callable[..., Any]:
    """The same sorting, with a vendor's codec for every device of this EUI."""

    def through(*args: Any) -> Item | Counted | None:
        found: Item | Counted | None = sort(*args)
        if found is None or isinstance(found, Counted):
            return found
        route, uplink = found
        if isinstance(route, Route) and route.device.attributes.get("dev_eui") == eui:
            return Route(route.device, route.kind, route.decode, SCRIPT), uplink
        return found

    return through
