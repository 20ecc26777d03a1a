"""What ChirpStack and The Things Stack export, in the words of our own table (`radio_import`).

ChirpStack v4: `devEui`, `joinEui`, `nwkKey`, `appKey`, where the key of a 1.0 device stands under `nwkKey`; of an activation `devAddr`,
`fNwkSIntKey` … and the counters that come next, `fCntUp`, `nFCntDown`, `aFCntDown`. The Things Stack v3: `ids`, `lorawan_version`, `root_keys`,
`session`; the counters that came last, `last_f_cnt_up`, `last_n_f_cnt_down`, `last_a_f_cnt_down`, where one that is 0 may be left out; and of joins
`used_dev_nonces`, `last_dev_nonce`, `last_join_nonce`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from gateway.model.errors import Refusal
from gateway.wire.lorawan.crypto import BLOCK

Said: TypeAlias = Mapping[str, str]
"""Column → what stands there."""

MULTICAST = "multicast"
"""Said of a group: it is none of our columns."""

NOTHING_SENT = "none"
"""The uplink counter of a device that has never sent."""

SESSION = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key")

_THINGS_STACK = {
    **dict.fromkeys(("MAC_V1_0", "MAC_V1_0_1", "MAC_V1_0_2"), "1.0.2"),
    "MAC_V1_0_3": "1.0.3",
    "MAC_V1_0_4": "1.0.4",
    **dict.fromkeys(("MAC_V1_1", "MAC_V1_1_0"), "1.1"),
}
_GROUPS = ("multicastGroup", "mcAddr")
"""ChirpStack's groups; The Things Stack marks a device as one."""

_ZEROS = "0" * 2 * BLOCK


def is_export(text: str) -> bool:
    """Whether it is JSON, and no table."""
    return text.lstrip()[:1] in ("{", "[")


def devices(text: str) -> Iterator[Said]:
    """Each device of an export.

    Raises:
        Refusal: it is no JSON.
    """
    return map(_flat, _documents(text))


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
        return {MULTICAST: ""}
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
        words = zip(SESSION, ("fNwkSIntKey", "sNwkSIntKey", "nwkSEncKey"), strict=False)
        found |= {name: said.get(word, "") for name, word in words}
        found |= _counters_of_chirpstack(document)
    return found


def _counters_of_chirpstack(document: Mapping[str, Any]) -> Said:
    """Its counters are the next ones; one that begins again at 0 with downlinks behind it says nothing."""
    inner = document.get("deviceActivation")
    source = inner if isinstance(inner, dict) else document
    up = _number(source, "fCntUp")
    down = max(_number(source, "nFCntDown") or 0, _number(source, "aFCntDown") or 0)
    if up is None or (up == 0 and down):
        return {}
    if up == 0:
        return {"f_cnt_up": NOTHING_SENT}
    return {"f_cnt_up": str(up - 1), "f_cnt_down": str(down)}


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
    used = document.get("used_dev_nonces")
    nonces = [document.get("last_dev_nonce"), *(used if isinstance(used, list) else ())]
    found["dev_nonces"] = " ".join(str(one) for one in nonces if one is not None)
    found["join_nonce"] = _said(_number(document, "last_join_nonce"))
    if "app_key" not in found and isinstance(session.get("keys"), dict):
        found["dev_addr"] = str(session.get("dev_addr", ""))
        for name in SESSION:
            given = session["keys"].get(name)
            if isinstance(given, dict):
                found[name] = str(given.get("key", ""))
        last = [_number(session, f"last_{sort}_f_cnt_down") for sort in ("n", "a")]
        heard = [one for one in last if one is not None]
        found["f_cnt_up"] = _said(_number(session, "last_f_cnt_up"))
        found["f_cnt_down"] = str(max(heard) + 1) if heard else ""
    return found


def _number(document: Mapping[str, Any], name: str) -> int | None:
    found = document.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _said(number: int | None) -> str:
    return "" if number is None else str(number)
