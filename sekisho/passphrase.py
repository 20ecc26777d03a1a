"""Asks for a passphrase, or takes it from a file that nobody else may read."""

import getpass
import sys
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from gateway.keys.passphrase import require_long
from gateway.model.errors import Refusal
from gateway.registry.home_import import read_private

PassphraseFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="Its first line is the passphrase; only its owner may read it. Asked for where left out.",
    ),
]


def passphrase(file: Path | None, *, twice: bool) -> str:
    """What the file says, or the person at the terminal.

    Raises:
        Refusal: nobody can be asked, the two are not alike, or it is too short.
    """
    if file is not None:
        first = read_private(file).splitlines()
        return first[0] if first else ""
    if not sys.stdin.isatty():
        raise Refusal(
            "Nobody is there to ask for the passphrase: name a --passphrase-file.", exit_code=2
        )
    said = getpass.getpass("Passphrase: ")
    if twice and getpass.getpass("Once more: ") != said:
        raise Refusal("The two are not alike. Nothing was written.", exit_code=2)
    require_long(said)
    return said
