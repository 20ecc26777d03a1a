"""A release as a table, a map, or the document it is."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

_OWN = "least"
"""What a row has for maps to colour by; its words say the same."""


def columns(document: Mapping[str, Any]) -> list[str]:
    """The columns of its table."""
    split = [name for name in ("weekday_type", "hour") if name in document["counts"]["slices"]]
    return ["unit", *split, said(document)]


def said(document: Mapping[str, Any]) -> str:
    """What its numbers are of."""
    return "households" if document["counts"]["distinct"] == "household" else "tags"


def cells(document: Mapping[str, Any]) -> list[list[Any]]:
    """The rows of its table."""
    return [[row[name] for name in columns(document)] for row in document["rows"]]


def as_json(document: Mapping[str, Any]) -> str:
    """The whole document."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def as_csv(document: Mapping[str, Any]) -> str:
    """Its table (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*columns(document), _OWN])
    writer.writerows([*row, whole[_OWN]] for row, whole in zip(cells(document), document["rows"], strict=True))  # fmt: skip
    return out.getvalue()


def as_geojson(document: Mapping[str, Any]) -> str:
    """Its map (RFC 7946): a Feature for each row; what has no place has none."""
    shapes = document["shapes"]
    features = [
        {"type": "Feature", "geometry": shapes.get(row["unit"]), "properties": row}
        for row in document["rows"]
    ]
    head = {name: document[name] for name in ("name", "purpose", "audience", "rules", "period", "counts", "losses")}  # fmt: skip
    return json.dumps(
        {"type": "FeatureCollection", "release": head, "features": features}, ensure_ascii=False
    )


FORMS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    ".csv": as_csv,
    ".geojson": as_geojson,
    ".json": as_json,
}
"""Ending of a file → what stands in it."""
