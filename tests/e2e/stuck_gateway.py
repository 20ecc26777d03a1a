"""`sekisho run` whose disk has gone: one call of its store never returns. What tests start:

python -m tests.e2e.stuck_gateway closing|writing run --config FILE …

`writing` leaves its thread stuck for ever, and gives the stop one second instead of thirty.
"""

import asyncio
import sys
import threading
from functools import partial

import sekisho.run
from gateway.app.run import Plan
from gateway.stores.sqlite import SqliteStore
from sekisho.__main__ import main


async def closing(_store: SqliteStore) -> None:
    """Never return."""
    print("closing takes for ever", file=sys.stderr, flush=True)
    await asyncio.Event().wait()


def writing(*_batch: object) -> None:
    """Never return, in the store's own thread."""
    print("writing takes for ever", file=sys.stderr, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    if sys.argv.pop(1) == "closing":
        SqliteStore.close = closing  # type: ignore[method-assign,assignment]
    else:
        SqliteStore.write = writing  # type: ignore[method-assign,assignment]
        vars(sekisho.run)["Plan"] = partial(Plan, deadline_s=1.0)
    main()
