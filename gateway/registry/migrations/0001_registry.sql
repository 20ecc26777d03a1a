-- Devices, who may speak for them, households (sealed) and the rule sets this directory has known.

CREATE TABLE devices (
  device        TEXT PRIMARY KEY,
  kind          TEXT NOT NULL,
  owner         TEXT NOT NULL,             -- municipality code
  household     TEXT,                      -- a name; says nothing about the place
  name          TEXT,
  attributes    TEXT NOT NULL,             -- JSON object
  registered_at INTEGER NOT NULL,          -- µs UTC
  revoked_at    INTEGER,
  source        TEXT NOT NULL,             -- 'command', or 'file' for an import
  changed_at    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE credentials (
  name       TEXT PRIMARY KEY,
  digest     BLOB,                         -- sealed keyed hash of the token; NULL: none issued yet, empty: revoked
  origin     TEXT NOT NULL CHECK (origin IN ('own', 'simulated')),
  source     TEXT NOT NULL,
  changed_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE credential_devices (
  credential TEXT NOT NULL REFERENCES credentials (name) ON DELETE CASCADE,
  device     TEXT NOT NULL REFERENCES devices (device) ON DELETE CASCADE,
  PRIMARY KEY (credential, device)
) WITHOUT ROWID;

CREATE TABLE homes (
  household  TEXT PRIMARY KEY,
  sealed     BLOB NOT NULL,                -- under the household's own key
  changed_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE consents (
  consent      INTEGER PRIMARY KEY,
  device       TEXT NOT NULL,
  household    TEXT NOT NULL,
  purpose      TEXT NOT NULL,
  at           INTEGER NOT NULL,
  withdrawn_at INTEGER,
  sealed       BLOB NOT NULL               -- who granted it and to which text
);
CREATE INDEX consents_by_device ON consents (device, purpose);

CREATE TABLE rulesets (
  generation INTEGER PRIMARY KEY,
  hash       TEXT NOT NULL,
  since      INTEGER NOT NULL
);
