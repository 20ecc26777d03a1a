"""Vendors' JavaScript runs within limits, in processes of its own, and never holds others up for long."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.model.forwarded import Forwarded
from gateway.model.reason import Reason
from gateway.scripts.bench import Bench
from gateway.scripts.conduct import SLOW_S, STRIKES, SUSPENDED_S, Conduct, Lane
from gateway.scripts.messages import Answer, Fault, Task
from gateway.scripts.workshop import Workshop
from gateway.telemetry import Facts

V3 = "function decodeUplink(input) { return {data: {port: input.fPort, first: input.bytes[0]}} }"
ENDLESS = "function decodeUplink(input) { for (;;) ; }"
GREEDY = (
    "function decodeUplink(input) { const a = []; for (;;) a.push('x'.repeat(999) + a.length) }"
)
REGEX = "function decodeUplink(input) { return {data: {a: /^(a+)+$/.test('a'.repeat(40) + 'b')}} }"
HOSTILE = {"endless.js": ENDLESS, "greedy.js": GREEDY, "regex.js": REGEX}


def asked(data: str = "2a", f_port: int = 7) -> Task:
    return Task("", None, f_port, data, 1_700_000_000_000)


def uplink(data: str = "2a") -> Forwarded:
    return Forwarded(7, 1, "", bytes.fromhex(data), None, None)


Open = Callable[..., Awaitable[Workshop]]


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    shops = []

    async def open_(
        scripts: dict[str, str], facts: Facts | None = None, fresh: bool = False, **more: float
    ) -> Workshop:
        conducts = [Conduct(Path(name), text, fresh) for name, text in scripts.items()]
        shop = Workshop(conducts, facts or Facts(), SystemClock(), **more)  # type: ignore[arg-type]
        await shop.open()
        shops.append(shop)
        return shop

    yield open_
    for shop in shops:
        await shop.close()


async def test_an_uplink_comes_back_with_the_object_that_the_script_made(opened: Open) -> None:
    shop = await opened({"good.js": V3})
    made = await shop.run("good.js", uplink())
    assert isinstance(made, Forwarded)
    assert (made.object, made.data) == ({"port": 7, "first": 42}, b"\x2a")


async def test_a_payload_of_which_the_script_reports_errors_is_undecodable(opened: Open) -> None:
    shop = await opened({"no.js": "function decodeUplink() { return {errors: ['unknown FPort']} }"})
    assert await shop.run("no.js", uplink()) is Reason.UNDECODABLE


async def test_an_error_leaves_nothing_behind_for_the_next_payload(opened: Open) -> None:
    """After an exception the script is loaded anew; without one it stays as it is."""
    text = "let n = 0; function Decoder(b) { n += 1; if (b[0] == 0) throw 1; return {n: n} }"
    shop = await opened({"counts.js": text})
    assert [(await shop.ask("counts.js", 1, b, 0)).object for b in (b"\1", b"\0", b"\1")] == [
        {"n": 1}, None, {"n": 1},
    ]  # fmt: skip


@pytest.mark.parametrize(("fresh", "seen"), [(True, 0), (False, 1)])
async def test_what_a_script_remembers_of_one_child_is_not_there_for_another(
    opened: Open, fresh: bool, seen: int
) -> None:
    """Among people's devices a context serves one uplink; among things it is kept."""
    text = "let last = 0; function Decoder(b) { const was = last; last = b[0]; return {was: was} }"
    shop = await opened({"keeps.js": text}, fresh=fresh)
    await shop.ask("keeps.js", 1, b"\1", 0)
    assert (await shop.ask("keeps.js", 1, b"\2", 0)).object == {"was": seen}


async def test_hostile_scripts_are_stopped_named_by_file_and_suspended(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    facts = Facts()
    shop = await opened(HOSTILE, facts)
    for name in HOSTILE:
        for _ in range(STRIKES + 1):
            assert await shop.run(name, uplink()) is Reason.SCRIPT_STOPPED
    assert facts.counts["script stopped"] == STRIKES * len(HOSTILE)
    assert facts.counts["script not run"] == len(HOSTILE)
    for name in HOSTILE:
        assert any(f"{name} was stopped {STRIKES} times" in line for line in caplog.messages)


async def test_while_hostile_scripts_wait_for_their_turn_others_have_a_worker(opened: Open) -> None:
    """Whatever is handed over before, a script that is known to end well comes next."""
    shop = await opened({**HOSTILE, "good.js": V3})
    await shop.run("good.js", uplink())
    done: list[str] = []

    async def run(name: str) -> None:
        await shop.run(name, uplink())
        done.append(name)

    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            for name in HOSTILE:
                group.create_task(run(name))
        for _ in range(10):
            group.create_task(run("good.js"))
    assert done[:10].count("good.js") >= 9


async def test_one_script_never_has_all_workers(opened: Open) -> None:
    """Though it was well so far, and a hundred of its uplinks came before another's first."""
    turns = "function Decoder(b) { if (b[0]) for (let i = 0; i < 1e5; i += 1) ; return {a: 1} }"
    shop = await opened({"busy.js": turns, "good.js": V3})
    await shop.run("busy.js", uplink("00"))
    await shop.run("good.js", uplink())
    busy = [asyncio.create_task(shop.run("busy.js", uplink("01"))) for _ in range(100)]
    await asyncio.sleep(0)
    await shop.run("good.js", uplink())
    assert not all(task.done() for task in busy)
    await asyncio.gather(*busy)


def workers() -> list[int]:
    """Processes that this one started for scripts."""
    found = []
    for line in Path(f"/proc/{os.getpid()}/task").iterdir():
        found += [int(pid) for pid in (line / "children").read_text().split()]
    return [
        pid
        for pid in found
        if b"gateway.scripts.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


async def test_what_scripts_hold_between_uplinks_does_not_add_up(opened: Open) -> None:
    """Forty scripts that keep 12 MB each, as each of them may, leave a worker smaller than that together."""
    text = (
        "const kept = new Uint8Array(12e6).fill(1); function Decoder() { return {a: kept.length} }"
    )
    names = [f"keeps-{n}.js" for n in range(40)]
    shop = await opened(dict.fromkeys(names, text))
    for name in names:
        assert isinstance(await shop.run(name, uplink()), Forwarded)
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in workers()]
    assert max(pages) * os.sysconf("SC_PAGE_SIZE") < 360e6


async def test_a_worker_that_hangs_is_killed_by_our_own_clock_and_replaced(opened: Open) -> None:
    shop = await opened({"good.js": V3}, deadline_s=0.3, workers=2)
    await shop.run("good.js", uplink())
    before = set(workers())
    for pid in before:
        os.kill(pid, signal.SIGSTOP)
    assert await shop.run("good.js", uplink()) is Reason.SCRIPT_STOPPED
    assert isinstance(await shop.run("good.js", uplink()), Forwarded)
    assert not before & set(workers())


async def test_what_hangs_the_engine_itself_is_ended_by_our_own_clock(opened: Open) -> None:
    """The words of an error are made outside the engine's limit of time; no limit of its own is relied on."""
    text = "function Decoder(b) { if (b[0]) throw {toString() { for (;;) ; }}; return {a: 1} }"
    shop = await opened({"says.js": text}, deadline_s=0.5)
    assert await shop.run("says.js", uplink("01")) is Reason.SCRIPT_STOPPED
    made = await shop.run("says.js", uplink("00"))
    assert isinstance(made, Forwarded)


async def test_a_worker_that_dies_loses_no_uplink(opened: Open) -> None:
    shop = await opened({"good.js": V3})
    await shop.run("good.js", uplink())
    os.kill(workers()[0], signal.SIGKILL)
    os.kill(workers()[-1], signal.SIGTERM)  # a stop of the whole service: workers stay to the end
    for _ in range(4):
        assert isinstance(await shop.run("good.js", uplink()), Forwarded)


async def test_workers_that_are_killed_while_idle_are_replaced(opened: Open) -> None:
    """As by the kernel when memory is short: the next uplink waits for new ones, and is not rejected."""
    shop = await opened({"good.js": V3})
    killed = set(workers())
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    while any(
        Path(f"/proc/{pid}").exists() for pid in killed
    ):  # until the kernel has told the loop
        await asyncio.sleep(0.01)
    assert isinstance(await shop.run("good.js", uplink()), Forwarded)


async def test_nothing_of_a_payload_stands_in_what_is_said(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """A script that raises an error may put anything into its words."""
    shop = await opened({"says.js": "function Decoder(b) {\n throw new Error('canary ' + b[0]) }"})
    assert await shop.run("says.js", uplink()) is Reason.UNDECODABLE
    assert "says.js:2" in caplog.text
    assert "canary" not in caplog.text


def test_a_script_that_was_suspended_may_try_once() -> None:
    conduct = Conduct(Path("a.js"), "")
    stopped, well = Answer(fault=Fault.TIME), Answer(object={})
    assert [conduct.judge(stopped, 0.0) for _ in range(STRIKES)] == [False, False, True]
    assert conduct.suspended_until == SUSPENDED_S
    assert conduct.judge(stopped, 100.0)
    assert not conduct.judge(well, 200.0)
    assert not conduct.judge(stopped, 201.0)


def test_a_script_that_fails_every_other_time_is_suspended_too() -> None:
    conduct = Conduct(Path("a.js"), "")
    answers = [Answer(object={}), Answer(fault=Fault.TIME)] * (STRIKES + 1)
    assert [conduct.judge(answer, 0.0) for answer in answers].index(True) == len(answers) - 1


def test_a_script_that_fails_once_in_fifty_times_is_never_suspended() -> None:
    conduct = Conduct(Path("a.js"), "")
    answers = [Answer(fault=Fault.TIME), *[Answer(object={})] * 49] * 20
    assert not any(conduct.judge(answer, 0.0) for answer in answers)


def test_a_script_waits_with_its_like() -> None:
    """New until it has ended well; slow for a while after any run that was not brief."""
    conduct = Conduct(Path("a.js"), "")
    found = [conduct.lane(0.0)]
    conduct.judge(Answer(object={}), 0.0)
    found.append(conduct.lane(0.0))
    conduct.slow(1.0)
    found += [conduct.lane(1.0), conduct.lane(SLOW_S + 1.0)]
    assert found == [Lane.NEW, Lane.KNOWN, Lane.SLOW, Lane.KNOWN]


SLY = "let n = 0; function Decoder(b) { n += 1; if (n > 1) for (;;) ; return {n: n} }"
"""Well once, and hostile from then on, until it is loaded anew."""


async def test_scripts_that_turn_bad_leave_a_worker_to_those_that_are_good(opened: Open) -> None:
    """More of them than workers, all known for good, all at once; a long run begins beside a free worker."""
    sly = [f"sly-{n}.js" for n in range(6)]
    shop = await opened({**dict.fromkeys(sly, SLY), "good.js": V3})
    for name in (*sly, "good.js"):
        assert isinstance(await shop.run(name, uplink()), Forwarded)
    asked = sly * STRIKES  # so that they are at it far longer than twenty good runs take
    bad = [asyncio.create_task(shop.run(name, uplink())) for name in asked]
    for _ in range(20):
        assert isinstance(await shop.run("good.js", uplink()), Forwarded)
    assert not all(task.done() for task in bad)
    await asyncio.gather(*bad)


async def test_what_needs_longer_than_a_brief_run_gets_it(opened: Open) -> None:
    """As a codec that looks for something in a long table: it waits with its like, and is stored."""
    text = (
        "function Decoder() { const t = Date.now(); while (Date.now() - t < 30) ; return {a: 1} }"
    )
    shop = await opened({"slow.js": text})
    made = [await shop.run("slow.js", uplink()) for _ in range(3)]
    assert [isinstance(one, Forwarded) for one in made] == [True] * 3


async def test_of_a_script_that_is_suspended_nothing_more_is_run(opened: Open) -> None:
    """Also what waited for its turn already; a hundred uplinks cost no more than those that were stopped."""
    facts = Facts()
    shop = await opened({"endless.js": ENDLESS}, facts)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(shop.run("endless.js", uplink())) for _ in range(100)]
    assert {task.result() for task in asked} == {Reason.SCRIPT_STOPPED}
    assert (facts.counts["script stopped"], facts.counts["script not run"]) == (
        STRIKES,
        100 - STRIKES,
    )


async def lying(says: str) -> Bench:
    """A worker that has been taken over: it answers whatever it likes."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", f"import sys; sys.stdout.buffer.write({says}); sys.stdin.read()"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    return Bench(process)


@pytest.mark.parametrize(
    "says",
    [
        "bytes([255] * 8)",
        "bytes([0, 0, 0, 2]) + b'{]'",
        "bytes([0, 0, 0, 14]) + b'{\"object\": [1]}'",
        "bytes([0, 2, 0, 0]) + b'[' * 0x20000",
        "bytes([0, 0, 0, 9]) + b'half'",
    ],
    ids=["too long", "no JSON", "not our words", "too deep", "half"],
)
async def test_a_worker_is_not_believed(says: str) -> None:
    """Whatever it answers, it costs nobody but itself anything."""
    bench = await lying(says)
    answer = await bench.ask(asked(), V3, 1.0)
    assert (answer.fault, answer.object, bench.spoilt) == (Fault.HUNG, None, True)
