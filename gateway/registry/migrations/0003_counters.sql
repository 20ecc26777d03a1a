-- Which sessions.db the LoRaWAN counters stand in, and the devices whose counters were lost with another one.

CREATE TABLE radio_memory (
  only_one   INTEGER PRIMARY KEY CHECK (only_one = 1),
  file       BLOB NOT NULL,                -- the id of that sessions.db
  join_floor INTEGER NOT NULL              -- JoinNonces up to here may have been used
);

CREATE TABLE radio_counters (
  device  TEXT PRIMARY KEY REFERENCES devices (device) ON DELETE CASCADE,
  up      INTEGER,                         -- the last uplink that may have been heard; NULL while nobody knows
  down    INTEGER,                         -- the first downlink that surely was not
  said_at INTEGER                          -- when somebody said so
) WITHOUT ROWID;
