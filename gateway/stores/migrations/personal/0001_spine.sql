-- Masked rows about people, of one lane and period. `minute` is the start of the one-minute bin, in
-- microseconds since 1970-01-01 UTC: the only time that is kept.

CREATE TABLE child_tracker (
    minute        INTEGER NOT NULL,
    identity      BLOB    NOT NULL,  -- 16 bytes, keyed: recognises the uplink if it comes again
    pseudonym     BLOB    NOT NULL,  -- 16 bytes, keyed: changes with the file
    lat           REAL    NOT NULL,  -- WGS 84, rounded to 5 decimals
    lon           REAL    NOT NULL,
    battery_class INTEGER,           -- 1 (at most 25 %) to 4
    PRIMARY KEY (minute, identity)
) WITHOUT ROWID;

CREATE TABLE bus_stop_reader (
    minute   INTEGER NOT NULL,
    identity BLOB    NOT NULL,
    stop     TEXT,                   -- GTFS stop_id, for a reader at a stop
    vehicle  TEXT,                   -- for a reader at a door
    antenna  INTEGER NOT NULL,
    tag      BLOB    NOT NULL,       -- 16 bytes, keyed: changes with the service day
    PRIMARY KEY (minute, identity)
) WITHOUT ROWID;

CREATE VIEW child_places AS
SELECT strftime('%Y-%m-%dT%H:%MZ', minute / 1000000, 'unixepoch') AS minute_utc,
       lower(hex(pseudonym)) AS child, lat, lon, battery_class
FROM child_tracker;

CREATE VIEW tag_presences AS
SELECT strftime('%Y-%m-%dT%H:%MZ', minute / 1000000, 'unixepoch') AS minute_utc,
       lower(hex(tag)) AS tag, stop, vehicle, antenna
FROM bus_stop_reader;
