"""What becomes of sessions and counters where an operator intervenes, or a device joins anew, over kills."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from gateway.lorawan.merging import LATE_S
from gateway.registry.radio_rows import Secrets
from gateway.wire.lorawan.identifiers import Eui
from sekisho.following import follow
from tests.e2e.processes import Gateway, sekisho, until
from tests.e2e.radio_town import GAUGE_PORT, STAGE, has, radio, rows
from tests.e2e.test_doctor_lorawan import refused
from tests.e2e.test_lorawan import plugged_in
from tests.e2e.test_restore_lorawan import (
    ABP_EUI,
    ADDR,
    APP,
    NWK,
    answered,
    joins,
    resume,
    town_of_both,
)
from tests.e2e.town import SINCE, Town
from tests.fakes.node import APP_KEY, JOIN_EUI

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def devices(town: Town, *words: str) -> None:
    """Said against the running gateway, which has taken it in when this returns."""
    code, out, err = sekisho(town.folder, "devices", *words, "--config", str(town.config))
    assert code == 0, out + err


@pytest.mark.parametrize("killed", [False, True], ids=["running", "killed"])
def test_a_device_that_is_let_in_again_goes_on_with_its_counters(tmp_path: Path, killed: bool) -> None:  # fmt: skip
    """Revoked and restored, also where the gateway was killed between the two: no downlink counter is used twice, what was
    captured is refused, and whoever joins needs no new join. Revoked, nothing of it is heard."""
    town, joining, never = town_of_both(tmp_path / "town")
    both = {"node-1": joining, "node-2": never}
    used: dict[str, list[int]] = {}
    lives = 2 if killed else 1
    for life in range(lives):
        with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
            if life == 0:
                joins(forwarder, joining)
                for name, node in both.items():
                    used[name] = [answered(forwarder, node, f_cnt) for f_cnt in range(40, 43)]
                    devices(town, "revoke", name)
                    forwarder.push(node.says(50, STAGE, confirmed=True, f_port=GAUGE_PORT))
                refused(town, "another network's")
                assert radio(town)["sessions"] == 0
                stored = rows(town)
            if life == lives - 1:
                for name, node in both.items():
                    devices(town, "restore", name)
                    forwarder.push(node.says(41, STAGE, f_port=GAUGE_PORT))
                refused(town, "replayed")
                refused(town, "counter begun anew")
                for name, node in both.items():
                    used[name].append(answered(forwarder, node, 43))
            gateway.kill()
    for name, counters in used.items():
        assert counters == sorted(set(counters)), f"a downlink counter of {name} was used twice"
    assert len(rows(town)) == len(stored) + 2


def test_a_session_that_has_ended_stays_so_over_a_kill(tmp_path: Path) -> None:
    """A frame of the old session that only an eavesdropper heard is refused behind the kill, and the new session goes on. It does
    over the next one, too, where the device has asked to join twice and heard no answer."""
    town, node, _never = town_of_both(tmp_path / "town")
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        joins(forwarder, node)
        answered(forwarder, node, 0)
        jammed = node.says(5, STAGE, f_port=GAUGE_PORT)
        joins(forwarder, node)
        answered(forwarder, node, 0)
        until(lambda: has(town, 2), "the rows")
        gateway.kill()
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        forwarder.push(jammed)
        refused(town, "another network's")
        answered(forwarder, node, 1)
        for _ in range(2):
            forwarder.push(node.request())
            assert forwarder.asked(8) is not None, "a join that the device does not hear"
        gateway.kill()
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        forwarder.push(jammed)
        refused(town, "another network's")
        answered(forwarder, node, 2)
        until(lambda: has(town, 4), "the rows")


@pytest.mark.parametrize("told", [True, False], ids=["counters told", "not told"])
def test_a_device_of_another_server_goes_on_where_it_was_there(tmp_path: Path, told: bool) -> None:
    """ABP, from an export: with the counters that stand in it, or with those that an operator says, and until then it is refused by
    name. What was captured there is refused, and no downlink counter of there is used again, over a kill."""
    town, _joining, never = town_of_both(tmp_path / "town", abp_keys=False)
    said = {"devEui": str(ABP_EUI), "devAddr": str(ADDR), "appSKey": APP.hex()}
    said |= dict.fromkeys(("fNwkSIntKey", "sNwkSIntKey", "nwkSEncKey"), NWK.hex())
    counters = {"fCntUp": 70_011, "nFCntDown": 300, "aFCntDown": 0}
    file = tmp_path / "export.json"
    file.touch(0o600)
    file.write_text(json.dumps(said | counters if told else said))
    captured = never.says(9, STAGE, confirmed=True, f_port=GAUGE_PORT)
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        devices(town, "import-keys", str(file))
        if not told:
            forwarder.push(captured)
            refused(town, "counters unknown")
            assert radio(town)["held"] == ["node-2"]
            assert resume(town, "node-2", "--up", "70010", "--down", "300")[0] == 0
        assert answered(forwarder, never, 70_011) == 300
        time.sleep(LATE_S)  # before that it is a copy that came late
        forwarder.push(captured)
        refused(town, "counter begun anew")
        gateway.kill()
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        assert answered(forwarder, never, 70_012) > 300
        forwarder.push(captured)
        refused(town, "counter begun anew")
    assert [counter for counter, *_ in rows(town)] == [70_011, 70_012]


@pytest.mark.parametrize(
    ("join_eui", "counting"), [(JOIN_EUI, True), (None, False)], ids=["JoinEUI", "version"]
)
def test_the_remedy_for_a_wrong_join_eui_lets_no_captured_join_in(tmp_path: Path, join_eui: Eui | None, counting: bool) -> None:  # fmt: skip
    """The same root key is imported once more at a running gateway, as `doctor` advises: a captured join is refused there, and after
    a kill; the device's next join is answered with a JoinNonce above all before."""
    town, node, _never = town_of_both(tmp_path / "town")
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        captured = node.request()
        forwarder.push(captured)
        assert forwarder.asked(8) is not None
        nonce = joins(forwarder, node)
        answered(forwarder, node, 0)
        with town.registry() as registry:
            again = Secrets(app_key=APP_KEY.secret, join_eui=join_eui, counting=counting)
            registry.radio.put("node-1", again, SINCE)
        follow(town.state)
        time.sleep(LATE_S)  # before that it is a copy that came late
        forwarder.push(captured)
        refused(town, "DevNonce used before")
        answered(forwarder, node, 1)
        gateway.kill()
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        forwarder.push(captured)
        refused(town, "DevNonce used before")
        assert joins(forwarder, node) == nonce + 1
        answered(forwarder, node, 0)


def test_a_session_that_cannot_be_read_counts_as_lost(tmp_path: Path) -> None:
    """A record on disk is damaged, or of another version: nothing begins at its first counter, whoever never joins is held, and
    the gateway runs."""
    town, _joining, never = town_of_both(tmp_path / "town")
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        used = [answered(forwarder, never, f_cnt) for f_cnt in (40, 41)]
        captured = never.says(41, STAGE, f_port=GAUGE_PORT)
        gateway.kill()
    with closing(sqlite3.connect(town.state.sessions_db)) as db, db:
        assert db.execute("UPDATE radio SET sealed = zeroblob(156)").rowcount == 1
    with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
        assert radio(town)["held"] == ["node-2"]
        forwarder.push(captured)
        refused(town, "counters unknown")
        assert resume(town, "node-2", "--up", "41")[0] == 0
        assert answered(forwarder, never, 42) > max(used)
