"""Where a station is to connect: it asks at `/router-info`, is answered once, and goes there (`src/tc.c` of 2.0.6)."""

import msgspec

from gateway.wire.lorawan.identifiers import Eui
from gateway.wire.station.errors import MessageError
from gateway.wire.station.eui import id6, read_eui

PATH = "/router-info"

LONGEST_URI = 127
"""Characters that a station takes."""

_MUXS = "muxs-::0"
"""Stations log it and do nothing else with it."""


class _Question(msgspec.Struct, gc=False):
    router: str | int


_question = msgspec.json.Decoder(_Question).decode


def read_question(text: str) -> Eui:
    """Who asks.

    Raises:
        MessageError: it is no question of a station.
    """
    try:
        return read_eui(_question(text).router)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise MessageError("not a JSON object with router") from None


def led_to(station: Eui, uri: str) -> str:
    """The answer: `uri` is where to connect, ws:// or wss://."""
    return _text({"router": id6(station), "muxs": _MUXS, "uri": uri})


def turned_away(station: Eui, sentence: str) -> str:
    """The answer to a station that has no business here; it logs the sentence, and asks again later."""
    return _text({"router": id6(station), "error": sentence})


def _text(message: dict[str, object]) -> str:
    return msgspec.json.encode(message).decode()
