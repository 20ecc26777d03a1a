"""Notes who looks at rows about people, before they do (docs/operations.md, The access log)."""

from typing import Annotated

import typer

from gateway.clock import SystemClock
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.registry.rules import require_line
from gateway.statedir import StateDir
from gateway.stores.access_log import Access, AccessLog, shape_of
from sekisho.login import account

Purpose = Annotated[
    str | None,
    typer.Option(
        "--purpose",
        metavar="TEXT",
        help="What rows about people are looked at for; it stands in the access log. Asked for where they are real.",
    ),
]
_NOT_SAID = "not said"


def log_of(directory: StateDir, ring: KeyRing) -> AccessLog:
    """The access log of a directory."""
    return AccessLog(directory.path, ring.log_key(), ring.signer)


def require_purpose(directory: StateDir, purpose: str | None) -> None:
    """Refuse to look at real people's rows for nothing that anybody would say.

    Raises:
        Refusal: no purpose was given, or one that is not a line.
    """
    require_line(purpose or "", "--purpose")
    if directory.mark is None and not (purpose or "").strip():
        raise Refusal(
            "Rows about people are looked at for a purpose: say which with --purpose. It stands in the access log, "
            "with your name.",
            exit_code=2,
        )


def note(
    directory: StateDir, ring: KeyRing, act: str, purpose: str | None, *shape: str, rows: int
) -> None:
    """Enter a look in the log; on disk before this returns.

    Args:
        act: the verb.
        shape: what was asked, without values: kind, names of filters.
        rows: how many are about to be seen.

    Raises:
        Refusal: the log takes no entry, or the purpose is not a line.
    """
    require_line(purpose or "", "--purpose")
    said = (purpose or "").strip() or _NOT_SAID
    look = Access(SystemClock().now(), account(), act, said, "store", shape_of(act, *shape), rows)
    log_of(directory, ring).write(look)
