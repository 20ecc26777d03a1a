"""Resolves the doors that are clients of somebody else's broker: files found, contradictions named."""

from pathlib import Path as FilePath
from urllib.parse import urlsplit

from gateway.settings.certificates import authority_fault, pair_fault
from gateway.settings.complaints import Complaint, complain
from gateway.settings.document import Document, Path
from gateway.settings.door_schema import MqttClientFile
from gateway.settings.search import find_file
from gateway.transports.mqtt_client.broker import Broker, Subscription
from gateway.wire.envelopes.formats import FORMATS
from gateway.wire.topics import OWN

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_VERSIONS = {5: 5, "3.1.1": 4}


def broker(file: MqttClientFile, path: Path, document: Document, found: list[Complaint]) -> Broker:
    """The broker; what is wrong with it is added to `found`.

    Args:
        path: where the door stands in the document.
    """
    url = urlsplit(file.url)
    tls = url.scheme == "mqtts"
    if not tls:
        found += [
            complain(document, (*path, name), "this needs TLS: mqtts://.")
            for name in ("ca", "certificate", "key")
            if getattr(file, name) is not None
        ]
    password = _file(file.password_file, (*path, "password_file"), document, found)
    if password is not None:
        _check_password(password, file.user, (*path, "password_file"), document, found)
    ca = _file(file.ca, (*path, "ca"), document, found)
    if ca is not None and (sentence := authority_fault(ca)) is not None:
        found.append(complain(document, (*path, "ca"), sentence))
    certificate, key = _pair(file, path, document, found)
    return Broker(
        name=file.name,
        host=url.hostname or "",
        port=url.port or _PORTS[url.scheme],
        subscriptions=_subscriptions(file, path, document, found),
        tls=tls,
        version=_VERSIONS[file.version],
        user=file.user,
        password_file=password,
        ca=ca,
        certificate=certificate,
        key=key,
        client_id=file.client_id or "",
        session_expiry_s=int(file.session_expiry_s),
        keep_alive_s=file.keep_alive_s,
        packet_bytes=file.packet_bytes,
        pending=file.pending,
        plain_accepted=file.plain_accepted or "",
        raw_on_broker_accepted=file.raw_on_broker_accepted or "",
        home_assistant=file.home_assistant or "",
    )


def _check_password(
    file: FilePath, user: str | None, path: Path, document: Document, found: list[Complaint]
) -> None:
    if user is None:
        found.append(complain(document, path, "a password needs a user beside it."))
    if file.stat().st_mode & 0o007:
        found.append(complain(document, path, f"everybody may read it: chmod 640 {file.name}."))


def _pair(
    file: MqttClientFile, path: Path, document: Document, found: list[Complaint]
) -> tuple[FilePath | None, FilePath | None]:
    if (file.certificate is None) != (file.key is None):
        given = "key" if file.certificate is None else "certificate"
        sentence = "certificate and key stand together, or neither does."
        found.append(complain(document, (*path, given), sentence))
    certificate = _file(file.certificate, (*path, "certificate"), document, found)
    key = _file(file.key, (*path, "key"), document, found)
    if certificate is not None and key is not None:
        fault = pair_fault(certificate, key)
        if fault is not None:
            found.append(complain(document, (*path, fault.part), fault.sentence))
    return certificate, key


def _subscriptions(
    file: MqttClientFile, path: Path, document: Document, found: list[Complaint]
) -> tuple[Subscription, ...]:
    topics: set[str] = set()
    for index, one in enumerate(file.subscriptions):
        place: Path = (*path, "subscriptions", index)
        if one.topic in topics:
            sentence = "this topic is subscribed already."
            found.append(complain(document, (*place, "topic"), sentence))
        topics.add(one.topic)
        if (missing := missing_extra(one.format)) is not None:
            found.append(complain(document, (*place, "format"), missing))
        if one.share is not None and file.raw_on_broker_accepted is not None:
            sentence = (
                "uplinks of people are never shared out: what one process knows of a child would be "
                "unknown to the next. Take out share, or raw_on_broker_accepted."
            )
            found.append(complain(document, (*place, "share"), sentence))
    return tuple(
        Subscription(one.topic, one.format, one.qos, one.share or "") for one in file.subscriptions
    )


def missing_extra(name: str) -> str | None:
    """What is not installed that a format needs; None if nothing."""
    if name == OWN:
        return None
    try:
        FORMATS[name].opener()
    except ImportError:
        return f"{name} needs an extra: pip install 'sekisho[{FORMATS[name].extra}]'."
    return None


def _file(
    name: str | None, path: Path, document: Document, found: list[Complaint]
) -> FilePath | None:
    """The file that a setting names; None where it names none, or there is none, which is complained of."""
    if name is None:
        return None
    try:
        return find_file(document, name)
    except ValueError as error:
        found.append(complain(document, path, str(error)))
        return None
