"""Keys are random, owner-only, made in time and gone in time."""

import os
import stat
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.keys import keyfile
from gateway.keys.exports import Exports, put, read
from gateway.keys.place import default_root, refuse_inside
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.model.instant import parse_rfc3339
from tests.fakes.clock import ManualClock

TOKYO = ZoneInfo("Asia/Tokyo")
IDENTITY = "0" * 32
DAY = date(2026, 5, 12)
NOON = parse_rfc3339("2026-05-12T12:00:00+09:00")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def ring(tmp_path: Path, clock: ManualClock) -> KeyRing:
    return KeyRing.create(tmp_path, IDENTITY, clock, TOKYO)


def again(ring: KeyRing, clock: ManualClock) -> KeyRing:
    return KeyRing.open(ring.path.parent, IDENTITY, clock, TOKYO)


def test_a_reopened_ring_has_the_same_keys(ring: KeyRing, clock: ManualClock) -> None:
    """What was made at first use is there after a restart."""
    file_key, day_key = ring.file_key("store-2026-W20"), ring.day_key(DAY)

    reopened = again(ring, clock)

    assert (reopened.file_key("store-2026-W20"), reopened.day_key(DAY)) == (file_key, day_key)
    assert (reopened.token_key(), reopened.registry_key()) == (
        ring.token_key(),
        ring.registry_key(),
    )
    assert len({file_key, day_key, ring.token_key(), ring.registry_key()}) == 4


def test_only_the_owner_reads_keys(ring: KeyRing) -> None:
    """Folders are 0700 and files 0600; drafts do not stay."""
    ring.file_key("store-2026-W20")
    ring.day_key(DAY)
    ring.seal("h-1", b"x", b"")

    modes = {stat.S_IMODE(path.stat().st_mode): path.is_dir() for path in (ring.path.rglob("*"))}

    assert modes == {0o700: True, 0o600: False}
    assert ring.count() == {"files": 1, "days": 1, "periods": 0, "households": 1}
    assert not list(ring.path.rglob(".*"))


def test_a_service_day_runs_from_three_to_three(ring: KeyRing, clock: ManualClock) -> None:
    """The key of a day answers until an hour after 03:00 of the next, and no longer."""
    key = ring.day_key(DAY)
    clock.set(parse_rfc3339("2026-05-13T04:00:00+09:00"))
    assert ring.day_key(DAY) == key

    clock.advance(0.001)

    assert ring.day_key(DAY) is None
    assert again(ring, clock).day_key(DAY) is None


def test_a_day_that_is_over_gets_no_new_key(ring: KeyRing, clock: ManualClock) -> None:
    """Within the hour of grace an existing key answers, but none is made."""
    clock.set(parse_rfc3339("2026-05-13T03:30:00+09:00"))

    assert ring.day_key(DAY) is None


def test_days_far_ahead_have_no_key(ring: KeyRing) -> None:
    """A device with a wrong clock cannot make keys for days to come."""
    assert ring.day_key(date(2026, 5, 14)) is not None
    assert ring.day_key(date(2026, 5, 15)) is None


def test_retire_destroys_ended_days_for_good(ring: KeyRing, clock: ManualClock) -> None:
    """A destroyed day stays without key, even where the clock is set back."""
    ring.day_key(DAY)
    path = ring.path / "days" / "2026-05-12.key"

    assert ring.retire(NOON) == 0
    assert ring.retire(parse_rfc3339("2026-05-13T04:00:01+09:00")) == 1

    assert not path.exists()
    assert ring.day_key(DAY) is None
    assert again(ring, clock).day_key(DAY) is None


def test_retire_forgets_old_tombstones(ring: KeyRing) -> None:
    """What says that a day is gone does not stay for ever."""
    ring.day_key(DAY)
    ring.retire(parse_rfc3339("2026-05-14T00:00:00+09:00"))
    ring.retire(parse_rfc3339("2026-07-14T00:00:00+09:00"))

    assert list((ring.path / "days").iterdir()) == []


def test_destroying_overwrites_before_unlinking(tmp_path: Path) -> None:
    """The bytes of a destroyed key are gone from its blocks, not only from the folder."""
    path = tmp_path / "a.key"
    key = keyfile.make(path)
    (tmp_path / "witness").hardlink_to(path)

    assert keyfile.destroy(path)

    assert (tmp_path / "witness").read_bytes() != key
    assert not keyfile.destroy(path)


def test_a_folder_that_is_away_is_no_destroyed_key(ring: KeyRing) -> None:
    """The volume with the keys is not mounted: nothing may be taken for destroyed, since it comes back."""
    ring.file_key("store-2026-W20")
    ring.day_key(DAY)
    for folder in ("files", "days"):
        (ring.path / folder).rename(ring.path / f"{folder}-away")

    with pytest.raises(FileNotFoundError):
        ring.destroy_file_key("store-2026-W20")
    with pytest.raises(FileNotFoundError):
        ring.retire(parse_rfc3339("2026-05-20T00:00:00+09:00"))


def test_sealing_without_the_folder_of_the_households_is_refused_in_words(ring: KeyRing) -> None:
    """A home that is registered meanwhile is not lost in a trace."""
    (ring.path / "households").rename(ring.path / "away")
    with pytest.raises(Refusal, match="Bring that folder back"):
        ring.seal("h-1", b"x", b"y")


def test_a_file_key_whose_time_was_over_comes_back_with_no_export(ring: KeyRing) -> None:
    """An export of before still holds it: imported here it lacks that key and nothing else, also where the file has
    another key by now. On another ring it would come, so the trial can fail."""
    gone, stays = ring.file_key("store-2026-W19"), ring.file_key("store-2026-W20")
    _, text = Exports(ring.path).make("town", "a long passphrase", 0)
    _, keys = read(text, "a long passphrase")
    ring.destroy_file_key("store-2026-W19")

    came, _known = put(ring.path, keys)

    assert (came, ring.file_periods()) == (0, ["store-2026-W20"])
    assert ring.file_key("store-2026-W19") != gone
    assert put(ring.path, keys)[0] == 0
    put(ring.path.parent / "other", keys)
    other = ring.path.parent / "other" / "files"
    assert [path.read_bytes() for path in sorted(other.glob("*.key"))] == [gone, stays]


def test_a_file_key_that_is_none_any_more_is_destroyed_all_the_same(ring: KeyRing) -> None:
    """Cut short by a fault of the disk, it must not keep its file beyond its time."""
    path = ring.path / "files" / "store-2026-W19.key"
    path.write_bytes(b"short")
    path.chmod(0o600)
    ring.destroy_file_key("store-2026-W19")
    assert ring.file_periods() == []


def test_a_destroyed_file_key_is_not_remembered(ring: KeyRing) -> None:
    """After its key is destroyed, a personal file's name leads to another key."""
    key = ring.file_key("store-2026-W20")
    ring.destroy_file_key("store-2026-W20")

    assert not ring.has_file_key("store-2026-W20")
    assert ring.file_key("store-2026-W20") != key


def test_two_processes_agree_on_a_key(tmp_path: Path) -> None:
    """Whoever comes second gets the first one's key."""
    assert keyfile.make(tmp_path / "a.key") == keyfile.make(tmp_path / "a.key")


def test_many_households_at_once(ring: KeyRing) -> None:
    """Keys made together are as many as households, and one that was there stays."""
    sealed = ring.seal("h-7", b"x", b"")

    ring.households.make_all(f"h-{n}" for n in range(300))

    assert ring.count()["households"] == 300
    assert ring.open_sealed("h-7", sealed, b"") == b"x"
    assert not list(ring.path.rglob(".*"))


def test_what_a_kill_left_of_a_key_is_swept_away(ring: KeyRing, clock: ManualClock) -> None:
    """Drafts of an hour ago go when the ring is opened; younger ones may be another process's work. A
    draft that is a key's second name takes nothing of the key with it."""
    sealed = ring.seal("h-1", b"x", b"")
    key = ring.path / "households" / "h-1.key"
    old = [ring.path / ".root.key.0badcafe", ring.path / "days" / ".2026-05-12.key.0badcafe"]
    for draft in old:
        draft.write_bytes(bytes(32))
    old.append(key.with_name(".h-1.key.0badcafe"))
    os.link(key, old[-1])
    young = ring.path / "files" / ".store-2026-W20.key.0badcafe"
    for draft in old:
        os.utime(draft, (1_700_000_000, 1_700_000_000))
    young.write_bytes(bytes(32))

    opened = again(ring, clock)

    assert [draft for draft in old if draft.exists()] == []
    assert young.exists()
    assert opened.open_sealed("h-1", sealed, b"") == b"x"


def test_sealed_for_one_household_and_place(ring: KeyRing) -> None:
    """Sealed bytes open for their household and purpose, and for nothing else."""
    sealed = ring.seal("h-1", b"secret", b"home")
    ring.seal("h-2", b"other", b"home")

    assert ring.open_sealed("h-1", sealed, b"home") == b"secret"
    assert ring.open_sealed("h-2", sealed, b"home") is None
    assert ring.open_sealed("h-3", sealed, b"home") is None
    assert ring.open_sealed("h-1", sealed, b"consent") is None
    assert ring.open_sealed("h-1", b"short", b"home") is None
    (ring.path / "households" / "h-1.key").unlink()
    assert ring.open_sealed("h-1", sealed, b"home") is None


def test_households_whose_keys_are_all_away_are_not_erased(ring: KeyRing) -> None:
    """A folder that is missing is a volume that is away: nobody's home or consent reads as erased."""
    sealed = ring.seal("h-1", b"secret", b"home")
    here, away = ring.path / "households", ring.path / "away"
    here.rename(away)
    with pytest.raises(Refusal, match=r"is not there.*Bring it back.*--keys"):
        ring.open_sealed("h-1", sealed, b"home")
    away.rename(here)
    assert ring.open_sealed("h-1", sealed, b"home") == b"secret"


def test_lost_keys_say_what_is_lost(ring: KeyRing, clock: ManualClock) -> None:
    """Opening without keys names what cannot be read any more, and the way back."""
    (ring.path / "root.key").unlink()

    with pytest.raises(
        Refusal,
        match=r"homes, consents, device tokens and rows about people are lost.*things stay readable.*--keys",
    ):
        again(ring, clock)


def test_open_key_files_are_refused(ring: KeyRing, clock: ManualClock) -> None:
    """A key that others may read is not used, and the sentence holds the remedy."""
    (ring.path / "root.key").chmod(0o640)

    with pytest.raises(Refusal, match="chmod 600"):
        again(ring, clock)


def test_create_never_replaces_keys(ring: KeyRing, clock: ManualClock) -> None:
    """A second init leaves the keys as they are."""
    with pytest.raises(Refusal, match="exist already"):
        KeyRing.create(ring.path.parent, IDENTITY, clock, TOKYO)


def test_keys_never_lie_inside_the_state_directory(tmp_path: Path) -> None:
    """A keys root inside the state directory is refused, links included."""
    (tmp_path / "state").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "state")

    refuse_inside(tmp_path / "keys", tmp_path / "state")
    for inside in ("state", "state/keys", "link/keys"):
        with pytest.raises(Refusal, match="inside the state directory"):
            refuse_inside(tmp_path / inside, tmp_path / "state")


def test_default_root(tmp_path: Path) -> None:
    """A service's root where it exists and is ours, else the user's configuration directory."""
    (tmp_path / "etc").mkdir()

    assert default_root({}, tmp_path / "etc") == tmp_path / "etc"
    assert default_root({"XDG_CONFIG_HOME": "/c"}, tmp_path / "no") == Path("/c/sekisho/keys")
    assert default_root({"XDG_CONFIG_HOME": "c"}, tmp_path / "no").parts[-3:] == (
        ".config",
        "sekisho",
        "keys",
    )


def test_a_ring_is_never_shown(ring: KeyRing) -> None:
    """Printing or pickling a ring reveals nothing."""
    assert repr(ring) == "<key ring>"
    with pytest.raises(TypeError):
        ring.__reduce__()
