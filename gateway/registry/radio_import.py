"""The way in for LoRaWAN keys: a table, or what ChirpStack and The Things Stack export (`radio_exports`); no key is ever repeated.

Tables have a line of column names: dev_eui, version and, of a device that joins, app_key (1.1: nwk_key too) and, as
needed, join_eui, and where another server had it join_nonce (the last one it was given) and dev_nonces (those it has used, with spaces between); of one
that never does (ABP) dev_addr, nwk_s_key, app_s_key (1.1: f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key for nwk_s_key), f_cnt_up (the last
uplink that anybody may have heard; none where it has never sent) and f_cnt_down (the first downlink that it surely has not heard).
"""

from collections.abc import Iterator

from gateway.lorawan.session import LAST_SAID, Counters, surely_unheard
from gateway.model.errors import Refusal
from gateway.registry import radio_exports, table
from gateway.registry.radio_exports import MULTICAST, NOTHING_SENT, SESSION, Said
from gateway.registry.radio_rows import Secrets
from gateway.registry.words import nearest
from gateway.wire.lorawan.crypto import BLOCK
from gateway.wire.lorawan.identifiers import DevAddr, Eui

_COUNTING = ("1.0.4", "1.1")
_VERSIONS = ("1.0.2", "1.0.3", *_COUNTING)
_COLUMNS = {
    *("dev_eui", "join_eui", "version", "app_key", "nwk_key", "dev_addr", "nwk_s_key"),
    *("f_cnt_up", "f_cnt_down", "join_nonce", "dev_nonces"),
    *SESSION,
}


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
            if MULTICAST in said:
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
    if radio_exports.is_export(text):
        for number, said in enumerate(radio_exports.devices(text), 1):
            yield f"device {number}", said
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
            nonces=frozenset(_dev_nonces(said)),
            join_nonce=_number(said, "join_nonce", (1 << 24) - 2),
        )
    return _never_joins(said)


def _never_joins(said: Said) -> Secrets:
    nwk_s, app_s = _key(said, "nwk_s_key"), _key(said, "app_s_key")
    parts = [_key(said, name) or nwk_s for name in SESSION[:3]]
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
    return Secrets(dev_addr=addr, keys=(f, s, enc, app_s), counters=_counters(said))


def _counters(said: Said) -> Counters | None:
    """How far a session has counted elsewhere; held where that is not said: captured frames of it would be new here."""
    if said.get("f_cnt_up") == NOTHING_SENT:
        if said.get("f_cnt_down"):
            raise ValueError("f_cnt_down: a device that has never sent has heard nothing.")
        return None
    up, down = _number(said, "f_cnt_up", LAST_SAID), _number(said, "f_cnt_down", LAST_SAID)
    if up is None:
        return Counters(None)
    return Counters(up, surely_unheard(up) if down is None else down)


def _dev_nonces(said: Said) -> list[int]:
    given = said.get("dev_nonces", "").split()
    if any(not one.isdecimal() or int(one) > 0xFFFF for one in given):
        raise ValueError("dev_nonces: numbers up to 65535 with spaces between are needed here.")
    return [int(one) for one in given]


def _number(said: Said, name: str, most: int) -> int | None:
    given = said.get(name, "")
    if not given:
        return None
    if not (given.isascii() and given.isdecimal()) or int(given) > most:
        raise ValueError(f"{name}: a whole number up to {most:,} is needed here.")
    return int(given)


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
