"""`sekisho guardian`: which devices of guardians may be told where their own child is, and what they are told."""

import base64
import binascii
import json as jsonlib
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from gateway.model.errors import Refusal
from gateway.privacy.web_push import Subscription
from gateway.registry.home_import import read_private
from sekisho import looking, place, screen
from sekisho.place import Config, Json, Keys, Quiet, State
from sekisho.window import ask

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")

Household = Annotated[str, typer.Argument(metavar="HOUSEHOLD", show_default=False)]


@app.callback()
def guardian() -> None:
    """Let guardians' devices be told where their own child is (lane guardian_live)."""


@app.command()
def add(
    household: Household,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|-",
            help="The device's push subscription as its browser gives it (PushSubscription.toJSON).",
        ),
    ] = "-",
    *,
    name: Annotated[str, typer.Option(metavar="TEXT", help="A name for the device.")] = "",
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Let a device be told. Make sure first that it belongs to whom it should: it sees the child's way.

    Where parents live apart, or an address is protected, it also shows where the way ends.
    """
    here = place.find(state, keys, config)
    text = sys.stdin.read() if file == "-" else read_private(Path(file))
    to = _subscription(text)
    with here.registry() as registry:
        if not registry.families.held(household).devices:
            raise Refusal(
                f"No device belongs to {household}. sekisho devices list shows who lives where."
            )
        number = registry.families.add_guardian(household, name, to, here.clock.now())
    if json:
        screen.document({"guardian": number})
    elif not quiet:
        print(
            f"Device {number} of {household} may be told. Each child needs consent for guardian_live, too."
        )


@app.command("list")
def list_(
    household: Household,
    *,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """List a household's devices: number, name, push service."""
    here = place.find(state, keys, config)
    with here.registry() as registry:
        found = registry.families.guardians(household)
    rows = [
        (one.number, one.name, urlsplit(one.subscription.endpoint).hostname or "") for one in found
    ]
    if json:
        screen.document(
            [dict(zip(("guardian", "name", "service"), row, strict=True)) for row in rows]
        )
    else:
        screen.table(("guardian", "name", "service"), [[str(cell) for cell in row] for row in rows])


@app.command()
def remove(
    household: Household,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="As list shows it.")],
    *,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Tell a device nothing more, from this moment on."""
    here = place.find(state, keys, config)
    with here.registry() as registry:
        if not registry.families.remove_guardian(household, number):
            raise Refusal(f"{household} has no device {number}: sekisho guardian list {household}.")
    if not quiet:
        print(f"Device {number} of {household} is told nothing more.")


@app.command()
def messages(
    household: Household,
    *,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Print what each device is told now: messages that it alone can open (RFC 8291).

    Whoever carries them posts each body to its endpoint, with Content-Encoding: aes128gcm
    and TTL: 60. This command opens none and sends none. The gateway must run, under rules
    with a lane guardian_live.
    """
    here = place.find(state, keys, config)
    (said,) = ask(here.state, "live", place.PATIENCE_S, household=household)
    found = said["messages"]
    looking.note(here.state, here.keys, "guardian", "messages for guardians", rows=len(found))
    if json:
        screen.document(found)
        return
    screen.table(
        ("guardian", "endpoint", "octets"),
        [
            [str(one["guardian"]), one["endpoint"], str(len(base64.b64decode(one["body"])))]
            for one in found
        ],
    )


def _subscription(text: str) -> Subscription:
    """Read a PushSubscription.

    Raises:
        Refusal: it is none, or its address is not https.
    """
    try:
        said = jsonlib.loads(text)
        endpoint, held = str(said["endpoint"]), said["keys"]
        p256dh, auth = (_octets(held[part]) for part in ("p256dh", "auth"))
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise Refusal(
            "This is no push subscription: JSON with endpoint and keys (p256dh, auth) is needed, as a browser's "
            "PushSubscription.toJSON() gives it.",
            exit_code=2,
        ) from None
    if urlsplit(endpoint).scheme != "https" or len(p256dh) != 65 or len(auth) != 16:
        raise Refusal(
            "The subscription's endpoint must be an https address, its p256dh 65 octets and its auth 16.",
            exit_code=2,
        )
    return Subscription(endpoint, p256dh, auth)


def _octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
