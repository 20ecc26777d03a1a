"""`sekisho command`: say something to a device, now or as soon as it is there."""

import json as jsonlib
from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.model.errors import Refusal
from gateway.model.instant import to_datetime
from gateway.sessions.command import LARGEST, Outcome
from gateway.statedir import StateDir
from sekisho import place, screen
from sekisho.place import Config, Json, Quiet, State
from sekisho.spans import length
from sekisho.window import ask

_DONE = {Outcome.ACKNOWLEDGED.value, Outcome.SENT.value, Outcome.BROADCAST.value}
_LEFT = 3


def command(
    device: Annotated[str, typer.Argument(metavar="DEVICE", show_default=False)],
    *,
    text: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The command, as a text in UTF-8.")
    ] = None,
    document: Annotated[
        str | None, typer.Option(metavar="JSON", help="The command, as a JSON document.")
    ] = None,
    hex_: Annotated[
        str | None, typer.Option("--hex", metavar="HEX", help="The command, as hex digits.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The command is what the file holds.")
    ] = None,
    expires: Annotated[
        str, typer.Option(metavar="DURATION", help="How long it may wait for the device.")
    ] = "24 h",
    wait: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="How long to wait for the device's acknowledgement; it is given in any case. Left "
            "out: 5 s if the device is listening, else not at all.",
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Show what waits for the device.")] = False,
    cancel: Annotated[
        str | None,
        typer.Option(metavar="NUMBER|all", help="Take back a command that waits, or all."),
    ] = None,
    state: State = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Give a device a command, through the running gateway.

    It is on disk until the device acknowledges it or its time is over. The device hears it on its own
    topic, sekisho/v1/DEVICE/command, once it has subscribed. Exit code 3: not yet acknowledged when
    --wait was over; the command waits on.
    """
    contents = [(text, document, hex_, file), (show or None, cancel)]
    if sum(given is not None for some in contents for given in some) != 1:
        raise Refusal(
            "Say one thing: the command by --text, --document, --hex or --file; or --list, or --cancel.",
            exit_code=2,
        )
    directory, settings = place.find_state(state, config)
    zone = place.zone_of(settings)
    if show:
        waiting = asked(directory, "command", device, list=True)["waiting"]
        listed("command", device, waiting, zone, json=json)
    elif cancel is not None:
        answer = asked(directory, "command", device, cancel=number_of(cancel))
        if json:
            screen.document(answer)
        elif not quiet:
            print(f"{screen.count(answer['cancelled'], 'command')} cancelled.")
    else:
        said = {
            "payload": _payload(text, document, hex_, file).hex(),
            "expires_s": length("--expires", expires),
            "wait_s": None if wait is None else length("--wait", wait),
        }
        answer = asked(directory, "command", device, **said)
        if json:
            screen.document(answer)
        why = (
            "the device has not acknowledged it yet"
            if answer["heard"]
            else "the device is not connected, or has not subscribed to its commands"
        )
        tell(
            f"{why} (command {answer['number']})",
            answer,
            zone,
            quiet=quiet or json,
            waited=wait is not None,
        )


def asked(directory: StateDir, verb: str, device: str, **more: Any) -> dict[str, Any]:
    """The gateway's answer about something for a device.

    Raises:
        Refusal: it refuses, does not run, or ended meanwhile.
    """
    answer = next(ask(directory, verb, device=device, **more), None)
    if answer is None:
        raise Refusal(
            "The gateway ended before it answered. Once it runs again, --list shows whether it took the "
            f"{verb}."
        )
    return answer


def _payload(
    text: str | None, document: str | None, digits: str | None, file: Path | None
) -> bytes:
    """The command's bytes; exactly one of the four is given."""
    if text is not None:
        payload = text.encode()
    elif document is not None:
        try:
            jsonlib.loads(document)
        except (ValueError, RecursionError) as error:
            raise Refusal(f"--document is not JSON: {error}.", exit_code=2) from None
        payload = document.encode()
    elif digits is not None:
        try:
            payload = bytes.fromhex(digits)
        except ValueError:
            raise Refusal("--hex takes pairs of hex digits, for example 01ff.", 2) from None
    else:
        assert file is not None
        try:
            with file.open("rb") as opened:
                payload = opened.read(LARGEST + 1)
        except OSError as error:
            raise Refusal(f"{file} cannot be read: {error.strerror}.", exit_code=2) from error
    if len(payload) > LARGEST:
        raise Refusal(f"A command has {LARGEST:,} bytes at most, and this one has more.", 2)
    return payload


def number_of(given: str) -> int | str:
    """What --cancel names.

    Raises:
        Refusal: neither a number nor all.
    """
    if given == "all":
        return given
    if not given.isdecimal():
        raise Refusal("--cancel takes the number that --list shows, or all.", exit_code=2)
    return int(given)


def tell(why: str, answer: dict[str, Any], zone: tzinfo, *, quiet: bool, waited: bool) -> None:
    """Print what happened, and end with the exit code that belongs to it.

    Args:
        why: it waits, if it does.
    """
    outcome = answer["outcome"]
    if outcome is None:
        until = to_datetime(answer["expires"], zone).isoformat(" ", "seconds")
        sentence = f"waiting until {until}: {why}"
    else:
        sentence = outcome
    if not quiet:
        print(sentence)
    if outcome is None and waited:
        raise typer.Exit(_LEFT)
    if outcome is not None and outcome not in _DONE:
        raise typer.Exit(1)


def listed(verb: str, device: str, waiting: list[dict[str, Any]], zone: tzinfo, *, json: bool) -> None:  # fmt: skip
    """Print what waits."""
    if json:
        screen.document(waiting)
    elif not waiting:
        print(f"No {verb} waits for {device}.")
    else:
        rows = [
            (
                *(entry["number"], entry["bytes"]),
                *(
                    to_datetime(entry[at], zone).isoformat(" ", "seconds")
                    for at in ("given", "expires")
                ),
                entry["state"],
            )
            for entry in waiting
        ]
        screen.table(("number", "bytes", "given", "expires", "state"), rows)
