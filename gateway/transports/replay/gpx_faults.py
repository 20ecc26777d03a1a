"""Where a GPX file is faulty: the line and the track point that its parser could make nothing of. Quotes nothing of it."""

from collections.abc import Mapping
from xml.parsers.expat import ExpatError, ParserCreate

from gpxpy.gpx import GPXException
from gpxpy.gpxfield import parse_time

_POINT = "trkpt"
_NUMBERS = ("lat", "lon")


def first_fault(content: bytes) -> str | None:
    """`:LINE what is wrong there`, as it goes on behind the name of the file; None where nothing is."""
    look = _Look()
    parser = look.parser
    try:
        parser.Parse(content, True)
    except ExpatError as error:
        return (
            look.found or f":{error.lineno} is not well-formed XML: it is cut off or broken here."
        )
    return look.found


class _Look:
    """Goes through the elements, and keeps the first fault."""

    def __init__(self) -> None:
        self.found: str | None = None
        self.parser = ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self._inside: list[str] = []
        self._number = 0
        self._said = ""
        self._line = 0

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._inside.append(name.rpartition(":")[2])
        self._said, self._line = "", self.parser.CurrentLineNumber
        if self._inside[-1] == _POINT:
            self._number += 1
            for axis in _NUMBERS:
                if not _is_number(attributes.get(axis, "")):
                    self._note(f"has no {axis} that is a number")

    def _text(self, text: str) -> None:
        self._said += text

    def _end(self, _name: str) -> None:
        name = self._inside.pop()
        if self._inside and self._inside[-1] == _POINT and self._said.strip():
            if name == "time" and not _is_time(self._said):
                self._note("has a time that is none, as 2026-05-12T07:00:00Z is one")
            if name == "ele" and not _is_number(self._said):
                self._note("has an ele that is no number")
        self._said = ""

    def _note(self, what: str) -> None:
        self.found = self.found or f":{self._line} track point {self._number} {what}."


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_time(text: str) -> bool:
    try:
        return parse_time(text) is not None
    except (GPXException, ValueError):
        return False
