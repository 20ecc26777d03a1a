"""`sekisho lorawan resume`: after a restore, or at a change of servers, how far a device has counted that never joins."""

from typing import Annotated

import typer

from gateway.lorawan.session import LAST_SAID, surely_unheard
from gateway.model.errors import Refusal
from sekisho import place, screen
from sekisho.following import follow
from sekisho.place import Config, Json, Keys, Quiet, State


def resume(
    device: Annotated[str | None, typer.Argument(metavar="DEVICE", show_default=False)] = None,
    *,
    up: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="The last uplink counter that anybody may have heard: only what is above it is believed.",
            min=0,
            max=LAST_SAID,
            show_default=False,
        ),
    ],
    down: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="The first downlink counter that the device surely has not heard. Default: --up and 1,024.",
            min=0,
            max=LAST_SAID,
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Say it of every device that is held.")
    ] = False,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Let devices that never join (ABP) go on whose counters are not known: after a restore, or from another network server.

    The counters stand on the device's display or in its maker's tool, or at the network server that had it before. Too high
    is safe: uplinks up to there are refused; too low lets in what was captured since. It is in force at a running gateway.
    """
    here = place.find(state, keys, config)
    if every == (device is not None):
        raise Refusal("Say which: the name of a device, or --all.", 2)
    ahead = surely_unheard(up) if down is None else down
    with here.registry() as registry:
        names = registry.radio.held() if device is None else [device]
        if not names:
            raise Refusal("No device is held: the counters of all are known. Nothing was changed.")
        with registry.change():
            for name in names:
                registry.radio.resume(name, up, ahead, here.clock.now())
    followed = follow(here.state)
    if json:
        screen.document({"resumed": names, "up": up, "down": ahead})
    elif not quiet:
        who = names[0] if device is not None else screen.count(len(names), "device")
        print(f"{who}: uplinks above {up:,} are believed, downlinks go on from {ahead:,}. {followed.sentence}")  # fmt: skip
