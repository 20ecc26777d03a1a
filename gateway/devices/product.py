"""The shape of a product: what a box on the shelf sends, in the words of our kinds, with its proof."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Said = Mapping[str, Any]
"""Field of the kind's document → value; `t` is the device's own time in RFC 3339 or an aware datetime."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One payload and what it says.

    Attributes:
        f_port: LoRaWAN port.
        data: hexadecimal.
        said: the kind's fields; None if it must be rejected.
        rejected: the `Reason` value expected instead.
        source: where the payload and its result come from.
    """

    f_port: int
    data: str
    said: Said | None
    rejected: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """One product.

    Attributes:
        name: the file's stem, `<vendor>_<model>`: the word after `codec:`.
        title: maker and model as on the box.
        kinds: the kinds whose fields it fills.
        decode: port and FRMPayload → fields. It raises `PayloadError`: UNDECODABLE for a payload it does
            not know, NO_READING for one that it knows and that says nothing of the kind's (a state, a serial number),
            OUT_OF_RANGE for the maker's sentinels (no echo, sensor missing). A tracker without a fix
            leaves its position out and says the rest: a button is heard under a roof too.
        proofs: at least one.
    """

    name: str
    title: str
    kinds: tuple[str, ...]
    decode: Callable[[int, bytes], Said]
    proofs: tuple[Proof, ...]
