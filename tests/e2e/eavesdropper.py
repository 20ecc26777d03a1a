"""Somebody on the way between UDP forwarders and a gateway: hands everything on, remembers it, and says it once more."""

import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import NamedTuple

from gateway.wire.gwmp.datagrams import Push, read
from gateway.wire.lorawan.frames import Data, JoinRequest, parse
from gateway.wire.lorawan.identifiers import DevAddr

_PAUSE_S = 0.01


class Captured(NamedTuple):
    """A frame, and the datagram that told of it."""

    phy: bytes
    datagram: bytes


class Eavesdropper:
    """Listens on a port of its own.

    Args:
        door: port of the gateway.
    """

    def __init__(self, door: int) -> None:
        self._door = ("127.0.0.1", door)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._lines: dict[tuple[str, int], socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._over = Event()
        self._datagrams: list[bytes] = []

    def run(self) -> None:
        """Hand on until it is told to end."""
        while not self._over.is_set():
            for key, _ in self._selector.select(0.1):
                here = key.fileobj
                assert isinstance(here, socket.socket)
                try:
                    data, sender = here.recvfrom(65_535)
                except ConnectionError:  # the gateway is being killed
                    continue
                if here is self._socket:
                    self._datagrams.append(data)
                    self._send(self._line(sender), data)
                else:
                    self._socket.sendto(data, key.data)

    def end(self) -> None:
        self._over.set()

    def close(self) -> None:
        self._selector.close()
        for line in (self._socket, *self._lines.values()):
            line.close()

    def captured(self) -> list[Captured]:
        """Every frame that was told of so far with a right CRC, in its order, once."""
        found: dict[bytes, bytes] = {}
        for datagram in list(self._datagrams):
            said = read(datagram)
            if isinstance(said, Push):
                for heard in said.heard:
                    if heard.crc == "ok":
                        found.setdefault(heard.phy, datagram)
        return [Captured(phy, datagram) for phy, datagram in found.items()]

    def replay(self, captured: list[Captured]) -> None:
        """Tell of these once more, as they were told of, slowly enough for a door that limits its guests."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            for one in captured:
                line.sendto(one.datagram, self._door)
                time.sleep(_PAUSE_S)

    def _line(self, sender: tuple[str, int]) -> socket.socket:
        """Our own port that stands for this one of a forwarder."""
        line = self._lines.get(sender)
        if line is None:
            line = self._lines[sender] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            line.connect(self._door)
            self._selector.register(line, selectors.EVENT_READ, sender)
        return line

    def _send(self, line: socket.socket, data: bytes) -> None:
        try:
            line.send(data)
        except ConnectionError:  # the gateway is being killed
            line.send(data)


@contextmanager
def eavesdropper(door: int) -> Iterator[Eavesdropper]:
    """One that listens meanwhile."""
    made = Eavesdropper(door)
    thread = Thread(target=made.run, name="eavesdropper")
    thread.start()
    try:
        yield made
    finally:
        made.end()
        thread.join()
        made.close()


def joins(captured: list[Captured]) -> list[Captured]:
    """The join-requests among them."""
    return [one for one in captured if isinstance(parse(one.phy), JoinRequest)]


def outrun(captured: list[Captured], by: int) -> list[Captured]:
    """The data frames of which so many newer ones of the same session were captured, too."""
    newest: dict[DevAddr, int] = {}
    data: list[tuple[DevAddr, int, Captured]] = []
    for one in captured:
        frame = parse(one.phy)
        if isinstance(frame, Data):
            newest[frame.dev_addr] = max(newest.get(frame.dev_addr, 0), frame.f_cnt)
            data.append((frame.dev_addr, frame.f_cnt, one))
    return [one for addr, f_cnt, one in data if f_cnt <= newest[addr] - by]
