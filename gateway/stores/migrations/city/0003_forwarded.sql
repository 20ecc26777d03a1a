-- A sensor of light that knows no unit. `clock` may be 'network' or 'simulated' from here on.

ALTER TABLE weather_station ADD COLUMN brightness REAL;

DROP VIEW weather;
CREATE VIEW weather AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', observed_at / 1000000, 'unixepoch') AS observed_at_utc,
       device, temperature_c, humidity_pct, pressure_hpa, wind_m_s, gust_m_s, wind_from_deg, rain_mm, rain_mm_h,
       solar_w_m2, battery_v, brightness, clock, late
FROM weather_station;
