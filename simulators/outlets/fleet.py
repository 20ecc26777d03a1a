"""A fleet over many MQTT connections: each device always speaks on the same one."""

import asyncio
import resource
from collections import Counter
from itertools import islice
from zlib import crc32

from gateway.model.errors import Refusal
from simulators.outlets.mqtt import MqttOutlet
from simulators.uplink import SimUplink

_AT_ONCE = 100
"""Connections that are opened side by side: no listener's backlog is that short."""

_OWN_FILES = 64


class FleetOutlet:
    """Several outlets as one; see `simulators.drive.Outlet`."""

    def __init__(self, outlets: list[MqttOutlet]) -> None:
        self._outlets = outlets

    async def open(self) -> None:
        """Open all connections.

        Raises:
            Refusal: one cannot be had, or this user may not open so many files.
        """
        _allow_files(len(self._outlets) + _OWN_FILES)
        left = iter(self._outlets)
        while some := list(islice(left, _AT_ONCE)):
            await asyncio.gather(*(outlet.open() for outlet in some))

    async def send(self, uplink: SimUplink) -> None:
        """Publish on the connection of the device that truly sends."""
        who = (uplink.origin or uplink.device).encode()
        await self._outlets[crc32(who) % len(self._outlets)].send(uplink)

    async def drain(self) -> None:
        """Return when everything sent has arrived."""
        await asyncio.gather(*(outlet.drain() for outlet in self._outlets))

    async def close(self) -> None:
        await asyncio.gather(*(outlet.close() for outlet in self._outlets))

    @property
    def sent(self) -> int:
        return sum(outlet.sent for outlet in self._outlets)

    @property
    def acked(self) -> int:
        return sum(outlet.acked for outlet in self._outlets)

    @property
    def refused(self) -> dict[int, int]:
        """Reason → count, as in `MqttOutlet`."""
        found = Counter[int]()
        for outlet in self._outlets:
            found.update(outlet.refused)
        return dict(found)


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise Refusal(
            f"This user may open {hard:,} files, and {wanted:,} are needed. Raise the limit (ulimit -n), "
            "or give fewer --connections."
        )
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
