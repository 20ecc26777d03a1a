"""The formats of network servers, as a command line names them."""

from gateway.model.errors import Refusal
from gateway.registry.words import nearest
from gateway.wire.envelopes.event import Open
from gateway.wire.envelopes.formats import FORMATS


def opener(name: str) -> Open:
    """What opens the documents of a format.

    Raises:
        Refusal: there is none of this name, or it needs an extra that is not installed.
    """
    known = FORMATS.get(name)
    if known is None:
        hint = nearest(name, list(FORMATS), unless=f" There are {', '.join(FORMATS)}.")
        raise Refusal(f"--format {name}: no format of this name.{hint}", exit_code=2)
    try:
        return known.opener()
    except ImportError:
        raise Refusal(
            f"{name} needs the extra {known.extra}: pip install 'sekisho[{known.extra}]'.",
            exit_code=2,
        ) from None
