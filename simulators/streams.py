"""Dice by name: one seed, and an independent stream of random numbers for every purpose."""

from hashlib import blake2b
from random import Random


def stream(seed: int, *names: str) -> Random:
    """The dice of one purpose, for example `stream(7, "child-0001", "gps")`.

    The same seed and names always give the same numbers, and what one stream draws never moves
    another: a device that is added later changes nothing for those already there. Names are
    hashed with their lengths, so that ("a", "bc") and ("ab", "c") are two streams.
    """
    digest = blake2b(str(seed).encode(), digest_size=8)
    for name in names:
        raw = name.encode()
        digest.update(len(raw).to_bytes(4, "big") + raw)
    return Random(int.from_bytes(digest.digest(), "big"))
