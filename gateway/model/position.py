"""An exact position: it exists in memory only, and cannot be shown, pickled or compared by print."""

from typing import NoReturn


class Position:
    """WGS 84 latitude and longitude in degrees. Never leaves memory; `privacy` makes places of it."""

    __slots__ = ("lat", "lon")

    def __init__(self, lat: float, lon: float) -> None:
        self.lat = lat
        self.lon = lon

    def __repr__(self) -> str:
        return "<position>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an exact position is never serialised")
