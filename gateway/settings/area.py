"""Finds the service area that a configuration names, and its canonical form for the rule set."""

import json
from importlib.resources import files
from typing import Any, NamedTuple

from gateway.privacy.area import Area
from gateway.registry.words import nearest
from gateway.settings.document import Document
from gateway.settings.schema import ServiceAreaFile
from gateway.settings.search import find_file

_FORMS = ("municipality", "geojson", "bbox")


class ServiceArea(NamedTuple):
    """An area and what makes it this one.

    Attributes:
        area: answers `contains(lat, lon)`.
        canonical: JSON text of its outline; equal outlines have equal texts.
    """

    area: Area
    canonical: str


def service_area(wanted: ServiceAreaFile, document: Document) -> ServiceArea:
    """The area that `service_area:` names in the gateway's document.

    Raises:
        ValueError: it names none or several, or one that does not exist; the text is a sentence.
    """
    given = [form for form in _FORMS if getattr(wanted, form) is not None]
    if len(given) != 1:
        raise ValueError(
            "exactly one of municipality, geojson and bbox is needed, "
            'for example municipality: "16201".'
        )
    if wanted.bbox is not None:
        south, west, north, east = wanted.bbox
        return _canonical(Area.from_bbox(south, west, north, east), wanted.bbox)
    if wanted.municipality is not None:
        outline = json.loads(_shipped(wanted.municipality))
    else:
        assert wanted.geojson is not None
        outline = json.loads(find_file(document, wanted.geojson).read_text("utf-8"))
    return _canonical(Area.from_geojson(outline), outline)


def shipped_municipalities() -> list[str]:
    """Codes of the municipalities whose outline comes with Sekisho."""
    names = (entry.name for entry in (files("gateway.settings") / "areas").iterdir())
    return sorted(name.removesuffix(".geojson") for name in names if name.endswith(".geojson"))


def shipped_names() -> dict[str, str]:
    """Code → name of the municipalities whose outline comes with Sekisho."""
    found = {}
    for code in shipped_municipalities():
        facts = json.loads(_shipped(code))["properties"]
        found[code] = str(facts["name"])
    return found


def _shipped(code: str) -> str:
    file = files("gateway.settings") / "areas" / f"{code}.geojson"
    if not file.is_file():
        known = shipped_municipalities()
        raise ValueError(
            f'no outline of a municipality "{code}" is shipped.{nearest(code, known)} '
            "For another one, use geojson: FILE."
        )
    return file.read_text("utf-8")


def _canonical(area: Area, outline: Any) -> ServiceArea:
    return ServiceArea(area, json.dumps(outline, sort_keys=True, separators=(",", ":")))
