"""Copies of a ring under a passphrase, numbered: the one way of keys to another machine, and to a safe.

An export holds the root key, the key that signs, the keys of personal files and those of households, and what was taken back until
then; keys that must die within days (service days, counting periods) are in none. The ring remembers of every export its number, its day and whose
households' keys it holds, so that an erasure can name those that must be destroyed too.

    {"sekisho_keys": 1, "id": …, "number": …, "made_at": …, "salt": …, "sealed": nonce ‖ AES-256-GCM}

The key is made of the passphrase (`passphrase.stretched`); what stands beside `sealed` is bound to it.
"""

import base64
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.keys import keyfile, taken_back
from gateway.keys.erased import ErasedKeys
from gateway.keys.passphrase import require_long, stretched
from gateway.model.errors import Refusal
from gateway.model.instant import Instant, to_rfc3339
from gateway.statedir import write_durably

FORM = 1
_NONCE = _SALT = 12
_KEPT = re.compile(r"root\.key|signing\.key|files/[A-Za-z0-9.-]+\.key|households/[a-z0-9._-]+\.key")
_LEDGER = re.compile(r"(\d{4,})\.json")


class Export(NamedTuple):
    """One export.

    Attributes:
        made_at: when it was made, RFC 3339.
        households: whose keys it holds.
        taken_back: the last thing that was taken back before it.
    """

    number: int
    made_at: str
    households: frozenset[str]
    taken_back: int


class Exports:
    """Those of the ring in `path`."""

    def __init__(self, path: Path) -> None:
        self._ring = path
        self._ledger = path / "exports"

    def all(self) -> list[Export]:
        """Every export ever made of this ring, oldest first.

        Raises:
            Refusal: the list cannot be read.
        """
        found = []
        for path in sorted(self._ledger.glob("*.json")):
            number = _LEDGER.fullmatch(path.name)
            if number is None:
                continue
            try:
                said = json.loads(path.read_bytes())
                facts = (
                    said["made_at"],
                    frozenset(said["households"]),
                    int(said.get("taken_back", 0)),
                )
                found.append(Export(int(number[1]), *facts))
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise Refusal(f"{path} cannot be read ({type(error).__name__}).") from error
        return found

    def holding(self, household: str) -> list[Export]:
        """Exports that hold a household's key: it is erased nowhere before they are destroyed."""
        return [export for export in self.all() if household in export.households]

    def lacking(self) -> int:
        """How many things were taken back since the last export: whoever restores elsewhere with that one does not know of them.

        Raises:
            Refusal: nobody can tell.
        """
        last = max((export.taken_back for export in self.all()), default=0)
        known = taken_back.entries(taken_back.content(self._ring))
        return sum(entry.number > last for entry in known)

    def make(self, identity: str, passphrase: str, now: Instant) -> tuple[int, bytes]:
        """A numbered export; remembered before anybody can have it.

        Args:
            identity: the state directory's id.

        Raises:
            Refusal: the passphrase is too short, or the ring cannot be read or written.
        """
        require_long(passphrase)
        held = dict(_keys(self._ring))
        try:
            self._ledger.mkdir(mode=0o700, exist_ok=True)
            number = max((export.number for export in self.all()), default=0) + 1
            names = sorted(Path(name).stem for name in held if name.startswith("households/"))
            made_at = to_rfc3339(now)
            known = taken_back.entries(held.get(taken_back.FILE, b""))
            last = max((entry.number for entry in known), default=0)
            ledger = {"made_at": made_at, "households": names, "taken_back": last}
            noted = json.dumps(ledger).encode() + b"\n"
            write_durably(self._ledger / f"{number:04}.json", noted, 0o600)
        except OSError as error:
            raise Refusal(
                f"The ring {self._ring} takes no note of an export: {error.strerror}."
            ) from error
        salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
        head = {
            "sekisho_keys": FORM,
            "id": identity,
            "number": number,
            "made_at": made_at,
            "salt": base64.b64encode(salt).decode(),
        }
        plain = json.dumps({name: base64.b64encode(key).decode() for name, key in held.items()})
        sealed = nonce + _cipher(passphrase, salt).encrypt(nonce, plain.encode(), _bound(head))
        return number, json.dumps(
            {**head, "sealed": base64.b64encode(sealed).decode()}
        ).encode() + b"\n"


def read(text: bytes, passphrase: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The head of an export, and its keys by their names below the ring.

    Raises:
        Refusal: no export, one of another form, or not this passphrase.
    """
    try:
        said = json.loads(text)
        form, sealed = said["sekisho_keys"], base64.b64decode(said.pop("sealed"))
        salt = base64.b64decode(said["salt"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refusal("This is no export of keys. sekisho keys export writes one.") from None
    if form != FORM:
        raise Refusal(
            f"This export was written by another Sekisho (form {form}; this one knows {FORM})."
        )
    try:
        plain = _cipher(passphrase, salt).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(said))
        keys = {str(name): base64.b64decode(key) for name, key in json.loads(plain).items()}
    except InvalidTag:
        raise Refusal(
            "Not this passphrase, or the export was changed. Nothing was imported."
        ) from None
    taken_back.entries(keys.get(taken_back.FILE, b""))
    named = keys.keys() - {taken_back.FILE}
    if not all(_KEPT.fullmatch(name) and len(keys[name]) == keyfile.SIZE for name in named):
        raise Refusal("This export holds what is no key. Nothing was imported.")
    return said, keys


def put(ring: Path, keys: Mapping[str, bytes]) -> tuple[int, int]:
    """Bring keys into a ring, which is made if it is not there: how many came, how many were there already.

    The key of a household that was erased from this ring, or of a file whose time was over, never comes back. What was taken
    back is taken over where this ring knows no other.

    Raises:
        Refusal: another key lies there under the same name (nothing was written), or the place cannot be written.
    """
    erased = ErasedKeys(ring)
    book = keys.get(taken_back.FILE, b"")
    keys = {
        name: key for name, key in keys.items() if name != taken_back.FILE and not erased.holds(key)
    }
    there = {name: keyfile.read(ring / name) for name in keys}
    for name, key in there.items():
        if key is not None and key != keys[name]:
            raise Refusal(
                f"{ring / name} is another key than the export's. Two rings cannot be merged: say where an empty place "
                "is (--keys), or move this ring away. Nothing was imported."
            )
    missing = [name for name, key in there.items() if key is None]
    try:
        for folder in (
            ring.parent,
            ring,
            *(ring / part for part in ("files", "days", "periods", "households")),
        ):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if book.startswith(known := taken_back.content(ring)) and book != known:
            write_durably(ring / taken_back.FILE, book, 0o600)
        for name in sorted(
            missing, key=lambda one: one == "root.key"
        ):  # a ring without its root is none yet
            write_durably(ring / name, keys[name], 0o600)
    except OSError as error:
        raise Refusal(f"No keys could be brought to {ring}: {error.strerror}.") from error
    return len(missing), len(keys) - len(missing)


def _keys(ring: Path) -> Iterator[tuple[str, bytes]]:
    for path in (
        ring / "root.key",
        ring / "signing.key",
        *sorted((ring / "files").glob("*.key")),
        *sorted((ring / "households").glob("*.key")),
    ):
        key = keyfile.read(path)
        if key is not None:
            yield str(path.relative_to(ring)), key
    if book := taken_back.content(ring):
        yield taken_back.FILE, book


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    return AESGCM(stretched(passphrase, salt))


def _bound(head: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(sorted(head.items()))).encode()
