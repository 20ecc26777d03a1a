"""Resolves the doors of a configuration: files found, contradictions named."""

import ipaddress
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path as FilePath
from typing import NamedTuple

from gateway.settings.brokers import broker, missing_extra
from gateway.settings.certificates import authority_fault, pair_fault, time_fault
from gateway.settings.complaints import Complaint, complain
from gateway.settings.document import Document, Path
from gateway.settings.door_schema import (
    AnyDoor,
    BasicsStationFile,
    HttpPushFile,
    LorawanUdpFile,
    MqttClientFile,
    MqttListenerFile,
    TlsFile,
)
from gateway.settings.search import find_file
from gateway.settings.settings import HttpPush, Listening, LorawanUdp, MqttListener, Tls
from gateway.transports.mqtt_client.broker import Broker
from gateway.transports.mqtt_listener.forwarding import ServerTopic


class Resolved(NamedTuple):
    """The doors by kind."""

    listeners: tuple[MqttListener, ...]
    pushes: tuple[HttpPush, ...]
    brokers: tuple[Broker, ...]
    udp: tuple[LorawanUdp, ...]
    stations: tuple[Listening, ...]


def resolve(
    files: Sequence[AnyDoor],
    document: Document,
    found: list[Complaint],
) -> Resolved:
    """The doors; what is wrong with them is added to `found`."""
    names: set[str] = set()
    taken: set[tuple[str, int]] = set()
    listeners: list[MqttListener] = []
    pushes: list[HttpPush] = []
    clients: list[Broker] = []
    udp: list[LorawanUdp] = []
    stations: list[Listening] = []
    for index, file in enumerate(files):
        path: Path = ("doors", index)
        if file.name in names:
            found.append(complain(document, (*path, "name"), f"{file.name} names a door already."))
        names.add(file.name)
        if isinstance(file, MqttClientFile):
            clients.append(broker(file, path, document, found))
            continue
        if isinstance(file, LorawanUdpFile):
            udp.append(LorawanUdp(file.name, file.bind, file.port))
            continue
        for port_path, port in _ports(file, path):
            if port and (file.bind, port) in taken:
                found.append(complain(document, port_path, f"port {port} is another door's."))
            taken.add((file.bind, port))
        if file.port is None and file.tls is None:
            found.append(complain(document, path, "a door needs a port, or tls with one."))
        tls = None if file.tls is None else _tls(file.tls, path, document, found)
        if isinstance(file, HttpPushFile):
            pushes.append(HttpPush(*_side(file, tls), file.body_bytes, file.pending))
        elif isinstance(file, BasicsStationFile):
            stations.append(Listening(*_side(file, tls)))
        else:
            listeners.append(_listener(file, tls, path, document, found))
    return Resolved(
        *(tuple(listeners), tuple(pushes), tuple(clients), tuple(udp)),
        tuple(stations),
    )


def _side(
    file: HttpPushFile | BasicsStationFile, tls: Tls | None
) -> tuple[str, str, int | None, Tls | None, str]:
    return file.name, file.bind, file.port, tls, file.plain_accepted or ""


def _ports(
    file: MqttListenerFile | HttpPushFile | BasicsStationFile, path: Path
) -> list[tuple[Path, int]]:
    ports: list[tuple[Path, int]] = []
    if file.port is not None:
        ports.append(((*path, "port"), file.port))
    if file.tls is not None:
        ports.append(((*path, "tls", "port"), file.tls.port))
    return ports


def _listener(
    file: MqttListenerFile, tls: Tls | None, path: Path, document: Document, found: list[Complaint]
) -> MqttListener:
    if file.anonymous and not ipaddress.ip_address(file.bind).is_loopback:
        sentence = (
            f"clients without a token may enter on this machine's own address only, and {file.bind} "
            "is open to others: bind 127.0.0.1, or anonymous false."
        )
        found.append(complain(document, (*path, "anonymous"), sentence))
    for index, one in enumerate(file.server_topics):
        if (missing := missing_extra(one.format)) is not None:
            place: Path = (*path, "server_topics", index, "format")
            found.append(complain(document, place, missing))
    return MqttListener(
        name=file.name,
        bind=file.bind,
        port=file.port,
        tls=tls,
        plain_accepted=file.plain_accepted or "",
        anonymous=file.anonymous,
        connections=file.connections,
        packet_bytes=file.packet_bytes,
        pending=file.pending,
        topic_aliases=file.topic_aliases,
        session_expiry_s=file.session_expiry_s,
        keep_alive_s=file.keep_alive_s,
        server_topics=tuple(ServerTopic(one.topic, one.format) for one in file.server_topics),
    )


def _tls(file: TlsFile, path: Path, document: Document, found: list[Complaint]) -> Tls:
    path = (*path, "tls")
    before = len(found)
    certificate = _file(file.certificate, (*path, "certificate"), document, found)
    key = _file(file.key, (*path, "key"), document, found)
    if len(found) == before and (fault := pair_fault(certificate, key)) is not None:
        found.append(complain(document, (*path, fault.part), fault.sentence))
    ca = None
    if file.client_ca is not None:
        ca = _file(file.client_ca, (*path, "client_ca"), document, found)
        if ca != FilePath() and (sentence := authority_fault(ca)) is not None:
            found.append(complain(document, (*path, "client_ca"), sentence))
    elif file.client_certificate is not None:
        sentence = "client certificates need an authority to be believed: client_ca."
        found.append(complain(document, (*path, "client_certificate"), sentence))
    return Tls(file.port, certificate, key, ca, file.client_certificate == "required")


def _file(name: str, path: Path, document: Document, found: list[Complaint]) -> FilePath:
    """The file that a setting names; an empty path where there is none, which is then complained of."""
    try:
        return find_file(document, name)
    except ValueError as error:
        found.append(complain(document, path, str(error)))
        return FilePath()


def complain_of_expired(
    document: Document,
    files: Sequence[AnyDoor],
    resolved: Resolved,
    now: datetime,
    found: list[Complaint],
) -> None:
    """Add a complaint for every certificate whose time is over, or has not begun."""
    shown: dict[str, tuple[FilePath, Path]] = {
        door.name: (door.tls.certificate, ("tls", "certificate"))
        for door in (*resolved.listeners, *resolved.pushes, *resolved.stations)
        if door.tls is not None
    }
    for client in resolved.brokers:
        if client.certificate is not None:
            shown[client.name] = (client.certificate, ("certificate",))
    for index, file in enumerate(files):
        if file.name in shown:
            certificate, place = shown[file.name]
            sentence = time_fault(certificate, now)
            if sentence is not None:
                found.append(complain(document, ("doors", index, *place), sentence))
