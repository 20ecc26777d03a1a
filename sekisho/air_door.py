"""Where simulated forwarders speak to, and how they prove who they are."""

import ssl
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from gateway.model.errors import Refusal
from gateway.statedir import StateDir
from sekisho import place
from sekisho.radio_enrolment import CREDENTIAL, token_file_of
from simulators.lorawan.station_line import Home

UDP, STATION = "udp", "station"
KINDS = {UDP: "lorawan_udp", STATION: "basics_station"}
"""What forwarders speak → the kind of door that takes it."""

_PORTS = {"udp": 1700, "ws": 8887, "wss": 8888}
_SCHEMES = {"udp": UDP, "ws": STATION, "wss": STATION}


class Login(NamedTuple):
    """What stations show, and whom they believe.

    Attributes:
        cafile: the authority of the gateway's certificate; None for those of this machine.
        client: a client certificate and its key, in one file.
    """

    headers: dict[str, str]
    cafile: Path | None
    client: Path | None


def login(user: str | None, password_file: Path | None, cafile: Path | None, client: Path | None, state: Path | None) -> Login:  # fmt: skip
    """A token from the file that is named; else a client certificate, else the token beside the state directory, if there is one.

    Raises:
        Refusal: the file cannot be read.
    """
    file = password_file
    if file is None and client is None and state is not None and token_file_of(state).is_file():
        file = token_file_of(state)
    if file is None:
        return Login({}, cafile, client)
    try:
        token = file.read_text().strip()
    except OSError as error:
        raise Refusal(
            f"The token file {file} cannot be read ({error.strerror}). Register the forwarders "
            "(--register DIR --over station) or name the right file.",
            2,
        ) from error
    return Login({"Authorization": f"Bearer {user or CREDENTIAL}:{token}"}, cafile, client)


def is_for_stations(over: str | None, follow: Path | None) -> bool:
    """Whether stations are asked for, or the gateway that is followed has a door for nobody else."""
    if over is not None or follow is None:
        return over == STATION
    doors = place.running(StateDir.open(follow)).get("doors", {}).values()
    kinds = {door.get("kind") for door in doors}
    return KINDS[STATION] in kinds and KINDS[UDP] not in kinds


def find(to: str | None, over: str | None, follow: Path | None, login: Login) -> tuple[str, int] | Home:  # fmt: skip
    """Host and port for datagrams, or what stations are given.

    Raises:
        Refusal: nothing is named, the gateway has no such door, or the authority's file cannot be used.
    """
    if over not in (None, UDP, STATION):
        raise Refusal(f"--over {over}: forwarders speak over udp or as station.", 2)
    if to is not None:
        return _named(to, over, login)
    if follow is None:
        raise Refusal(
            "Forwarders need to know whom to speak to: --follow DIR, or --to udp://HOST:PORT, "
            "ws://HOST:PORT or wss://HOST:PORT.",
            2,
        )
    doors = place.running(StateDir.open(follow)).get("doors", {}).values()
    for way in (UDP, STATION) if over is None else (over,):
        for door in doors:
            if door.get("kind") != KINDS[way]:
                continue
            if way == UDP and door.get("port"):
                return door["host"], door["port"]
            if door.get("tls_port"):
                cafile = login.cafile or (Path(door["ca"]) if door.get("ca") else None)
                return _home(f"wss://localhost:{door['tls_port']}", login._replace(cafile=cafile))
            if door.get("port"):
                return _home(f"ws://{door['host']}:{door['port']}", login)
    wish = "" if over is None else f" --over {over}"
    raise Refusal(
        f"No gateway with an open door for forwarders{wish} runs on {follow}. sekisho simulate --lorawan 30{wish} "
        "--settings prints what its configuration needs; then sekisho run."
    )


def _named(to: str, over: str | None, login: Login) -> tuple[str, int] | Home:
    url = urlsplit(to)
    way = _SCHEMES.get(url.scheme)
    try:
        port = url.port
    except ValueError:
        port = None
    if way is not None and over not in (None, way):
        raise Refusal(
            f"--over {over} and --to {to} contradict each other: {url.scheme}:// is spoken by --over {way}. Leave --over out, "
            "and --to says it.",
            2,
        )
    if way is not None and url.hostname and port is None:
        raise Refusal(
            f"--to {to}: the port is missing, or none from 1 to 65535, as in {url.scheme}://{url.hostname}:{_PORTS[url.scheme]}.",
            2,
        )
    if way is None or not url.hostname or port is None:
        raise Refusal(
            f"--to {to}: forwarders speak to udp://HOST:PORT, or as Basics Station to ws://HOST:PORT or "
            "wss://HOST:PORT.",
            2,
        )
    if way == UDP:
        return url.hostname, port
    return _home(f"{url.scheme}://{url.netloc}", login)


def _home(uri: str, login: Login) -> Home:
    if not uri.startswith("wss:"):
        return Home(uri, None, login.headers)
    try:
        trust = ssl.create_default_context(
            cafile=None if login.cafile is None else str(login.cafile)
        )
    except OSError as error:
        raise Refusal(
            f"--cafile {login.cafile} cannot be used ({error.strerror or error}). It must be a PEM file."
        ) from error
    if login.client is not None:
        try:
            trust.load_cert_chain(login.client)
        except OSError as error:
            raise Refusal(
                f"--client {login.client} cannot be used ({error.strerror or error}). It must be a PEM file with a "
                "certificate and its key."
            ) from error
    return Home(uri, trust, login.headers)
