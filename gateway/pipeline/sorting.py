"""Envelopes on their way to the intake: opened, addressed, and what is no uplink counted by its name.

Every door that takes other servers' documents (a broker's client, HTTP push, replay) sorts them here.
"""

import logging
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from gateway.clock import Clock
from gateway.devices.addressing import Addresses
from gateway.devices.catalog import catalog
from gateway.model.device import Directory
from gateway.model.errors import PayloadError
from gateway.model.forwarded import Forwarded
from gateway.model.identity import DeviceId
from gateway.model.reason import Reason
from gateway.model.uplink import Payload, Route
from gateway.telemetry import Facts
from gateway.wire.envelopes.event import Event, Open

Item: TypeAlias = tuple[Route | Reason, Payload]
"""One item of `Uplinks`."""


class Counted(NamedTuple):
    """No uplink: acknowledged at once, behind what came before it."""

    event: Event


Sort: TypeAlias = Callable[[str, bytes], Item | Counted]
"""Topic and payload of a message → what to hand over for it."""


class Sorting:
    """Opens one format's documents for one door.

    Args:
        open_: the format, see `gateway.wire.envelopes.formats`.
        devices: those it may speak for; None for all that are registered.
        name: what the door is called, for `doctor`.
    """

    def __init__(
        self,
        open_: Open,
        directory: Directory,
        facts: Facts,
        clock: Clock,
        name: str,
        devices: frozenset[DeviceId] | None = None,
    ) -> None:
        self._open = open_
        self._facts = facts
        self._clock = clock
        self._name = name
        self._devices = devices
        self._addresses = Addresses(directory, devices)
        self._open_kinds = {kind.name for kind in catalog().values() if not kind.personal}

    def renew(self, directory: Directory) -> None:
        """The registry has changed."""
        self._addresses = Addresses(directory, self._devices)

    def sort(self, topic: str, payload: bytes) -> Item | Counted:
        """What to hand over for a document; an item whose route has a `script` goes through that first."""
        try:
            enclosed = self._open(topic, payload)
        except PayloadError as error:
            self._facts.note(
                "envelope not opened",
                f"A document that came by {self._name} is none of its format ({error.detail})",
                logging.WARNING,
            )
            return Reason.UNDECODABLE, payload
        except (
            ValueError,
            ArithmeticError,
        ) as error:  # ours to mend, and no reason to stop the door
            self._facts.note(
                "envelope not opened",
                f"A document that came by {self._name} could not be opened ({type(error).__name__}); please "
                "report it",
                logging.ERROR,
            )
            return Reason.UNDECODABLE, payload
        if enclosed.uplink is None:
            self._facts.count(f"forwarded {enclosed.event.value}")
            return Counted(enclosed.event)
        route = self._addresses.route(enclosed)
        if isinstance(route, Reason):
            self._facts.recent.turned_away(self._clock.now(), self._name, route.value)
            if route is Reason.NO_CODEC:
                self._facts.note(
                    "codec unknown",
                    "A forwarded uplink was rejected: its device names a codec that this configuration "
                    "does not have. sekisho check says which",
                    logging.WARNING,
                )
        elif route.kind in self._open_kinds:
            self._facts.recent.radio[route.device.device] = enclosed.heard
        uplink: Forwarded = enclosed.uplink
        uplink.size = len(payload)
        return route, uplink
