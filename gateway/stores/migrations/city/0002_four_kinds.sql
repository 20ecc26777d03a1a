-- Four more kinds of the city's things. The head of a row is as in 0001_spine.sql.

CREATE TABLE bicycle_parking_counter (
    observed_at INTEGER NOT NULL,
    device      TEXT    NOT NULL,
    counter     INTEGER NOT NULL,
    digest      BLOB    NOT NULL,
    item        INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    clock       TEXT    NOT NULL,
    late        INTEGER NOT NULL,
    direction   TEXT,
    passer      TEXT,
    shaded_s    REAL,
    in_count    INTEGER NOT NULL,
    out_count   INTEGER NOT NULL,
    interval_s  INTEGER,
    blocked     INTEGER,
    battery_v   REAL,
    PRIMARY KEY (observed_at, device, counter, digest, item)
) WITHOUT ROWID;

CREATE TABLE service_counter (
    observed_at INTEGER NOT NULL,
    device      TEXT    NOT NULL,
    counter     INTEGER NOT NULL,
    digest      BLOB    NOT NULL,
    item        INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    clock       TEXT    NOT NULL,
    late        INTEGER NOT NULL,
    waiting     INTEGER NOT NULL,
    open_desks  INTEGER NOT NULL,
    last_called INTEGER,
    PRIMARY KEY (observed_at, device, counter, digest, item)
) WITHOUT ROWID;

CREATE TABLE people_flow_counter (
    observed_at   INTEGER NOT NULL,
    device        TEXT    NOT NULL,
    counter       INTEGER NOT NULL,
    digest        BLOB    NOT NULL,
    item          INTEGER NOT NULL,
    received_at   INTEGER NOT NULL,
    clock         TEXT    NOT NULL,
    late          INTEGER NOT NULL,
    towards_count INTEGER NOT NULL,
    away_count    INTEGER NOT NULL,
    interval_s    INTEGER NOT NULL,
    battery_v     REAL,
    PRIMARY KEY (observed_at, device, counter, digest, item)
) WITHOUT ROWID;

CREATE TABLE weather_station (
    observed_at   INTEGER NOT NULL,
    device        TEXT    NOT NULL,
    counter       INTEGER NOT NULL,
    digest        BLOB    NOT NULL,
    item          INTEGER NOT NULL,
    received_at   INTEGER NOT NULL,
    clock         TEXT    NOT NULL,
    late          INTEGER NOT NULL,
    temperature_c REAL,
    humidity_pct  REAL,
    pressure_hpa  REAL,
    wind_m_s      REAL,
    gust_m_s      REAL,
    wind_from_deg REAL,
    rain_mm       REAL,
    rain_mm_h     REAL,
    solar_w_m2    REAL,
    battery_v     REAL,
    PRIMARY KEY (observed_at, device, counter, digest, item)
) WITHOUT ROWID;

CREATE VIEW bicycles AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', observed_at / 1000000, 'unixepoch') AS observed_at_utc,
       device, direction, passer, shaded_s, in_count, out_count, interval_s, blocked, battery_v,
       clock, late
FROM bicycle_parking_counter;

CREATE VIEW counter_queues AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', observed_at / 1000000, 'unixepoch') AS observed_at_utc,
       device, waiting, open_desks, last_called,
       clock, late
FROM service_counter;

CREATE VIEW people_flows AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', observed_at / 1000000, 'unixepoch') AS observed_at_utc,
       device, towards_count, away_count, interval_s, battery_v,
       clock, late
FROM people_flow_counter;

CREATE VIEW weather AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', observed_at / 1000000, 'unixepoch') AS observed_at_utc,
       device, temperature_c, humidity_pct, pressure_hpa, wind_m_s, gust_m_s, wind_from_deg, rain_mm, rain_mm_h, solar_w_m2, battery_v,
       clock, late
FROM weather_station;
