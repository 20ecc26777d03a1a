"""What every table begins with, so that mask, stores and queries agree on the order of a row."""

from gateway.devices.kind import Column, DeviceKind

CITY_HEAD = (
    Column("observed_at", "INTEGER NOT NULL", "us"),
    Column("device", "TEXT NOT NULL"),
    Column("counter", "INTEGER NOT NULL"),  # -1 where the device sent none
    Column("digest", "BLOB NOT NULL"),
    Column("item", "INTEGER NOT NULL"),  # index inside the uplink; 0 for the kinds of today
    Column("received_at", "INTEGER NOT NULL", "us"),
    # whose clock observed_at is: 'device', 'network' or 'gateway'; 'simulated' where a server invented it
    Column("clock", "TEXT NOT NULL"),
    Column("late", "INTEGER NOT NULL"),  # 1 where it came more than seven days behind
)
"""Head of a row of `city.db`, before the kind's own columns."""

CITY_KEY = ("observed_at", "device", "counter", "digest", "item")
"""Its primary key: time first (decisions 9), then the identity in clear."""

PERSONAL_HEAD = (
    Column("minute", "INTEGER NOT NULL", "us"),  # start of the one-minute bin of observed_at
    Column("identity", "BLOB NOT NULL"),  # 16 bytes, keyed; see docs/mask.md
)
"""Head of a row of a personal file."""

SEALED_ROW = (*PERSONAL_HEAD, Column("body", "BLOB NOT NULL"))
"""A row about people, of whatever kind, where rows are sealed; see `gateway.privacy.sealing`."""

PERSONAL_KEY = ("minute", "identity")
"""Its primary key."""


def table_columns(kind: DeviceKind) -> tuple[Column, ...]:
    """All columns of the kind's table, in the order of `Observation.row`."""
    return (*(PERSONAL_HEAD if kind.personal else CITY_HEAD), *kind.columns)


def table_key(kind: DeviceKind) -> tuple[str, ...]:
    """Names of the primary key's columns, in order."""
    return PERSONAL_KEY if kind.personal else CITY_KEY
