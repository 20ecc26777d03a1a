"""LoRaWAN sessions on their way to the disk and back: what a kill may cost, and what it may not."""

from pathlib import Path

import pytest

from gateway.lorawan.joining import Joined
from gateway.lorawan.refusals import Refused
from gateway.lorawan.session import LAST_SAID, RESERVED, Counters, Session
from gateway.lorawan.uplinks import Doubt, Uplink
from gateway.model.identity import DeviceId
from gateway.sessions.file import PUT_RADIO, SessionFile
from gateway.sessions.names import Names
from gateway.sessions.radio import RadioSessions
from gateway.wire.lorawan.frames import JoinRequest, parse
from tests.fakes.node import Node
from tests.fakes.sessions import KEY, PromptPen
from tests.unit.test_lorawan_network import asks, believed, joined, judged, network


def parsed(phy: bytes) -> JoinRequest:
    frame = parse(phy)
    assert isinstance(frame, JoinRequest)
    return frame


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
        found, unreadable = self.book.load(self.file, [session.device])
        assert unreadable == 0
        return found


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


# -- which of a device's sessions goes on


def quiet(_written: bool) -> None:
    """Nobody asks."""


def test_a_session_that_has_ended_does_not_live_again_after_a_kill(disk: Disk) -> None:
    """A frame of it that nobody but an eavesdropper heard is refused before the kill and behind it, even where an uplink of that
    session was settled late."""
    of, node = network(), Node()
    first = joined(of, node)
    disk.book.write(first, quiet)
    believed(of, node.says(0))
    jammed = node.says(5)
    second = joined(of, node)
    disk.book.write(second, quiet)
    found = believed(of, node.says(0))
    assert found.ends == (first,)
    disk.book.end(found.ends)
    told: list[bool] = []
    disk.book.write(first, told.append)
    assert told == [False]
    assert isinstance(judged(of, jammed), Doubt)

    kept = disk.after_a_kill(second)
    assert [session.number for session in kept] == [second.number]
    after = network()
    after.resume(kept)
    assert isinstance(judged(after, jammed), Doubt)
    assert isinstance(judged(after, node.says(1)), Uplink)


def test_after_a_kill_the_newest_session_that_was_spoken_in_goes_on() -> None:
    """Also where the one before it is still on disk; what is neither that nor the newest of all is over."""
    of, node = network(), Node()
    first = joined(of, node)
    first.settle(believed(of, node.says(0)).f_cnt)
    jammed = node.says(5)
    second = joined(of, node)
    second.settle(believed(of, node.says(0)).f_cnt)
    third, fourth = (asks(of, node.request()) for _ in range(2))
    assert isinstance(third, Joined)
    assert isinstance(fourth, Joined)
    all_of_them = (first, second, third.session, fourth.session)
    kept = [Session.of(one.device, one.record()) for one in all_of_them]
    after = network()
    assert [one.number for one in after.resume(kept)] == [1, 3]
    assert isinstance(judged(after, jammed), Doubt)
    assert isinstance(judged(after, node.says(1)), Uplink)
    node.hear(fourth.accept)
    assert isinstance(judged(after, node.says(0)), Uplink)


def test_joins_that_nobody_heard_do_not_cost_the_session_that_is_spoken_in(disk: Disk) -> None:
    """However many: its record stays, the newest join's is beside it, and those between are gone."""
    of, node = network(), Node()
    session = joined(of, node)
    session.settle(believed(of, node.says(0)).f_cnt)
    disk.book.write(session, quiet)
    accept = b""
    for _ in range(5):
        made = of.join(parsed(node.request()))
        assert not isinstance(made, Refused)
        accept = made[1].accept
        disk.book.write(made[1].session, quiet)
        disk.book.end(of.welcome(made[1].session))
    session.settle(believed(of, node.says(1)).f_cnt)
    disk.book.write(session, quiet)
    kept = disk.after_a_kill(session)
    assert sorted(one.number for one in kept) == [1, 6]
    after = network()
    assert after.resume(kept) == []
    assert isinstance(judged(after, node.says(2)), Uplink)
    node.hear(accept)
    assert isinstance(judged(after, node.says(0)), Uplink)


@pytest.mark.parametrize("newly_joined", [False, True], ids=["one session", "two"])
def test_who_may_speak_again_goes_on_where_it_was(newly_joined: bool) -> None:
    """Revoked and let in again: meanwhile nothing of it is heard, and then what was captured is still refused."""
    of, node = network(), Node()
    session = joined(of, node)
    captured = node.says(3)
    believed(of, captured)
    believed(of, node.says(4))
    made = asks(of, node.request()) if newly_joined else None
    of.only([])
    assert isinstance(judged(of, node.says(5)), Doubt)
    assert of.sessions() == []
    of.only([DeviceId("node-1")])
    assert isinstance(judged(of, captured), Doubt)
    assert believed(of, node.says(5)).session is session
    if isinstance(made, Joined):
        node.hear(made.accept)
        assert believed(of, node.says(0)).session is made.session


def test_a_join_that_was_on_its_way_when_its_device_was_shut_out_stays_the_newer_session() -> None:
    of, node = network(), Node()
    session = joined(of, node)
    believed(of, node.says(3))
    jammed = node.says(9)
    made = of.join(parsed(node.request()))
    assert not isinstance(made, Refused)
    of.only([])
    of.welcome(made[1].session)
    assert of.only([DeviceId("node-1")]) == []
    assert of.session(DeviceId("node-1")) is session
    node.hear(made[1].accept)
    assert believed(of, node.says(0)).session is made[1].session
    assert isinstance(judged(of, jammed), Doubt)


def test_what_an_operator_says_counts_also_where_the_last_uplink_came_to_nothing() -> None:
    """It is repeated, and would be new; but what is not above the counter that was said is not believed."""
    of, node = network(), Node()
    session = joined(of, node)
    lost = node.says(7)
    believed(of, lost)
    session.lost = True
    session.obey(Counters(7, 100, 5))
    found = judged(of, lost)
    assert isinstance(found, Doubt) or found.again
    assert session.kept is None


def test_what_is_of_nobody_is_dropped_and_what_cannot_be_read_is_told(disk: Disk) -> None:
    """So that counters which cannot be read count as lost."""
    session, _node = begun()
    disk.book.write(session, quiet)
    stranger = Names(bytes(32))
    disk.file.apply([(PUT_RADIO, (b"n" * 16, stranger.seal(session.record(), b"n" * 16)))])
    found, unreadable = disk.book.load(disk.file, [])
    assert (found, unreadable, len(disk.file.radio())) == ([], 1, 1)
