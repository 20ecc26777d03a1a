"""`sekisho lorawan encode`: a frame made by hand, for a bench with a radio or a forwarder's log."""

from base64 import b64encode
from typing import Annotated

import typer

from gateway.model.errors import Refusal
from gateway.wire.lorawan.frames import MIC, FrameError, MType
from gateway.wire.lorawan.identifiers import DevAddr, DevNonce, Eui
from gateway.wire.lorawan.secured import Heard, sealed
from sekisho import screen
from sekisho.lorawan_input import (
    AppKey,
    AppSKey,
    NwkKey,
    NwkSEncKey,
    NwkSKey,
    SNwkSIntKey,
    content,
    identifier,
    key,
    session,
)
from sekisho.place import Json

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def encode() -> None:
    """Make a frame by hand: encrypted, signed, and sent by nobody."""


@app.command()
def data(
    *,
    dev_addr: Annotated[
        str, typer.Option(metavar="HEX", show_default=False, help="Four bytes, as servers show it.")
    ],
    nwk_s_key: NwkSKey = None,
    app_s_key: AppSKey = None,
    s_nwk_s_int_key: SNwkSIntKey = None,
    nwk_s_enc_key: NwkSEncKey = None,
    f_cnt: Annotated[int, typer.Option(min=0, max=(1 << 32) - 1, help="All 32 bits.")] = 0,
    f_port: Annotated[
        int | None, typer.Option(min=0, max=255, show_default=False, help="0 carries MAC commands.")
    ] = None,
    payload: Annotated[
        str | None, typer.Option(metavar="HEX", show_default=False, help="In plain; needs a port.")
    ] = None,
    f_opts: Annotated[
        str | None,
        typer.Option(metavar="HEX", show_default=False, help="MAC commands for the header."),
    ] = None,
    down: Annotated[bool, typer.Option("--down", help="A downlink.")] = False,
    confirmed: Annotated[bool, typer.Option("--confirmed", help="One that wants an ACK.")] = False,
    ack: Annotated[bool, typer.Option("--ack", help="Set ACK.")] = False,
    adr: Annotated[bool, typer.Option("--adr", help="Set ADR.")] = False,
    conf_f_cnt: Annotated[
        int, typer.Option(min=0, max=65535, help="Of 1.1: the counter that --ack stands for.")
    ] = 0,
    tx_dr: Annotated[int, typer.Option(min=0, max=15, help="Of 1.1: data rate number.")] = 0,
    tx_ch: Annotated[int, typer.Option(min=0, max=255, help="Of 1.1: channel number.")] = 0,
    json: Json = False,
) -> None:
    """Make a data frame and print it in hex digits.

    A counter that the network has seen already is a replay to it: take a device of your own for the bench.
    """
    keys = session(
        *(key(nwk_s_key, "--nwk-s-key"), key(app_s_key, "--app-s-key")),
        *(key(s_nwk_s_int_key, "--s-nwk-s-int-key"), key(nwk_s_enc_key, "--nwk-s-enc-key")),
    )
    if keys is None or nwk_s_key is None:
        raise Refusal("--nwk-s-key is missing: without it no network takes the frame.", 2)
    if payload is not None and f_port is None:
        raise Refusal("--payload needs --f-port: 1 to 223 are the application's.", 2)
    if payload and f_port and app_s_key is None:
        raise Refusal("--payload on a port above 0 needs --app-s-key, which encrypts it.", 2)
    mtypes = {
        (False, False): MType.UNCONFIRMED_UP,
        (False, True): MType.CONFIRMED_UP,
        (True, False): MType.UNCONFIRMED_DOWN,
        (True, True): MType.CONFIRMED_DOWN,
    }
    try:
        phy = sealed(
            *(keys, mtypes[down, confirmed], identifier(DevAddr, dev_addr, "--dev-addr"), f_cnt),
            f_port=f_port,
            payload=content(payload, "--payload"),
            commands=content(f_opts, "--f-opts"),
            ack=ack,
            adr=adr,
            heard=Heard(conf_f_cnt, tx_dr, tx_ch),
        )
    except FrameError as error:
        raise Refusal(f"There is no such frame: {error}.", 2) from None
    _print(phy, json=json)


@app.command()
def join(
    *,
    join_eui: Annotated[
        str, typer.Option(metavar="HEX", show_default=False, help="JoinEUI (AppEUI), eight bytes.")
    ],
    dev_eui: Annotated[
        str, typer.Option(metavar="HEX", show_default=False, help="Eight bytes, as on the label.")
    ],
    dev_nonce: Annotated[
        int, typer.Option(min=0, max=65535, show_default=False, help="One more than the last.")
    ],
    app_key: AppKey = None,
    nwk_key: NwkKey = None,
    json: Json = False,
) -> None:
    """Make a join-request and print it in hex digits."""
    root = key(nwk_key, "--nwk-key") or key(app_key, "--app-key")
    if root is None:
        raise Refusal("--app-key is missing (of 1.1 --nwk-key): it signs the request.", 2)
    signed = (
        b"\x00"
        + identifier(Eui, join_eui, "--join-eui").wire
        + identifier(Eui, dev_eui, "--dev-eui").wire
        + DevNonce(dev_nonce.to_bytes(2, "big")).wire
    )
    _print(signed + root.cmac(signed)[:MIC], json=json)


def _print(phy: bytes, *, json: bool) -> None:
    if json:
        screen.document(
            {"hex": phy.hex(), "base64": b64encode(phy).decode(), "bytes": len(phy)}
        )  # fmt: skip
    else:
        print(phy.hex())
