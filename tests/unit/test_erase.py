"""A household leaves: its key, home and consents are destroyed, every copy of its rows is noise, and a proof says so."""

import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from gateway.app import erasing, erasure_proof, run
from gateway.app.checkpoint import Tempo
from gateway.app.counters import Counters
from gateway.app.erasure_proof import is_genuine, readable, unreadable
from gateway.canary.canaries import Canaries
from gateway.clock import SimulatedClock, SystemClock
from gateway.keys.exports import Exports, read
from gateway.keys.exports import put as put_keys
from gateway.keys.households import HouseholdKeys
from gateway.keys.ring import KeyRing
from gateway.model.device import Directory
from gateway.model.errors import Refusal
from gateway.model.identity import DeviceId
from gateway.model.instant import to_rfc3339
from gateway.model.observation import Observation
from gateway.privacy.pseudonym import FileNames
from gateway.privacy.web_push import Subscription
from gateway.registry.family_book import FamilyBook
from gateway.registry.registry import Registry
from gateway.statedir import Mark, StateDir
from gateway.stores import plain_rows
from gateway.stores.releases import Releases
from gateway.stores.sqlite_file import SqliteFile
from gateway.telemetry import Facts
from sekisho.canary_fixture import look
from sekisho.looking import log_of
from tests.fakes.counting import lane, plan, walked
from tests.fakes.erasing import begin
from tests.fakes.front_door import Sekisho
from tests.fakes.readings import HOME as FAMILY
from tests.fakes.readings import NOON, policy
from tests.fakes.sealed import opened, put

WEEKS = ("store-2026-W19", "store-2026-W20", "store-2026-W21")
HOME = (36.712_345_678_9, 137.212_345_678_9)
ZONE = ZoneInfo("Asia/Tokyo")
BEFORE = Path(__file__).parents[1] / "vectors" / "proofs" / "before_moves.json"
"""A proof of an invented household, from before families could move."""
ANALYSIS = plan(of=lane())
PHONE = Subscription("https://push.example/1", bytes(65), bytes(16))


class House:
    """A directory with two families, each with rows in three weeks; the first has two children."""

    def __init__(self, folder: Path, mark: Mark | None) -> None:
        self.folder = folder
        self.state = StateDir.create(folder / "town" / "state", mark, SystemClock())
        self.ring = KeyRing.create(folder / "town" / "keys", self.state.id, SystemClock(), ZONE)
        with self.registry() as registry, registry.change():
            for device, family in (("child-1", "h-1"), ("child-2", "h-1"), ("child-3", "h-2")):
                registry.put_device(device, "child_tracker", "16201", 0, family, name=f"{device}'s")
                registry.record_consent(device, "store", "Yamada Hanako", "sheet 1", NOON)
                registry.put_credential(device, [device], token="0" * 32)
            registry.put_credential("shared", ["child-1", "child-3"], token="1" * 32)
            for family in ("h-1", "h-2"):
                registry.put_home(family, *HOME)
        families = [("h-1", "child-1"), ("h-1", "child-2"), ("h-2", "child-3")]
        for n, (family, device) in enumerate(families):
            if self.state.sealed:
                put(self.state, self.ring, self.rows(device, family, n), family)
            else:
                self.put_plain(self.rows(device, family, n))

    def rows(self, device: str, family: str, n: int) -> list[Observation]:
        """Two rows in each week; in the last one the pseudonym is the day's."""
        made = []
        for week in WEEKS:
            said = f"{device} 2026-05-12" if week == WEEKS[-1] else device
            who = FileNames(week, self.ring.file_key(week)).child(family, said)
            for minute in (0, 1):
                identity = bytes([n, minute]) * 8
                row = (
                    NOON + minute * 60_000_000,
                    identity,
                    who,
                    36.70001,
                    137.20002,
                    3,
                    None,
                    None,
                )
                made.append(Observation("child_tracker", week, row))
        return made

    def put_plain(self, rows: list[Observation]) -> None:
        for kind, week, row in rows:
            file = SqliteFile(self.state.personal_dir / f"{week}.db", "personal")
            assert file.insert(kind, [row]) == ([], [])
            file.close()

    def registry(self) -> Registry:
        return Registry.open(self.state, self.ring)

    def copies(self) -> list[Path]:
        """Two backups: one of plain copies, one by `VACUUM INTO`."""
        plain, vacuumed = self.folder / "backup-1", self.folder / "elsewhere" / "backup-2"
        shutil.copytree(self.state.path, plain)
        for path in (*self.state.personal_dir.glob("*.db"), self.state.registry_db):
            target = vacuumed / path.relative_to(self.state.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(path)) as db:
                db.execute("VACUUM INTO ?", (str(target),))
        return [plain, vacuumed]

    def people(self) -> list[dict[str, Any]]:
        return list(opened(self.state, "child_tracker", self.ring))


@pytest.fixture(params=[None, Mark.REPLAY], ids=["production", "REPLAY"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> House:
    return House(tmp_path, request.param)


def test_erased_a_household_can_be_read_nowhere(house: House, sekisho: Sekisho) -> None:
    """Three weeks of two siblings in the directory and two backups: eighteen rows each, none readable; the other
    family's are all there, in the backups too. Home, consents, names, tokens are gone, and no copy of the key is left."""
    key = house.ring.households.key("h-1")
    assert key is not None
    copies = house.copies()
    backups = [word for copy in copies for word in ("--backup", str(copy))]
    assert len(house.people()) == 18
    where = ("--state", str(house.state.path))

    answer = sekisho("privacy", "erase", "h-1", "--yes", *backups, *where, "--json")

    assert answer.code == 0, answer.err
    proof = json.loads(answer.out)
    assert (unreadable(proof), readable(proof)) == ((12, 24), 0)
    assert [sum(f["theirs"] for f in copy["files"]) for copy in proof["copies"]] == [12, 12]
    assert [copy["registry"] for copy in proof["copies"]] == [{"tried": 3, "readable": 0}] * 2
    assert len(house.people()) == 6
    assert [copy["in_clear"] for copy in proof["copies"]] == [{"devices": 2, "consents": 2}] * 2
    told = sekisho("privacy", "proof", proof["proof"], *where)
    assert "in 2 of 2 copies" in told.out.replace("\n", " ")
    assert not any(key in path.read_bytes() for path in house.folder.rglob("*") if path.is_file())
    with house.registry() as registry:
        assert not any(registry.families.traces("h-1"))
        directory = registry.directory()
        assert registry.device("child-1").name is None
    gone, stays = directory.devices[DeviceId("child-1")], directory.devices[DeviceId("child-3")]
    assert gone.revoked
    assert (gone.household, gone.consents) == (None, frozenset())
    assert stays.household is not None
    assert stays.consents == {"store"}
    assert set(directory.credentials) == {"child-3", "shared"}
    assert directory.credentials["shared"].devices == {"child-3"}
    assert [entry["act"] for entry in log_of(house.state, house.ring).entries()] == ["erase"]
    assert look(house.state.path, Canaries((), (), ("Yamada Hanako",), homes=(HOME,))) == []


def test_in_a_copy_of_the_registry_the_other_family_still_opens(house: House) -> None:
    """The trial can fail: before the erasure everything in the copy opens, and of the other family it always does."""
    copy = house.copies()[0]
    with house.registry() as registry:
        proof = _erased(house, registry, (copy,))
    assert proof["copies"][0]["registry"]["readable"] == 0
    with house.registry() as registry:
        other = begin(house.state, house.ring, registry, "h-2", (copy,), NOON)
    with house.registry() as registry:
        left = registry.families.traces("h-2")
        before = erasure_proof.made(house.state, house.ring, other, NOON, left, {})
    assert before["copies"][0]["registry"] == {"tried": 2, "readable": 2}
    assert readable(before) == 6 + 6 + 2 + 2 + 1


def test_a_copy_from_before_guardians_had_devices_is_tried_all_the_same(house: House) -> None:
    """An older backup lacks newer tables; where a guardian's device is there, it is tried like a home."""
    with house.registry() as registry:
        registry.families.add_guardian("h-1", "a telephone", PHONE, NOON)
    new, old = house.copies()
    with closing(sqlite3.connect(old / "registry.db")) as db:
        db.execute("DROP TABLE guardians")
    with house.registry() as registry:
        proof = _erased(house, registry, (new, old))
    assert [copy["registry"]["tried"] for copy in proof["copies"]] == [4, 3]
    assert proof["registry"]["guardians"] == readable(proof) == 0
    assert readable(proof | {"registry": {**proof["registry"], "guardians": 1}}) == 1


def test_a_copy_beside_which_its_keys_lie_is_told(house: House, sekisho: Sekisho) -> None:
    """Whoever copied the keys along can still read: the proof says so, and the command fails."""
    copy = house.folder / "far" / "state"
    shutil.copytree(house.state.path, copy)
    shutil.copytree(house.ring.path.parent, copy.parent / "keys")
    where = ("--state", str(house.state.path))

    answer = sekisho("privacy", "erase", "h-1", "--yes", "--backup", str(copy), *where)

    assert answer.code == 1
    assert "ITS KEYS LIE BESIDE IT" in answer.out
    assert "15 that can still be read" in answer.out


def test_a_proof_is_checked_against_the_keys_that_signed_it(
    house: House, sekisho: Sekisho, tmp_path: Path
) -> None:
    """Genuine as it is; false after a change of one figure; another's under another key; and no proof, no verdict."""
    where = ("--state", str(house.state.path))
    sekisho("privacy", "erase", "h-1", "--yes", *where)
    (file,) = house.state.erasures_dir.glob("*.json")
    said = json.loads(file.read_text())
    assert said["key"]["destroyed"] is True
    assert is_genuine(said)
    good = sekisho("privacy", "proof", str(file), *where)
    assert (good.code, "genuine" in good.out) == (0, True)
    known = sekisho("privacy", "proof", str(file), "--key", said["signed_by"])
    assert known.code == 0
    other = sekisho("privacy", "proof", str(file), "--key", "ab" * 32)
    assert (other.code, "ANOTHER key" in other.out) == (1, True)
    said["files"][0]["readable"] = 0
    said["household"] = "h-9"
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(said))
    assert "FALSE" in sekisho("privacy", "proof", str(forged), *where).err
    forged.write_text("{}")
    assert sekisho("privacy", "proof", str(forged), *where).code == 2


def test_a_proof_of_before_is_still_read(sekisho: Sekisho) -> None:
    """It counts nothing that there was none of then, and is as genuine and as good as it was."""
    said = json.loads(BEFORE.read_bytes())
    assert "former_homes" not in said["registry"]
    answer = sekisho("privacy", "proof", str(BEFORE), "--key", said["signed_by"])
    assert answer.code == 0, answer.err
    assert "12 that nobody can read any more; and 12 in 1 copy" in " ".join(answer.out.split())
    assert readable(said | {"registry": {**said["registry"], "homes": 1}}) == 1


@pytest.mark.parametrize("word", ["yes", "n"])
def test_nothing_is_erased_unasked(house: House, sekisho: Sekisho, word: str) -> None:
    """Without --yes somebody must be there to say it; what is unknown, or no copy, is refused before anything goes."""
    where = ("--state", str(house.state.path))
    alone = sekisho("privacy", "erase", "h-1", *where, stdin=f"{word}\n")
    assert (alone.code, "--yes" in alone.err) == (2, True)
    unknown = sekisho("privacy", "erase", "h-7", "--yes", *where)
    assert "Nothing is known of a household h-7" in unknown.err
    nothing = ("--backup", str(house.folder / "town"))
    assert "no copy" in sekisho("privacy", "erase", "h-1", "--yes", *nothing, *where).err
    assert len(house.people()) == 18
    assert erasing.begun(house.state) == []


def _erased(house: House, registry: Registry, copies: tuple[Path, ...] = ()) -> dict[str, Any]:
    erasure = begin(house.state, house.ring, registry, "h-1", copies, NOON)
    file = erasing.carry_out(house.state, house.ring, registry, erasure, NOON)
    proof: dict[str, Any] = json.loads(file.read_text())
    return proof


def _die(*_: object, **__: object) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def _before_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FamilyBook, "erase", _die)


def _before_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.keys.households.HouseholdKeys.destroy", _die)


def _key_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "unlink", _die)


def _before_plain_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.app.erasure.Erasure.pseudonyms", _die)


def _before_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.app.erasure_proof.made", _die)


def _proof_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.app.erasing.sync_directory", _die)


STEPS = [
    _before_the_registry, _before_the_key, _key_overwritten, _before_plain_rows, _before_the_proof, _proof_written,
]  # fmt: skip


@pytest.mark.parametrize("mark", [None, Mark.SIM], ids=["sealed", "plain"])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__.strip("_"))
def test_cut_off_anywhere_it_is_finished_at_the_next_start(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: Callable[[pytest.MonkeyPatch], None],
    mark: Mark | None,
) -> None:
    """SIGKILL in the middle, and then again in the same place: behind the start that follows nothing of the
    household is left, the proof is genuine, and nothing is waiting."""
    house = House(tmp_path, mark)
    for attempt in range(2):
        child = os.fork()
        if not child:
            with monkeypatch.context() as sabotage, house.registry() as registry:
                if attempt:
                    step(sabotage)
                    erasing.finish(house.state, house.ring, registry, NOON)
                else:
                    erasure = begin(house.state, house.ring, registry, "h-1", (), NOON)
                    step(sabotage)
                    erasing.carry_out(house.state, house.ring, registry, erasure, NOON)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not attempt:
            assert os.WTERMSIG(status) == signal.SIGKILL
    with house.registry() as registry:
        erasing.finish(house.state, house.ring, registry, NOON)
        assert not any(registry.families.traces("h-1"))
    assert erasing.begun(house.state) == []
    assert house.ring.households.key("h-1") is None
    assert len(house.people()) == 6
    (file,) = house.state.erasures_dir.glob("*.json")
    proof = json.loads(file.read_text())
    assert is_genuine(proof)
    assert readable(proof) == 0


@pytest.mark.channel("C27")
def test_plain_rows_are_deleted_to_the_last_byte(tmp_path: Path) -> None:
    """In SIM directories, by file and day: nothing of their pseudonyms stays in file or journal; a copy made before
    keeps them, and the proof says so."""
    house = House(tmp_path, Mark.SIM)
    ours = {row.row[2] for row in house.rows("child-1", "h-1", 0)}
    assert len(ours) == 3
    copy = house.copies()[0]
    with house.registry() as registry:
        proof = _erased(house, registry, (copy,))
    assert sum(file["deleted"] for file in proof["files"]) == 12
    assert readable(proof) == 12
    assert len(house.people()) == 6
    for path in house.state.personal_dir.iterdir():
        assert not any(pseudonym in path.read_bytes() for pseudonym in ours)


def test_an_export_that_holds_the_key_is_named_and_brings_it_not_back(house: House) -> None:
    """Numbered in the proof, so that somebody destroys it; imported here again it lacks what was erased, and nothing
    else. Elsewhere it would bring it, so the trial can fail."""
    exports = Exports(house.ring.path)
    number, text = exports.make(house.state.id, "a long passphrase", NOON)
    with house.registry() as registry:
        proof = _erased(house, registry)
    _, keys = read(text, "a long passphrase")

    assert [one["number"] for one in proof["exports"]] == [number]
    came, _known = put_keys(house.ring.path, keys)
    assert (came, house.ring.households.names()) == (0, ["h-2"])
    put_keys(house.folder / "other ring", keys)
    elsewhere = HouseholdKeys(house.folder / "other ring" / "households")
    assert elsewhere.names() == ["h-1", "h-2"]


async def test_numbers_that_were_counted_stay(house: House) -> None:
    """A family in the middle of a period is erased: not a byte of counters changes, and the release tells of six
    families as it would have."""
    clock = SimulatedClock(NOON)
    where = (house.state, house.ring, lambda: Directory({}, {}), clock, UTC, Facts())
    counters = Counters((ANALYSIS,), "rules", *where)
    counters.take_up()
    for n in range(6):
        assert counters.lanes[0].take(walked(FAMILY, f"h-{n}", NOON))
    await counters.write_down(clean=True)
    before = {path: path.read_bytes() for path in house.state.counting_dir.iterdir()}
    assert before

    with house.registry() as registry:
        _erased(house, registry)

    assert {path: path.read_bytes() for path in house.state.counting_dir.iterdir()} == before
    again = Counters((ANALYSIS,), "rules", *where)
    again.take_up()
    clock.advance(ANALYSIS.calendar.moment(NOON).span.closes)
    await again.look_after()
    (row,) = Releases(house.state.releases_dir, clock, UTC).document("analysis", "2026-05")["rows"]
    assert row["households"] == "6"


@pytest.mark.channel("C33")
def test_a_household_that_comes_back_is_another_one(house: House) -> None:
    """The same name gets another key: what was erased stays so."""
    with house.registry() as registry:
        first = _erased(house, registry)
        registry.put_home("h-1", *HOME)
        second = _erased(house, registry)
    assert first["key"]["id"] != second["key"]["id"]
    assert unreadable(second) == (0, 0)


@pytest.mark.channel("C33")
@pytest.mark.parametrize("by", ["the start", "the command"])
def test_a_family_that_comes_back_while_an_erasure_waits_is_left_alone(
    house: House, sekisho: Sekisho, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """Cut off behind the key, and registered anew under the same name: what waits is finished for the key that it was
    begun for, and the new family keeps home, consent, device and key; called by hand, the new one is asked about."""

    def cut_off(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with house.registry() as registry, monkeypatch.context() as broken:
        broken.setattr("gateway.app.erasure_proof.made", cut_off)
        with pytest.raises(OSError, match="No space"):
            _erased(house, registry)
        assert len(erasing.begun(house.state)) == 1
    _comes_back(house)
    if by == "the start":
        with house.registry() as registry:
            assert erasing.finish(house.state, house.ring, registry, NOON) == (1, 0)
    else:
        answer = sekisho("privacy", "erase", "h-1", "--state", str(house.state.path))
        assert (answer.code, "--yes" in answer.err) == (2, True)
        answer = sekisho("privacy", "erase", "h-1", "--yes", "--state", str(house.state.path))
        assert (answer.code, "leaves this one alone" in answer.err) == (2, True)
        assert _is_there(house)
        return
    (file,) = house.state.erasures_dir.glob("*.json")
    proof = json.loads(file.read_bytes())
    assert proof["came_back"] is proof["key"]["destroyed"] is True
    assert (unreadable(proof), readable(proof)) == ((12, 0), 0)
    with house.registry() as registry:
        assert registry.consents()["child-9"] == {"store"}
        held = registry.families.held("h-1")
    assert held.home is not None
    assert [row.revoked_at for row in held.devices] == [None]
    sekisho("privacy", "erase", "h-1", "--yes", "--state", str(house.state.path))
    assert house.ring.households.key("h-1") is None
    assert len(list(house.state.erasures_dir.glob("*.json"))) == 2


def test_copies_named_the_second_time_are_tried_too(
    house: House, sekisho: Sekisho, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off and called again with another copy: the proof knows both, each by the one name that it has."""
    one, other = house.copies()
    roundabout = one / ".." / one.name

    def cut_off(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    words = ("privacy", "erase", "h-1", "--yes", "--json", "--state", str(house.state.path))
    with monkeypatch.context() as broken:
        broken.setattr("gateway.app.erasure_proof.made", cut_off)
        assert "Call it again" in sekisho(*words, "--backup", str(roundabout)).err
    answer = sekisho(*words, "--backup", str(other))
    assert answer.code == 0, answer.err
    said = json.loads(answer.out)
    assert [copy["directory"] for copy in said["copies"]] == [str(one), str(other)]
    assert [sum(f["theirs"] for f in copy["files"]) for copy in said["copies"]] == [12, 12]


def test_a_copy_that_is_found_later_is_tried_by_itself(house: House, sekisho: Sekisho) -> None:
    """Nothing of the household is known any more; the proof knows its key's id, and a further one says what the copy
    holds of it. Also of a family that was erased twice, under either key."""
    one, other = house.copies()
    words = ("privacy", "erase", "h-1", "--json", "--state", str(house.state.path))
    assert sekisho(*words, "--yes").code == 0
    with house.registry() as registry:
        registry.put_home("h-1", *HOME)
    assert sekisho(*words, "--yes").code == 0
    answer = sekisho(*words, "--backup", str(one), "--backup", str(other))
    assert answer.code == 0, answer.err
    said = json.loads(answer.out)
    proofs = [said, *said["further"]]
    assert len({proof["key"]["id"] for proof in proofs}) == len(proofs) == 2
    found = {
        sum(f["theirs"] for copy in proof["copies"] for f in copy["files"]) for proof in proofs
    }
    assert found == {0, 24}
    assert all(is_genuine(json.loads(Path(proof["proof"]).read_bytes())) for proof in proofs)
    assert len(list(house.state.erasures_dir.glob("*.json"))) == 4
    said = [entry["purpose"] for entry in log_of(house.state, house.ring).entries()]
    assert said == ["a family leaves"] * 2 + ["copies of a family that left are tried"] * 2


def _comes_back(house: House) -> None:
    with house.registry() as registry:
        registry.put_home("h-1", *HOME)
        registry.put_device("child-9", "child_tracker", "16201", 0, "h-1")
        registry.record_consent("child-9", "store", "Sato", "sheet 2", NOON)


def _is_there(house: House) -> bool:
    with house.registry() as registry:
        held = registry.families.held("h-1")
        speaks = [row.revoked_at for row in held.devices] == [None]
        return held.home is not None and speaks and registry.consents()["child-9"] == {"store"}


@pytest.mark.channel("C33")
def test_copies_are_tried_beside_a_family_that_came_back(house: House, sekisho: Sekisho) -> None:
    """`--only-copies` erases nothing and begins nothing: the new family keeps all it has, and the proof says of the old
    one's key what the copy holds."""
    one, other = house.copies()
    words = ("privacy", "erase", "h-1", "--json", "--state", str(house.state.path))
    none = sekisho(*words, "--only-copies", "--backup", str(one))
    assert (none.code, "No proof in" in none.err) == (1, True)
    first = json.loads(sekisho(*words, "--yes").out)
    _comes_back(house)
    key = house.ring.households.key("h-1")
    assert sekisho(*words, "--only-copies").code == 2

    answer = sekisho(*words, "--only-copies", "--backup", str(one), "--backup", str(other))

    assert answer.code == 0, answer.err
    proof = json.loads(answer.out)
    assert proof["key"] == {"id": first["key"]["id"], "destroyed": True}
    assert proof["came_back"]
    assert (unreadable(proof), readable(proof)) == ((12, 24), 0)
    assert "further" not in proof
    assert house.ring.households.key("h-1") == key
    assert _is_there(house)
    assert erasing.begun(house.state) == []
    said = [entry["purpose"] for entry in log_of(house.state, house.ring).entries()]
    assert said == ["a family leaves", "copies of a family that left are tried"]


@pytest.mark.channel("C33")
def test_a_family_that_came_back_is_not_erased_by_the_yes_to_another(
    house: House, sekisho: Sekisho
) -> None:
    """Named with copies and --yes, it would go beside what was meant: it is asked about, by what is known of it."""
    copy = house.copies()[0]
    words = ("privacy", "erase", "h-1", "--state", str(house.state.path))
    assert sekisho(*words, "--yes").code == 0
    _comes_back(house)

    hasty = sekisho(*words, "--yes", "--backup", str(copy))
    assert (hasty.code, "registered again since" in hasty.err, "--only-copies" in hasty.err) == (2, True, True)  # fmt: skip
    asked = sekisho(*words, "--backup", str(copy))
    assert (asked.code, "registered again since" in asked.out) == (2, True)
    assert _is_there(house)
    assert sekisho(*words, "--yes").code == 0
    assert house.ring.households.key("h-1") is None


def test_what_waits_and_who_came_back_are_two_erasures(house: House) -> None:
    """Each of its own key; where nobody came back there is one, also while its key is not destroyed yet."""
    with house.registry() as registry:
        begun = begin(house.state, house.ring, registry, "h-1", (), NOON)
        words = house.state, house.ring, registry, "h-1", (), NOON
        assert erasing.planned(*words) == ([begun], [], None)
        registry.families.erase("h-1", NOON)
        house.ring.households.destroy("h-1")
        assert erasing.planned(*words) == ([begun], [], None)
    _comes_back(house)
    with house.registry() as registry:
        found = erasing.planned(house.state, house.ring, registry, "h-1", (), NOON + 1)
    assert [one.devices for one in found.erasures] == [("child-1", "child-2"), ("child-9",)]
    assert found.erasures[0].key_id not in (None, found.erasures[1].key_id)
    assert found.back_since == to_rfc3339(NOON)


def test_of_a_household_that_had_no_key_copies_are_tried_and_nothing_else(
    house: House, sekisho: Sekisho
) -> None:
    """Erased with a device alone, it came back with a key: that is another family's."""
    with house.registry() as registry:
        registry.put_device("child-4", "child_tracker", "16201", 0, "h-3")
    copy = house.copies()[0]
    words = ("privacy", "erase", "h-3", "--state", str(house.state.path))
    assert sekisho(*words, "--yes").code == 0
    with house.registry() as registry:
        registry.put_home("h-3", *HOME)
    assert sekisho(*words, "--only-copies", "--backup", str(copy)).code == 0
    with house.registry() as registry:
        assert registry.families.held("h-3").home is not None
    assert house.ring.households.key("h-3") is not None


def test_a_key_that_somebody_brought_back_is_told(house: House, sekisho: Sekisho) -> None:
    """Its file was copied into the ring by hand: the further proof does not say that it is destroyed."""
    copy = house.copies()[0]
    file = house.ring.path / "households" / "h-1.key"
    kept = file.read_bytes()
    words = ("privacy", "erase", "h-1", "--state", str(house.state.path))
    assert sekisho(*words, "--yes").code == 0
    file.touch(0o600)
    file.write_bytes(kept)
    answer = sekisho(*words, "--only-copies", "--backup", str(copy))
    assert (answer.code, "THERE AGAIN" in answer.out) == (1, True)


def _damaged(copy: Path) -> None:
    (copy / "personal" / f"{WEEKS[0]}.db").write_bytes(b"no database" * 100)


def _registry_damaged(copy: Path) -> None:
    (copy / "registry.db").write_bytes(b"no database" * 100)


def _card_damaged(copy: Path) -> None:
    (copy / "sekisho.json").write_bytes(b"{")


def _folder_shut(copy: Path) -> None:
    """As a folder that may not be looked into: the error comes where its files are listed."""
    shutil.rmtree(copy / "personal")
    (copy / "personal").touch()


def _another_one(copy: Path) -> None:
    shutil.rmtree(copy)
    StateDir.create(copy, None, SystemClock())


HARM = [_damaged, _registry_damaged, _card_damaged, _folder_shut, _another_one, shutil.rmtree]


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__.strip("_"))
def test_a_copy_that_cannot_be_read_stops_no_erasure_that_waits(
    house: House, sekisho: Sekisho, harm: Callable[[Path], None]
) -> None:
    """At the next start, or called again without it: the erasure is finished, and the proof never counts the copy as
    clean, but names it as not tried; command and `privacy proof` fail. The other copy is tried all the same."""
    copies = house.copies()
    with house.registry() as registry:
        begin(house.state, house.ring, registry, "h-1", tuple(copies), NOON)
        harm(copies[0])
        assert erasing.finish(house.state, house.ring, registry, NOON) == (1, 1)
    (file,) = house.state.erasures_dir.glob("*.json")
    proof = json.loads(file.read_bytes())
    assert list(erasure_proof.not_tried(proof)) == [str(copies[0])]
    assert (unreadable(proof), readable(proof)) == ((12, 12), 0)
    assert proof["copies"][0]["files"] == []
    assert str(erasure_proof.in_clear(proof)).startswith("in 1 of 1 copies")

    where = ("--state", str(house.state.path))
    told = sekisho("privacy", "proof", str(file), *where)
    assert (told.code, "copies not tried" in told.out) == (1, True)
    assert list(json.loads(sekisho("privacy", "proof", str(file), "--json", *where).out)["not_tried"]) == [
        str(copies[0])
    ]  # fmt: skip
    with house.registry() as registry:
        begin(house.state, house.ring, registry, "h-2", (copies[1],), NOON)
    harm(copies[1])
    again = sekisho("privacy", "erase", "h-2", "--yes", *where)
    said = " ".join(again.out.split())
    assert (again.code, f"copies not tried {copies[1]}" in said) == (1, True)
    assert erasing.begun(house.state) == []


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__.strip("_"))
def test_a_copy_that_cannot_be_read_is_refused_before_anything_goes(
    house: House, sekisho: Sekisho, harm: Callable[[Path], None]
) -> None:
    copies = house.copies()
    harm(copies[1])
    words = [word for copy in copies for word in ("--backup", str(copy))]
    answer = sekisho("privacy", "erase", "h-1", "--yes", *words, "--state", str(house.state.path))
    assert (answer.code, "Nothing was erased" in answer.err) == (2, True)
    assert len(house.people()) == 18
    assert erasing.begun(house.state) == []


async def test_a_gateway_that_could_not_try_a_copy_says_so(house: House) -> None:
    """It starts all the same."""
    copy = house.copies()[0]
    plan = SimpleNamespace(
        state=house.state, keys=house.ring, clock=SimulatedClock(NOON), policy=policy(), tempo=Tempo(), counted=(),
    )  # fmt: skip
    with house.registry() as registry:
        begin(house.state, house.ring, registry, "h-1", (copy,), NOON)
        shutil.rmtree(copy)
        begun = run._checkpoint(cast(run.Plan, plan), registry)
        await begun.store.close()
    assert {"erasure finished", "copies not tried"} <= set(begun.facts.counts)


def test_only_what_is_carried_out_stands_in_the_access_log(house: House, sekisho: Sekisho) -> None:
    """What was refused does not; what was done does, with the number of rows; and a name that is none is refused first."""
    where = ("--state", str(house.state.path))
    assert sekisho("privacy", "erase", "h-1", *where).code == 2
    bad = sekisho("privacy", "erase", "h-1", "--yes", "--backup", str(house.folder / "x"), *where)
    assert bad.code == 2
    none = sekisho("privacy", "erase", "H-1", "--yes", *where)
    assert (none.code, 'H-1" is no name' in none.err) == (2, True)
    assert sekisho("privacy", "erase", "h-7", "--yes", *where).code == 1
    assert log_of(house.state, house.ring).entries() == []
    assert sekisho("privacy", "erase", "h-1", "--yes", *where).code == 0
    (entry,) = log_of(house.state, house.ring).entries()
    assert (entry["act"], entry["rows"]) == ("erase", "10 to 99")


def test_rows_in_copies_are_told_apart_from_those_here(house: House, sekisho: Sekisho) -> None:
    copies = [word for copy in house.copies() for word in ("--backup", str(copy))]
    where = ("--state", str(house.state.path))
    answer = sekisho("privacy", "erase", "h-1", "--yes", *copies, *where)
    said = " ".join(answer.out.split())
    assert "12 that nobody can read any more; and 24 in 2 copies" in said
    assert "no row that bears its name, and no home" in said


def test_rows_that_bear_nobodys_name_are_told(tmp_path: Path, sekisho: Sekisho) -> None:
    """In a SIM directory under rules that drop pseudonyms nobody can say whose plain rows are: the proof counts them."""
    house = House(tmp_path, Mark.SIM)
    kind, week, row = house.rows("child-1", "h-1", 0)[0]
    house.put_plain([Observation(kind, week, (row[0], b"x" * 16, None, *row[3:]))])
    where = ("--state", str(house.state.path))
    answer = sekisho("privacy", "erase", "h-1", "--yes", *where)
    assert answer.code == 0, answer.err
    assert "1 plain row bears no pseudonym" in " ".join(answer.out.split())
    (file,) = house.state.erasures_dir.glob("*.json")
    assert sum(one["nobodys"] for one in json.loads(file.read_bytes())["files"]) == 1
    assert "bears no pseudonym" in sekisho("privacy", "proof", str(file), *where).out
    held = sekisho("privacy", "access", "h-2", "--json", *where).out
    assert "bear no pseudonym" in held


def test_plain_bytes_of_before_the_sealing_up_hold_a_proof_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where rows are sealed: plain ones of before lie in a journal that somebody reads. No proof is made before they are
    gone, and then they are."""
    monkeypatch.setattr("gateway.stores.people.PATIENCE_S", 0.01)
    monkeypatch.setattr("gateway.stores.sqlite_file.PATIENCE_S", 0.01)
    house = House(tmp_path, None)
    plain = house.rows("child-1", "h-1", 7)
    house.put_plain(plain)
    path = house.state.personal_dir / f"{WEEKS[0]}.db"
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM child_tracker").fetchone()
    for file in house.state.personal_dir.glob("*.db"):
        plain_rows.seal(file, lambda _kind, _row: None, 1, "rules")
    journal = path.with_name(f"{path.name}-wal")
    ours = plain[0].row[2]
    assert ours in journal.read_bytes() + path.read_bytes()
    with house.registry() as registry:
        erasure = begin(house.state, house.ring, registry, "h-1", (), NOON)
        with pytest.raises(Refusal, match="another program has been reading"):
            erasing.carry_out(house.state, house.ring, registry, erasure, NOON)
        assert not list(house.state.erasures_dir.glob("*.json"))
        reader.close()
        erasing.carry_out(house.state, house.ring, registry, erasure, NOON)
    there = [p for p in house.state.personal_dir.iterdir() if p.is_file()]
    assert not any(ours in one.read_bytes() for one in there)


def test_who_reads_sealed_rows_holds_nothing_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query, a copy: what is in the file and its journal is noise without the key, and the erasure is finished."""
    monkeypatch.setattr("gateway.stores.sqlite_file.PATIENCE_S", 0.01)
    with house.registry() as registry:
        erasure = begin(house.state, house.ring, registry, "h-1", (), NOON)
        path = house.state.personal_dir / f"{WEEKS[0]}.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN").execute("SELECT count(*) FROM sealed").fetchone()
            put(house.state, house.ring, house.rows("child-3", "h-2", 7)[:2], "h-2")
            file = erasing.carry_out(house.state, house.ring, registry, erasure, NOON)
    assert readable(json.loads(file.read_bytes())) == 0
    assert erasing.begun(house.state) == []


def test_plain_rows_that_were_deleted_hold_a_proof_back_as_long_as_a_journal_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where rows are to be sealed and are not yet: also at the second try, when the file itself has none any more."""
    monkeypatch.setattr("gateway.stores.people.PATIENCE_S", 0.01)
    house = House(tmp_path, None)
    plain = house.rows("child-1", "h-1", 7)[:2]
    house.put_plain(plain)
    path = house.state.personal_dir / f"{WEEKS[0]}.db"
    with house.registry() as registry:
        erasure = begin(house.state, house.ring, registry, "h-1", (), NOON)
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN").execute("SELECT count(*) FROM child_tracker").fetchone()
            for _ in range(2):
                with pytest.raises(Refusal, match="another program has been reading"):
                    erasing.carry_out(house.state, house.ring, registry, erasure, NOON)
                assert not plain_rows.are_there(path)
        file = erasing.carry_out(house.state, house.ring, registry, erasure, NOON)
    assert readable(json.loads(file.read_bytes())) == 0
    left = [one.read_bytes() for one in house.state.personal_dir.iterdir()]
    assert not any(plain[0].row[2] in one for one in left)


@pytest.mark.channel("C33")
def test_the_homes_it_moved_from_go_too(house: House) -> None:
    """None is left in the registry; in a backup they are tried, and none opens any more."""
    with house.registry() as registry:
        registry.put_home("h-1", HOME[0] + 0.01, HOME[1], at=NOON)
    copies = house.copies()
    with house.registry() as registry:
        erasure = begin(house.state, house.ring, registry, "h-1", tuple(copies), NOON)
        assert registry.families.traces("h-1").former_homes == 1
        file = erasing.carry_out(house.state, house.ring, registry, erasure, NOON)
        assert registry.families.traces("h-1").former_homes == 0
    proof = json.loads(file.read_bytes())
    assert [copy["registry"] for copy in proof["copies"]] == [{"tried": 4, "readable": 0}] * 2


@pytest.mark.parametrize("mark", [None, Mark.SIM], ids=["sealed", "plain"])
def test_where_somebody_reads_on_the_erasure_is_not_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: Mark | None
) -> None:
    """A journal under somebody's eyes cannot be emptied: that is refused, no proof is made, and nothing is forgotten of
    what is left to do. Once they are gone the next call finishes it, and no name and no pseudonym is on the disk."""
    monkeypatch.setattr("gateway.registry.database.PATIENCE_S", 0.01)
    monkeypatch.setattr("gateway.stores.people.PATIENCE_S", 0.01)
    house = House(tmp_path, mark)
    ours = [row.row[2] for row in house.rows("child-1", "h-1", 0)] if mark else []
    read = [house.state.registry_db, *(house.state.personal_dir.glob("*.db") if mark else ())]
    readers = [sqlite3.connect(path, isolation_level=None) for path in read]
    for reader in readers:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
    with house.registry() as registry:
        erasure = begin(house.state, house.ring, registry, "h-1", (), NOON)
        for reader in reversed(readers):
            with pytest.raises(Refusal, match="another program has been reading"):
                erasing.carry_out(house.state, house.ring, registry, erasure, NOON)
            assert erasing.begun(house.state) == [erasure]
            assert not list(house.state.erasures_dir.glob("*.json"))
            reader.close()
        assert house.ring.households.key("h-1") is None
        file = erasing.carry_out(house.state, house.ring, registry, erasure, NOON)
        assert erasing.begun(house.state) == []
        assert readable(json.loads(file.read_bytes())) == 0
        for path in house.state.path.rglob("*.db*"):
            assert not any(said in path.read_bytes() for said in (b"child-1's", *ours))


def test_whose_key_is_out_of_reach_is_not_erased_by_halves(house: House) -> None:
    """A folder of keys that is away may hold the key all the same: that is said, and the erasure waits."""
    with house.registry() as registry:
        erasure = begin(house.state, house.ring, registry, "h-1", (), NOON)
        here, away = house.ring.path / "households", house.ring.path / "away"
        here.rename(away)
        with pytest.raises(Refusal):
            erasing.finish(house.state, house.ring, registry, NOON)
        assert erasing.begun(house.state) == [erasure]
        away.rename(here)
        assert erasing.finish(house.state, house.ring, registry, NOON) == (1, 0)
    assert house.ring.households.key("h-1") is None


# -- what is held of a household ------------------------------------------------------------------


@pytest.mark.parametrize("mark", [None, Mark.SIM], ids=["sealed", "plain"])
def test_what_is_held_is_handed_over(tmp_path: Path, sekisho: Sekisho, mark: Mark | None) -> None:
    """Home, devices, consents (a withdrawn one too) and each of the household's rows, no other's, into a file of its
    owner's; what nobody can find is named; and afterwards nothing has changed."""
    house = House(tmp_path, mark)
    with house.registry() as registry:
        registry.withdraw_consent("child-2", "store", NOON + 1)
        registry.families.add_guardian("h-1", "a telephone", PHONE, NOON)
    out = tmp_path / "held.json"
    where = ("--state", str(house.state.path))

    answer = sekisho("privacy", "access", "h-1", "--out", str(out), *where)

    assert answer.code == 0, answer.err
    assert "12 of child_tracker" in answer.out
    assert out.stat().st_mode & 0o777 == 0o600
    held = json.loads(out.read_text())
    assert (held["home"]["lat"], held["home"]["lon"]) == HOME
    assert [one["device"] for one in held["devices"]] == ["child-1", "child-2"]
    assert [one["withdrawn_at"] is None for one in held["consents"]] == [True, False]
    assert {one["granted_by"] for one in held["consents"]} == {"Yamada Hanako"}
    assert held["guardians"] == [{"name": "a telephone", "endpoint": PHONE.endpoint}]
    rows = held["rows"]["child_tracker"]
    assert len(rows) == 12
    assert rows[0] | {"minute": ""} == {
        "minute": "", "lat": 36.70001, "lon": 137.20002, "battery_class": 3, "cell": None, "leg": None,
    }  # fmt: skip
    assert any("bag" in said for said in held["cannot_be_found"])
    assert len(house.people()) == 18
    assert "is there already" in sekisho("privacy", "access", "h-1", "--out", str(out), *where).err


def test_of_an_erased_household_nothing_is_held(house: House, sekisho: Sekisho) -> None:
    where = ("--state", str(house.state.path))
    sekisho("privacy", "erase", "h-1", "--yes", *where)
    answer = sekisho("privacy", "access", "h-1", *where)
    assert (answer.code, "Nothing is held" in answer.err) == (1, True)
    assert json.loads(sekisho("privacy", "access", "h-2", "--json", *where).out)["rows"][
        "child_tracker"
    ]
