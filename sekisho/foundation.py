"""What `init` lays down: files from answers, proved by the settings' own reader before anything is made."""

import json
import re
import shutil
import socket
from collections.abc import Iterable
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from zoneinfo import available_timezones

from gateway.clock import SystemClock
from gateway.keys.place import refuse_inside
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.model.instant import to_datetime
from gateway.privacy.area import Area
from gateway.registry.words import nearest
from gateway.settings.area import shipped_municipalities
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
_NAMES = ("gateway.yaml", "privacy.yaml", "devices.yaml", "sekisho.service")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.@-]*\$?")


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
    if answers.port is None and not answers.hosts:
        raise Refusal("--port 0 closes the plain side, so another one is needed: --tls.", 2)
    if (fault := area_fault(answers.area)) is not None:
        raise Refusal(f"--area: {fault} Nothing was made.", 2)
    if not _USER.fullmatch(answers.user):
        raise Refusal(f'--user: "{answers.user}" is no name of a user of this machine.', 2)
    texts = _texts(answers, config)
    with TemporaryDirectory() as draft:
        settings = _proved(texts, Path(draft), answers)
    clock = SystemClock()
    made = {"configuration": config / "gateway.yaml"}
    state = None
    try:
        _write(texts, config, answers.hosts)
        state = StateDir.create(answers.state, mark, clock)
        ring = KeyRing.create(answers.keys, state.id, clock, settings.zone)
    except Refusal:
        _take_back(config, state)
        raise
    if answers.hosts:
        made["certificate"] = config / "tls" / "ca.pem"
    made["state"], made["keys"] = state.path, ring.path
    made["systemd unit"] = config / "sekisho.service"
    return made


def own_name() -> str:
    """This machine's name, as the network may know it."""
    return socket.getfqdn()


def names(hosts: Iterable[str]) -> tuple[str, ...]:
    """The names of a certificate: those given, and this machine's own for whoever tries it here."""
    return tuple(dict.fromkeys([*hosts, "localhost", "127.0.0.1"]))


def area_fault(text: str) -> str | None:
    """What is wrong with an answer about the service area; None if nothing is."""
    parts = text.split(",")
    try:
        if len(parts) == 4:
            Area.from_bbox(*map(float, parts))
        elif text.isdigit():
            known = shipped_municipalities()
            if text not in known:
                return (
                    f"no outline of {text} is shipped.{nearest(text, known)} Name a GeoJSON file."
                )
        elif not Path(text).is_file():
            return f"{text} is neither a code, nor a file, nor four numbers."
    except ValueError as error:
        return str(error)
    return None


def zone_fault(text: str) -> str | None:
    """What is wrong with an answer about the time zone; None if nothing is."""
    if text in available_timezones():
        return None
    return f'no time zone named "{text}".' + nearest(text, sorted(available_timezones()))


def port_fault(text: str) -> str | None:
    """What is wrong with an answer about a port; None if nothing is."""
    return None if text.isdigit() and int(text) <= 65_535 else "a port is a number up to 65535."


def owner_fault(text: str) -> str | None:
    """What is wrong with an answer about the municipality; None if nothing is."""
    return None if text.isdigit() and len(text) == 5 else "five digits, for example 16201."


def _refuse_in_the_way(answers: Answers, config: Path) -> None:
    """Never change what somebody may have written or stored."""
    ours = [config / name for name in (*_NAMES, "tls")]
    for path in (*ours, answers.state / "sekisho.json"):
        if path.exists() or path.is_symlink():
            raise Refusal(
                f"{path} is there already, so nothing was made. Choose another folder: sekisho init DIR."
            )


def _write(texts: dict[str, str], config: Path, hosts: tuple[str, ...]) -> None:
    """The files of `config/`, none of which was there before."""
    try:
        config.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (config / name).write_text(text, "utf-8")
        if hosts:
            (config / "tls").mkdir(mode=0o750)
            certificate.issue(config / "tls", list(hosts), to_datetime(SystemClock().now()))
    except OSError as error:
        raise Refusal(f"{error.filename} cannot be written: {error.strerror}.") from error


def _take_back(config: Path, state: StateDir | None) -> None:
    """What was made until something else could not be, and folders that are empty again."""
    with suppress(OSError):
        if state is not None:
            shutil.rmtree(state.path)
        if (config / "tls").is_dir():
            shutil.rmtree(config / "tls")
        for name in _NAMES:
            (config / name).unlink(missing_ok=True)
        config.rmdir()
        config.parent.rmdir()


def _texts(answers: Answers, config: Path) -> dict[str, str]:
    """Name in `config/` → contents."""
    port = answers.port
    low = answers.port is not None and 0 < answers.port < _PRIVILEGED
    facts = {
        "config": config / "gateway.yaml",
        "rules": config / "privacy.yaml",
        "state": _quoted(answers.state),
        "keys": _quoted(answers.keys),
        "owner": _quoted(_owner(answers)),
        "timezone": _quoted(answers.timezone),
        "area": _area(answers.area),
        "bind": _quoted(answers.bind),
        "port": "null" if port is None else port,
        "tls": _TLS if answers.hosts else "",
        "radius": _quoted(answers.radius),
        "retain": _quoted(answers.retain),
        "purpose": _quoted(answers.purpose),
        "user": answers.user,
        "unit_command": _in_unit(_command()),
        "unit_config": _in_unit(config / "gateway.yaml"),
        "unit_folder": str(answers.folder).replace("%", "%%"),
        "unit_state": _in_unit(answers.state),
        "unit_keys": _in_unit(answers.keys),
        "capabilities": "CAP_NET_BIND_SERVICE" if low else "",
    }
    folder = files("sekisho") / "templates"
    return {name: (folder / name).read_text("utf-8").format_map(facts) for name in _NAMES}


def _quoted(value: object) -> str:
    """Any text as one YAML word; JSON's form of a text is YAML's too."""
    return json.dumps(str(value), ensure_ascii=False)


def _in_unit(value: Path) -> str:
    """A path as one word of a systemd unit (systemd.syntax(7), systemd.unit(5) on specifiers)."""
    text = str(value).replace("%", "%%").replace("$", "$$")
    return text if re.fullmatch(r"[\w./%$@+:=-]+", text) else _quoted(text)


def _proved(texts: dict[str, str], draft: Path, answers: Answers) -> Settings:
    """The settings that the files come to, read as the gateway will read them.

    Raises:
        Refusal: an answer is no good; said by the option it came from as far as that can be told.
    """
    for name, text in texts.items():
        (draft / name).write_text(text, "utf-8")
    if answers.hosts:
        (draft / "tls").mkdir()
        try:
            certificate.issue(draft / "tls", list(answers.hosts), to_datetime(SystemClock().now()))
        except ValueError as error:
            raise Refusal(f"--host: {error}. Nothing was made.", exit_code=2) from None
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
        return f"municipality: {_quoted(text)}"
    return f"geojson: {_quoted(Path(text).absolute())}"


def _owner(answers: Answers) -> str:
    if answers.owner is not None:
        return answers.owner
    if answers.area.isdigit():
        return answers.area
    raise Refusal(
        "Whose devices are these? Say the municipality's five digits: --owner 16201.", exit_code=2
    )


def _command() -> Path:
    """Where the command lies that runs now, or that is found by its name."""
    said = screen.command()
    return Path(said if "/" in said else shutil.which(said) or said).absolute()
