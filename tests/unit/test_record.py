"""`sekisho record` before it asks a gateway: what it does not write to; and the file it writes."""

import errno
import fcntl
import gzip
import os
import stat
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.model.errors import Refusal
from gateway.statedir import StateDir
from sekisho import cassette_file
from sekisho.place import replaceable
from tests.fakes.front_door import Sekisho

HEAD = b'{"is":"cassette"}\n'


def folder(path: Path) -> None:
    path.mkdir()


def circle(path: Path) -> None:
    path.symlink_to(path)


def to_a_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


@pytest.mark.parametrize(
    ("lay", "why"),
    [
        (folder, "this is a folder"),
        (os.mkfifo, "this is a device or a pipe"),
        (to_a_pipe, "this is a device or a pipe"),
        (circle, "go round in a circle"),
    ],
)
def test_what_is_no_file_is_never_replaced(
    sekisho: Sekisho, state: StateDir, tmp_path: Path, lay: Callable[[Path], None], why: str
) -> None:
    """A folder, a device or a pipe at FILE is refused, with --force too, and a link is followed first."""
    lay(tmp_path / "there")
    before = stat.S_IFMT((tmp_path / "there").lstat().st_mode)
    said = sekisho("record", "there", "--force", "--state", str(state.path))
    assert (said.code, said.out) == (2, "")
    assert why in said.err
    assert "there" in said.err
    assert stat.S_IFMT((tmp_path / "there").lstat().st_mode) == before


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("there",), 2, "replace it with --force"),
        (("there/below",), 1, "No gateway runs"),
        (("x" * 300,), 2, "File name too long"),
        ((".",), 2, "this is a folder"),
        (("town/state/new",), 2, "inside the state directory"),
        (("new", "--for", "99999999d"), 2, "--for 99999999d: 366 d at most"),
        (("new", "--for", "-1s"), 2, "time goes forward"),
        (("new", "--wait", "soon"), 2, "a time is a number and a unit"),
        (("new", "--wait", "367 d"), 2, "366 d at most"),
        (("new",), 1, "No gateway runs"),
        (("there", "--force"), 1, "No gateway runs"),
    ],
)
def test_a_recording_that_cannot_be_is_refused(
    sekisho: Sekisho, state: StateDir, tmp_path: Path, words: tuple[str, ...], code: int, why: str
) -> None:
    """And nothing that is there is touched: without a gateway's answer no file is opened."""
    (tmp_path / "there").write_text("mine")
    said = sekisho("record", *words, "--state", str(state.path))
    assert said.code == code
    assert why in said.err
    assert (tmp_path / "there").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there", "town"]


def test_a_link_is_followed(tmp_path: Path) -> None:
    """A cassette goes to where a link leads, and the link stays."""
    (tmp_path / "link").symlink_to("one.cassette")
    target = replaceable("FILE", tmp_path / "link", force=False)
    with cassette_file.new(target, HEAD, force=False):
        pass
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "one.cassette").read_bytes() == HEAD


@pytest.mark.parametrize("name", ["one.cassette", "one.cassette.gz"])
def test_each_has_a_draft_of_its_own(tmp_path: Path, name: str) -> None:
    """Two at once: neither touches the other's draft, and who comes second finds the name taken, and says where it lies."""
    file = tmp_path / name

    def twice() -> None:
        with cassette_file.new(file, HEAD, force=False) as later:
            with cassette_file.new(file, HEAD, force=False) as first:
                first.write(b"1\n")
            later.write(b"2\n")

    with pytest.raises(Refusal, match=r"File exists.*It is at .*\.part") as second:
        twice()
    (left,) = (path for path in tmp_path.iterdir() if path != file)
    assert str(left) in str(second.value)
    assert [plain(path) for path in (file, left)] == [HEAD + b"1\n", HEAD + b"2\n"]


@pytest.mark.parametrize("force", [False, True])
def test_a_file_system_without_links_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, force: bool
) -> None:
    """On a stick, say: what is there is replaced by --force alone there, too."""

    def refuse(_from: Path, _to: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    def recorded() -> None:
        with cassette_file.new(tmp_path / "one.cassette", HEAD, force=force):
            pass

    monkeypatch.setattr(os, "link", refuse)
    recorded()
    (tmp_path / "one.cassette").write_text("mine")
    if force:
        recorded()
        assert (tmp_path / "one.cassette").read_bytes() == HEAD
    else:
        with pytest.raises(Refusal, match="File exists"):
            recorded()
        assert (tmp_path / "one.cassette").read_text() == "mine"


def plain(path: Path) -> bytes:
    """What a file holds, unpacked."""
    raw = path.read_bytes()
    return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


@pytest.mark.parametrize("name", ["one.cassette", "one.cassette.gz"])
def test_what_breaks_off_leaves_what_was_kept(tmp_path: Path, name: str) -> None:
    """Whatever ends a recording, FILE is there, whole lines alone, packed to its end."""
    file = tmp_path / name

    def broken_off() -> None:
        with cassette_file.new(file, HEAD, force=False) as out:
            out.write(b"1\n2\n")
            out.keep()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert plain(file) == HEAD + b"1\n2\n"
    assert list(tmp_path.iterdir()) == [file]


def test_a_packed_draft_holds_what_was_kept(tmp_path: Path) -> None:
    """Killed at any moment, it gives back every line up to the last time that it was kept, and no half one behind."""
    line = os.urandom(2000).hex().encode() + b"\n"
    with cassette_file.new(tmp_path / "one.gz", HEAD, force=False) as out:
        (draft,) = tmp_path.iterdir()
        for number in range(1, 50):
            out.write(line)
            found = zlib.decompressobj(31).decompress(draft.read_bytes())
            assert found == HEAD + line * (number - 1)
            out.keep()
            assert zlib.decompressobj(31).decompress(draft.read_bytes()) == HEAD + line * number
    assert plain(tmp_path / "one.gz") == HEAD + line * 49


def test_a_draft_without_a_recorder_was_left_behind(tmp_path: Path) -> None:
    """One that a recorder holds is none, nor is another cassette's, or a pipe of such a name."""
    file = tmp_path / "one[1].cassette"
    os.mkfifo(tmp_path / f"{file.name}.00000000.part")
    (tmp_path / "one1.cassette.11111111.part").write_bytes(HEAD)
    left = tmp_path / f"{file.name}.22222222.part"
    left.write_bytes(HEAD)
    with cassette_file.new(file, HEAD, force=False):
        assert cassette_file.left_behind(file) == [left]
    with left.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert cassette_file.left_behind(file) == []
