"""What `init` lays down: files from answers, proved by the settings' own reader before anything is made."""

import json
import shutil
import socket
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from gateway.clock import SystemClock
from gateway.keys.place import refuse_inside
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.model.instant import to_datetime
from gateway.settings.load import Settings, SettingsError, load_settings
from gateway.statedir import StateDir
from sekisho import certificate, place, screen

_TLS = """\
    tls:
      port: 8883
      certificate: tls/server.pem
      key: tls/server.key
"""
_PRIVILEGED = 1024


class Answers(NamedTuple):
    """What a gateway of one's own is to be; paths are absolute.

    Attributes:
        area: a municipality's code, a GeoJSON file, or "south,west,north,east".
        owner: municipality of its devices; None for that of the area.
        port: plain MQTT; None for none.
        hosts: names for the certificate; empty for no TLS.
        user: who runs the service.
    """

    folder: Path
    area: str
    owner: str | None
    timezone: str
    state: Path
    keys: Path
    mark: str
    bind: str
    port: int | None
    hosts: tuple[str, ...]
    radius: str
    retain: str
    purpose: str
    user: str


def lay(answers: Answers) -> dict[str, Path]:
    """Make everything; what was made, by name.

    Raises:
        Refusal: an answer is wrong, or something is in the way; then nothing was made.
    """
    mark = place.mark(answers.mark)
    config = answers.folder / "config"
    _refuse_in_the_way(answers, config)
    refuse_inside(answers.keys, answers.state)
    texts = _texts(answers, config)
    with TemporaryDirectory() as draft:
        settings = _proved(texts, Path(draft), answers)
    clock = SystemClock()
    made = {"configuration": config / "gateway.yaml"}
    try:
        config.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (config / name).write_text(text, "utf-8")
        if answers.hosts:
            tls = config / "tls"
            tls.mkdir(mode=0o750)
            certificate.issue(tls, list(answers.hosts), to_datetime(clock.now()))
            made["certificate"] = tls / "ca.pem"
    except OSError as error:
        raise Refusal(f"{error.filename} cannot be written: {error.strerror}.") from error
    state = StateDir.create(answers.state, mark, clock)
    made["state"] = state.path
    made["keys"] = KeyRing.create(answers.keys, state.id, clock, settings.zone).path
    made["systemd unit"] = config / "sekisho.service"
    return made


def own_name() -> str:
    """This machine's names for a certificate, as one line."""
    return f"{socket.getfqdn()} localhost 127.0.0.1"


def _refuse_in_the_way(answers: Answers, config: Path) -> None:
    """Never change what somebody may have written or stored."""
    for path in (config / "gateway.yaml", config / "tls", answers.state / "sekisho.json"):
        if path.exists():
            raise Refusal(
                f"{path} is there already, so nothing was made. Choose another folder: sekisho init DIR."
            )


def _texts(answers: Answers, config: Path) -> dict[str, str]:
    """Name in `config/` → contents."""
    port = answers.port
    low = answers.port is not None and 0 < answers.port < _PRIVILEGED
    facts = {
        "config": config / "gateway.yaml",
        "folder": answers.folder,
        "state": answers.state,
        "keys": answers.keys,
        "owner": _owner(answers),
        "timezone": answers.timezone,
        "area": _area(answers.area),
        "bind": answers.bind,
        "port": "null" if port is None else port,
        "tls": _TLS if answers.hosts else "",
        "radius": answers.radius,
        "retain": answers.retain,
        "purpose": json.dumps(answers.purpose, ensure_ascii=False),
        "user": answers.user,
        "command": Path(screen.command()).absolute() if "/" in screen.command() else _installed(),
        "capabilities": "CAP_NET_BIND_SERVICE" if low else "",
    }
    folder = files("sekisho") / "templates"
    return {
        name: (folder / name).read_text("utf-8").format_map(facts)
        for name in ("gateway.yaml", "privacy.yaml", "devices.yaml", "sekisho.service")
    }


def _proved(texts: dict[str, str], draft: Path, answers: Answers) -> Settings:
    """The settings that the files come to, read as the gateway will read them.

    Raises:
        Refusal: an answer is no good; said by the option it came from as far as that can be told.
    """
    for name, text in texts.items():
        (draft / name).write_text(text, "utf-8")
    if answers.hosts:
        (draft / "tls").mkdir()
        certificate.issue(draft / "tls", list(answers.hosts), to_datetime(SystemClock().now()))
    try:
        return load_settings(draft / "gateway.yaml")
    except SettingsError as error:
        said = "\n".join(f"{fault.path}: {fault.sentence}" for fault in error.complaints)
        raise Refusal(f"{said}\nNothing was made.", exit_code=2) from None


def _area(text: str) -> str:
    """One line under `service_area:`."""
    parts = text.split(",")
    if len(parts) == 4:
        return f"bbox: [{', '.join(part.strip() for part in parts)}]"
    if text.isdigit():
        return f'municipality: "{text}"'
    return f"geojson: {Path(text).absolute()}"


def _owner(answers: Answers) -> str:
    if answers.owner is not None:
        return answers.owner
    if answers.area.isdigit():
        return answers.area
    raise Refusal(
        "Whose devices are these? Say the municipality's five digits: --owner 16201.", exit_code=2
    )


def _installed() -> Path:
    """Where the command lies that is found by its name."""
    return Path(shutil.which("sekisho") or "sekisho").absolute()
