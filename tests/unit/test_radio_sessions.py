"""LoRaWAN sessions on their way to the disk and back: what a kill may cost, and what it may not."""

from pathlib import Path

import pytest

from gateway.lorawan.session import LAST_SAID, RESERVED, Counters, Session
from gateway.lorawan.uplinks import Uplink
from gateway.sessions.file import SessionFile
from gateway.sessions.names import Names
from gateway.sessions.radio import RadioSessions
from tests.fakes.node import Node
from tests.fakes.sessions import KEY, PromptPen
from tests.unit.test_lorawan_network import believed, joined, judged, network


class Disk:
    """A session book over a real file; the next life reads what this one wrote."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.file = SessionFile(path)
        self.pen = PromptPen(self.file)
        self.book = RadioSessions(Names(KEY), self.pen)

    def after_a_kill(self, session: Session) -> list[Session]:
        """What another process finds of this device."""
        self.file.close()
        self.__init__(self._path)  # type: ignore[misc]
        return self.book.load(self.file, [session.device])[0]


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "sessions.db")


def begun() -> tuple[Session, Node]:
    of, node = network(), Node()
    return joined(of, node), node


def test_what_is_written_beside_a_reservation_does_not_undo_it(disk: Disk) -> None:
    """Downlink counters of an answer are reserved, and meanwhile another uplink of the device is written down: after a kill
    no counter is used that memory was allowed to use."""
    session, _node = begun()
    disk.pen.slow = True
    disk.book.reserve(session, lambda _written: None)
    session.settle(8)
    disk.book.write(session, lambda _written: None)
    disk.pen.catch_up()
    assert session.reserved == RESERVED
    (again,) = disk.after_a_kill(session)
    assert again.down >= session.reserved
    assert again.up == 8


def test_a_reservation_that_the_disk_refused_may_not_be_used(disk: Disk) -> None:
    session, _node = begun()
    disk.pen.broken = True
    told: list[bool] = []
    disk.book.reserve(session, told.append)
    assert (told, session.has_counter(by_app=False)) == ([False], False)


def test_an_uplink_whose_row_is_not_on_disk_is_new_after_a_kill(disk: Disk) -> None:
    """Two uplinks are on their way to the store; the first one's row is there and its counter is written: the second one,
    sent again after a kill, is stored, and not acknowledged without a row."""
    of, node = network(), Node()
    session = joined(of, node)
    first, second = node.says(0), node.says(1)
    session.settle(believed(of, first).f_cnt)
    believed(of, second)
    disk.book.write(session, lambda _written: None)
    (again,) = disk.after_a_kill(session)
    after = network()
    after.resume([again])
    found = judged(after, second)
    assert isinstance(found, Uplink)
    assert not found.again


def test_rows_that_are_settled_in_another_order_take_no_counter_back() -> None:
    session, _node = begun()
    for f_cnt in (5, 3):
        session.settle(f_cnt)
    assert Session.of(session.device, session.record()).up == 5


@pytest.mark.parametrize("down", [LAST_SAID, (1 << 32) - 2])
def test_the_largest_counters_can_be_written_and_used(disk: Disk, down: int) -> None:
    session, _node = begun()
    session.obey(Counters(LAST_SAID, down, 5))
    told: list[bool] = []
    disk.book.reserve(session, told.append)
    assert (told, session.has_counter(by_app=False)) == ([True], True)
    (again,) = disk.after_a_kill(session)
    assert again.down >= session.reserved


def test_when_all_counters_are_used_up_nothing_is_reserved_and_that_is_said(disk: Disk) -> None:
    session, _node = begun()
    session.obey(Counters(5, (1 << 32) - 1, 5))
    told: list[bool] = []
    disk.book.reserve(session, told.append)
    assert (told, session.has_counter(by_app=False)) == ([False], False)
