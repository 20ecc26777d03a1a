"""`sekisho tail`: what is stored, as it is stored, until enough was seen."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.control.feed import LiveFeed
from gateway.control.window import Window, reachable
from gateway.model.errors import Refusal
from gateway.model.observation import Observation
from gateway.statedir import Mark, StateDir
from gateway.telemetry import Facts, Tally
from sekisho.tail import tail
from tests.fakes.clock import ManualClock
from tests.fakes.store import child_row, gauge_row

ROWS = [gauge_row(1, temperature_c=11.5), child_row(1, battery_class=3), gauge_row(2)]


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return StateDir.create(tmp_path / "state", Mark.SIM, ManualClock())


@contextmanager
def gateway(state: StateDir, rows: list[Observation], *, stays: bool = True) -> Iterator[None]:
    """A window in a thread of its own, which shows these rows as soon as somebody looks; then it stays
    for the whole block, or goes.
    """
    opened = threading.Event()
    done = asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        feed = LiveFeed(personal=True)
        window = Window(state.socket, Tally(), Facts(), feed, exact=True)
        await window.open()
        opened.set()
        while not feed.watched and not done.is_set():
            await asyncio.sleep(0.001)
        feed.show(rows)
        if stays:
            await done.wait()
        await asyncio.sleep(0)
        await window.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    opened.wait(5)
    yield
    loop.call_soon_threadsafe(done.set)
    thread.join()
    loop.close()


def test_rows_are_shown_with_their_local_time(
    state: StateDir, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keyed columns are shortened, empty ones and bookkeeping left out."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with gateway(state, ROWS):
        tail(None, state=state.path, limit=3)

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == ["river_gauge", "child_tracker", "river_gauge"]
    assert lines[0].startswith("2026-05-12 12:00:01+09:00  river_gauge")
    assert "temperature_c=11.5" in lines[0]
    assert "pseudonym=00000000  " in lines[1]
    assert "None" not in "".join(lines)


def test_one_kind_is_named_by_its_beginning(
    state: StateDir, capsys: pytest.CaptureFixture[str]
) -> None:
    with gateway(state, ROWS):
        tail("riv", state=state.path, limit=2, json=True)
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["counter"] for row in said] == [1, 2]


def test_a_kind_that_is_none_is_refused_with_the_nearest(state: StateDir) -> None:
    with pytest.raises(Refusal, match="river_gauge") as refused:
        tail("river_guage", state=state.path)
    assert refused.value.exit_code == 2


def test_without_a_gateway_it_says_how_to_start_one(state: StateDir) -> None:
    with pytest.raises(Refusal, match=r"No gateway runs on .*sekisho run"):
        tail(None, state=state.path)


def test_a_gateway_that_goes_is_said(state: StateDir) -> None:
    """Whoever watches learns that nothing more will come; scripts by the exit code."""
    with (
        gateway(state, [gauge_row(1)], stays=False),
        pytest.raises(Refusal, match=r"The gateway has gone\.") as refused,
    ):
        tail(None, state=state.path)
    assert refused.value.exit_code == 1


@pytest.mark.parametrize("said", [b"", b'{"kind":"river_gauge","obs'])
def test_a_line_cut_off_by_a_kill_is_no_row(state: StateDir, said: bytes) -> None:
    """A killed gateway may leave half a line: that is its end, not a fault of ours."""
    listener = socket.socket(socket.AF_UNIX)
    with listener, reachable(state.socket) as path:
        listener.bind(path)
        listener.listen()

        def answer() -> None:
            line, _ = listener.accept()
            with line:
                line.recv(100)
                line.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Refusal, match=r"The gateway has gone\."):
            tail(None, state=state.path)
        thread.join()


def test_children_are_not_watched_in_earnest(tmp_path: Path) -> None:
    """Nothing would ever be shown: it is refused at once, with what can be asked instead."""
    real = StateDir.create(tmp_path / "real", None, ManualClock())
    with pytest.raises(Refusal, match="sekisho query child --personal") as refused:
        tail("child", state=real.path)
    assert refused.value.exit_code == 1
