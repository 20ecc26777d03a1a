-- LoRaWAN secrets of devices, and the joins that were believed.

CREATE TABLE radio (
  device     TEXT PRIMARY KEY REFERENCES devices (device) ON DELETE CASCADE,
  sealed     BLOB NOT NULL,                -- LoRaWAN root keys, or those of a session without a join
  join_nonce INTEGER NOT NULL,             -- of the last join
  nonces     BLOB NOT NULL,                -- DevNonces that were used, two bytes each, sealed
  changed_at INTEGER NOT NULL
) WITHOUT ROWID;
