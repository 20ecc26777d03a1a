"""A checked-out repository of device profiles, as ChirpStack lays it out: `vendors/<vendor>/{devices,codecs}`.

A vendor has a `vendor.toml`, a device names a codec for each firmware, and beside `codecs/<name>.js` lie its
examples, `codecs/test_decode_<name>.json`, often none.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sekisho.device_repository import Repository
from sekisho.vendor_examples import Codec, document, examples

FOLDER = "vendors"


def read_profiles(root: Path) -> Repository:
    """Everything below `vendors/`.

    Raises:
        ValueError: there is no vendor in it.
    """
    vendors = sorted(path.parent for path in (root / FOLDER).glob("*/vendor.toml"))
    if not vendors:
        raise ValueError(f"{root} holds no {FOLDER}/*/vendor.toml: it is no such repository.")
    found = Repository({}, defaultdict(list), [])
    for vendor in vendors:
        for script in sorted(vendor.glob("codecs/*.js")):
            found.codecs[f"{vendor.name}/{script.stem}"] = _codec(script, found)
        for device in sorted(vendor.glob("devices/*.toml")):
            named = dict.fromkeys(_named(_said(device, found)))
            known = (f"{vendor.name}/{Path(name).stem}" for name in named)
            found.devices[f"{vendor.name}/{device.stem}"] = [
                name for name in known if name in found.codecs
            ]
    return found


def _codec(script: Path, found: Repository) -> Codec:
    file = script.with_name(f"test_decode_{script.stem}.json")
    if not file.exists():
        return Codec(script, script, [])
    try:
        return Codec(file, script, examples(file) if document(file) else [])
    except ValueError as error:
        found.unread.append(str(error))
        return Codec(file, script, [])


def _named(device: dict[str, Any]) -> Iterator[str]:
    """The codecs of every firmware."""
    part = device.get("device")
    listed = part.get("firmware") if isinstance(part, dict) else None
    for firmware in listed if isinstance(listed, list) else []:
        if isinstance(firmware, dict) and firmware.get("codec"):
            yield str(firmware["codec"])


def _said(file: Path, found: Repository) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        found.unread.append(f"{file} is no TOML in UTF-8.")
    except OSError as error:
        found.unread.append(f"{file} cannot be read ({error.strerror}).")
    return {}
