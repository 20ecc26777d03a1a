-- Rows about things of the city. Times are microseconds since 1970-01-01 UTC; the views show text.
-- The key begins with time, so that rows are appended; the rest of it is the uplink's identity.

CREATE TABLE river_gauge (
    observed_at   INTEGER NOT NULL,  -- when it was so, by `clock`
    device        TEXT    NOT NULL,
    counter       INTEGER NOT NULL,  -- the device's uplink counter, -1 where it sent none
    digest        BLOB    NOT NULL,  -- 8 bytes of the payload's BLAKE2b
    item          INTEGER NOT NULL,  -- index inside the uplink
    received_at   INTEGER NOT NULL,
    clock         TEXT    NOT NULL,  -- 'device' or 'gateway': whose clock observed_at is
    late          INTEGER NOT NULL,  -- 1: more than seven days behind; raises no alarm
    stage_m       REAL    NOT NULL,  -- water level above the gauge's zero
    distance_m    REAL,              -- as measured from above, where it was
    temperature_c REAL,
    battery_v     REAL,
    PRIMARY KEY (observed_at, device, counter, digest, item)
) WITHOUT ROWID;

CREATE TABLE wildlife_camera (
    observed_at INTEGER NOT NULL,
    device      TEXT    NOT NULL,
    counter     INTEGER NOT NULL,
    digest      BLOB    NOT NULL,
    item        INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    clock       TEXT    NOT NULL,
    late        INTEGER NOT NULL,
    species     TEXT    NOT NULL,
    count       INTEGER NOT NULL,
    confidence  REAL    NOT NULL,
    box_x       REAL,
    box_y       REAL,
    box_w       REAL,
    box_h       REAL,
    model       TEXT,
    image       TEXT,
    PRIMARY KEY (observed_at, device, counter, digest, item)
) WITHOUT ROWID;

-- Refused uplinks of the city's own devices; never their payload. One row a payload and day, at most a
-- hundred of a device, day and reason: what goes beyond is counted in one row with an empty digest.
CREATE TABLE rejection (
    day         TEXT    NOT NULL,  -- local
    device      TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    digest      BLOB    NOT NULL,  -- 8 bytes of the payload's BLAKE2b
    received_at INTEGER NOT NULL,  -- the first of them, as stage and size
    stage       TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    count       INTEGER NOT NULL,  -- how often, at least once each: more where a kill made it come again
    PRIMARY KEY (day, device, reason, digest)
) WITHOUT ROWID;

-- Refused uplinks of personal devices and unknown senders: how many on a day, and why.
CREATE TABLE refusals_per_day (
    day    TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (day, reason)
) WITHOUT ROWID;

CREATE VIEW river_levels AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', observed_at / 1000000, 'unixepoch') AS observed_at_utc,
       device, stage_m, distance_m, temperature_c, battery_v, clock, late
FROM river_gauge;

CREATE VIEW wildlife_sightings AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', observed_at / 1000000, 'unixepoch') AS observed_at_utc,
       device, species, count, confidence, box_x, box_y, box_w, box_h, model, image, clock, late
FROM wildlife_camera;
