"""Resolves `lorawan:`, what all doors for forwarders share."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from gateway.lorawan.forwarder import Forwarder
from gateway.lorawan.regions import PLANS
from gateway.settings.complaints import Complaint, complain
from gateway.settings.document import Document
from gateway.settings.door_schema import AnyDoor, BasicsStationFile, LorawanUdpFile
from gateway.settings.schema import ForwarderFile, LorawanFile
from gateway.settings.settings import Lorawan
from gateway.wire.lorawan.identifiers import Eui


def lorawan(
    file: LorawanFile | None, doors: Sequence[AnyDoor], document: Document, found: list[Complaint]
) -> Lorawan | None:
    """The region and the forwarders; a door without them, or they without a door, is complained of."""
    stations = [door for door in doors if isinstance(door, BasicsStationFile)]
    plain = [door for door in doors if isinstance(door, LorawanUdpFile)]
    wanting = [
        index
        for index, door in enumerate(doors)
        if isinstance(door, LorawanUdpFile | BasicsStationFile)
    ]
    if file is None:
        if wanting:
            sentence = "a door for forwarders needs lorawan: with the region and the forwarders."
            found.append(complain(document, ("doors", wanting[0]), sentence))
        return None
    if not wanting:
        sentence = "no door takes forwarders in: add one of kind lorawan_udp or basics_station."
        found.append(complain(document, ("lorawan",), sentence))
    forwarders: dict[Eui, Forwarder] = {}
    for index, one in enumerate(file.forwarders):
        eui = Eui.of(one.eui)
        if eui in forwarders:
            sentence = "this forwarder is there already."
            found.append(complain(document, ("lorawan", "forwarders", index, "eui"), sentence))
        if (doubt := _doubt(one, stations, plain)) is not None:
            name, sentence = doubt
            found.append(complain(document, ("lorawan", "forwarders", index, name), sentence))
        networks = tuple(map(ip_network, one.networks))
        forwarders[eui] = Forwarder(eui, networks, one.gain_db, one.credential or "")
    margin_db = file.adr_margin_db if file.adr else None
    return Lorawan(PLANS[file.region], file.window_s, forwarders, margin_db)


def _doubt(
    one: ForwarderFile, stations: Sequence[BasicsStationFile], plain: Sequence[LorawanUdpFile]
) -> tuple[str, str] | None:
    """Why a forwarder cannot be told from others, or cannot come at all: the setting, and the sentence."""
    if one.credential is not None and not stations:
        return "credential", (
            "over UDP nobody can prove a credential: add a door of kind basics_station, or leave it out."
        )
    if one.credential is not None or one.networks:
        return None
    for udp in plain:
        if not ip_address(udp.bind).is_loopback:
            return "eui", (
                f"over UDP nobody proves anything, and door {udp.name} is open to others: name where this forwarder comes "
                "from (from: [192.0.2.0/24]; 0.0.0.0/0 is anywhere)."
            )
    for door in stations:
        proven = door.tls is not None and door.tls.client_certificate == "required"
        if not ip_address(door.bind).is_loopback and not (proven and door.port is None):
            return "eui", (
                f"anybody may come as this forwarder by door {door.name}, whose address is open to others: name its "
                "credential, or where it comes from (from)."
            )
    return None
