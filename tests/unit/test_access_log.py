"""The access log: whatever is changed, left out, moved, added or cut off is found, and named by its line."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.keys.ring import KeyRing
from gateway.keys.signing import Signer
from gateway.model.errors import Refusal
from gateway.model.instant import DAY, HOUR, parse_rfc3339
from gateway.statedir import StateDir
from gateway.stores.access_log import Access, AccessLog, class_of, shape_of
from sekisho.looking import log_of
from tests.fakes.front_door import Sekisho
from tests.fakes.readings import NOON

LOOK = Access(NOON, "sato", "query", "a parent asked", "store", shape_of("query", "child"), 42)


@pytest.fixture
def log(tmp_path: Path) -> AccessLog:
    """Five looks over three days, each head of a day signed before the next one's first entry."""
    made = AccessLog(tmp_path, bytes(32), Signer(tmp_path / "signing.key"))
    for hours in (0, 1, 24, 25, 49):
        made.write(replace(LOOK, at=NOON + hours * HOUR))
    return made


def file_of(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "access").glob("*.jsonl")
    return found


def test_an_entry_says_who_and_what_for_and_no_more(log: AccessLog) -> None:
    """Time to the minute, rows in a class, the question by its shape: no child, no place, no value."""
    first = log.entries()[0]
    assert first == {
        "seq": 1, "at": "2026-05-12T03:00:00.000+00:00", "actor": "sato", "act": "query", "purpose": "a parent asked",
        "lane": "store", "shape": LOOK.shape, "rows": "10 to 99",
    }  # fmt: skip
    assert [class_of(n) for n in (0, 1, 9, 10, 9_999, 10_000)] == [
        "0", "1 to 9", "1 to 9", "10 to 99", "1000 to 9999", "10000 or more",
    ]  # fmt: skip


def test_a_whole_chain_is_whole(log: AccessLog, tmp_path: Path) -> None:
    assert log.check().seq == 5
    again = AccessLog(tmp_path, bytes(32), Signer(tmp_path / "signing.key"))
    again.write(LOOK)
    assert again.check(log.head()).seq == 6
    assert file_of(tmp_path).stat().st_mode & 0o077 == 0


def _edit(lines: list[bytes]) -> list[bytes]:
    return [line.replace(b"sato", b"kato") if n == 1 else line for n, line in enumerate(lines)]


def _edit_head(lines: list[bytes]) -> list[bytes]:
    return [line.replace(b'"seq":2', b'"seq":1') if b"head" in line else line for line in lines]


def _relink(lines: list[bytes]) -> list[bytes]:
    """Whoever has no key cannot bind an entry anew."""
    said = json.loads(lines[0])
    said["entry"]["actor"] = "kato"
    return [json.dumps(said).encode(), *lines[1:]]


HARM: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "edited": _edit,
    "a head edited": _edit_head,
    "bound anew": _relink,
    "deleted": lambda lines: lines[:1] + lines[2:],
    "a head deleted and an entry": lambda lines: lines[:1] + lines[3:],
    "reordered": lambda lines: [lines[1], lines[0], *lines[2:]],
    "told twice": lambda lines: [lines[0], *lines],
    "no line of ours": lambda lines: [*lines, b"{}"],
    "an entry of nothing": lambda lines: [*lines, b'{"entry":{},"link":"x"}'],
    "an entry that is a number": lambda lines: [*lines, b'{"entry":7,"link":"x"}'],
    "a head that is a number": lambda lines: [*lines, b'{"head":7,"public":"","signature":""}'],
    "a head of something else": lambda lines: [
        *lines,
        b'{"head":{"x":1},"public":"","signature":""}',
    ],
    "a number": lambda lines: [*lines, b"7"],
    "cut off before its first head": lambda lines: lines[2:],
    "cut off before its second head": lambda lines: lines[5:],
    "cut off before an entry": lambda lines: lines[1:],
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
def test_what_was_harmed_is_found(
    log: AccessLog, tmp_path: Path, harm: Callable[[list[bytes]], list[bytes]]
) -> None:
    path = file_of(tmp_path)
    path.write_bytes(b"\n".join(harm(path.read_bytes().splitlines())) + b"\n")
    with pytest.raises(Refusal, match=rf"{path.name}:\d+: .*not whole from here on"):
        log.check()


@pytest.mark.parametrize(
    "bad", [b'{"entry":{},"link":"x"}', b'{"entry":7,"link":"x"}', b'{"head":7}', b"7"]
)
def test_nothing_is_written_behind_what_is_no_line(
    log: AccessLog, tmp_path: Path, bad: bytes
) -> None:
    """And so nothing is read: the sentence names the line."""
    path = file_of(tmp_path)
    path.write_bytes(path.read_bytes() + bad + b"\n")
    with pytest.raises(Refusal, match=rf"{path.name}:8: no line of the log's"):
        log.write(LOOK)


def test_a_beginning_that_was_cut_off_is_found_without_any_head(
    log: AccessLog, tmp_path: Path
) -> None:
    """At a head, too, with every signature right: only what retention signed for may be missing. So of whole months."""
    for days in (40, 80):
        log.write(replace(LOOK, at=NOON + days * DAY))
    months = sorted((tmp_path / "access").glob("*.jsonl"))
    lines = months[0].read_bytes().splitlines(keepends=True)
    heads = [n for n, line in enumerate(lines) if b'"head"' in line]
    for first in heads:
        months[0].write_bytes(b"".join(lines[first:]))
        with pytest.raises(Refusal, match=r"2026-05\.jsonl:1: "):
            log.check()
    months[0].unlink()
    with pytest.raises(Refusal, match=r"2026-06\.jsonl:1: "):
        log.check()
    months[1].unlink()
    with pytest.raises(Refusal, match=r"2026-07\.jsonl:1: "):
        log.check()


def test_an_end_that_was_cut_off_is_found_by_the_head_that_was_kept(
    log: AccessLog, tmp_path: Path
) -> None:
    """Nothing in the file shows it: whoever keeps heads elsewhere sees it; the same goes for a log written anew."""
    kept, path = log.head(), file_of(tmp_path)
    path.write_bytes(b"\n".join(path.read_bytes().splitlines()[:-2]) + b"\n")
    assert log.check().seq == 4
    with pytest.raises(Refusal, match="Its end was cut off, or it was written anew"):
        log.check(kept)
    path.unlink()
    for _ in range(6):
        log.write(LOOK)
    with pytest.raises(Refusal, match="written anew"):
        log.check(kept)


def test_a_head_of_another_ring_is_none(log: AccessLog, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    other = AccessLog(tmp_path / "b", bytes(32), Signer(tmp_path / "b" / "signing.key"))
    other.write(LOOK)
    for head in (other.head(), b"{}", log.head().replace(b'"seq":5', b'"seq":4')):
        with pytest.raises(Refusal, match="none of this log's"):
            log.check(head)


def test_a_clock_that_goes_back_writes_no_earlier_time(log: AccessLog) -> None:
    log.write(LOOK)
    times = [entry["at"] for entry in log.entries()]
    assert times == sorted(times)
    assert log.check().seq == 6


def test_a_line_that_a_kill_cut_off_is_taken_away(log: AccessLog, tmp_path: Path) -> None:
    """What it would have told of was not read: the entry is on disk before the first row is."""
    path = file_of(tmp_path)
    with path.open("ab") as file:
        file.write(b'{"entry":{"act":"qu')
    assert log.check().seq == 5
    log.write(replace(LOOK, at=NOON + 50 * HOUR))
    assert log.check().seq == 6


def test_old_months_go_and_the_chain_goes_on(log: AccessLog) -> None:
    """The next month begins with the signed head of those that are gone; the newest file always stays."""
    for days in (40, 80):
        log.write(replace(LOOK, at=NOON + days * DAY))
    kept = log.head()
    assert log.forget_before("2026-07") == 2
    assert [entry["seq"] for entry in log.entries()] == [7]
    assert log.check(kept).seq == 7
    assert log.forget_before("2030-01") == 0


def test_what_retention_removed_is_signed_for_and_nothing_else(
    log: AccessLog, tmp_path: Path
) -> None:
    """Heads of the removed months go with them; behind the mark no more can be cut, and no mark can be made or moved."""
    old = log.head()
    for days in (40, 80, 120):
        log.write(replace(LOOK, at=NOON + days * DAY))
    june = log.head()
    assert log.forget_before("2026-06") == 1
    early = (tmp_path / "access" / "removed.json").read_bytes()
    assert (log.check(old).seq, log.check(june).seq) == (8, 8)
    assert log.forget_before("2026-07") == 1
    mark = tmp_path / "access" / "removed.json"
    late = mark.read_bytes()
    for harm in (early, late.replace(b'"seq":6', b'"seq":5'), b"{}", b"7"):
        mark.write_bytes(harm)
        with pytest.raises(Refusal, match="not whole from here on"):
            log.check()
    mark.unlink()
    with pytest.raises(Refusal, match=r"2026-07\.jsonl:1: "):
        log.check()
    mark.write_bytes(late)
    assert log.check(june).seq == 8
    for path in (tmp_path / "access").glob("*.jsonl"):
        path.unlink()
    with pytest.raises(Refusal, match="holds nothing behind entry 6"):
        log.check()


def test_retention_signs_for_no_log_that_is_not_whole(log: AccessLog, tmp_path: Path) -> None:
    """Else a planted month would make a mark that covers what somebody cut off."""
    log.write(replace(LOOK, at=NOON + 40 * DAY))
    path = tmp_path / "access" / "2026-05.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[-1])
    with pytest.raises(Refusal, match="not whole"):
        log.forget_before("2026-06")
    assert path.exists()
    path.write_bytes(b"".join(lines))
    assert log.forget_before("2026-06") == 1


def test_months_that_a_kill_left_behind_their_mark_go_the_next_time(
    log: AccessLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write(replace(LOOK, at=NOON + 40 * DAY))

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(Path, "unlink", die)
        with pytest.raises(KeyboardInterrupt):
            log.forget_before("2026-06")
    assert log.check().seq == 6
    log.forget_before("2026-06")
    assert [path.stem for path in (tmp_path / "access").glob("*.jsonl")] == ["2026-06"]


def test_the_log_is_shown_in_local_time(state: StateDir, sekisho: Sekisho) -> None:
    """As every other time that a verb prints; for programs it stays as it stands in the file."""
    keys = state.path.parent / "keys"
    ring = KeyRing.open(keys, state.id, SystemClock(), UTC)
    at = parse_rfc3339("2026-05-12T22:30:00Z")
    log_of(state, ring).write(Access(at, "a", "query", "test", "store", shape_of("query"), 1))
    words = ("privacy", "log", "show", "--state", str(state.path), "--keys", str(keys))

    assert "2026-05-13 07:30" in sekisho(*words).out
    assert json.loads(sekisho(*words, "--json").out)[0]["at"].startswith("2026-05-12T22:30")
