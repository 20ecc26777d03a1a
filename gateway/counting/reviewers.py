"""Who may review releases: people who have signed themselves into the ledger, each with a key of their own.

    {"what": "reviewer", "by", "account", "salt", "public", …, "signature"}
    {"what": "reviewer left", "by", "account", …}

A key is made of a passphrase and the salt that stands in the line (`gateway.keys.reviewer`), so no secret lies anywhere. A signature is
Ed25519 over the whole line without itself and the hash: over the hash of the line before, too. Reviews that are older than the first
reviewer bear none, and count for nothing.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_BESIDE = ("signature", "hash")


@dataclass(frozen=True, slots=True)
class Reviewer:
    """One person.

    Attributes:
        name: as they gave it.
        account: of the machine, from which they signed themselves in.
        since: the minute in which they did, RFC 3339.
        salt, public: of their key, in hex.
        left: whether they review no more.
    """

    name: str
    account: str
    since: str
    salt: str
    public: str
    left: bool = False


class Roll:
    """The reviewers that a ledger's lines name, one line after the other.

    Attributes:
        people: folded name → who it is.
        accounts: account → the folded name that was signed in from it first, for good.
    """

    def __init__(self) -> None:
        self.people: dict[str, Reviewer] = {}
        self.accounts: dict[str, str] = {}

    @classmethod
    def of(cls, entries: Iterable[Mapping[str, Any]]) -> "Roll":
        """That at the end of a ledger whose standings hold."""
        roll = cls()
        for entry in entries:
            roll.take(entry)
        return roll

    def take(self, entry: Mapping[str, Any]) -> bool:
        """Whether a line is about a reviewer and holds; a line about anything else does.

        Raises:
            KeyError, TypeError: it is none of ours.
        """
        if entry["what"] == "reviewer":
            who = folded(entry["by"])
            self.people[who] = Reviewer(
                *(entry["by"], entry["account"], entry["at"], entry["salt"], entry["public"])
            )
            self.accounts.setdefault(entry["account"], who)
            return self._is_signed(entry)
        if entry["what"] == "reviewer left":
            who = folded(entry["by"])
            self.people[who] = replace(self.people[who], left=True)
        return entry["what"] != "review" or self.is_of_before(entry) or self._is_signed(entry)

    def is_of_before(self, entry: Mapping[str, Any]) -> bool:
        """Whether a line is a review of before reviewers signed: nobody's word, but no forgery.

        Once somebody has signed in there are no more of those: whoever strips a signature breaks the ledger.
        """
        unsigned = "signature" not in entry and "account" not in entry
        return entry["what"] == "review" and unsigned and not self.people

    def present(self, name: str) -> Reviewer | None:
        """Who may review under a name; None where nobody may."""
        found = self.people.get(folded(name))
        return None if found is None or found.left else found

    def _is_signed(self, entry: Mapping[str, Any]) -> bool:
        who = self.present(entry["by"])
        if who is None:
            return False
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(who.public))
            key.verify(bytes.fromhex(entry.get("signature", "")), signed(entry))
        except (InvalidSignature, ValueError):
            return False
        return True


def folded(person: str) -> str:
    """A name as names are told apart: neither case nor spaces make another person."""
    return "".join(person.casefold().split())


def signed(entry: Mapping[str, Any]) -> bytes:
    """What the signature in a line is of."""
    return canonical({name: value for name, value in entry.items() if name not in _BESIDE}).encode()


def canonical(entry: Mapping[str, Any]) -> str:
    """A line as one text, whatever the order of its names."""
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
