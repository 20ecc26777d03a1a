"""EUIs as stations write them: ID6, dashed, or a number (LNS protocol, "Identifier Representations").

ID6 is four groups of sixteen bits in hexadecimal digits, where `::` stands for groups that are zero: `::1`, `1::`,
`58a0:cbff:fe80:19`.
"""

import re

from gateway.wire.lorawan.identifiers import Eui
from gateway.wire.station.errors import MessageError

_PAIRS = re.compile(r"[0-9A-Fa-f]{2}(?:[-:]?[0-9A-Fa-f]{2}){7}")
_GROUP = re.compile(r"[0-9A-Fa-f]{1,4}")
_GROUPS = 4
_LOWEST, _ABOVE = -(1 << 63), 1 << 64


def read_eui(said: str | int) -> Eui:
    """An EUI in any of its forms; a negative number is its two's complement.

    Raises:
        MessageError: none of them.
    """
    if isinstance(said, int):
        if not _LOWEST <= said < _ABOVE:
            raise MessageError("EUI: 64 bits")
        return Eui((said % _ABOVE).to_bytes(8, "big"))
    if _PAIRS.fullmatch(said):
        return Eui.of(said)
    head, zeros, tail = said.partition("::")
    first, last = (part.split(":") if part else [] for part in (head, tail))
    missing = _GROUPS - len(first) - len(last)
    if (missing < 1 if zeros else missing) or not all(map(_GROUP.fullmatch, (*first, *last))):
        raise MessageError("EUI: ID6, eight bytes in hexadecimal digits, or a number")
    groups = [*first, *["0"] * missing, *last]
    return Eui(b"".join(int(group, 16).to_bytes(2, "big") for group in groups))


def id6(eui: Eui) -> str:
    """As ID6, all four groups written."""
    return ":".join(f"{int.from_bytes(eui[n : n + 2], 'big'):x}" for n in range(0, 8, 2))


def dashed(eui: Eui) -> str:
    """Eight bytes with dashes between, as messages of devices have them."""
    return eui.hex("-").upper()
