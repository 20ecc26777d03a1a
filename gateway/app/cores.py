"""A process that dies writes its memory nowhere: raw positions and keys live there and on no disk."""

import resource

_LIMIT = 1
"""Bytes. No core file is that small, so none is written; and where the kernel hands cores to a program
(apport, systemd-coredump), it ignores every limit but this one, by which it knows to hand over nothing."""


def forbid_cores() -> None:
    """Leave no core file behind, whatever this process and those it starts die of.

    `PR_SET_DUMPABLE` would do it too, but an ordinary user's next gateway could not name this one as
    the holder of a port.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    limit = _LIMIT if hard == resource.RLIM_INFINITY else min(_LIMIT, hard)
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
