"""`sekisho run`: the gateway itself, from a configuration."""

import json as jsonlib
import logging
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.app.checkpoint import Tempo
from gateway.app.cores import forbid_cores
from gateway.app.radio import RadioPlan
from gateway.app.run import Plan
from gateway.app.run import run as run_gateway
from gateway.app.wanted import DoorPlan, PushPlan, Side, Wanted
from gateway.clock import Clock, SimulatedClock, SystemClock
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.model.instant import CALENDAR_END, parse_rfc3339, to_rfc3339
from gateway.registry import imports
from gateway.registry.registry import Registry
from gateway.registry.taken_back import told
from gateway.settings.load import Settings, load_settings
from gateway.settings.settings import HttpPush, Listening, MqttListener
from gateway.statedir import Mark, StateDir
from gateway.transports.mqtt_listener.limits import Limits
from sekisho import place, screen
from sekisho.cautions import in_plain
from sekisho.homes import strange_in
from sekisho.kinds_in_force import keep, know
from sekisho.place import Config, Json, Keys, Quiet
from sekisho.scripts import declared

_CHANGES = {"+": "added", "~": "changed", "-": "removed", "=": "kept as a command set it"}
"""How an import marks its lines."""


_SCHEMES = {
    "mqtt_listener": ("mqtt", "mqtts"),
    "http_push": ("http", "https"),
    "lorawan_udp": ("udp", ""),
    "basics_station": ("ws", "wss"),
}
"""How each sort of door is written in a URL, plain and encrypted."""

_SCHEME = "sim://"


def run(
    *,
    config: Config = None,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state", metavar="DIR", help="State directory. Default: what the configuration says."
        ),
    ] = None,
    keys: Keys = None,
    clock: Annotated[
        str | None,
        typer.Option(
            metavar="sim://TIME",
            help="Live in simulated time, as sim://2026-05-12T07:00+09:00: it stands still until "
            "sekisho simulate --follow moves it. SIM and REPLAY directories only.",
        ),
    ] = None,
    clock_is_right: Annotated[
        bool,
        typer.Option(
            "--clock-is-right",
            help="Your word, for this start, that the machine's clock shows the right time: files and "
            "keys whose time is over by it are removed, for good.",
        ),
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run the gateway until SIGTERM or Ctrl-C; a second signal ends it at once.

    What is acknowledged is on disk. Stopping takes in nothing more, commits and acknowledges what
    is there, and ends with 0; with 3 if that takes longer than 30 s.
    """
    forbid_cores()
    logging.basicConfig(
        level=logging.ERROR if quiet else logging.INFO, format="%(message)s", stream=sys.stderr
    )
    settings = load_settings(config or place.DEFAULT_CONFIG)
    directory = StateDir.open(state or settings.state)
    if settings.rules.explain == "full" and directory.mark is not Mark.SIM:
        raise Refusal(
            f"The rule set says explain: full, and {directory.path} is not marked SIM: numbers are told of invented people "
            "alone. Write explain: reasons.",
            exit_code=2,
        )
    know(directory.kinds_dir)
    lives_on = _clock(clock, directory)
    root = place.keys_root(directory.path, directory.id, keys, settings)
    ring = KeyRing.open(root, directory.id, lives_on, settings.zone)
    plan = Plan(
        directory,
        ring,
        settings.policy,
        lives_on,
        _doors(settings, directory),
        Tempo(settings.tick_s, settings.batch),
        prepare=lambda: _prepare(settings, directory, ring, lives_on),
        clock_is_right=clock_is_right,
        scripts=declared(settings),
        counted=settings.counted,
    )

    for caution in in_plain(settings):
        logging.getLogger("sekisho").warning("%s", caution)

    def ready(running: dict[str, Any]) -> None:
        if json:
            print(jsonlib.dumps(running), flush=True)
        elif not quiet:
            _announce(running, directory, settings)

    raise typer.Exit(run_gateway(plan, ready))


def _announce(running: dict[str, Any], directory: StateDir, settings: Settings) -> None:
    print(f"Sekisho · state {directory.path} ({directory.mark or 'not marked'})")
    for name, door in running["doors"].items():
        plain, tls = _SCHEMES[door["kind"]]
        ports = [f"{scheme}://{door['host']}:{door[key]}" for scheme, key in ((plain, "port"), (tls, "tls_port")) if door[key]]  # fmt: skip
        print(f"  door {name}  {'  '.join(ports)}")
    for name, url in running["brokers"].items():
        print(f"  broker {name}  {url}")
    if running["clock"]:
        now = to_rfc3339(running["clock"]["start_us"], settings.zone)[:16]
        print(f"  clock  simulated: {now} until sekisho simulate --follow moves it")
    print(f"  look   {screen.command()} tail --state {directory.path}", flush=True)


def _doors(settings: Settings, directory: StateDir) -> Wanted:
    radio = None
    if (lorawan := settings.lorawan) is not None:
        origin = "simulated" if directory.mark is Mark.SIM else "own"
        radio = RadioPlan(
            *(lorawan.plan, lorawan.forwarders, lorawan.window_s, origin),
            lorawan.adr_margin_db,
        )
    return Wanted(
        tuple(_door(door) for door in settings.doors),
        tuple(_push(door) for door in settings.pushes),
        settings.brokers,
        radio,
        tuple(Side(door.name, door.bind, door.port) for door in settings.udp),
        tuple(_side(door) for door in settings.stations),
    )


def _prepare(settings: Settings, directory: StateDir, ring: KeyRing, clock: Clock) -> None:
    keep(directory, settings)
    _import_devices(settings, directory, ring, clock)
    if (said := strange_in(directory, ring, settings.policy)) is not None:
        logging.getLogger("sekisho").warning("%s", said)


def _import_devices(settings: Settings, directory: StateDir, ring: KeyRing, clock: Clock) -> None:
    """`devices.yaml` adds and changes; what a command set later stays (decisions 11)."""
    with Registry.open(directory, ring) as registry:
        if again := told(registry.taken_back.done):
            logging.getLogger("sekisho").warning("%s", again)
        planned = imports.plan(registry, settings.entries)
        if planned:
            imports.apply(registry, planned, clock.now())
    changes = Counter(line[:1] for line in planned.lines())
    if changes:
        said = ", ".join(f"{count} {_CHANGES.get(sign, sign)}" for sign, count in changes.items())
        logging.getLogger("sekisho").info("devices.yaml: %s", said)


def _side(door: Listening) -> Side:
    tls = door.tls
    if tls is None:
        return Side(door.name, door.bind, door.port)
    return Side(
        *(door.name, door.bind, door.port, tls.port, tls.certificate, tls.key),
        *(_ca(tls.certificate), tls.client_ca, tls.clients_required),
    )


def _door(door: MqttListener) -> DoorPlan:
    return DoorPlan(
        _side(door),
        door.anonymous,
        Limits(
            connections=door.connections,
            packet_bytes=door.packet_bytes,
            pending=door.pending,
            topic_aliases=door.topic_aliases,
            session_expiry_s=int(door.session_expiry_s),
            keep_alive_s=int(door.keep_alive_s),
        ),
        door.server_topics,
    )


def _push(door: HttpPush) -> PushPlan:
    return PushPlan(_side(door), door.body_bytes, door.pending)


def _ca(certificate: Path) -> Path | None:
    """The CA file that clients need, where it lies beside the certificate."""
    path = certificate.with_name("ca.pem")
    return path.absolute() if path.exists() else None


def _clock(text: str | None, directory: StateDir) -> Clock:
    if text is None:
        return SystemClock()
    if directory.mark is None:
        raise Refusal(
            f"{directory.path} holds the real thing and lives on real time. Simulated time is for "
            "directories marked SIM or REPLAY: sekisho keys init --mark SIM --state DIR.",
            2,
        )
    try:
        start = parse_rfc3339(text.removeprefix(_SCHEME))
    except ValueError:
        start = None
    if start is None or not text.startswith(_SCHEME):
        raise Refusal(f"--clock {text} is not understood. Write sim://2026-05-12T07:00+09:00.", 2)
    if not 0 <= start < CALENDAR_END:
        raise Refusal(f"--clock {text}: simulated time lies between 1970 and 2200.", 2)
    return SimulatedClock(start)
