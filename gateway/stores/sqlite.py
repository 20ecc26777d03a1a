"""The SQLite store: `city.db` and one file per lane and period, one writer thread, one commit per batch.

Order on disk (decisions 7): personal files, then the city's. Every step is idempotent: whatever a kill
cuts off comes again, and what was written already is met as a duplicate.
"""

import asyncio
import logging
import sqlite3
from collections import defaultdict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from gateway.devices.catalog import catalog
from gateway.interfaces import PATIENCE_S, Committed, Outcome, Table
from gateway.model.instant import Instant
from gateway.model.observation import REJECTIONS_KEPT
from gateway.stores.journal import frames_left_out
from gateway.stores.plain_rows import NOTE
from gateway.stores.sqlite_file import SEALED, SqliteFile, sound
from gateway.stores.thread import DiskThread
from gateway.telemetry import Facts

_OPEN_FILES = 4
"""Personal files kept open: the current period, its neighbours, and one spare."""


class SqliteStore:
    """See `gateway.interfaces.Store`.

    Args:
        city: path of `city.db`.
        personal: directory of the personal files.
        rules: generation and digest of the rules that new rows about people were masked by.
        sealed: whether those rows come sealed, all kinds' alike, and go into the table `sealed`.
    """

    def __init__(
        self,
        city: Path,
        personal: Path,
        facts: Facts,
        rules: tuple[int, str] = (1, ""),
        *,
        sealed: bool = False,
    ) -> None:
        self._city_path = city
        self._personal_path = personal
        self._facts = facts
        self._rules = rules
        self._sealed = sealed
        self._writer = DiskThread("sekisho-store")
        self._city = self._opened(city, "city")
        self._personal: dict[str, SqliteFile] = {}
        self._trying: Outcome | None = None
        self._committed = Committed()
        self._finished: set[str] = set()

    async def commit(self, outcome: Outcome) -> Committed:
        """Write one batch; while the disk refuses, wait and try again.

        Raises:
            Refusal: a file is damaged or has not our tables: that is not to be waited for.
        """
        tries = 0
        while True:
            try:
                if tries:
                    await self._writer.do(self._reopen)
                committed = await self._writer.do(partial(self.write, outcome))
            except (sqlite3.OperationalError, OSError) as error:
                name = getattr(error, "sqlite_errorname", type(error).__name__)
                self._facts.note(
                    "store unavailable",
                    f"The disk refuses to write ({name}): nothing is acknowledged until it takes",
                    logging.ERROR,
                )
                await asyncio.sleep(PATIENCE_S[min(tries, len(PATIENCE_S) - 1)])
                tries += 1
            else:
                self._facts.over("store unavailable")
                return committed

    def write(self, outcome: Outcome) -> Committed:
        """One batch, synchronously; returns when it is on disk.

        Called again with an outcome that failed half-way, it goes on behind the files it finished:
        their rows would otherwise look like duplicates of themselves.
        """
        if outcome is not self._trying:
            self._trying, self._committed, self._finished = outcome, Committed(), set()
        committed = self._committed
        kinds: dict[str | None, list[str]] = defaultdict(list)
        for period, kind in outcome.rows:
            kinds[period].append(kind)
        for period in sorted(p for p in kinds if p is not None and p not in self._finished):
            with self.transaction(self._file(period)) as file:
                file.name_rules(*self._rules)
                for kind in kinds[period]:
                    table = SEALED if self._sealed else kind
                    _insert(file, table, (period, kind), outcome, committed)
            self._finished.add(period)
        if None in kinds or outcome.rejections or outcome.refusals_per_day:
            with self.transaction(self._city) as file:
                for kind in kinds.get(None, ()):
                    _insert(file, kind, (None, kind), outcome, committed)
                _write_rejections(file, outcome)
        self._trying = None
        return committed

    @contextmanager
    def transaction(self, file: SqliteFile) -> Iterator[SqliteFile]:
        """One transaction on one file; on disk when the block ends."""
        with sound(file.path):
            file.db.execute("BEGIN IMMEDIATE")
            try:
                yield file
                file.db.execute("COMMIT")
            except BaseException:
                if file.db.in_transaction:
                    file.db.execute("ROLLBACK")
                raise

    def _file(self, period: str) -> SqliteFile:
        file = self._personal.pop(period, None)
        if file is None:
            file = self._opened(self._personal_path / f"{period}.db", "personal")
            while len(self._personal) >= _OPEN_FILES:
                self._personal.pop(next(iter(self._personal))).close()
        self._personal[period] = file  # last used, last closed
        return file

    def _opened(self, path: Path, room: str) -> SqliteFile:
        """A file, after a look at what SQLite will leave out of its journal."""
        frames = frames_left_out(path.with_name(f"{path.name}-wal"))
        if frames:
            self._facts.note(
                "journal cut",
                f"The journal of {path.name} does not hold to its end: {frames} pages behind the last "
                "sound commit are left out. After a power failure that is as it should be (nobody was "
                "told that they are on disk); otherwise this disk loses data",
                logging.WARNING,
            )
        return SqliteFile(path, room)

    def _reopen(self) -> None:
        """After an error: leave no half-open transaction behind."""
        for file in [self._city, *self._personal.values()]:
            if file.db.in_transaction:
                file.db.execute("ROLLBACK")

    def recent_identities(self, since: Instant) -> list[tuple[Instant, Hashable]]:
        """Time and identity of the rows from `since` on, for `Mask.recall` after a start.

        Personal rows of the newest two files by their keyed identity; the city's rows that carry
        our clock's time by (device, counter or None, digest, item).
        """
        newest = sorted(self._personal_path.glob("*.db"), key=_last_written)[-2:]
        found: list[tuple[Instant, Hashable]] = []
        kinds = catalog().values()
        people = [SEALED] if self._sealed else [kind.name for kind in kinds if kind.personal]
        for table in people:
            for path in newest:
                found += self._file(path.stem).select(
                    f"SELECT minute, identity FROM {table} WHERE minute >= ?",  # noqa: S608
                    (since,),
                )
        for kind in kinds:
            if kind.personal:
                continue
            rows = self._city.select(
                f"SELECT observed_at, device, counter, digest, item FROM {kind.name}"  # noqa: S608
                " WHERE observed_at >= ? AND clock != 'device'",
                (since,),
            )
            found += [
                (at, (device, None if counter < 0 else counter, digest, item))
                for at, device, counter, digest, item in rows
            ]
        return found

    async def forget_file(self, period: str) -> None:
        """Close a personal file and remove it with its journal: its time to stay is over."""
        await self._writer.do(partial(self._forget_file, period))

    def _forget_file(self, period: str) -> None:
        file = self._personal.pop(period, None)
        if file is not None:
            file.abandon()
        for suffix in (
            NOTE,
            ".db-wal",
            ".db-shm",
            ".db",
        ):  # by its .db it is found again if one stays
            (self._personal_path / f"{period}{suffix}").unlink(missing_ok=True)

    async def close(self) -> None:
        """Checkpoint and close every file, after the last commit."""
        await self._writer.do(self._close)
        self._writer.end()

    def _close(self) -> None:
        for file in [*self._personal.values(), self._city]:
            file.close()


def _last_written(path: Path) -> float:
    """When a file was written to last: until a checkpoint, that is its journal alone."""
    journal = path.with_name(f"{path.name}-wal")
    return max(p.stat().st_mtime for p in (path, journal) if p.exists())


def _insert(
    file: SqliteFile, into: str, table: Table, outcome: Outcome, committed: Committed
) -> None:
    rows = [row for _kind, _period, row in outcome.rows[table].observations]
    duplicates, refused = file.insert(into, rows)
    if duplicates:
        committed.duplicates[table] = set(duplicates)
    if refused:
        committed.refused[table] = set(refused)


def _write_rejections(file: SqliteFile, outcome: Outcome) -> None:
    if outcome.rejections:
        _write_rejection_rows(file, outcome)
    if outcome.refusals_per_day:
        file.db.executemany(
            "INSERT INTO refusals_per_day VALUES (?,?,?)"
            " ON CONFLICT DO UPDATE SET count = count + excluded.count",
            [(day, reason, n) for (day, reason), n in outcome.refusals_per_day.items()],
        )


def _write_rejection_rows(file: SqliteFile, outcome: Outcome) -> None:
    """One row a payload and day, however often it comes; beyond the bound only a count (decisions 7)."""
    known: dict[tuple[str, str, str], set[bytes]] = {}
    rows: dict[tuple[str, str, str, bytes], list[Any]] = {}
    for day, received_at, stage, reason, device, size, digest in outcome.rejections:
        group = (day, device, reason)
        digests = known.get(group)
        if digests is None:
            found = file.select(
                "SELECT digest FROM rejection WHERE day = ? AND device = ? AND reason = ? AND digest != x''",
                group,
            )
            digests = known[group] = {row[0] for row in found}
        if digest in digests or len(digests) < REJECTIONS_KEPT:
            digests.add(digest)
            key = (*group, digest)
        else:
            key = (*group, b"")
        rows.setdefault(key, [*key, received_at, stage, size, 0])[-1] += 1
    file.db.executemany(
        "INSERT INTO rejection VALUES (?,?,?,?,?,?,?,?)"
        " ON CONFLICT DO UPDATE SET count = count + excluded.count",
        rows.values(),
    )
