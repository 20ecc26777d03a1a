"""Resolves `lorawan:`, what all doors for forwarders share."""

from collections.abc import Sequence
from ipaddress import ip_network

from gateway.lorawan.forwarder import Forwarder
from gateway.lorawan.regions import PLANS
from gateway.settings.complaints import Complaint, complain
from gateway.settings.document import Document
from gateway.settings.door_schema import AnyDoor, LorawanUdpFile
from gateway.settings.schema import LorawanFile
from gateway.settings.settings import Lorawan
from gateway.wire.lorawan.identifiers import Eui


def lorawan(
    file: LorawanFile | None, doors: Sequence[AnyDoor], document: Document, found: list[Complaint]
) -> Lorawan | None:
    """The region and the forwarders; a door without them, or they without a door, is complained of."""
    wanting = [index for index, door in enumerate(doors) if isinstance(door, LorawanUdpFile)]
    if file is None:
        if wanting:
            sentence = "a door for forwarders needs lorawan: with the region and the forwarders."
            found.append(complain(document, ("doors", wanting[0]), sentence))
        return None
    if not wanting:
        sentence = "no door takes forwarders in: add one of kind lorawan_udp."
        found.append(complain(document, ("lorawan",), sentence))
    forwarders: dict[Eui, Forwarder] = {}
    for index, one in enumerate(file.forwarders):
        eui = Eui.of(one.eui)
        if eui in forwarders:
            sentence = "this forwarder is there already."
            found.append(complain(document, ("lorawan", "forwarders", index, "eui"), sentence))
        forwarders[eui] = Forwarder(eui, tuple(map(ip_network, one.networks)), one.gain_db)
    return Lorawan(PLANS[file.region], file.window_s, forwarders)
