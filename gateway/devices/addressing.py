"""Whose uplink this is, by topic or by what an envelope says: the directory, seen from the doors. No I/O."""

from gateway.devices.catalog import catalog
from gateway.devices.codecs import forwarded_route
from gateway.devices.decode import binary_decoder, json_decoder
from gateway.model.device import Device, Directory
from gateway.model.identity import DeviceId
from gateway.model.reason import Reason
from gateway.model.uplink import Route
from gateway.wire.envelopes.event import Enclosed
from gateway.wire.topics import uplink_topics


def own_routes(device: Device) -> dict[bytes, Route]:
    """Topic → route of a device that speaks for itself; none where it may not, or its kind is unknown."""
    kind = catalog().get(device.kind)
    if kind is None or device.revoked:
        return {}
    as_json, as_binary = uplink_topics(device.device)
    return {
        as_json: Route(device, kind.name, json_decoder(kind)),
        as_binary: Route(device, kind.name, binary_decoder(kind)),
    }


class Addresses:
    """DevEUI → route, as the registry has it now.

    Attributes:
        devices: the devices it may lead to; those that a door's credential speaks for.
    """

    def __init__(self, directory: Directory, devices: frozenset[DeviceId] | None = None) -> None:
        self._by_eui: dict[str, Device] = {}
        self._by_name: dict[str, Device] = {}
        self._routes: dict[DeviceId, Route | Reason] = {}
        for name, device in directory.devices.items():
            if devices is not None and name not in devices:
                continue
            self._by_name[name] = device
            if eui := device.attributes.get("dev_eui"):
                self._by_eui[str(eui)] = device

    def device(self, enclosed: Enclosed) -> Device | None:
        """The device that an envelope names, by its EUI, or where it has none by the server's own name."""
        if enclosed.dev_eui:
            return self._by_eui.get(enclosed.dev_eui)
        return self._by_name.get(enclosed.name)

    def route(self, enclosed: Enclosed) -> Route | Reason:
        """Where its uplink goes, or why nowhere."""
        device = self.device(enclosed)
        if device is None or device.revoked:
            return Reason.UNKNOWN_DEVICE
        route = self._routes.get(device.device)
        if route is None:
            route = self._routes[device.device] = forwarded_route(device) or Reason.NO_CODEC
        return route
