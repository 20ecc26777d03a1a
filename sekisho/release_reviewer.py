"""`sekisho release reviewer`: who may look at releases and let them leave, each by a passphrase of their own."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.clock import SystemClock
from gateway.counting.reviewers import Reviewer
from gateway.keys.passphrase import require_long
from gateway.keys.reviewer import ReviewerKey, new_salt
from gateway.model.errors import Refusal
from gateway.registry.rules import require_line
from gateway.statedir import StateDir
from gateway.stores.reviewers import Reviewers
from sekisho import place, screen
from sekisho.login import account
from sekisho.passphrase import PassphraseFile, passphrase
from sekisho.place import Config, Json, Quiet, State

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")

_Name = Annotated[str, typer.Argument(metavar="NAME", help="Who it is.")]


@app.callback()
def reviewer() -> None:
    """Name those who may review releases."""


@app.command()
def add(
    name: _Name,
    *,
    passphrase_file: PassphraseFile = None,
    state: State = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Become a reviewer: yourself, from your own account of this machine, with a passphrase that nobody else knows.

    With sudo as the gateway's user it is still your account that counts. Your reviews are signed by a
    key that is made of the passphrase; the ledger has its public half.
    """
    if not name.strip():
        raise Refusal("NAME: who are you? Say a name.", exit_code=2)
    require_line(name, "NAME")
    directory, reviewers = of(state, config)
    reviewers.require_free(name, account(), own=directory.sealed)
    said = passphrase(passphrase_file, twice=True)
    require_long(said)
    for other in reviewers.roll().people.values():
        if not other.left and key_of(other, said) is not None:
            raise Refusal(
                f"{other.name} has this passphrase. Each reviewer has one that nobody else knows."
            )
    salt = new_salt()
    key = ReviewerKey(said, salt)
    reviewers.add(name, account(), salt, key, own=directory.sealed)
    if not quiet:
        print(f"{name} may review from now on, by key {key.public[:16]}")


@app.command("list")
def list_(*, state: State = None, config: Config = None, json: Json = False) -> None:
    """List those who may review and those who did: the account that each came from, and the key."""
    roll = of(state, config)[1].roll()
    if json:
        screen.document(
            {
                "reviewers": [
                    {"name": who.name, "account": who.account, "since": who.since, "public": who.public, "left": who.left}
                    for who in roll.people.values()
                ]
            }
        )  # fmt: skip
        return
    if not roll.people:
        print('Nobody may review yet: sekisho release reviewer add "NAME".')
        return
    rows = [
        (who.name, who.account, who.since, who.public[:16], "left" if who.left else "may review")
        for who in roll.people.values()
    ]
    screen.table(("name", "account", "since", "key", "state"), rows)


@app.command()
def remove(
    name: _Name, *, state: State = None, config: Config = None, quiet: Quiet = False
) -> None:
    """Let somebody review no more: they have left, or their passphrase is lost or known to others.

    What they have reviewed stays so, and the ledger says who removed them.
    """
    of(state, config)[1].remove(name, account())
    if not quiet:
        print(f"{name} reviews no more")


def of(state: Path | None, config: Path | None) -> tuple[StateDir, Reviewers]:
    """The state directory, and those who may review there."""
    directory: StateDir = place.find_state(state, config)[0]
    return directory, Reviewers(directory.releases_dir, SystemClock())


def key_of(who: Reviewer, said: str) -> ReviewerKey | None:
    """A reviewer's key; None where the passphrase is another."""
    key = ReviewerKey(said, bytes.fromhex(who.salt))
    return key if key.public == who.public else None
