"""What is no fault of a configuration and may yet not be meant: said by `check`, and part of it by `run`."""

import shlex
from contextlib import suppress
from ipaddress import ip_address

from gateway.devices.catalog import catalog
from gateway.model.errors import Refusal
from gateway.settings.settings import Listening, Settings
from gateway.statedir import StateDir
from gateway.transports.mqtt_client.broker import Broker
from sekisho import place, screen
from sekisho.homes import strange_in

CIRCLE = (
    "the rules hide homes by a circle, which is the floor and no more: its centre, the home, can be worked out from few "
    "shown ways. Zones of your city hide it: sekisho privacy partition build"
)


def notes(settings: Settings) -> list[str]:
    """Everything worth a second look, with what to do about it."""
    found = []
    if not settings.state.is_dir():
        state = shlex.quote(str(settings.state))
        found.append(f"{settings.state} is not there yet: sekisho keys init --state {state}")
    found += [
        f"door {door.name}: its plain side still takes tokens, and port: null would close it"
        for door in settings.doors
        if door.tls is not None and door.tls.clients_required and door.port is not None
    ]
    if settings.policy.keeps_ways and settings.policy.zoned is None:
        found.append(CIRCLE)
    return found + _homes(settings) + _people_refused(settings) + in_plain(settings)


def in_plain(settings: Settings) -> list[str]:
    """Where secrets cross a network that others may listen to, and nobody said that this is meant."""
    doors: tuple[Listening, ...] = (*settings.doors, *settings.pushes, *settings.stations)
    return [
        f"door {door.name}: whoever listens on the way to its plain port {door.port} reads tokens and "
        "positions. Open tls and close it (port: null), or let it listen on 127.0.0.1 behind a proxy that "
        "ends TLS; where the way is safe in spite of all, say why: plain_accepted"
        for door in doors
        if door.port is not None and not door.plain_accepted and not _is_here(door.bind)
    ] + [
        f"broker {broker.name}: whoever listens on the way to {broker.url} reads {secret}. Use mqtts://, or "
        "say why that is all right: plain_accepted"
        for broker in settings.brokers
        if not (broker.tls or broker.plain_accepted or _is_here(broker.host))
        and (secret := _secret(broker))
    ]


def _secret(broker: Broker) -> str:
    """What goes there and comes from there that is nobody else's business."""
    told = ("our password",) if broker.password_file is not None else ()
    heard = ("people's raw positions",) if broker.raw_on_broker_accepted else ()
    return " and ".join((*told, *heard))


def _is_here(host: str) -> bool:
    """Whether it is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _homes(settings: Settings) -> list[str]:
    """Homes that the rules cannot use, where directory and keys are there to be read; they are only read."""
    with suppress(Refusal):
        directory = StateDir.open(settings.state)
        ring = place.ring_of(directory, None, settings)
        said = strange_in(directory, ring, settings.policy)
        return [] if said is None else [said]
    return []


def _people_refused(settings: Settings) -> list[str]:
    people = sum(
        bool(device.attributes.get("dev_eui")) and catalog()[device.kind].personal
        for device in settings.entries.devices
    )
    return [
        f"broker {broker.name}: {screen.count(people, 'device')} of people with a dev_eui, of which no uplink "
        "is taken from it: it and its other subscribers would see raw positions. Let them come by a door of "
        "ours, or say why it is accepted: raw_on_broker_accepted"
        for broker in settings.brokers
        if people and not broker.raw_on_broker_accepted
    ]
