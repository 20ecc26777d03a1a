"""`sekisho downlink`: say something to a LoRaWAN device, along with its next uplink."""

from typing import Annotated

import typer

from gateway.model.errors import Refusal
from sekisho import place, screen
from sekisho.command import asked, listed, number_of, tell
from sekisho.place import Config, Json, Quiet, State
from sekisho.spans import length


def downlink(
    device: Annotated[str, typer.Argument(metavar="DEVICE", show_default=False)],
    *,
    hex_: Annotated[
        str | None, typer.Option("--hex", metavar="HEX", help="The payload, as hex digits.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="N", help="FPort, 1 to 223. Default: 1.", min=1, max=223)
    ] = None,
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="Send it until the device confirms it.")
    ] = False,
    expires: Annotated[
        str, typer.Option(metavar="DURATION", help="How long it may wait for the device.")
    ] = "24 h",
    wait: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="How long to wait until it is sent, or confirmed."),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Show what waits for the device.")] = False,
    cancel: Annotated[
        str | None,
        typer.Option(metavar="NUMBER|all", help="Take back a downlink that waits, or all."),
    ] = None,
    state: State = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Give a LoRaWAN device a downlink, through the running gateway.

    It waits on disk and goes along with the device's next uplink that has room for it: a device of class A listens
    only then. Exit code 3: not yet sent (or confirmed) when --wait was over; it waits on.
    """
    if sum(given is not None for given in (hex_, show or None, cancel)) != 1:
        raise Refusal(
            "Say one thing: the downlink by --hex (and --port); or --list, or --cancel.",
            exit_code=2,
        )
    directory, settings = place.find_state(state, config)
    zone = place.zone_of(settings)
    if show:
        waiting = asked(directory, "downlink", device, list=True)["waiting"]
        listed("downlink", device, waiting, zone, json=json)
    elif cancel is not None:
        answer = asked(directory, "downlink", device, cancel=number_of(cancel))
        if json:
            screen.document(answer)
        elif not quiet:
            print(f"{screen.count(answer['cancelled'], 'downlink')} cancelled.")
    else:
        answer = asked(
            directory,
            "downlink",
            device,
            payload=_payload(hex_ or "").hex(),
            port=1 if port is None else port,
            confirmed=confirmed,
            expires_s=length("--expires", expires),
            wait_s=None if wait is None else length("--wait", wait),
        )
        if json:
            screen.document(answer)
        why = f"the device hears it after an uplink (downlink {answer['number']})"
        tell(why, answer, zone, quiet=quiet or json, waited=wait is not None)


def _payload(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise Refusal("--hex takes pairs of hex digits, for example 01ff.", 2) from None
