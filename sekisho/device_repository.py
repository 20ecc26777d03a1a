"""A checked-out repository of device profiles, as The Things Network lays it out: vendors, devices, codecs."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sekisho.vendor_examples import Codec, codec, document

_MARK = "uplinkDecoder"


class Repository(NamedTuple):
    """What a repository holds.

    Attributes:
        codecs: by `vendor/codec`, each once, however many devices name it.
        devices: `vendor/device` → the codecs that its profiles name, as in `codecs`.
        unread: sentences about files that have not the form.
    """

    codecs: dict[str, Codec]
    devices: dict[str, list[str]]
    unread: list[str]


def read_repository(root: Path) -> Repository:
    """Everything below `vendor/`.

    Raises:
        ValueError: there is no such folder.
    """
    vendors = sorted(path.parent for path in (root / "vendor").glob("*/index.yaml"))
    if not vendors:
        raise ValueError(f"{root} holds no vendor/*/index.yaml: it is no such repository.")
    found = Repository({}, defaultdict(list), [])
    for vendor in vendors:
        _read_codecs(vendor, found)
    for vendor in vendors:
        for device in _devices(vendor, found):
            _read_device(vendor, device, found)
    return found


def _read_codecs(vendor: Path, found: Repository) -> None:
    for file in sorted(vendor.glob("*.yaml")):
        try:
            if _MARK in file.read_text("utf-8", "replace") and (one := codec(file)) is not None:
                found.codecs[f"{vendor.name}/{file.stem}"] = one
        except ValueError as error:
            found.unread.append(str(error))


def _devices(vendor: Path, found: Repository) -> list[str]:
    said = _said(vendor / "index.yaml", found)
    listed = said.get("endDevices") if isinstance(said, dict) else None
    return list(dict.fromkeys(str(name) for name in listed or []))


def _read_device(vendor: Path, device: str, found: Repository) -> None:
    said = _said(vendor / f"{device}.yaml", found)
    names = dict.fromkeys(_named(said)) if isinstance(said, dict) else {}
    known = (f"{vendor.name}/{name}" for name in names)
    found.devices[f"{vendor.name}/{device}"] = [name for name in known if name in found.codecs]


def _named(device: dict[str, Any]) -> Iterator[str]:
    """The codecs of every firmware and region."""
    for firmware in device.get("firmwareVersions") or []:
        for profile in (firmware.get("profiles") or {}).values():
            if isinstance(profile, dict) and profile.get("codec"):
                yield str(profile["codec"])


def _said(file: Path, found: Repository) -> Any:
    try:
        return document(file)
    except ValueError as error:
        found.unread.append(str(error))
        return None
