"""Rows about people, sealed into a directory and opened again."""

from collections.abc import Iterable, Iterator
from typing import Any

from gateway.devices.catalog import catalog
from gateway.devices.tables import table_columns
from gateway.keys.ring import KeyRing
from gateway.model.observation import Observation
from gateway.privacy.sealing import FileSeal, RowKey
from gateway.statedir import StateDir
from gateway.stores.sqlite_file import SEALED, SqliteFile
from sekisho.rows import Wanted, of_file
from sekisho.sealed_rows import SealedRows

RULES = "00" * 32


def put(
    state: StateDir, ring: KeyRing, rows: Iterable[Observation], household: str = "h-1"
) -> None:
    """Store plain rows of one household as the gateway would."""
    ring.households.make_all([household])
    key = ring.households.key(household)
    assert key is not None
    for kind, period, row in rows:
        assert period is not None
        seal = FileSeal(period, RULES, ring.file_key(period))
        file = SqliteFile(state.personal_dir / f"{period}.db", "personal")
        file.name_rules(1, RULES)
        assert file.insert(SEALED, [seal.seal(RowKey(key), kind, row)]) == ([], [])
        file.close()


def opened(state: StateDir, kind: str, ring: KeyRing | None = None) -> Iterator[dict[str, Any]]:
    """A kind's rows about people by column, sealed or not; the keys lie beside the directory."""
    sealed = None
    if state.sealed:
        keys = state.path.parent / "keys"
        sealed = SealedRows(ring) if ring else SealedRows.of(state, None, keys)
    columns = [column.name for column in table_columns(catalog()[kind])]
    for file in sorted(state.personal_dir.glob("*.db")):
        for row in of_file(file, Wanted(catalog()[kind]), sealed):
            yield dict(zip(columns, row, strict=True))
