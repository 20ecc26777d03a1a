"""`sekisho init`: everything a gateway of one's own needs, by questions or by options alone."""

import getpass
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from gateway.model.errors import Refusal
from gateway.settings.area import shipped_names
from sekisho import foundation, screen
from sekisho import init_options as given
from sekisho.cautions import CIRCLE
from sekisho.foundation import Answers
from sekisho.place import Json, Quiet

_ANY = {"0.0.0.0", "::"}  # noqa: S104 - what a person may answer, not what is bound here


def init(
    folder: given.Folder = Path(),
    *,
    area: given.Area = None,
    owner: given.Owner = None,
    timezone: given.Timezone = None,
    state: given.State = None,
    keys: given.Keys = None,
    mark: given.Mark = "none",
    bind: given.Bind = None,
    port: given.Port = None,
    tls: given.Tls = None,
    host: given.Host = [],  # noqa: B006 - typer reads it, nobody writes it
    radius: given.Radius = "50 m",
    retain: given.Retain = "28 d",
    purpose: given.Purpose = "See that children get to school and home, and where their ways need care.",
    user: given.User = None,
    yes: given.Yes = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a gateway of your own: configuration, state directory, keys, certificate, systemd unit.

    In a terminal it asks where the gateway serves, where it listens and which names its certificate
    gets; --yes asks nothing. Everything else has a default and an option. Nothing that is there already
    is changed: what is in the way is named, and nothing is made.
    """
    asking = sys.stdin.isatty() and not yes
    area = area or _ask_area(asking)
    if owner is None and not area.isdigit():
        owner = _ask(asking, "Whose devices are these (five digits)", "", foundation.owner_fault)
    bind = bind or _ask(asking, "Address to listen on (0.0.0.0: the world)", "127.0.0.1")
    world = bind in _ANY
    if tls is None:
        tls = _confirm(asking, "Open a TLS door with a certificate of its own?", world)
    if port is None:
        usual = "0" if world and tls else "1883"
        port = int(_ask(asking, "Port for plain MQTT (0: none)", usual, foundation.port_fault))
    if tls and world and not host:
        if not asking:
            raise Refusal("By which name do devices reach it? Say --host NAME.", exit_code=2)
        question = "Names and addresses by which devices reach it"
        host = _ask(asking, question, foundation.own_name()).split()
    answers = Answers(
        folder=folder.absolute(),
        area=area,
        owner=owner or None,
        timezone=timezone or _ask(asking, "Time zone", "Asia/Tokyo", foundation.zone_fault),
        state=(state or folder / "state").absolute(),
        keys=(keys or folder / "keys").absolute(),
        mark=mark,
        bind=bind,
        port=port or None,
        hosts=foundation.names(host) if tls else (),
        radius=radius,
        retain=retain,
        purpose=purpose,
        user=user or getpass.getuser(),
    )
    made = foundation.lay(answers)
    if json:
        screen.document({name: str(path) for name, path in made.items()})
    elif not quiet:
        _tell(made, answers)


def _ask_area(asking: bool) -> str:
    """Where it serves: the one thing that nobody can guess."""
    if not asking:
        raise Refusal(
            "Where does it serve? Say --area: a municipality's code, a GeoJSON file, or a box such as "
            "36.50,137.00,36.80,137.40.",
            exit_code=2,
        )
    known = [f"{code} {name}" for code, name in shipped_names().items()]
    lines = ["  ".join(known[at : at + 5]) for at in range(0, len(known), 5)]
    print("Shipped municipalities; for another one, a GeoJSON file or a box:")
    print("\n".join(f"  {line}" for line in lines))
    question = "Where does it serve (code, GeoJSON file, or S,W,N,E)"
    return _ask(asking, question, "16201", foundation.area_fault)


def _ask(
    asking: bool, question: str, default: str, fault: Callable[[str], str | None] | None = None
) -> str:
    """The answer to a question, asked again until nothing is wrong with it; else the default."""
    while asking:
        said = str(typer.prompt(question, default=default or None))
        wrong = None if fault is None else fault(said)
        if wrong is None:
            return said
        print(f"  {wrong}")
    return default


def _confirm(asking: bool, question: str, default: bool) -> bool:
    return bool(typer.confirm(question, default=default)) if asking else default


def _tell(made: dict[str, Any], answers: Answers) -> None:
    command = screen.command()
    config = made["configuration"]
    screen.facts(list(made.items()))
    if not answers.hosts and answers.bind in _ANY:
        screen.warn("Tokens cross the network in plain: open TLS (--tls) before devices do.")
    if answers.user == "root":
        screen.warn("The unit runs as root. Better a user of its own: --user sekisho.")
    if answers.user != getpass.getuser():
        paths = shlex.join(map(str, (answers.state, answers.keys, config.parent)))
        print(f"These belong to you still: sudo chown -R {answers.user} {paths}")
    print(f"{CIRCLE[:1].upper()}{CIRCLE[1:]}.")
    print(
        "Whoever loses the keys loses homes, consents, tokens and rows about people: keep a copy in a safe place.\nNext:"
    )
    where = (
        ""
        if config == Path("config/gateway.yaml").absolute()
        else f" --config {shlex.quote(str(config))}"
    )
    print(f"  {command} run{where}")
    print(f"  {command} devices add river-1 --kind river_gauge -a datum_m=4.2{where}")
    print(f"  {command} doctor river-1{where}")
