-- Rule sets may publish cells of the public mesh instead of places, and rows without a pseudonym.

DROP VIEW child_places;

CREATE TABLE child_tracker_new (
    minute        INTEGER NOT NULL,
    identity      BLOB    NOT NULL,  -- 16 bytes, keyed: recognises the uplink if it comes again
    pseudonym     BLOB,              -- 16 bytes, keyed: changes with the file or the day
    lat           REAL,              -- WGS 84, rounded to 5 decimals
    lon           REAL,
    battery_class INTEGER,           -- 1 (at most 25 %) to 4
    cell          TEXT,              -- JIS X 0410, instead of a place
    leg           INTEGER,           -- 1 from home, 2 behind a stay
    PRIMARY KEY (minute, identity)
) WITHOUT ROWID;

INSERT INTO child_tracker_new (minute, identity, pseudonym, lat, lon, battery_class)
SELECT minute, identity, pseudonym, lat, lon, battery_class FROM child_tracker;

DROP TABLE child_tracker;
ALTER TABLE child_tracker_new RENAME TO child_tracker;

CREATE VIEW child_places AS
SELECT strftime('%Y-%m-%dT%H:%MZ', minute / 1000000, 'unixepoch') AS minute_utc,
       lower(hex(pseudonym)) AS child, lat, lon, battery_class, cell, leg
FROM child_tracker;
