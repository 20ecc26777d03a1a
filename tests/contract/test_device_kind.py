"""What every device kind promises: its fields, its limits, its two forms and its own examples."""

from typing import Any

import msgspec
import pytest

from gateway.devices.catalog import catalog
from gateway.devices.decode import binary_decoder, json_decoder, to_binary, to_json
from gateway.devices.kind import DeviceKind, Document, Example, Sensitivity
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.identity import DeviceId
from tests.fakes.declared import DECLARED

HEAD = bytes.fromhex("01 00000000 ffffffff")

ALL = {**catalog(), **DECLARED}
"""The shipped kinds, and those that tests and configuration declare in YAML."""

KINDS = [pytest.param(kind, id=name) for name, kind in ALL.items()]
EXAMPLES = [
    pytest.param(kind, example, id=f"{name}: {example.name}")
    for name, kind in ALL.items()
    for example in kind.examples
]


def device_of(kind: DeviceKind, attributes: Any = None) -> Device:
    return Device(DeviceId("d-1"), kind.name, "16201", 0, attributes=attributes or {})


def decode(kind: DeviceKind, example: Example) -> Document:
    device = device_of(kind, example.attributes)
    if example.is_json:
        document, _, _ = json_decoder(kind)(example.payload.encode(), device)
    else:
        document, _, _ = binary_decoder(kind)(HEAD + bytes.fromhex(example.payload), device)
    assert isinstance(document, Document)
    return document


def plain(value: Any) -> Any:
    """Structs as dictionaries and tuples as lists, so that examples can be written plainly."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize(("kind", "example"), EXAMPLES)
def test_an_example_says_what_it_claims(kind: DeviceKind, example: Example) -> None:
    if example.rejected:
        with pytest.raises(PayloadError) as refusal:
            decode(kind, example)
        assert refusal.value.reason == example.rejected
        return

    document = decode(kind, example)

    assert example.values is not None
    said = {name: plain(getattr(document, name)) for name in example.values}
    assert said == plain_mapping(example)


def plain_mapping(example: Example) -> dict[str, Any]:
    assert example.values is not None
    return {name: plain(value) for name, value in example.values.items()}


@pytest.mark.parametrize(("kind", "example"), EXAMPLES)
def test_a_refusal_never_quotes_the_payload(kind: DeviceKind, example: Example) -> None:
    if not example.rejected:
        return
    try:
        decode(kind, example)
    except PayloadError as refusal:
        said = f"{refusal} {refusal!r} {refusal.__cause__!r}"
        names = {field.name for field in kind.fields}
        words = {word.strip("{}[],:") for word in example.payload.replace('"', " ").split()}
        assert not [word for word in words - names if len(word) > 9 and word in said]


@pytest.mark.parametrize(("kind", "example"), EXAMPLES)
def test_an_accepted_example_survives_either_form(kind: DeviceKind, example: Example) -> None:
    if example.rejected:
        return
    document = decode(kind, example)
    device = device_of(kind, example.attributes)

    assert json_decoder(kind)(to_json(document), device)[0] == document
    if not example.is_json:
        again = to_binary(kind, document)
        assert again[len(HEAD) :] == bytes.fromhex(example.payload)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_brings_one_example_of_each_sort(kind: DeviceKind) -> None:
    accepted = [example for example in kind.examples if not example.rejected]
    assert any(example.is_json for example in accepted)
    assert any(not example.is_json for example in accepted)
    assert any(example.rejected for example in kind.examples)


@pytest.mark.parametrize("kind", KINDS)
def test_the_field_table_is_the_document(kind: DeviceKind) -> None:
    described = {field.name for field in kind.fields if "[]" not in field.name}
    struct = {field.name: field for field in msgspec.structs.fields(kind.document)}
    assert described == struct.keys() - {"t", "seq"}
    for field in kind.fields:
        if field.name in struct:
            assert field.required == struct[field.name].required, field.name


@pytest.mark.parametrize("kind", KINDS)
def test_the_limits_of_the_table_are_the_limits_of_the_schema(kind: DeviceKind) -> None:
    limits = dict(schema_limits(msgspec.json.schema(kind.document)))
    for field in kind.fields:
        if field.low is not None:
            assert limits[field.name] == (field.low, field.high), field.name


def schema_limits(schema: dict[str, Any]) -> list[tuple[str, tuple[float, float]]]:
    """Field name → (low, high) of every bounded number, array length and item in a JSON schema."""
    definitions = schema["$defs"]
    found = []
    for title, prefix in ((title, prefix_of(title)) for title in definitions):
        for name, shape in definitions[title].get("properties", {}).items():
            for option in shape.get("anyOf", [shape]):
                item = option.get("prefixItems", [option])[0]
                low = item.get("minimum", 0 if "maxItems" in item else None)
                high = item.get("maximum", item.get("maxItems"))
                if high is not None:
                    found.append((prefix + name, (low, high)))
    return found


def prefix_of(title: str) -> str:
    return "" if title == "Values" else f"{title.lower()}s[]."


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_is_bounded_before_a_database_sees_it(kind: DeviceKind) -> None:
    for name, definition in msgspec.json.schema(kind.document)["$defs"].items():
        for field, shape in definition.get("properties", {}).items():
            for option in shape.get("anyOf", [shape]):
                items = option.get("prefixItems", [option])
                for number in items:
                    if number.get("type") in ("integer", "number"):
                        assert "minimum" in number, (name, field)
                        assert "maximum" in number, (name, field)
                    if number.get("type") == "string":
                        bounded = {"maxLength", "format", "enum"} & number.keys()
                        assert bounded, (name, field)


@pytest.mark.parametrize("kind", KINDS)
def test_personal_kinds_leave_their_rows_to_the_mask(kind: DeviceKind) -> None:
    assert kind.personal == (kind.row is None)
    if not kind.personal:
        secret = {f.name for f in kind.fields if f.sensitivity is not Sensitivity.PUBLIC}
        assert all(f.sensitivity is Sensitivity.SECRET for f in kind.fields if f.name in secret)
        assert not secret & {column.name for column in kind.columns}


@pytest.mark.parametrize("kind", KINDS)
def test_a_city_row_has_a_value_for_every_column(kind: DeviceKind) -> None:
    for example in kind.examples:
        if kind.row is not None and not example.rejected:
            device = device_of(kind, example.attributes)
            assert len(kind.row(decode(kind, example), device)) == len(kind.columns)


def test_ports_and_names_are_unique() -> None:
    kinds = ALL.values()
    assert len({kind.f_port for kind in kinds}) == len(kinds)
    assert all(1 <= kind.f_port <= 223 for kind in kinds)


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_shows_nothing_of_itself(kind: DeviceKind) -> None:
    for example in kind.examples:
        if not example.rejected:
            document = decode(kind, example)
            assert repr(document) == "<document>"
            with pytest.raises(TypeError):
                document.__reduce__()
