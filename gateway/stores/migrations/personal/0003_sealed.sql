-- Rows as they lie where anybody could be real: of every kind in one table, of one length (see
-- gateway/privacy/sealing.py). And by which rules the rows of this file were masked.

CREATE TABLE sealed (
    minute   INTEGER NOT NULL,
    identity BLOB    NOT NULL,
    body     BLOB    NOT NULL,
    PRIMARY KEY (minute, identity)
) WITHOUT ROWID;

CREATE TABLE rules (
    only_one   INTEGER PRIMARY KEY CHECK (only_one = 1),
    generation INTEGER NOT NULL,
    ruleset    TEXT    NOT NULL  -- hex SHA-256 of the canonical rules
);
