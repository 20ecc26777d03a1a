"""`sekisho lorawan`: the bench (airtime, coverage, what a frame says, what went wrong at a join), and counters after a restore."""

import typer

from sekisho.lorawan_airtime import airtime
from sekisho.lorawan_coverage import coverage
from sekisho.lorawan_decode import decode
from sekisho.lorawan_encode import app as encode
from sekisho.lorawan_join import join_trace
from sekisho.lorawan_resume import resume

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def lorawan() -> None:
    """Plan a network, look at LoRaWAN frames on the bench, or let devices go on after a restore.

    The bench asks no gateway and keeps nothing; resume speaks to the one that runs.
    """


app.command()(airtime)
app.command()(coverage)
app.command()(decode)
app.command("join-trace")(join_trace)
app.add_typer(encode, name="encode")
app.command()(resume)
