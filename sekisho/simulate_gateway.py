"""What `sekisho simulate --lorawan` knows of a gateway before anything is sent: is its host there, does it listen to these?"""

import socket
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from gateway.lorawan.plan import Plan
from gateway.model.errors import Refusal
from gateway.statedir import StateDir
from gateway.wire.lorawan.identifiers import Eui
from sekisho import place
from sekisho.air_door import KINDS
from sekisho.lorawan_lawful import simulated
from sekisho.window import ask
from simulators.lorawan.meters import forwarder_eui
from simulators.lorawan.station_line import Home

USUAL_REGION, USUAL_FORWARDERS = "AS923-1", 4


class Listening(NamedTuple):
    """How a running gateway listens.

    Attributes:
        path: of its state directory.
        region: as its configuration says it.
        forwarders: EUIs of those that may come in.
    """

    path: Path
    region: str
    forwarders: frozenset[str]


def listening(follow: Path | None) -> Listening | None:
    """What the gateway that is followed says of itself; None where none with a door for forwarders runs there.

    Raises:
        Refusal: it does not answer.
    """
    if follow is None:
        return None
    state = StateDir.open(follow)
    doors = place.running(state).get("doors", {}).values()
    if not any(door.get("kind") in KINDS.values() for door in doors):
        return None
    said = next(ask(state, "radio", place.PATIENCE_S))
    listed = frozenset(one["eui"] for one in said["forwarders"])
    return Listening(state.path, said["region"], listed)


def plan_of(region: str | None, there: Listening | None) -> Plan:
    """The plan of a region that an option names, or of the gateway's.

    Raises:
        Refusal: the gateway's is another, or it is not simulated.
    """
    if region is None:
        return simulated(USUAL_REGION if there is None else there.region)
    plan = simulated(region)
    if there is not None and region != there.region:
        raise Refusal(
            f"--region {region}: the gateway on {there.path} has lorawan.region {there.region}, so no node would join. "
            "Leave --region out, and the gateway's is taken.",
            2,
        )
    return plan


def euis_of(seed: int, forwarders: int | None, there: Listening | None) -> list[Eui]:
    """The forwarders of this seed: so many, or those that the gateway lists.

    Raises:
        Refusal: the gateway lists fewer.
    """
    if there is None:
        return _euis(seed, forwarders or USUAL_FORWARDERS)
    most = forwarders or max(1, len(there.forwarders))
    listed = [eui for eui in _euis(seed, most) if str(eui) in there.forwarders]
    if not listed or (forwarders is not None and len(listed) < forwarders):
        wanted = forwarders or USUAL_FORWARDERS
        raise Refusal(
            f"The gateway on {there.path} lists {len(listed) or 'none'} of the {wanted} forwarders of seed {seed} under "
            f"lorawan.forwarders, and answers no other. sekisho simulate --lorawan 1 --seed {seed} --forwarders {wanted} "
            "--settings prints what its configuration needs; then start it again.",
            2,
        )
    return listed


def _euis(seed: int, many: int) -> list[Eui]:
    return [forwarder_eui(seed, number) for number in range(1, many + 1)]


def require_host(to: tuple[str, int] | Home) -> None:
    """Refuse a gateway whose host has no address, or to which there is no way.

    Raises:
        Refusal: names the host.
    """
    if isinstance(to, Home):
        url = urlsplit(to.uri)
        host, port = url.hostname or "", url.port
    else:
        host, port = to
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise Refusal(
            f"--to: the host {host} has no address ({getattr(error, 'strerror', None) or error}). "
            "Is its name right, and does this machine know it?"
        ) from None
    if not isinstance(to, Home) and not any(map(_has_way, found)):
        raise Refusal(
            f"--to: there is no way from this machine to the host {host}. Is its network up?"
        )


def _has_way(address: tuple[Any, ...]) -> bool:
    family, kind, protocol, _, where = address
    with socket.socket(family, kind, protocol) as probe:
        return probe.connect_ex(where) == 0
