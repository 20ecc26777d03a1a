"""Where a verb works: which state directory, with which keys, on which clock."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import typer

from gateway.clock import Clock, SimulatedClock, SystemClock
from gateway.keys.place import default_root
from gateway.keys.place import refuse_inside as refuse_keys_inside
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.registry.registry import Registry
from gateway.registry.taken_back import told
from gateway.settings.load import Settings, SettingsError, load_settings
from gateway.statedir import Mark, StateDir
from sekisho import screen
from sekisho.kinds_in_force import know
from sekisho.window import ask

DEFAULT_CONFIG = Path("config/gateway.yaml")
DEMO_STATE = Path(".demo/state")
PATIENCE_S = 5.0
"""How long a verb waits for a gateway that is asked for what it has in memory."""
_WHERE = "Where"
_IS_THERE = (
    "{option} {file}: this file is there already. Name another one, or replace it with --force."
)

State: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--state",
        envvar="SEKISHO_STATE",
        metavar="DIR",
        rich_help_panel=_WHERE,
        help="State directory. Default: what --config says, else .demo/state if there is one, else "
        "what config/gateway.yaml says.",
    ),
]
Keys: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        metavar="DIR",
        rich_help_panel=_WHERE,
        help="Keys root. Default: keys/ beside the state directory if it holds its keys, else what "
        "the configuration says, else /etc/sekisho/keys for a service, ~/.config/sekisho/keys for a user.",
    ),
]
Config: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        rich_help_panel=_WHERE,
        help="Configuration. Default: config/gateway.yaml if there is one.",
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


class Place(NamedTuple):
    """A state directory with its keys.

    Attributes:
        state: the directory.
        keys: its key ring.
        clock: the clock its gateway lives on, if one runs there, else the machine's.
        settings: the configuration, if there is a usable one.
    """

    state: StateDir
    keys: KeyRing
    clock: Clock
    settings: Settings | None

    @contextmanager
    def registry(self) -> Iterator[Registry]:
        """The registry, open for a while; says so where it was older than what was taken back since."""
        with Registry.open(self.state, self.keys) as opened:
            if again := told(opened.taken_back.done):
                screen.warn(again)
            yield opened

    def in_area(self) -> Callable[[float, float], bool]:
        """The service area's test.

        Raises:
            Refusal: no configuration says what it is.
        """
        if self.settings is None:
            raise Refusal(
                "The service area is not known, so no home can be checked against it. "
                "Name the configuration: --config config/gateway.yaml.",
                exit_code=2,
            )
        return self.settings.policy.in_area


def find(state: Path | None, keys: Path | None, config: Path | None) -> Place:
    """The place that the options, the environment and the configuration name.

    Raises:
        Refusal: it does not exist, or its keys are not there.
    """
    settings = settings_of(config)
    directory = opened(state_path(state, config, settings))
    ring = ring_of(directory, keys, settings)
    return Place(directory, ring, clock_of(directory), settings)


def ring_of(directory: StateDir, keys: Path | None, settings: Settings | None) -> KeyRing:
    """The keys of a directory.

    Raises:
        Refusal: they are not there.
    """
    root = keys_root(directory.path, directory.id, keys, settings)
    return KeyRing.open(root, directory.id, clock_of(directory), zone_of(settings))


def find_state(state: Path | None, config: Path | None) -> tuple[StateDir, Settings | None]:
    """The state directory alone, for verbs that need no key."""
    settings = settings_of(config)
    return opened(state_path(state, config, settings)), settings


def opened(path: Path) -> StateDir:
    """A state directory whose declared kinds are known from here on."""
    directory = StateDir.open(path)
    know(directory.kinds_dir)
    return directory


def state_path(given: Path | None, config: Path | None, settings: Settings | None) -> Path:
    """Which directory is meant: the one given, that of a configuration given, the demo's, ours."""
    if given is not None:
        return given
    if config is not None and settings is not None:
        return settings.state
    if DEMO_STATE.is_dir():
        return DEMO_STATE
    if settings is not None:
        return settings.state
    _refuse_faulty()
    raise Refusal(
        "No state directory is named: there is neither .demo/state nor "
        f"{DEFAULT_CONFIG} here. Say --state DIR, or set SEKISHO_STATE.",
        exit_code=2,
    )


def _refuse_faulty() -> None:
    """Refuse a configuration that would name a directory if it had no faults."""
    if not DEFAULT_CONFIG.is_file():
        return
    try:
        load_settings(DEFAULT_CONFIG)
    except SettingsError as error:
        faults = len(error.complaints)
        raise Refusal(
            f"{DEFAULT_CONFIG} has {faults} fault{'' if faults == 1 else 's'}: sekisho check. "
            "Until it is mended, say --state DIR, or set SEKISHO_STATE.",
            exit_code=2,
        ) from None


def keys_root(
    state: Path, directory_id: str, given: Path | None, settings: Settings | None
) -> Path:
    """Where the keys of a state directory lie.

    Raises:
        Refusal: inside the state directory.
    """
    root = given
    if root is None and (state.parent / "keys" / directory_id).is_dir():
        root = state.parent / "keys"
    if root is None and settings is not None:
        root = settings.keys
    if root is None:
        root = default_root(os.environ)
    refuse_keys_inside(root, state)
    return root.absolute()


def clock_of(state: StateDir) -> Clock:
    """The clock of the gateway that runs there: the machine's, or simulated time as it stands now."""
    if running(state).get("clock"):
        with suppress(Refusal):  # a gateway that was killed says nothing any more
            (said,) = ask(state, "clock", PATIENCE_S)
            return SimulatedClock(said["now_us"])
    return SystemClock()


def refuse_to_replace(option: str, file: Path | None, *, force: bool) -> None:
    """Refuse a file to write into, if one is to be, that is there already; a device such as /dev/null is none.

    Raises:
        Refusal: unless `force`.
    """
    if file is not None and file.is_file() and not force:
        raise Refusal(_IS_THERE.format(option=option, file=file), exit_code=2)


def replaceable(option: str, file: Path, *, force: bool) -> Path:
    """Where a file lies that is to be put in its place when it is whole; links are followed.

    Raises:
        Refusal: there is one already, unless `force`; what is there is no file (a folder, a device, a pipe), or
            nothing can be there.
    """
    try:
        target = file.resolve()
        is_there, is_file = target.exists(), target.is_file()
    except (OSError, RuntimeError) as error:  # RuntimeError: links that go round in a circle
        why = getattr(error, "strerror", None) or "its links go round in a circle"
        raise Refusal(f"{option} {file}: nothing can be written there ({why}).", 2) from None
    if is_there and not is_file:
        what = "a folder" if target.is_dir() else "a device or a pipe"
        raise Refusal(
            f"{option} {file}: this is {what}, and a file would take its place. Name a file.", 2
        )
    if is_there and not force:
        raise Refusal(_IS_THERE.format(option=option, file=file), exit_code=2)
    return target


def refuse_inside(target: Path, directory: StateDir) -> None:
    """Refuse to write a file into a state directory.

    Raises:
        Refusal: it lies there.
    """
    if target.resolve().is_relative_to(directory.path.resolve()):
        raise Refusal(
            f"{target} lies inside the state directory, where nothing but Sekisho's own belongs. "
            "Choose a place outside.",
            exit_code=2,
        )


def mark(text: str) -> Mark | None:
    """The mark that an option names; None for none.

    Raises:
        Refusal: there is no such mark.
    """
    if text.lower() == "none":
        return None
    try:
        return Mark(text.upper())
    except ValueError:
        raise Refusal(
            f"--mark {text}: a directory is marked SIM, REPLAY or none.", exit_code=2
        ) from None


def running(state: StateDir) -> dict[str, Any]:
    """What a running gateway wrote about itself; empty where none runs."""
    try:
        described = json.loads(state.run_file.read_bytes())
    except (OSError, ValueError):
        return {}
    return described if isinstance(described, dict) else {}


def zone_of(settings: Settings | None) -> tzinfo:
    """Local time: the configuration's, else the machine's."""
    if settings is not None:
        return settings.zone
    name = os.environ.get("TZ", "").lstrip(":")
    try:
        if name:
            return ZoneInfo(name)
        linked = str(Path("/etc/localtime").resolve())
        return ZoneInfo(linked.partition("zoneinfo/")[2] or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def settings_of(config: Path | None) -> Settings | None:
    """The configuration; one that was not asked for may have faults without stopping the verb."""
    if config is not None:
        return load_settings(config)
    if not DEFAULT_CONFIG.is_file():
        return None
    try:
        return load_settings(DEFAULT_CONFIG)
    except SettingsError:
        return None
