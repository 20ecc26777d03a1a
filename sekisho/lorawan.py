"""`sekisho lorawan`: the bench: how long a frame takes, what one says, one made by hand, and what went wrong at a join."""

import typer

from sekisho.lorawan_airtime import airtime
from sekisho.lorawan_decode import decode
from sekisho.lorawan_encode import app as encode
from sekisho.lorawan_join import join_trace

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def lorawan() -> None:
    """Look at LoRaWAN frames on the bench; no gateway is asked and nothing is kept."""


app.command()(airtime)
app.command()(decode)
app.add_typer(encode, name="encode")
app.command("join-trace")(join_trace)
