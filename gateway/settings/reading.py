"""Reads one file as its schema, or says everything that keeps it from being one."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gateway.settings.complaints import Complaint, translate
from gateway.settings.document import Document

Schema = TypeVar("Schema", bound=BaseModel)


def read(document: Document, schema: type[Schema]) -> tuple[Schema | None, list[Complaint]]:
    """The file as its schema, unknown settings left out; None where more than those is wrong."""
    document.read()
    complaints = [
        Complaint(document.name, fault.line, fault.column, "", fault.sentence)
        for fault in document.faults
    ]
    if document.data is None and complaints:
        return None, complaints
    data = {} if document.data is None else document.data
    try:
        return schema.model_validate(data), complaints
    except ValidationError as error:
        complaints += translate(error, document, schema)
        unknown = [
            document.known(f["loc"]) for f in error.errors() if f["type"] == "extra_forbidden"
        ]
    try:
        return schema.model_validate(_without(data, (), set(unknown))), complaints
    except ValidationError:
        return None, complaints


def _without(data: Any, path: tuple[str | int, ...], unknown: set[tuple[str | int, ...]]) -> Any:
    if isinstance(data, dict):
        return {
            key: _without(value, (*path, key), unknown)
            for key, value in data.items()
            if (*path, key) not in unknown
        }
    if isinstance(data, list):
        return [_without(value, (*path, index), unknown) for index, value in enumerate(data)]
    return data
