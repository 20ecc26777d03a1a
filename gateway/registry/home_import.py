"""The way in for homes: an owner-only file or standard input, each line checked, no place repeated."""

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from gateway.model.errors import Refusal
from gateway.model.identity import is_name
from gateway.registry import table
from gateway.registry.rules import NAMES

CRS = "EPSG:4326"
_COLUMNS = {"household", "lat", "lon", "radius_m", "crs"}
_MOST_RADIUS_M = 10_000.0


class HomeEntry:
    """One line of an import; like every exact position it is never shown or serialised."""

    __slots__ = ("household", "lat", "lon", "radius_m")

    def __init__(self, household: str, lat: float, lon: float, radius_m: float | None) -> None:
        self.household = household
        self.lat = lat
        self.lon = lon
        self.radius_m = radius_m

    def __repr__(self) -> str:
        return "<home>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a home is never serialised")


def read_private(path: Path) -> str:
    """The text of a file that only its owner may read.

    Raises:
        Refusal: it is not there, not UTF-8, or others may read it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & 0o077:
                raise Refusal(
                    f"{path} can be read by other users, so nothing was taken from it. Close it "
                    f"(chmod 600 {path}), and ask yourself who may have read it before."
                )
            return file.read().decode()
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise Refusal(f"{path} is not a text in UTF-8. Save it as one; a table as CSV.") from None


def read_homes(
    text: str,
    file: str,
    in_area: Callable[[float, float], bool] | None,
    least_radius_m: float = 1.0,
) -> list[HomeEntry]:
    """Homes from CSV `household,lat,lon[,radius_m][,crs]` in degrees WGS 84 and metres.

    Args:
        text: the CSV with its line of column names.
        file: what to call it.
        in_area: whether (lat, lon) lies in the service area; None leaves that out.
        least_radius_m: the policy's home radius: a household may ask for more, never for less.

    Raises:
        Refusal: every faulty line by file and number, without what stood in it.
    """
    columns = set(table.columns(text))
    if not {"household", "lat", "lon"} <= columns or not columns <= _COLUMNS:
        raise Refusal(
            f"{file}:1 the first line must name the columns household,lat,lon and, as needed, "
            "radius_m and crs. Nothing was imported.",
            exit_code=2,
        )
    homes: dict[str, HomeEntry] = {}
    faults: list[str] = []
    for number, cells in table.lines(text):
        try:
            if cells is None:
                raise ValueError(
                    "it has more or fewer cells than line 1; an empty cell still has its comma."
                )
            home = _home(cells, in_area, least_radius_m)
            if home.household in homes:
                raise ValueError("its household stands here twice.")
        except ValueError as fault:
            faults.append(f"{file}:{number} {fault}")
            continue
        homes[home.household] = home
    if faults:
        count = f"{len(faults)} fault{'' if len(faults) == 1 else 's'}. Nothing was imported."
        raise Refusal("\n".join([*faults, count]), exit_code=2)
    return list(homes.values())


def _home(
    cells: Mapping[str, str],
    in_area: Callable[[float, float], bool] | None,
    least_radius_m: float,
) -> HomeEntry:
    if not is_name(cells["household"]):
        raise ValueError(f"the household is not a name: {NAMES}.")
    if cells.get("crs") and cells["crs"].upper() != CRS:
        raise ValueError(f"only coordinates in {CRS} (WGS 84) are taken. Convert them first.")
    lat, lon = _number(cells["lat"], "lat"), _number(cells["lon"], "lon")
    if abs(lat) < 0.001 and abs(lon) < 0.001:
        raise ValueError("its position is (0, 0), which means that it was not known.")
    if abs(lat) > 90 or abs(lon) > 180:
        raise ValueError("its position is not on earth. Are lat and lon in degrees, in this order?")
    if in_area is not None and not in_area(lat, lon):
        raise ValueError("it lies outside the service area. Are lat and lon the right way round?")
    radius_m = _number(cells["radius_m"], "radius_m") if cells.get("radius_m") else None
    if radius_m is not None and not least_radius_m <= radius_m <= _MOST_RADIUS_M:
        raise ValueError(
            f"radius_m is outside {least_radius_m:g} to {_MOST_RADIUS_M:g} metres: "
            "a household may ask for more than everyone has, not for less."
        )
    return HomeEntry(cells["household"], lat, lon, radius_m)


def _number(text: str, column: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{column} is not a number.") from None
    if not math.isfinite(number):
        raise ValueError(f"{column} is not a number.")
    return number
