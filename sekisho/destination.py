"""Where the simulator sends to, and as whom: `--to`, `--follow` and the password in plain terms."""

import asyncio
import ssl
from pathlib import Path
from typing import Annotated, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit

import typer

from gateway.clock import SimulatedClock
from gateway.model.errors import Refusal
from gateway.model.instant import Instant
from gateway.statedir import StateDir
from sekisho import place
from sekisho.enrolment import CREDENTIAL, token_file_of
from sekisho.window import ask
from simulators.outlets.endpoint import Endpoint

_LOGIN = "Login at a broker"

User: TypeAlias = Annotated[
    str | None, typer.Option(show_default=False, rich_help_panel=_LOGIN, help="MQTT user name.")
]
PasswordFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        show_default=False,
        rich_help_panel=_LOGIN,
        help="Its password: the first line of a file.",
    ),
]
CaFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--cafile",
        metavar="FILE",
        show_default=False,
        rich_help_panel=_LOGIN,
        help="PEM file of the CA behind mqtts://.",
    ),
]
_PORTS = {"mqtt": 1883, "mqtts": 8883}


class Followed(NamedTuple):
    """A running gateway: its time now, whether that is simulated, and the address of its first open door."""

    state: StateDir
    now: Instant
    simulated: bool
    door: str | None
    ca: Path | None

    async def advance(self, to: Instant) -> None:
        """Move its clock; returns when what was due until then is done.

        Raises:
            Refusal: it is gone, or does not want to.
        """
        await asyncio.to_thread(lambda: list(ask(self.state, "clock", to_us=to)))


def follow(state: Path) -> Followed:
    """What a running gateway wrote about itself.

    Raises:
        Refusal: none runs on that directory.
    """
    directory = StateDir.open(state)
    running = place.running(directory)
    if not running:
        raise Refusal(
            f"No gateway runs on {directory.path}, so there is no clock to follow. "
            f"Start it first: sekisho run --state {state}."
        )
    clock = place.clock_of(directory)
    about = (directory, clock.now(), isinstance(clock, SimulatedClock))
    for door in running.get("doors", {}).values():
        if door.get("port"):
            return Followed(*about, f"mqtt://{door['host']}:{door['port']}", None)
        if door.get("tls_port"):
            url = f"mqtts://{door['host']}:{door['tls_port']}"
            ca = door.get("ca")
            return Followed(*about, url, None if ca is None else Path(ca))
    return Followed(*about, None, None)


def endpoint(
    to: str, user: str | None, password: bytes | None, cafile: Path | None, seed: int
) -> Endpoint:
    """The MQTT endpoint of a URL `mqtt(s)://[user[:password]@]host[:port]`.

    Raises:
        Refusal: it is no such URL, or the CA file cannot be read.
    """
    url = urlsplit(to)
    try:
        port = url.port or _PORTS[url.scheme]
    except ValueError:
        raise Refusal(f"--to {to}: the port is not a number.", exit_code=2) from None
    if not url.hostname:
        raise Refusal(f"--to {to}: a host is missing, as in mqtt://127.0.0.1:1883.", exit_code=2)
    if password is None and url.password is not None:
        password = unquote(url.password).encode()
    if user is None and url.username is not None:
        user = unquote(url.username)
    return Endpoint(
        url.hostname, port, user, password, _tls(url.scheme, cafile), f"sekisho-sim-{seed}"
    )


def _tls(scheme: str, cafile: Path | None) -> ssl.SSLContext | None:
    if scheme != "mqtts":
        return None
    try:
        return ssl.create_default_context(cafile=None if cafile is None else str(cafile))
    except OSError as error:
        raise Refusal(
            f"--cafile {cafile} cannot be used ({error.strerror or error}). It must be a PEM file."
        ) from error


def password_of(
    password_file: Path | None, state: Path | None, user: str | None
) -> tuple[str | None, bytes | None]:
    """User and password: from the file, else the fleet's token beside a state directory.

    Raises:
        Refusal: the file cannot be read.
    """
    if password_file is None:
        if state is None or user not in (None, CREDENTIAL):
            return user, None
        password_file = token_file_of(state)
        if not password_file.exists():
            return user, None
        user = CREDENTIAL
    try:
        return user, password_file.read_text().strip().encode()
    except OSError as error:
        raise Refusal(
            f"The password file {password_file} cannot be read ({error.strerror}). "
            "Register the fleet (--register) or name the right file.",
            exit_code=2,
        ) from error
