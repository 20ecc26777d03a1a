"""Forwarded uplink → a kind's document: by the kind's own bytes, by a product, or by a declared codec.

A device's registry entry says which, under `codec`: nothing (it runs our firmware), the name of a product on
the shelf, or the name of a codec that the configuration declares. Nothing is ever guessed from a payload.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from gateway.devices.catalog import catalog
from gateway.devices.decode import Decoded, complaint
from gateway.devices.kind import DeviceKind
from gateway.devices.mapping import Mapped, plain
from gateway.devices.product import Product
from gateway.devices.shelf import shelf
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.forwarded import Forwarded
from gateway.model.instant import from_datetime
from gateway.model.reason import Reason
from gateway.model.uplink import Route

_DECLARED: dict[str, Mapped] = {}


def declare_codecs(some: Iterable[Mapped]) -> None:
    """Take declared codecs in: at the start of a process, before a directory is made routes of.

    Raises:
        ValueError: one bears the name of a product.
    """
    for codec in some:
        if codec.name in shelf():
            raise ValueError(f"{codec.name} is a product of Sekisho's own: choose another name.")
        _DECLARED[codec.name] = codec


def codec_names() -> list[str]:
    """Every word that may stand after `codec:`."""
    return sorted({*shelf(), *_DECLARED})


def codec(name: str) -> Product | Mapped | None:
    """The codec of this name; None if there is none."""
    return shelf().get(name) or _DECLARED.get(name)


def codec_fault(kind: str, name: str) -> str | None:
    """Why devices of a kind cannot have this codec; None if they can."""
    found = codec(name)
    if found is None:
        return f'no codec named "{name}".'
    kinds = found.kinds if isinstance(found, Product) else (found.kind,)
    if kind not in kinds:
        return f"the codec {name} fills the fields of {', '.join(kinds)}, not of {kind}."
    return None


def forwarded_route(device: Device) -> Route | None:
    """How this device's forwarded uplinks are decoded; None where its kind or codec is not known here."""
    kind = catalog().get(device.kind)
    if kind is None:
        return None
    name = str(device.attributes.get("codec", ""))
    if not name:
        return Route(device, kind.name, _own(kind))
    if codec_fault(kind.name, name) is not None:
        return None
    found = codec(name)
    if isinstance(found, Product):
        return Route(device, kind.name, _by_product(kind, found))
    assert found is not None
    return Route(device, kind.name, _by_mapping(kind, found), found.script)


def _own(kind: DeviceKind) -> Callable[[Forwarded, Device], Decoded]:
    """LoRaWAN carries the kind's own payload alone, on the kind's port."""

    def decode(uplink: Forwarded, device: Device) -> Decoded:
        if uplink.f_port != kind.f_port:
            raise PayloadError(
                Reason.UNDECODABLE, f"f_port: {kind.name} speaks on {kind.f_port} alone"
            )
        document = kind.unpack(uplink.data)
        kind.check(document, device)
        return document, None, uplink.f_cnt

    return decode


def _by_product(
    kind: DeviceKind, product: Product
) -> Callable[[Forwarded, Device], Decoded]:  # fmt: skip
    def decode(uplink: Forwarded, device: Device) -> Decoded:
        return document_of(kind, product.decode(uplink.f_port, uplink.data), device, uplink.f_cnt)

    return decode


def _by_mapping(
    kind: DeviceKind, mapped: Mapped
) -> Callable[[Forwarded, Device], Decoded]:  # fmt: skip
    def decode(uplink: Forwarded, device: Device) -> Decoded:
        if uplink.object is None:
            raise PayloadError(Reason.UNDECODABLE, "object: the server's own codec made none")
        return document_of(kind, mapped.said(uplink.object), device, uplink.f_cnt)

    return decode


def document_of(
    kind: DeviceKind, said: Mapping[str, Any], device: Device, f_cnt: int | None
) -> Decoded:
    """A kind's document of fields by name, checked as a device's own JSON is.

    A field that the payload does not carry may stand in the registry, as an attribute of the same name.

    Raises:
        PayloadError: a field is missing, of the wrong sort or out of range; or the kind's own check.
    """
    said = _completed(kind, said, device)
    try:
        document = msgspec.convert(said, kind.document)
    except msgspec.ValidationError as error:
        raise complaint(str(error)) from None
    kind.check(document, device)
    t = document.t
    return (
        document,
        None if t is None else from_datetime(t),
        document.seq if f_cnt is None else f_cnt,
    )


def _completed(kind: DeviceKind, said: Mapping[str, Any], device: Device) -> Mapping[str, Any]:
    """What is said, with the required fields that stand in the registry instead."""
    wanting = [field.name for field in kind.fields if field.required and field.name not in said]
    for name in wanting:
        if name not in device.attributes:
            raise PayloadError(
                Reason.UNDECODABLE, f"{name}: neither the payload nor the registry has it"
            )
    known = {name: plain(device.attributes[name]) for name in wanting}
    return {**said, **known} if known else said
