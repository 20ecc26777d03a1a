"""`sekisho privacy`: what the rules do to a way of one's own, before anybody's rows depend on them."""

import typer

from sekisho import partition, suggest
from sekisho.privacy_access import access
from sekisho.privacy_erase import erase
from sekisho.privacy_explain import explain
from sekisho.privacy_log import app as log
from sekisho.privacy_proof import proof
from sekisho.privacy_register import register
from sekisho.privacy_rules import app as rules
from sekisho.privacy_scan import scan
from sekisho.privacy_try import try_
from sekisho.privacy_what_if import what_if

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")
app.add_typer(partition.app, name="partition")
app.command("suggest")(suggest.suggest)
app.command("scan")(scan)
app.command("try")(try_)
app.command("explain")(explain)
app.command("what-if")(what_if)
app.command("register")(register)
app.command("access")(access)
app.command("erase")(erase)
app.command("proof")(proof)
app.add_typer(rules, name="rules")
app.add_typer(log, name="log")


@app.callback()
def privacy() -> None:
    """Read and try rules, and search for what they must not leave."""
