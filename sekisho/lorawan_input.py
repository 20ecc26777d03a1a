"""What the bench is given: frames, keys and identifiers, as people have them."""

import binascii
import sys
from base64 import b64decode
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import typer

from gateway.model.errors import Refusal
from gateway.wire.lorawan.crypto import BLOCK, Key
from gateway.wire.lorawan.frames import FrameError
from gateway.wire.lorawan.identifiers import DevAddr, DevNonce, Eui
from gateway.wire.lorawan.join import SessionKeys

_KEY = " 32 hex digits, or a file that holds them: others see what you type."

NwkSKey: TypeAlias = Annotated[
    str | None,
    typer.Option("--nwk-s-key", metavar="KEY", help="NwkSKey; of 1.1 FNwkSIntKey." + _KEY),
]
AppSKey: TypeAlias = Annotated[
    str | None, typer.Option("--app-s-key", metavar="KEY", help="AppSKey: decrypts the payload.")
]
SNwkSIntKey: TypeAlias = Annotated[
    str | None, typer.Option("--s-nwk-s-int-key", metavar="KEY", help="Of 1.1.")
]
NwkSEncKey: TypeAlias = Annotated[
    str | None, typer.Option("--nwk-s-enc-key", metavar="KEY", help="Of 1.1.")
]
AppKey: TypeAlias = Annotated[
    str | None,
    typer.Option("--app-key", metavar="KEY", help="Root key AppKey." + _KEY),
]
NwkKey: TypeAlias = Annotated[
    str | None, typer.Option("--nwk-key", metavar="KEY", help="Root key NwkKey, of 1.1 alone.")
]

Found = TypeVar("Found", Eui, DevAddr, DevNonce)


def frame(text: str | None) -> bytes:
    """The bytes of a frame: hex digits, base64, or `-` for standard input.

    Raises:
        Refusal: neither.
    """
    if text is None:
        raise Refusal("A frame is missing: hex digits, base64, or - for standard input.", 2)
    given = "".join((sys.stdin.read() if text == "-" else text).split())
    if not given:
        raise Refusal("Standard input held no frame: hex digits or base64 are read.", 2)
    try:
        return bytes.fromhex(given.replace(":", "").replace("-", "").removeprefix("0x"))
    except ValueError:
        pass
    try:
        return b64decode(given, validate=True)
    except binascii.Error:
        raise Refusal(
            "This is neither hex digits nor base64. A forwarder's log has the frame as base64 in `data`, "
            "a network server's as `phyPayload`.",
            2,
        ) from None


def key(text: str | None, option: str) -> Key | None:
    """A key as it was given; None where it was not. Errors never repeat it.

    Raises:
        Refusal: no key.
    """
    if text is None:
        return None
    digits = text
    try:
        if Path(text).is_file():
            digits = Path(text).read_text().strip()
        return Key(bytes.fromhex(digits.replace("-", "").replace(":", "").strip()))
    except (ValueError, OSError):
        raise Refusal(
            f"{option}: neither {2 * BLOCK} hex digits nor a file that holds them.", 2
        ) from None


def session(nwk: Key | None, app: Key | None, s_int: Key | None, enc: Key | None) -> SessionKeys | None:  # fmt: skip
    """The keys of a session, of 1.1 if one of its own is among them; zeros stand where one is missing.

    Raises:
        Refusal: some of 1.1's, and not all.
    """
    if nwk is None and app is None and s_int is None and enc is None:
        return None
    is_1_1 = s_int is not None or enc is not None
    if is_1_1 and (nwk is None or s_int is None or enc is None):
        raise Refusal(
            "LoRaWAN 1.1 has three network keys: give --nwk-s-key (FNwkSIntKey), --s-nwk-s-int-key and "
            "--nwk-s-enc-key. A device of 1.0 has --nwk-s-key alone.",
            2,
        )
    nothing = Key(bytes(BLOCK))
    f = nwk or nothing
    return SessionKeys(f, s_int or f, enc or f, app or nothing, is_1_1=is_1_1)


def identifier(sort: type[Found], text: str | None, option: str) -> Found:
    """An identifier as people write it, the most significant byte first.

    Raises:
        Refusal: missing, or not of this length.
    """
    try:
        return sort.of(text or "")
    except ValueError:
        raise Refusal(
            f"{option}: {2 * sort.SIZE} hex digits, as the label shows them (the most significant first).",
            2,
        ) from None


def content(text: str | None, option: str) -> bytes:
    """Some bytes in hex digits; none where nothing was given.

    Raises:
        Refusal: no hex digits.
    """
    try:
        return bytes.fromhex(text or "")
    except ValueError:
        raise Refusal(f"{option}: hex digits, two a byte.", 2) from None


def refused(error: FrameError) -> Refusal:
    """A frame that is none, in a sentence."""
    return Refusal(
        f"No LoRaWAN frame: {error}. Was all of it copied, from the first byte (MHDR) to the MIC?"
    )
