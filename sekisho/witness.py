"""A ledger against what a plain subscriber of any broker wrote down: each uplink once, byte for byte."""

from collections import Counter
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from gateway.model.errors import Refusal
from simulators.ledger import read_ledger

_PLACE_OF_DEVICE = 2
"""In a topic as sekisho/v1/DEVICE/up."""


class Testimony(NamedTuple):
    """What the ledger says beside what the witness saw: uplinks by device and payload."""

    sent: int
    seen: int
    missing: int
    surplus: int


def testimony(ledger: Path, seen: Path) -> Testimony:
    """Compare as multisets: (device, digest of the payload).

    Args:
        seen: one line an uplink: topic, blank, payload in hexadecimal, as
            `mosquitto_sub -F '%t %x'` prints; a last line that was cut off is left out.

    Raises:
        Refusal: a line is none of that kind.
    """
    wanted = Counter(
        (line["device"], line["digest"]) for line in read_ledger(ledger) if "n" in line
    )
    met = Counter[tuple[str, str]]()
    with seen.open("rb") as file:
        for number, raw in enumerate(file, 1):
            if not raw.endswith(b"\n"):
                break
            topic, _, payload = raw.decode("utf-8", "replace").strip().partition(" ")
            try:
                device = topic.split("/")[_PLACE_OF_DEVICE]
                digest = blake2b(bytes.fromhex(payload), digest_size=8).hexdigest()
            except (ValueError, IndexError):
                raise Refusal(
                    f"{seen}:{number} is no topic and payload. Write it with: mosquitto_sub -q 1 "
                    "-t 'sekisho/v1/#' -F '%t %x'."
                ) from None
            met[device, digest] += 1
    return Testimony(wanted.total(), met.total(), (wanted - met).total(), (met - wanted).total())
