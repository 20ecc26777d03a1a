-- Devices of guardians that may be told where their own child is: sealed under the household's key.

CREATE TABLE guardians (
  guardian  INTEGER PRIMARY KEY,
  household TEXT NOT NULL,
  sealed    BLOB NOT NULL,               -- a name for the device, and its push subscription
  added_at  INTEGER NOT NULL
);
CREATE INDEX guardians_by_household ON guardians (household);
