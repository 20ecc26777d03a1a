"""The chain of the access log: how an entry is bound to the one before it, and how that is proved."""

import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from gateway.model.errors import Refusal

BEGIN = "0" * 64
"""The link before the first entry."""


class Signs(Protocol):
    """What signs heads."""

    @property
    def public(self) -> str:
        """The public key in hex."""
        ...

    def sign(self, data: bytes) -> str:
        """The signature in hex."""
        ...


class Head(NamedTuple):
    """The end of a chain: the day that it closes, how many entries it has, and its last link."""

    day: str
    seq: int
    link: str


class Removed(NamedTuple):
    """What retention took away: all months up to one, the last entry of them, and its link."""

    month: str
    seq: int
    link: str


NOTHING = Removed("", 0, BEGIN)
"""Nothing was taken away: the chain begins with its first entry."""


class Chain:
    """Links, heads and marks under one key and one signer."""

    def __init__(self, key: bytes, signer: Signs) -> None:
        self._key = key
        self._signer = signer

    def link(self, before: str, entry: Mapping[str, Any]) -> str:
        """What binds an entry to the link before it: HMAC-SHA-256 in hex."""
        return hmac.new(self._key, before.encode() + line(entry), sha256).hexdigest()

    def signed(self, head: Head) -> bytes:
        """The line of a signed head."""
        return self._with_signature({"head": head._asdict()})

    def mark(self, removed: Removed) -> bytes:
        """The signed mark of what retention took away: only behind it may a chain begin with anything but its first entry."""
        return self._with_signature({"removed": removed._asdict()})

    def read_mark(self, path: Path) -> Removed:
        """What retention took away; nothing where there is no mark.

        Raises:
            Refusal: the mark was changed, or is another ring's.
        """
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return NOTHING
        try:
            removed = Removed(**json.loads(content)["removed"])
            good = content == self.mark(removed)
        except (ValueError, KeyError, TypeError):
            good = False
        if not good:
            raise _broken(path, 1, "the mark of what retention took away was changed")
        return removed

    def checked(self, files: Sequence[Path], removed: Removed) -> Iterator[dict[str, Any]]:
        """Every line behind what was removed, oldest first, each proved by the one before it.

        Raises:
            Refusal: a line was changed, left out, added or moved; it names file and line. Or nothing is there behind what
                was removed.
        """
        seq, link = removed.seq, removed.link
        for path in files:
            for number, raw in enumerate(whole_lines(path), 1):
                said = parsed(path, number, raw)
                if "head" in said:
                    head = Head(**said["head"])
                    if line(said) != self.signed(head):
                        raise _broken(path, number, "the head that was signed there was changed")
                    if (head.link, head.seq) != (link, seq):
                        raise _broken(path, number, "what was before it is not what was signed")
                else:
                    entry = said["entry"]
                    if entry["seq"] != seq + 1 or said["link"] != self.link(link, entry):
                        raise _broken(path, number, "an entry was changed, left out or moved")
                    link, seq = said["link"], entry["seq"]
                yield said
        if seq == removed.seq != 0:
            raise Refusal(
                f"The access log holds nothing behind entry {seq}, with which a month ended whose time was over; the newest "
                "month is never removed: it was cut off."
            )

    def require_beyond(self, kept: bytes, links: Mapping[int, str], removed: Removed) -> None:
        """Refuse a chain that does not go on from a head that was kept elsewhere.

        Args:
            links: number of an entry → its link, of all that are there.
            removed: what of the chain is gone because its time was over.

        Raises:
            Refusal: the head is none of this chain's, or the chain does not hold what it held then.
        """
        try:
            said = json.loads(kept)
            head = Head(**said["head"])
            good = line(said) == self.signed(head)
        except (ValueError, KeyError, TypeError):
            good = False
        if not good:
            raise Refusal(
                "The head that was kept is none of this log's: another ring signed it, or it was changed."
            )
        known = {**links, removed.seq: removed.link}
        if head.seq >= removed.seq and known.get(head.seq) != head.link:
            raise Refusal(
                f"The log does not hold what it held on {head.day}: entry {head.seq} is missing or another one. Its end "
                "was cut off, or it was written anew."
            )

    def _with_signature(self, body: Mapping[str, Any]) -> bytes:
        return line(
            {**body, "public": self._signer.public, "signature": self._signer.sign(line(body))}
        )


def line(document: Mapping[str, Any]) -> bytes:
    """Canonical JSON and a line's end."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode() + b"\n"


def whole_lines(path: Path) -> list[bytes]:
    """The lines of a file; one that a kill cut off is none."""
    content = path.read_bytes()
    return content[: content.rfind(b"\n") + 1].splitlines()


def parsed(path: Path, number: int, raw: bytes) -> dict[str, Any]:
    """A line of the log: an entry with its link, or a signed head.

    Raises:
        Refusal: it is neither.
    """
    try:
        said = json.loads(raw)
        if set(said) == {"entry", "link"}:
            known = _is_of(said["entry"], {"seq": int, "at": str}) and isinstance(said["link"], str)
        else:
            known = set(said) == {"head", "public", "signature"} and _is_of(said["head"], _HEAD)
            known = known and said["head"].keys() == _HEAD.keys()
    except (ValueError, TypeError):
        known = False
    if not known:
        raise _broken(path, number, "no line of the log's")
    return dict(said)


_HEAD = {"day": str, "seq": int, "link": str}


def _is_of(said: object, types: Mapping[str, type]) -> bool:
    return isinstance(said, dict) and all(type(said.get(name)) is of for name, of in types.items())


def _broken(path: Path, number: int, why: str) -> Refusal:
    return Refusal(f"{path}:{number}: {why}. The log is not whole from here on.")
