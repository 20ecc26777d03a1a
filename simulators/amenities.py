"""What the town counts and measures beside its children, buses, river and forest; all of it invented."""

from collections.abc import Mapping

Facts = Mapping[str, str | float | bool]

AMENITIES: tuple[tuple[str, str, str, Facts], ...] = (
    ("bicycles-01", "bicycle_parking_counter", "json", {"capacity": 300.0, "lot": "station (fictional)", "gate": "north"}),
    ("bicycles-02", "bicycle_parking_counter", "binary", {"capacity": 120.0, "lot": "arcade (fictional)"}),
    ("counter-01", "service_counter", "json", {"desks": 4.0, "office": "ward office (fictional)", "service": "certificates"}),
    ("counter-02", "service_counter", "binary", {"desks": 5.0, "office": "ward office (fictional)", "service": "moving in"}),
    ("people-01", "people_flow_counter", "json", {"street": "arcade (fictional)", "towards": "station"}),
    ("people-02", "people_flow_counter", "binary", {"street": "arcade (fictional)", "towards": "station"}),
    ("people-03", "people_flow_counter", "binary", {"street": "station square (fictional)", "towards": "station"}),
    ("weather-01", "weather_station", "json", {"altitude_m": 9.0, "wind_height_m": 10.0, "site": "school roof (fictional)"}),
    ("weather-02", "weather_station", "binary", {"altitude_m": 86.0, "wind_height_m": 6.0}),
)  # fmt: skip
"""Device, kind, form and registry attributes; the second weather station has no sun sensor."""
