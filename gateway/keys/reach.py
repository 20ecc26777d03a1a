"""What a disk, a mount or a file of somebody else's does to keys, as one word for those who can wait."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.model.errors import Refusal
from gateway.privacy.keysource import KeysUnavailable


@contextmanager
def reachable() -> Iterator[None]:
    """Turn what a disk, a mount or a file of somebody else's does into `KeysUnavailable`."""
    try:
        yield
    except (OSError, Refusal) as error:
        fault = error if isinstance(error, OSError) else error.__cause__
        if isinstance(fault, OSError):
            why = errno.errorcode.get(fault.errno or 0, type(fault).__name__)
        else:
            why = "a key file is not in order"
        raise KeysUnavailable(why) from None
