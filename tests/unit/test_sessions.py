"""The sessions room without a door: what lies on disk, for how long, and what a disk that refuses does."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from stat import S_IMODE
from typing import Any

import pytest

from gateway.model.errors import Refusal
from gateway.model.instant import DAY, SECOND
from gateway.sessions.command import LARGEST, Outcome
from gateway.sessions.commands import WAITING
from gateway.sessions.file import PUT_SESSION, SessionFile
from gateway.sessions.keeping import Keeping
from gateway.sessions.names import Names
from gateway.sessions.scribe import Scribe
from gateway.sessions.session import Session
from gateway.statedir import StateDir
from gateway.telemetry import Facts
from tests.fakes.clock import ManualClock
from tests.fakes.mqtt_door import directory
from tests.fakes.readings import gauge
from tests.fakes.sessions import KEY, Desk

DEVICE = gauge().device
WEEK_S = 7 * 86_400


class Holder:
    """A connection that only counts."""

    def __init__(self) -> None:
        self.gave_way = 0

    def give_way(self) -> None:
        self.gave_way += 1

    def answer_received(self, answers: bytes, ended: int) -> None:
        raise AssertionError((answers, ended))


def enter(desk: Desk, client_id: str = "c", expiry_s: int = WEEK_S, **more: Any) -> tuple[Session, Holder, bool]:  # fmt: skip
    """A client comes in; its session, its connection, and whether the session was there."""
    found: list[tuple[Session | None, bool]] = []
    holder = Holder()
    given = {"clean": False, "most": 1, "owner": desk.names.owner("meter"), **more}
    desk.sessions.enter(
        *(given["owner"], client_id, holder),
        clean=given["clean"],
        expiry_s=expiry_s,
        most=given["most"],
        begun=lambda session, present: found.append((session, present)),
    )
    ((session, present),) = found
    assert session is not None
    return session, holder, present


def give(desk: Desk, clock: ManualClock, payload: bytes = b"open") -> list[Outcome]:
    """Give a command for an hour; where its outcome will stand."""
    told: list[Outcome] = []
    expires = clock.now() + 3600 * SECOND
    assert desk.commands.give(DEVICE, payload, expires, lambda _ok: None, told.append)
    return told


# -- on disk ----------------------------------------------------------------------------------


def test_the_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    """Mode 0600, whatever the umask."""
    SessionFile(tmp_path / "sessions.db").close()
    assert S_IMODE((tmp_path / "sessions.db").stat().st_mode) == 0o600


@pytest.mark.channel("C7")
def test_nothing_on_disk_can_be_read_or_told_apart_by_its_size(tmp_path: Path) -> None:
    """Keyed names and sealed records of one size each, whatever they are about."""
    clock = ManualClock()
    desk = Desk(clock, tmp_path / "sessions.db")
    for client_id in ("c", "a-very-long-client-id-of-a-gauge"):
        session, _, _ = enter(desk, client_id)
        wanted = [(desk.names.subscription(session.name, DEVICE), 1)]
        desk.sessions.subscribe(session, wanted, lambda _ok: None)
    give(desk, clock, b"")
    give(desk, clock, b"x" * LARGEST)

    with closing(sqlite3.connect(tmp_path / "sessions.db")) as db:
        sizes = [
            db.execute(sql).fetchall()
            for sql in (
                "SELECT DISTINCT length(session), length(sealed) FROM sessions",
                "SELECT DISTINCT length(session), length(subscription) FROM subscriptions",
                "SELECT DISTINCT length(sealed) FROM commands",
            )
        ]
    seal = 12 + 16  # nonce and tag
    assert sizes == [[(16, 20 + seal)], [(16, 16)], [(2 * 16 + 2 * 8 + 2 + LARGEST + seal,)]]
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not any(word in raw for word in (b"meter", b"river", b"gauge", b"very-long", b"xxxx"))


@pytest.mark.parametrize(
    ("content", "words"), [(b"no database, but long enough for one" * 99, "cannot be used")]
)
def test_a_damaged_file_is_named_with_the_way_out(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "sessions.db"
    path.write_bytes(content)
    with pytest.raises(Refusal, match=words) as refusal:
        SessionFile(path)
    assert "move it away" in str(refusal.value)


def test_a_file_of_a_newer_sekisho_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 2")
    with pytest.raises(Refusal, match="newer Sekisho"):
        SessionFile(path)


def test_records_of_another_key_are_dropped_and_said(tmp_path: Path) -> None:
    """Whoever replaced the keys has new clients; what nobody can read is not kept."""
    clock, path = ManualClock(), tmp_path / "sessions.db"
    desk = Desk(clock, path)
    enter(desk)
    give(desk, clock)
    assert Desk(clock, path, bytes(32)).unreadable == 2
    assert Desk(clock, path).unreadable == 0
    assert Desk(clock, path).commands.waiting(DEVICE) == []


def test_names_have_no_text_and_are_not_serialised() -> None:
    names = Names(KEY)
    assert repr(names) == "<names>"
    with pytest.raises(TypeError):
        names.__reduce__()
    assert names.unseal(names.seal(b"record", b"here"), b"there") is None


# -- for how long -----------------------------------------------------------------------------


def test_the_end_on_disk_is_rounded_up_to_the_day() -> None:
    """What stands there tells nobody's hour; the session is never forgotten too early."""
    for hour in range(24):
        clock = ManualClock(now=20_000 * DAY + hour * DAY // 24)
        session, _, _ = enter(Desk(clock), expiry_s=WEEK_S)
        end = clock.now() + WEEK_S * SECOND
        assert 0 <= session.day * DAY - end < DAY


def test_after_a_restart_the_day_decides(tmp_path: Path) -> None:
    """And only when somebody who trusts the clock asks."""
    clock, path = ManualClock(now=20_000 * DAY), tmp_path / "sessions.db"
    enter(Desk(clock, path), expiry_s=86_400)
    clock.advance(2 * 86_400)
    late = Desk(clock, path)
    _, _, present = enter(late, "c", expiry_s=86_400)
    assert present, "nobody said that the clock is right"

    clock.advance(2 * 86_400)
    later = Desk(clock, path)
    later.sessions.forget_over(clock.now())
    assert not enter(later)[2]


def test_a_connection_that_lasts_moves_its_day(tmp_path: Path) -> None:
    """A gateway may be killed on any day of a connection that was never cut."""
    clock, path = ManualClock(now=20_000 * DAY), tmp_path / "sessions.db"
    desk = Desk(clock, path)
    enter(desk, expiry_s=86_400)
    clock.advance(10 * 86_400)
    desk.sessions.refresh()
    desk.sessions.forget_over(clock.now())
    later = Desk(clock, path)
    later.sessions.forget_over(clock.now())
    assert enter(later)[2]


def test_what_is_over_leaves_the_disk(tmp_path: Path) -> None:
    clock, path = ManualClock(), tmp_path / "sessions.db"
    desk = Desk(clock, path)
    session, holder, _ = enter(desk, expiry_s=60)
    wanted = [(desk.names.subscription(session.name, DEVICE), 1)]
    desk.sessions.subscribe(session, wanted, lambda _ok: None)
    desk.sessions.leave(session, holder)
    clock.advance(61)
    desk.sessions.forget_over(clock.now())
    file = SessionFile(path)
    assert (file.sessions(), file.subscriptions()) == ([], [])


def test_an_exchange_too_many_is_not_kept_for_who_is_away() -> None:
    """Memory for clients that are gone has a bound; their rows are recognised by key."""
    desk = Desk(ManualClock())
    session, holder, _ = enter(desk)
    session.receiving.update(dict.fromkeys(range(1, 1026), True))
    desk.sessions.leave(session, holder)
    assert session.receiving == {}


def test_a_fleet_s_credential_has_a_session_for_each_device() -> None:
    """More than 64 where it speaks for more."""
    desk = Desk(ManualClock())
    for n in range(100):
        session, holder, _ = enter(desk, f"c-{n}", most=100)
        desk.sessions.leave(session, holder)
    assert enter(desk, "c-0", most=100)[2]


# -- a disk that refuses ----------------------------------------------------------------------


async def test_many_changes_go_in_one_commit_and_in_order(tmp_path: Path) -> None:
    """Whoever asks while a commit is under way shares the next one."""
    file = SessionFile(tmp_path / "sessions.db")
    commits = 0
    apply = file.apply

    def counted(changes: Any) -> None:
        nonlocal commits
        commits += 1
        apply(changes)

    file.apply = counted  # type: ignore[method-assign]
    scribe = Scribe(file, Facts())
    told: list[int] = []
    for n in range(50):
        row = (n.to_bytes(16, "big"), b"sealed")
        scribe.write([(PUT_SESSION, row)], lambda ok, n=n: told.append(n if ok else -1))  # type: ignore[misc]
        if n == 0:
            await asyncio.sleep(0)
    await scribe.finish()
    assert told == list(range(50))
    assert commits == 2


async def test_a_disk_that_refuses_is_told_and_tried_again(tmp_path: Path) -> None:
    """A fact, a no for each who asked, nothing half written; then it takes again."""
    file, facts = SessionFile(tmp_path / "sessions.db"), Facts()
    scribe = Scribe(file, facts)
    told: list[bool] = []
    change = (PUT_SESSION, (bytes(16), b"sealed"))
    file._db.execute("PRAGMA query_only = ON")
    scribe.write([change], told.append)
    while len(told) < 1:
        await asyncio.sleep(0.001)
    file._db.execute("PRAGMA query_only = OFF")
    assert file.sessions() == []
    scribe.write([change], told.append)
    scribe.write([], told.append)
    while len(told) < 3:
        await asyncio.sleep(0.001)
    assert told == [False, True, True]
    assert facts.counts == {"sessions not written": 1}
    assert len(file.sessions()) == 1
    await scribe.finish()
    scribe.write([change], told.append)  # a connection that is lost when all is closed
    assert told[3:] == [False]
    assert facts.counts.total() == 1


def test_what_could_not_be_written_is_written_later(tmp_path: Path) -> None:
    """A day that moved while the disk was full moves at the next round."""
    clock, path = ManualClock(now=20_000 * DAY), tmp_path / "sessions.db"
    desk = Desk(clock, path)
    enter(desk, expiry_s=86_400)
    clock.advance(5 * 86_400)
    desk.pen.broken = True
    desk.sessions.refresh()
    desk.pen.broken = False
    desk.sessions.refresh()
    later = Desk(clock, path)
    later.sessions.forget_over(clock.now())
    assert enter(later)[2]


def test_a_command_that_could_not_be_written_is_none() -> None:
    clock = ManualClock()
    desk = Desk(clock)
    desk.pen.broken = True
    taken: list[bool] = []
    desk.commands.give(DEVICE, b"x", clock.now() + DAY, taken.append, lambda _outcome: None)
    assert taken == [False]
    assert desk.commands.waiting(DEVICE) == []


def test_a_full_queue_takes_no_more_until_something_expires() -> None:
    clock = ManualClock()
    desk = Desk(clock)
    outcomes = [give(desk, clock) for _ in range(WAITING)]
    expires = clock.now() + DAY
    assert desk.commands.give(DEVICE, b"x", expires, lambda _ok: None, lambda _o: None) is None
    clock.advance(3601)
    assert desk.commands.give(DEVICE, b"x", expires, lambda _ok: None, lambda _o: None)
    assert outcomes == [[Outcome.EXPIRED]] * WAITING


# -- together ---------------------------------------------------------------------------------


async def test_what_the_registry_took_away_is_forgotten(tmp_path: Path) -> None:
    """Sessions of credentials and commands of devices that are gone, at the change and at the start."""
    clock, facts = ManualClock(), Facts()
    state = StateDir.create(tmp_path / "state", None, clock)
    keeping = Keeping.open(state, KEY, clock, facts)
    done = asyncio.Event()
    keeping.sessions.enter(
        *(keeping.sessions.names.owner("meter"), "c", Holder()),
        clean=False,
        expiry_s=60,
        most=1,
        begun=lambda _session, _present: None,
    )
    expires = clock.now() + DAY
    keeping.commands.give(DEVICE, b"x", expires, lambda _ok: done.set(), lambda _o: None)
    await done.wait()
    keeping.renew(directory())
    assert len(keeping.commands.waiting(DEVICE)) == 1
    keeping.look_after()
    emptied = directory()
    keeping.renew(type(emptied)({}, {}))
    await keeping.close()
    file = SessionFile(state.sessions_db)
    assert (file.sessions(), file.commands()) == ([], [])


async def test_one_who_cannot_be_told_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    """A connection that fails while it is told takes no other one with it, and is counted; no text of its error is told."""
    facts = Facts()
    scribe = Scribe(SessionFile(tmp_path / "sessions.db"), facts)
    told: list[bool] = []

    def fail(_ok: bool) -> None:
        raise RuntimeError("a bug")

    scribe.write([(PUT_SESSION, (bytes(16), b"sealed"))], fail)
    scribe.write([], told.append)
    await scribe.finish()
    await asyncio.sleep(0)
    assert told == [True]
    assert facts.counts == {"sessions: fault of ours": 1}
