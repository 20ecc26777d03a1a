-- Up to which entry this registry knows what was taken back: one that is older lacks what the ring has behind it.

CREATE TABLE taken_back (
  only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
  number   INTEGER NOT NULL
);
