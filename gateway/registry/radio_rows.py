"""LoRaWAN's secrets of each device, sealed: root keys and the history of joins, or the keys of a session without a join.

The history stands here and not beside the sessions: a restored backup must know which DevNonces were used, or a captured
join could be played back to it (decisions 6). Callers hold the transaction.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from struct import Struct

from gateway.lorawan.joining import Root
from gateway.lorawan.session import Counters, Session
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.model.instant import Instant
from gateway.registry import device_rows, radio_memory, tokens
from gateway.wire.lorawan.crypto import BLOCK, Key
from gateway.wire.lorawan.identifiers import DevAddr, Eui
from gateway.wire.lorawan.join import SessionKeys

_FORM = Struct(f">B?B?8s4s{4 * BLOCK}s")
"""1 joins or 2 never joins, whether nonces count up, minor version, whether any JoinEUI is taken, JoinEUI, DevAddr, keys."""

_JOINS, _NEVER_JOINS = 1, 2
_ZEROS = bytes(BLOCK)
_UNREADABLE = "The LoRaWAN keys of {} cannot be read with these keys."


@dataclass(frozen=True, slots=True)
class Secrets:
    """What an import knows of a device.

    Attributes:
        app_key, nwk_key: of a device that joins; NwkKey of 1.1 alone.
        keys, dev_addr: of one that never does.
        counting: whether its DevNonce counts up (LoRaWAN 1.0.4 and 1.1).
        counters: of one that never joins, how far it has counted elsewhere; None at its beginning.
        nonces: DevNonces that one which joins has used elsewhere,
        join_nonce: and the last JoinNonce that it was given there; None where nobody knows.
    """

    join_eui: Eui | None = None
    app_key: bytes | None = None
    nwk_key: bytes | None = None
    dev_addr: DevAddr | None = None
    keys: tuple[bytes, bytes, bytes, bytes] | None = None
    counting: bool = False
    counters: Counters | None = None
    nonces: frozenset[int] = frozenset()
    join_nonce: int | None = 0

    def __repr__(self) -> str:
        return "<secrets>"


@dataclass(frozen=True, slots=True)
class Radio:
    """All devices that speak LoRaWAN to us.

    Attributes:
        roots: of those that join, by DevEUI.
        sessions: of those that never do, as at their beginning.
        counters: of those among them whose counters were not known, what was said of them since.
    """

    roots: dict[Eui, Root]
    sessions: list[Session]
    counters: dict[DeviceId, Counters] = field(default_factory=dict)


def put(db: sqlite3.Connection, key: bytes, device: str, secrets: Secrets, at: Instant) -> None:
    """Remember a device's secrets. The history of its joins begins anew where the key that signs them is another one, and nowhere
    else: not with another JoinEUI or version. JoinNonces never begin anew.

    Counters of a session without a join are taken for a session that is new here, or held; one that is heard here knows them
    better.
    """
    device_rows.require(db, device)
    if secrets.app_key is not None:
        sort, addr = _JOINS, bytes(4)
        parts = (secrets.app_key, secrets.nwk_key or _ZEROS, _ZEROS, _ZEROS)
        minor = 1 if secrets.nwk_key is not None else 0
    else:
        assert secrets.keys is not None
        assert secrets.dev_addr is not None
        sort, addr, parts = _NEVER_JOINS, bytes(secrets.dev_addr), secrets.keys
        minor = 1 if len(set(parts[:3])) > 1 else 0
    plain = _FORM.pack(
        *(sort, secrets.counting, minor, secrets.join_eui is None),
        *(bytes(secrets.join_eui or 8), addr, b"".join(parts)),
    )
    known = db.execute(
        "SELECT sealed, join_nonce, nonces FROM radio WHERE device = ?", (device,)
    ).fetchone()
    before = None if known is None else tokens.unseal(key, _place(device), known[0])
    goes_on = before is not None and _signs(before) == _signs(plain)
    used = _used(key, device, known[2]) if goes_on else frozenset()
    last = 0 if known is None else int(known[1])
    given = secrets.join_nonce
    if given is None:
        given = 0 if goes_on else radio_memory.nonce_by(at)
    if before != plain:
        db.execute("DELETE FROM radio WHERE device = ?", (device,))  # told: keys were taken back
    if before != plain or secrets.nonces - used or given > last:
        db.execute(
            "INSERT OR REPLACE INTO radio VALUES (?,?,?,?,?)",
            (
                *(device, tokens.seal(key, _place(device), plain), max(last, given)),
                *(_nonces(key, device, used | secrets.nonces), at),
            ),
        )
    said = radio_memory.counters(db).get(device)
    if before is None or _session(before) != _session(plain):
        radio_memory.forget(db, device)
        if secrets.counters is not None:
            radio_memory.begin(db, device, secrets.counters, at)
    elif said is not None and said.up is None and secrets.counters is not None:
        radio_memory.begin(db, device, secrets.counters, at)


def drop(db: sqlite3.Connection, device: str) -> None:
    """Forget a device's secrets and counters."""
    db.execute("DELETE FROM radio WHERE device = ?", (device,))
    db.execute("DELETE FROM radio_counters WHERE device = ?", (device,))


def joined(
    db: sqlite3.Connection, key: bytes, device: str, nonces: Iterable[int], join_nonce: int
) -> None:
    """Remember the joins of a device."""
    db.execute(
        "UPDATE radio SET nonces = ?, join_nonce = max(join_nonce, ?) WHERE device = ?",
        (_nonces(key, device, nonces), join_nonce, device),
    )


def never_joining(db: sqlite3.Connection, key: bytes) -> list[str]:
    """Every device with the keys of a session, whether it may speak now or not."""
    found = []
    for device, sealed in db.execute("SELECT device, sealed FROM radio").fetchall():
        plain = tokens.unseal(key, _place(device), sealed)
        if plain is None or plain[0] == _NEVER_JOINS:
            found.append(device)
    return found


def largest_nonce(db: sqlite3.Connection) -> int:
    """The largest JoinNonce that any device was given."""
    return int(db.execute("SELECT coalesce(max(join_nonce), 0) FROM radio").fetchone()[0])


def read(db: sqlite3.Connection, key: bytes) -> Radio:
    """Every device that has a DevEUI and secrets.

    Raises:
        Refusal: secrets of one cannot be read with these keys.
    """
    found = Radio({}, [])
    floor, lost = radio_memory.join_floor(db), radio_memory.counters(db)
    euis = {
        row.device: str(row.attributes["dev_eui"])
        for row in device_rows.rows(db)
        if row.attributes.get("dev_eui") and row.revoked_at is None
    }
    for name, sealed, join_nonce, nonces in db.execute(
        "SELECT device, sealed, join_nonce, nonces FROM radio"
    ):
        if name not in euis:
            continue
        plain = tokens.unseal(key, _place(name), sealed)
        if plain is None:
            raise Refusal(_UNREADABLE.format(name))
        sort, counting, minor, any_eui, join_eui, addr, secrets = _FORM.unpack(plain)
        parts = [secrets[n : n + BLOCK] for n in range(0, 4 * BLOCK, BLOCK)]
        device, dev_eui = DeviceId(name), Eui.of(euis[name])
        if sort == _JOINS:
            found.roots[dev_eui] = Root(
                *(device, dev_eui, None if any_eui else Eui(join_eui), Key(parts[0])),
                Key(parts[1]) if minor else None,
                counting,
                set(_used(key, name, nonces)),
                *(join_nonce, floor),
            )
        else:
            f, s, enc, app = map(Key, parts)
            keys = SessionKeys(f, s, enc, app, is_1_1=minor == 1)
            found.sessions.append(
                Session(device, dev_eui, DevAddr(addr), keys, minor=minor, abp=True)
            )
            if name in lost:
                found.counters[device] = lost[name]
    return found


def _session(plain: bytes) -> tuple[int, bytes, bytes]:
    """What makes a session without a join another one, and its counters with it: address and network key."""
    sort, _, _, _, _, addr, secrets = _FORM.unpack(plain)
    return sort, addr, secrets[:BLOCK]


def _signs(plain: bytes) -> tuple[int, bytes]:
    """What makes a history of joins another one: the key that join-requests are signed with."""
    sort, _, minor, _, _, _, secrets = _FORM.unpack(plain)
    return sort, secrets[BLOCK : 2 * BLOCK] if minor else secrets[:BLOCK]


def _nonces(key: bytes, device: str, nonces: Iterable[int]) -> bytes:
    plain = b"".join(nonce.to_bytes(2, "big") for nonce in sorted(nonces))
    return tokens.seal(key, _place(device), plain)


def _used(key: bytes, device: str, sealed: bytes) -> frozenset[int]:
    used = tokens.unseal(key, _place(device), sealed)
    if used is None:
        raise Refusal(_UNREADABLE.format(device))
    return frozenset(int.from_bytes(used[n : n + 2], "big") for n in range(0, len(used), 2))


def _place(device: str) -> str:
    """No other sealed thing of the registry stands at this place."""
    return f"radio {device}"
