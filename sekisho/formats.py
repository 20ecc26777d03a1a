"""The formats of recordings, as a command line names them."""

from gateway.model.errors import Refusal
from gateway.registry.words import nearest
from gateway.transports.replay.documents import Log, ServerLog
from gateway.transports.replay.own_log import OwnLog
from gateway.wire.envelopes.formats import FORMATS
from gateway.wire.topics import OWN


def log_of(name: str) -> Log:
    """What reads a recording of a format: a network server's, or our own topics.

    Raises:
        Refusal: there is none of this name, or it needs an extra that is not installed.
    """
    if name == OWN:
        return OwnLog()
    known = FORMATS.get(name)
    if known is None:
        names = [OWN, *FORMATS]
        hint = nearest(name, names, unless=f" There are {', '.join(names)}.")
        raise Refusal(f"--format {name}: no format of this name.{hint}", exit_code=2)
    try:
        return ServerLog(known.opener())
    except ImportError:
        raise Refusal(
            f"{name} needs the extra {known.extra}: pip install 'sekisho[{known.extra}]'.",
            exit_code=2,
        ) from None
