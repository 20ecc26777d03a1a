"""Reviewers as tests need them: keys that anyone can make, each from an account of its own."""

from hashlib import blake2b

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.clock import Clock
from gateway.counting.ledger import Standing
from gateway.stores.releases import Releases
from gateway.stores.reviewers import Reviewers


class Hand:
    """Somebody's key, without a passphrase."""

    def __init__(self, name: str) -> None:
        seed = blake2b(name.encode(), digest_size=32).digest()
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public(self) -> str:
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, data: bytes) -> str:
        return self._key.sign(data).hex()


def sign_in(releases: Releases, clock: Clock, *names: str) -> Reviewers:
    """Let people review."""
    found = Reviewers(releases.ledger_file.parent, clock)
    for name in names:
        found.add(name, f"account of {name}", bytes(16), Hand(name))
    return found


def look(releases: Releases, by: str, *, agrees: bool = True, key: Hand | None = None) -> Standing:
    """Somebody reviews `analysis 2026-05`, by their own key unless it is said."""
    hand = key or Hand(by)
    return releases.review(
        "analysis", "2026-05", by, f"account of {by}", hand, agrees=agrees, note=""
    )
