"""A backup is restored that is older than a withdrawal: the gateway that goes on with it keeps nothing of that child."""

import asyncio
import os
import shutil
import time
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.clock import SystemClock
from gateway.keys.ring import KeyRing
from gateway.model.errors import Refusal
from gateway.registry.registry import Registry
from gateway.statedir import StateDir
from tests.e2e.crowd import Uplink, crowd, uplinks
from tests.e2e.disk import small_disk
from tests.e2e.processes import Gateway, sekisho
from tests.e2e.sender import Sender
from tests.e2e.town import Town
from tests.fakes.sealed import opened

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SECOND = 1_000_000


def _rows(town: Town) -> int:
    return sum(1 for _ in opened(town.state, "child_tracker", town.keys))


def _send(gateway: Gateway, token: str, sent: list[Uplink]) -> None:
    asyncio.run(Sender("both", ("fleet", token), iter(sent)).run(gateway.port))


def test_nothing_is_kept_of_a_child_whose_consent_was_withdrawn_after_the_backup(
    tmp_path: Path,
) -> None:
    """Two children walk; the backup is taken; one guardian withdraws; the disk breaks. Under the restored directory the
    acknowledgements come as ever, the other child's rows grow, and this one's do not."""
    town = Town(tmp_path / "town", None)
    members = crowd(2, 0, 0)
    token = town.enrol(members)
    now = time.time_ns() // 1000
    walked = list(islice(uplinks(members, now - 3600 * SECOND), 240))
    leaver = [uplink for uplink in walked if uplink.device == "child-0"]
    stays = [uplink for uplink in walked if uplink.device == "child-1"]
    where = ("--config", str(town.config))
    copy = tmp_path / "backup"
    with Gateway(town) as gateway:
        _send(gateway, token, [*leaver[:40], *stays[:40]])
        assert sekisho(tmp_path, "backup", str(copy), *where)[0] == 0
        assert gateway.stop() == 0
    assert sekisho(tmp_path, "devices", "withdraw", "child-0", *where)[0] == 0
    shutil.rmtree(town.state.path)

    code, out, err = sekisho(tmp_path, "restore", str(copy), *where)

    assert (code, "consents withdrawn: 1" in out) == (0, True), err
    before = _rows(town)
    assert before > 0
    with Gateway(town) as gateway:
        _send(gateway, token, leaver[40:])
        assert gateway.stop() == 0
    assert _rows(town) == before
    with Gateway(town) as gateway:
        _send(gateway, token, stays[40:])
        assert gateway.stop() == 0
    assert _rows(town) > before


@pytest.mark.needs("mount")
def test_a_gateway_starts_with_keys_on_a_full_or_read_only_disk(tmp_path: Path) -> None:
    """It needs no room for the mere number of its process."""
    town = Town(tmp_path / "town", None)
    members = crowd(1, 0, 0)
    town.enrol(members)
    keys = town.folder / "keys"
    kept = keys.rename(tmp_path / "keys")
    with small_disk(keys, "1m") as disk:
        shutil.copytree(kept, keys, dirs_exist_ok=True)
        keys.chmod(0o700)
        for filled, closed in ((True, False), (False, True)):
            if filled:
                disk.fill()
            disk.read_only(closed)
            with Gateway(town) as gateway:
                assert gateway.stop() == 0
            disk.read_only(False)
        disk.empty()


@pytest.mark.needs("mount")
@pytest.mark.parametrize(("full", "room"), [("keys", 8192), ("town", 65536)])
def test_an_import_that_kept_nothing_takes_no_home_away(
    tmp_path: Path, full: str, room: int
) -> None:
    """Three hundred families move, and the disk of the keys fills up on the way, or that of the registry at the end: the
    import says that nothing was kept, and every home is known as before."""
    families = range(300)
    with small_disk(tmp_path / "disk", "4m") as disk:
        where = {name: tmp_path / name for name in ("keys", "town")} | {full: disk.path / full}
        state = StateDir.create(where["town"], None, SystemClock())
        ring = KeyRing.create(where["keys"], state.id, SystemClock(), ZoneInfo("Asia/Tokyo"))
        ring.households.make_all(f"h-{n}" for n in families)
        with Registry.open(state, ring) as registry:
            _live(registry, families, 36.7)
        with Registry.open(state, ring) as registry:
            disk.fill()
            os.truncate(disk.path / "ballast", (disk.path / "ballast").stat().st_size - room)
            with pytest.raises(Refusal):
                _live(registry, families, 36.8)
        disk.empty()
        with Registry.open(state, ring) as registry:
            assert not registry.taken_back.done
            homes = registry.families.homes().values()
            assert sum(one.home is not None and one.home.lat < 36.75 for one in homes) == 300


def _live(registry: Registry, families: range, lat: float) -> None:
    with registry.change():
        for n in families:
            registry.put_home(f"h-{n}", lat + n * 1e-4, 137.2)


def test_a_copy_beside_a_gateway_that_runs_is_not_run(tmp_path: Path) -> None:
    """Two would count the same people, and release the same periods."""
    town = Town(tmp_path / "town", None)
    copy, other = tmp_path / "backup", tmp_path / "other"
    where = ("--config", str(town.config))
    with Gateway(town) as gateway:
        assert sekisho(tmp_path, "backup", str(copy), *where)[0] == 0
        words = ("--state", str(other / "state"), "--keys", str(town.folder / "keys"))
        assert sekisho(tmp_path, "restore", str(copy), *words)[0] == 0
        second = town.moved(other)
        said = second.config.read_text()
        second.config.write_text(said.replace(f"{other}/keys", f"{town.folder}/keys"))
        code, _out, err = sekisho(tmp_path, "run", "--config", str(second.config))
        assert (code, "A gateway already works with the keys" in err) == (1, True), err
        assert gateway.stop() == 0
    with Gateway(second) as gateway:
        assert gateway.stop() == 0
