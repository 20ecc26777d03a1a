"""`sekisho release`: looked at by two, handed out as table and map, never ranked."""

import json
import os
import pwd
import re
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.clock import SimulatedClock
from gateway.counting.ledger import line, written
from gateway.counting.release import release
from gateway.keys.ring import KeyRing
from gateway.rules.counts import Agreement, Round
from gateway.statedir import Mark, StateDir
from gateway.stores.counters import CounterFiles
from gateway.stores.releases import Releases
from sekisho.release import app
from tests.fakes.counting import K5, counter, lane, plan, walked
from tests.fakes.front_door import Sekisho
from tests.fakes.readings import HOME, NOON

RUN = CliRunner()
SHIPPED = Path(__file__).parents[2] / "config" / "privacy"


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """A directory with one release: 30 families in one cell, 12 in the next, 3 and 4 in two others."""
    clock = SimulatedClock(NOON)
    made = StateDir.create(tmp_path / "state", Mark.SIM, clock)
    KeyRing.create(tmp_path / "keys", made.id, clock, UTC)
    planned = plan(of=lane((K5, Round(5, 50)), name="open"))
    counting = counter(planned)
    for shift, families in ((0.01, 30), (0.0, 12), (0.02, 3), (0.03, 4)):
        for n in range(families):
            counting.take(walked((HOME[0] + shift, HOME[1]), f"h-{n}"))
    (held,) = counting.open.values()
    Releases(made.releases_dir, clock, UTC).publish(release(planned, "0123", held), 2, None)
    return made


def said(state: StateDir, *words: str, code: int = 0) -> str:
    """What a verb prints."""
    result = RUN.invoke(app, [*words, "--state", str(state.path)])
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def refused(state: StateDir, *words: str) -> str:
    """The sentence of a refusal."""
    result = RUN.invoke(app, [*words, "--state", str(state.path)])
    assert result.exit_code != 0
    return str(result.exception)


def secret(state: StateDir, name: str, text: str = "") -> Path:
    """A file with somebody's passphrase."""
    file = state.path.with_name(f"{name}.passphrase")
    file.touch()
    file.chmod(0o600)
    file.write_text(f"{text or f'{name} alone knows this'}\n")
    return file


def sign_in(state: StateDir, name: str) -> None:
    said(state, "reviewer", "add", name, "--passphrase-file", str(secret(state, name)))


def look(state: StateDir, name: str, *words: str) -> str:
    """What somebody's review prints; who never was here signs in first."""
    if name not in [who["name"] for who in reviewers(state)]:
        sign_in(state, name)
    file = str(secret(state, name))
    return said(state, "review", "open", "2026-05", "--by", name, "--passphrase-file", file, *words)


def reviewers(state: StateDir) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(said(state, "reviewer", "list", "--json"))["reviewers"]
    return found


def test_two_look_and_then_it_leaves(state: StateDir, tmp_path: Path) -> None:
    """As a table, a map or the whole, by the file's ending; the ledger remembers it."""
    out = tmp_path / "cells.geojson"
    assert "to be looked at" in said(state, "list")
    assert "2 more people" in refused(state, "export", "open", "2026-05", "--out", str(out))
    look(state, "Sato")
    again = (
        "review",
        "open",
        "2026-05",
        "--by",
        "sato",
        "--passphrase-file",
        str(secret(state, "Sato")),
    )
    assert "already" in refused(state, *again)
    assert "may leave" in look(state, "Suzuki", "--note", "ok")
    assert not out.exists()

    said(state, "export", "open", "2026-05", "--out", str(out))
    shown = json.loads(out.read_text())
    assert [one["properties"]["households"] for one in shown["features"]] == ["10", "30"]
    assert all(one["geometry"]["type"] == "Polygon" for one in shown["features"])
    assert shown["release"]["losses"]["kills"] == 0
    said(state, "export", "open", "2026-05", "--out", str(tmp_path / "cells.csv"))
    assert (tmp_path / "cells.csv").read_text().splitlines()[0] == "unit,weekday_type,hour,households,least"  # fmt: skip
    assert "exported 2 times" in said(state, "list")
    assert "ends in .csv" in refused(state, "export", "open", "2026-05", "--out", "cells.txt")


def test_reviews_that_nobody_signed_are_listed_as_such(state: StateDir, sekisho: Sekisho) -> None:
    """From before reviewers signed: they stand in the ledger, and do not count; `check` notes it, and a ledger that was changed."""
    ledger = state.releases_dir / "ledger.jsonl"
    text = ledger.read_text()
    last = json.loads(text)
    facts = {"name": "open", "period": "2026-05", "by": "Sato", "agrees": True, "note": ""}
    ledger.write_text(text + written(line(2, last["at"], "review", facts, last["hash"])))
    config = state.path.with_name("gateway.yaml")
    config.write_text(
        f'state: {state.path}\nkeys: {state.path.with_name("keys")}\nowner: "16201"\ntimezone: UTC\n'
        'service_area: {municipality: "16201"}\n'
        "doors: [{name: devices, kind: mqtt_listener, bind: 127.0.0.1, port: 0}]\n"
        f"privacy: {SHIPPED}/toyama-zone.yaml\n"
    )
    sentence = (
        "open 2026-05: reviewed by Sato before reviewers signed. Unsigned, that does not count"
    )

    listed = said(state, "list")
    assert sentence in listed
    assert "0 of 2" in listed
    (told,) = json.loads(said(state, "list", "--json"))["releases"]
    assert (told["approved"], told["unsigned"]) == ([], ["Sato"])
    noted = sekisho("check", str(config))
    assert (noted.code, sentence in noted.out) == (0, True), noted.err
    ledger.write_text(text.replace("open", "closed"))
    wrong = sekisho("check", str(config))
    assert wrong.code == 2
    assert re.search(r"gateway.yaml:1:\d+ state: .* line 1 does not follow", wrong.err)


def test_a_receipt_is_entered_by_its_verb(state: StateDir, tmp_path: Path) -> None:
    """For what was handed out under an agreement; the list says by whom it was deleted."""
    releases = Releases(state.releases_dir, SimulatedClock(NOON), UTC)
    document = {**releases.document("open", "2026-05"), "name": "research"}
    document["period"] = {**document["period"], "first": "2026-06-01", "last": "2026-06-30"}
    agreed = Agreement("Example University", "2026-01", "2999-06-30")
    assert releases.publish(document, 0, None, agreed) is None
    deleted = ("receipt", "research", "2026-05", "--by", "Example University")
    assert "never handed out" in refused(state, *deleted)
    out = ("export", "research", "2026-05", "--out", str(tmp_path / "cells.csv"))
    said(state, *out)
    said(state, *deleted)

    assert "exported, deleted by Example University" in said(state, "list")
    assert "settles the agreement" in refused(state, *out, "--force")
    assert "Say a name" in refused(state, *deleted[:-1], " ")
    assert "under no agreement" in refused(state, "receipt", "open", *deleted[2:])


def test_a_review_needs_the_passphrase_of_whom_it_names(state: StateDir) -> None:
    """Neither does a name alone count, nor another's passphrase; nothing of it is entered."""
    words = ("review", "open", "2026-05", "--by", "Suzuki")
    assert "no reviewer Suzuki" in refused(state, *words)
    sign_in(state, "Sato")
    sign_in(state, "Suzuki")
    assert "Nobody is there to ask" in refused(state, *words)
    other = ("--passphrase-file", str(secret(state, "Sato")))
    assert "not the passphrase of Suzuki" in refused(state, *words, *other)

    assert [entry["what"] for entry in Releases(state.releases_dir, SimulatedClock(NOON), UTC).entries()] == ["release", "reviewer", "reviewer"]  # fmt: skip


def test_a_passphrase_is_long_and_one_person_s(state: StateDir) -> None:
    """Who types two names would at least have to keep two secrets."""
    sign_in(state, "Sato")
    for text, why in (
        ("short", "shorter than 12"),
        ("Sato alone knows this", "Sato has this passphrase"),
    ):
        file = secret(state, "Suzuki", text)
        assert why in refused(state, "reviewer", "add", "Suzuki", "--passphrase-file", str(file))
    file.chmod(0o644)
    assert "read by other users" in refused(
        state, "reviewer", "add", "Suzuki", "--passphrase-file", str(file)
    )
    assert "Say a name" in refused(state, "reviewer", "add", " ")
    said(state, "reviewer", "remove", "Sato")
    file = secret(state, "Suzuki", "Sato alone knows this")
    said(state, "reviewer", "add", "Suzuki", "--passphrase-file", str(file))

    assert [(who["name"], who["left"]) for who in reviewers(state)] == [
        ("Sato", True),
        ("Suzuki", False),
    ]
    assert "left" in said(state, "reviewer", "list")


def test_an_account_of_the_machine_stands_for_one_reviewer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where people are real a second name needs a second account; the login counts, not what sudo made of it."""
    real = StateDir.create(tmp_path / "real", None, SimulatedClock(NOON))
    login = tmp_path / "loginuid"
    monkeypatch.setattr("sekisho.login._LOGIN", login)
    login.write_text("4294967295")
    monkeypatch.setenv("SUDO_UID", "70001")
    assert "Nobody may review yet" in said(real, "reviewer", "list")
    sign_in(real, "Sato")
    assert "account user 70001 stands for Sato" in refused(real, "reviewer", "add", "Suzuki")
    second = ("reviewer", "add", "Suzuki", "--passphrase-file", str(secret(real, "Suzuki")))
    login.write_text("70002")
    said(real, *second)
    third = ("reviewer", "add", "Tanaka", "--passphrase-file", str(secret(real, "Tanaka")))
    monkeypatch.setenv("SUDO_UID", "70003")
    assert "account user 70002 stands for Suzuki" in refused(real, *third)
    login.unlink()
    said(real, *third)
    monkeypatch.delenv("SUDO_UID")
    sign_in(real, "Watanabe")

    accounts = [who["account"] for who in reviewers(real)]
    assert accounts == ["user 70001", "user 70002", "user 70003", pwd.getpwuid(os.getuid()).pw_name]
    assert "No period was closed yet.\n\nledger  4 lines" in said(real, "list")


def test_rows_stand_in_the_order_of_their_codes(state: StateDir) -> None:
    """Whoever reads the table meets no first and no last neighbourhood."""
    rows: list[dict[str, Any]] = json.loads(said(state, "show", "open", "2026-05", "--json"))["rows"]  # fmt: skip

    assert [row["unit"] for row in rows] == sorted(row["unit"] for row in rows)
    assert [row["households"] for row in rows] != sorted((row["households"] for row in rows), reverse=True)  # fmt: skip


def test_who_looks_sees_what_would_leave_and_what_was_lost(state: StateDir) -> None:
    shown = said(state, "show", "open", "2026-05")

    for words in (
        "open 2026-05",
        "2026-05-01 to 2026-05-31",
        "none below 5",
        "counted  all the time",
        "lost     nothing of what was counted",
        "made-up",
    ):
        assert words in shown
    assert json.loads(said(state, "show", "open", "2026-05", "--geojson"))["type"] == "FeatureCollection"  # fmt: skip
    assert said(state, "show", "open", "2026-05", "--csv").count("\n") == 3


def test_a_refusal_is_for_good(state: StateDir, tmp_path: Path) -> None:
    out = str(tmp_path / "cells.csv")
    look(state, "Sato", "--refuse", "--note", "a shelter")
    look(state, "Suzuki")
    look(state, "Tanaka")

    assert "Sato refused it" in refused(state, "export", "open", "2026-05", "--out", out)
    assert "refused by Sato" in said(state, "list")
    assert "Say a name" in refused(state, "review", "open", "2026-05", "--by", "  ")


def test_the_list_tells_the_last_hash_for_keeping_elsewhere(state: StateDir) -> None:
    sign_in(state, "Sato")
    before = json.loads(said(state, "list", "--json"))
    look(state, "Sato")
    after = json.loads(said(state, "list", "--json"))

    assert (before["lines"], after["lines"]) == (2, 3)
    assert len(after["hash"]) == 64 != before["hash"]
    assert after["hash"] in said(state, "list")
    assert after["releases"][0]["approved"] == ["Sato"]


def test_a_counter_is_given_up_for_good(state: StateDir, tmp_path: Path) -> None:
    """Its key and its file are gone, the ledger says why, and a running gateway is not touched."""
    clock = SimulatedClock(NOON)
    keys = KeyRing.open(tmp_path / "keys", state.id, clock, UTC)
    files = CounterFiles(state.counting_dir)
    files.write("analysis-2026-05", keys.periods.key("analysis-2026-05"), b"counted")
    give_up = ("withhold", "analysis", "2026-05", "--because", "other streets")
    with state.lock():
        assert "already runs" in refused(state, *give_up)
    said(state, *give_up)

    assert (files.names(), keys.periods.names()) == ([], [])
    assert "withheld: other streets" in said(state, "list")
    assert "no open counter" in refused(state, *give_up)
    assert "no release" in refused(state, "show", "analysis", "2026-05")


def test_what_was_done_is_told_to_programs_too(state: StateDir, tmp_path: Path) -> None:
    """Review, export, receipt and withhold answer with what became of the release, as list does."""
    first = json.loads(look(state, "Sato", "--json"))
    assert (first["name"], first["period"]) == ("open", "2026-05")
    assert (first["approved"], first["state"]) == (["Sato"], "to be looked at")
    assert json.loads(look(state, "Suzuki", "--json"))["state"] == "may leave"
    out = str(tmp_path / "cells.csv")
    handed = json.loads(said(state, "export", "open", "2026-05", "--out", out, "--json"))
    assert (handed["exported"], handed["file"]) == (1, out)
    releases = Releases(state.releases_dir, SimulatedClock(NOON), UTC)
    document = {**releases.document("open", "2026-05"), "name": "research"}
    document["period"] = {**document["period"], "first": "2026-06-01", "last": "2026-06-30"}
    agreed = Agreement("Example University", "2026-01", "2999-06-30")
    releases.publish(document, 0, None, agreed)
    releases.export("research", "2026-05", ".csv")
    words = ("receipt", "research", "2026-05", "--by", "Example University", "--json")
    assert json.loads(said(state, *words))["receipt"] == "Example University"
    keys = KeyRing.open(tmp_path / "keys", state.id, SimulatedClock(NOON), UTC)
    CounterFiles(state.counting_dir).write(
        "analysis-2026-05", keys.periods.key("analysis-2026-05"), b"counted"
    )
    words = ("withhold", "analysis", "2026-05", "--because", "other streets", "--json")
    assert json.loads(said(state, *words))["state"] == "withheld: other streets"


def test_before_the_first_release_there_is_nothing_to_list(tmp_path: Path) -> None:
    empty = StateDir.create(tmp_path / "empty", Mark.SIM, SimulatedClock(NOON))
    assert said(empty, "list") == "No period was closed yet.\n"
    assert not empty.releases_dir.exists()
