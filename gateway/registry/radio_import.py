"""The way in for LoRaWAN keys: a table, or what ChirpStack and The Things Stack export; no key is ever repeated.

Tables have a line of column names: dev_eui, version and, of a device that joins, app_key (1.1: nwk_key too) and, as
needed, join_eui; of one that never does (ABP) dev_addr, nwk_s_key, app_s_key (1.1: f_nwk_s_int_key,
s_nwk_s_int_key, nwk_s_enc_key for nwk_s_key).

Exports are JSON, one document or one a line. ChirpStack v4: `devEui`, `joinEui`, `nwkKey`, `appKey`, where the key of a 1.0
device stands under `nwkKey`; `devAddr`, `fNwkSIntKey` … of an activation. The Things Stack v3:
`ids`, `lorawan_version`, `root_keys`, `session`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.model.errors import Refusal
from gateway.registry import table
from gateway.registry.radio_rows import Secrets
from gateway.registry.words import nearest
from gateway.wire.lorawan.crypto import BLOCK
from gateway.wire.lorawan.identifiers import DevAddr, Eui

_COUNTING = ("1.0.4", "1.1")
_VERSIONS = ("1.0.2", "1.0.3", *_COUNTING)
_SESSION = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key")
_COLUMNS = {
    *("dev_eui", "join_eui", "version", "app_key", "nwk_key", "dev_addr", "nwk_s_key"),
    *_SESSION,
}
_THINGS_STACK = {
    **dict.fromkeys(("MAC_V1_0", "MAC_V1_0_1", "MAC_V1_0_2"), "1.0.2"),
    "MAC_V1_0_3": "1.0.3",
    "MAC_V1_0_4": "1.0.4",
    **dict.fromkeys(("MAC_V1_1", "MAC_V1_1_0"), "1.1"),
}
_MULTICAST = "multicast"
_GROUPS = ("multicastGroup", "mcAddr")
"""ChirpStack's groups; The Things Stack marks a device as one."""

_ZEROS = "0" * 2 * BLOCK

Said = Mapping[str, str]


def read_keys(text: str) -> dict[Eui, Secrets]:
    """DevEUI → secrets.

    Raises:
        Refusal: every faulty entry by its number, without what stood in it.
    """
    faults: list[str] = []
    found: dict[Eui, Secrets] = {}
    for where, said in _entries(text):
        try:
            if said is None:
                raise ValueError("it has more or fewer cells than line 1.")
            if _MULTICAST in said:
                raise ValueError(
                    "it is a multicast group, which is not done here: devices are spoken to one by one. Leave it out."
                )
            eui = _eui(said, "dev_eui")
            if eui is None:
                raise ValueError("dev_eui: sixteen hexadecimal digits are needed here.")
            secrets = _secrets(said)
            if found.setdefault(eui, secrets) is not secrets:
                raise ValueError("its device stands here twice.")
        except ValueError as fault:
            faults.append(f"{where}: {fault}")
    if faults or not found:
        raise Refusal("\n".join([*(faults or ["There is no key."]), "Nothing was imported."]), 2)
    return found


def _entries(text: str) -> Iterator[tuple[str, Said | None]]:
    """Where, and what is said there, in the words of the table."""
    if text.lstrip()[:1] in ("{", "["):
        for number, document in enumerate(_documents(text), 1):
            yield f"device {number}", _flat(document)
        return
    columns = set(table.columns(text))
    unknown = sorted(columns - _COLUMNS)
    if unknown or "dev_eui" not in columns:
        raise Refusal(f"line 1: {_wrong_columns(unknown)} Nothing was imported.", exit_code=2)
    for number, cells in table.lines(text):
        yield f"line {number}", cells


def _wrong_columns(unknown: list[str]) -> str:
    """What is wrong with a line that should name columns."""
    first = unknown[0] if unknown else ""
    if ";" in first or "\t" in first:
        return "columns are separated by commas."
    all_of_them = f"the first line names columns, of {', '.join(sorted(_COLUMNS))}."
    if first:
        return f"there is no column {first}." + nearest(first, sorted(_COLUMNS), unless=f" {all_of_them.capitalize()}")  # fmt: skip
    return f"dev_eui is missing: {all_of_them}"


def _documents(text: str) -> list[Any]:
    try:
        whole = json.loads(text)
    except ValueError:
        try:
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            raise Refusal(
                "This is neither JSON nor JSON a line. Nothing was imported.", 2
            ) from None
    if isinstance(whole, dict) and isinstance(whole.get("end_devices"), list):
        return list(whole["end_devices"])
    return whole if isinstance(whole, list) else [whole]


def _flat(document: Any) -> Said:
    """A network server's document in the words of the table."""
    if not isinstance(document, dict):
        return {}
    if document.get("multicast") is True or not document.keys().isdisjoint(_GROUPS):
        return {_MULTICAST: ""}
    if "ids" in document:
        return _things_stack(document)
    said = {key: document[key] for key in document if isinstance(document[key], str)}
    for inner in ("device", "deviceKeys", "deviceActivation"):
        if isinstance(document.get(inner), dict):
            said |= {k: v for k, v in document[inner].items() if isinstance(v, str)}
    nwk, app = said.get("nwkKey", _ZEROS), said.get("appKey", _ZEROS)
    is_1_1 = said.get("macVersion", "").endswith("1_1_0") or app not in (_ZEROS, "")
    found = {
        "dev_eui": said.get("devEui", ""),
        "join_eui": said.get("joinEui", ""),
        "version": "1.1" if is_1_1 else "1.0.3",
    }
    if "nwkKey" in said:  # of a 1.0 device the one key stands there
        found |= {"nwk_key": nwk, "app_key": app} if is_1_1 else {"app_key": nwk}
    if "devAddr" in said:
        found |= {"dev_addr": said["devAddr"], "app_s_key": said.get("appSKey", "")}
        words = zip(_SESSION, ("fNwkSIntKey", "sNwkSIntKey", "nwkSEncKey"), strict=False)
        found |= {name: said.get(word, "") for name, word in words}
    return found


def _things_stack(document: Mapping[str, Any]) -> Said:
    ids, roots = document["ids"], document.get("root_keys") or {}
    session = document.get("session") or {}
    version = str(document.get("lorawan_version", ""))
    found = {
        "dev_eui": str(ids.get("dev_eui", "")),
        "join_eui": str(ids.get("join_eui", "")),
        "version": _THINGS_STACK.get(version, version),
    }
    for name in ("app_key", "nwk_key"):
        if isinstance(roots.get(name), dict):
            found[name] = str(roots[name].get("key", ""))
    if "app_key" not in found and isinstance(session.get("keys"), dict):
        found["dev_addr"] = str(session.get("dev_addr", ""))
        for name in _SESSION:
            given = session["keys"].get(name)
            if isinstance(given, dict):
                found[name] = str(given.get("key", ""))
    return found


def _secrets(said: Said) -> Secrets:
    version = said.get("version", "") or "1.0.3"
    if version not in _VERSIONS:
        raise ValueError(f"version: one of {', '.join(_VERSIONS)} is needed here.")
    app_key, nwk_key = _key(said, "app_key"), _key(said, "nwk_key")
    if app_key is not None:
        if (version == "1.1") != (nwk_key is not None):
            raise ValueError("nwk_key: a device of version 1.1 has one, and no other has.")
        return Secrets(
            join_eui=_eui(said, "join_eui"),
            app_key=app_key,
            nwk_key=nwk_key,
            counting=version in _COUNTING,
        )
    return _never_joins(said)


def _never_joins(said: Said) -> Secrets:
    nwk_s, app_s = _key(said, "nwk_s_key"), _key(said, "app_s_key")
    parts = [_key(said, name) or nwk_s for name in _SESSION[:3]]
    given = said.get("dev_addr", "")
    if not given or app_s is None or None in parts:
        raise ValueError(
            "app_key is needed of a device that joins; dev_addr, nwk_s_key and app_s_key of one that does not."
        )
    try:
        addr = DevAddr.of(given)
    except ValueError:
        raise ValueError("dev_addr: eight hexadecimal digits are needed here.") from None
    f, s, enc = (part for part in parts if part is not None)
    return Secrets(dev_addr=addr, keys=(f, s, enc, app_s))


def _eui(said: Said, name: str) -> Eui | None:
    given = said.get(name, "")
    if not given:
        return None
    try:
        return Eui.of(given)
    except ValueError:
        raise ValueError(f"{name}: sixteen hexadecimal digits are needed here.") from None


def _key(said: Said, name: str) -> bytes | None:
    given = said.get(name, "")
    if not given:
        return None
    try:
        key = bytes.fromhex(given)
    except ValueError:
        key = b""
    if len(key) != BLOCK:
        raise ValueError(f"{name}: thirty-two hexadecimal digits are needed here.")
    return key
