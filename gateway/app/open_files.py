"""How many files this process may open: asked for at the start, watched while it runs."""

import asyncio
import logging
import os
import resource

from gateway.telemetry import Facts, log

_LOOK_S = 1.0


def allow(wanted: int) -> None:
    """Raise the soft limit as far as the hard one lets us; say so where that is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    if limit < wanted:
        log.warning(
            "This user may open %d files, and the doors are set for %d: raise the limit (systemd: "
            "LimitNOFILE), or lower connections.",
            *(limit, wanted),
        )


async def watch(facts: Facts) -> None:
    """Run until cancelled: the event loop turns newcomers away without a word, so we say it."""
    while True:
        try:
            os.close(os.dup(0))
            facts.over("files exhausted")
        except OSError:
            facts.note(
                "files exhausted",
                "This process may open no more files: nobody new comes in, and those who are in are "
                "served. Raise the limit (systemd: LimitNOFILE), or lower connections",
                logging.ERROR,
            )
        await asyncio.sleep(_LOOK_S)
