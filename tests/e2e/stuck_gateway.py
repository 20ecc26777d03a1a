"""`sekisho run` whose files never close: how a disk behaves that has gone. What tests start:

python -m tests.e2e.stuck_gateway run --config FILE …
"""

import asyncio
import sys

from gateway.stores.sqlite import SqliteStore
from sekisho.__main__ import main


async def stuck(_store: SqliteStore) -> None:
    """Never return."""
    print("closing takes for ever", file=sys.stderr, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    SqliteStore.close = stuck  # type: ignore[method-assign,assignment]
    main()
