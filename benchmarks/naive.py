"""The design that everybody writes first: aiomqtt, `json.loads`, one aiosqlite commit per row.

    python -m benchmarks.naive PORT FILE.db      prints how many rows it has committed, ten times a second

It masks nothing and checks nothing; it is measured, not recommended.
"""

import asyncio
import json
import sys

import aiomqtt
import aiosqlite


async def main(port: int, path: str) -> None:
    """Until killed."""
    committed = 0

    async def tell() -> None:
        while True:
            print(committed, flush=True)
            await asyncio.sleep(0.1)

    async with aiosqlite.connect(path) as db:
        await db.execute("PRAGMA journal_mode=WAL")
        await db.execute("PRAGMA synchronous=FULL")
        await db.execute("CREATE TABLE IF NOT EXISTS uplink (topic TEXT, t TEXT, body TEXT)")
        async with aiomqtt.Client("127.0.0.1", port, identifier="naive") as client:
            await client.subscribe("#", qos=1)
            telling = asyncio.create_task(tell())
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                document = json.loads(message.payload)
                row = (str(message.topic), document["t"], json.dumps(document))
                await db.execute("INSERT INTO uplink VALUES (?, ?, ?)", row)
                await db.commit()
                committed += 1
            telling.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
