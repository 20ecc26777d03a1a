-- The partitions that zones stood on in an epoch: frozen until it ends.

CREATE TABLE epochs (
  epoch     TEXT NOT NULL,
  partition TEXT NOT NULL,
  pin       TEXT NOT NULL,               -- hex SHA-256 of its file
  since     INTEGER NOT NULL,            -- µs UTC
  PRIMARY KEY (epoch, partition)
) WITHOUT ROWID;
