"""Releases on disk and their ledger: told once, looked at by several, found out when changed."""

import json
from collections.abc import Callable
from datetime import UTC, date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.clock import SimulatedClock
from gateway.counting.ledger import What, line, overlap, written
from gateway.counting.release import release
from gateway.model.errors import Refusal
from gateway.model.instant import DAY, parse_rfc3339
from gateway.rules.counts import Agreement, Round
from gateway.stores.counters import CounterFiles
from gateway.stores.releases import Releases
from tests.fakes.counting import K5, counter, lane, plan, walked
from tests.fakes.readings import HOME, NOON
from tests.fakes.reviewers import Hand, look, sign_in


def made(families: int = 7, period: str = "2026-05", **counts: Any) -> dict[str, Any]:
    """A release of so many households in one cell."""
    planned = plan(of=lane((K5, Round(5, 50))))
    counting = counter(planned)
    for n in range(families):
        counting.take(walked(HOME, f"h-{n}"))
    (held,) = counting.open.values()
    document = release(planned, "0123", held)
    document["period"] = {**document["period"], "name": period}
    document["counts"].update(counts)
    return document


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    """An empty folder, and two who may review."""
    made = Releases(tmp_path / "releases", SimulatedClock(NOON), UTC)
    sign_in(made, SimulatedClock(NOON), "Sato", "Suzuki")
    return made


def test_a_release_tells_rounded_numbers_and_no_exact_one(releases: Releases) -> None:
    """Seven households are told as five; the seven stand nowhere."""
    releases.publish(made(), 1, None)
    document = releases.document("analysis", "2026-05")

    (row,) = document["rows"]
    assert (row["households"], row["weekday_type"], row["hour"]) == ("5", "weekday", 3)
    assert "7" not in json.dumps([document["rows"][0]["households"], document["losses"]])
    assert set(document["shapes"]) == {row["unit"]}


def test_a_release_names_its_rule_set_and_what_was_in_force() -> None:
    """So that whoever reads it years later finds the file, and knows that it is the one."""
    assert (made()["rules"], made()["in_force"]) == ("made-up", "0123")


def test_a_number_below_k_leaves_no_row() -> None:
    """Nor does exactly k, the first time: one who leaves would make it vanish."""
    assert made(4)["rows"] == made(5)["rows"] == []
    assert made(4)["shapes"] == {}
    assert len(made(6)["rows"]) == 1


def test_what_was_told_stays_while_it_is_less_than_a_base_away() -> None:
    """By the same rule and units only; another rule begins anew."""
    planned = plan(of=lane((K5, Round(5, 50))))

    def told(families: int, before: dict[str, Any] | None) -> list[str]:
        counting = counter(planned)
        for n in range(families):
            counting.take(walked(HOME, f"h-{n}"))
        (held,) = counting.open.values()
        return [row["households"] for row in release(planned, "test", held, before)["rows"]]

    before = made(12)
    assert told(14, None) == ["15"]
    assert told(14, before) == ["10"]
    assert told(15, before) == ["15"]
    assert told(5, before) == ["5"]
    assert told(14, {**before, "basis": "another"}) == ["15"]


@pytest.mark.channel("C37")
def test_a_closed_period_is_never_released_again(releases: Releases) -> None:
    """Neither with other numbers nor after another process has begun."""
    assert releases.publish(made(), 1, None) is None
    before = releases.document("analysis", "2026-05")

    assert "released already" in str(releases.publish(made(9), 1, None))
    again = Releases(releases.ledger_file.parent, SimulatedClock(NOON), UTC)
    assert "released already" in str(again.publish(made(9), 1, None))
    assert releases.document("analysis", "2026-05") == before


@pytest.mark.channel("C38")
def test_what_overlaps_an_earlier_release_is_not_released(releases: Releases) -> None:
    """Other slices of the same days can be subtracted; other units, subjects and days cannot."""
    releases.publish(made(), 1, None)

    facts = {"name": "open", "period": "2026-T1", "unit": "mesh_500", "distinct": "household", "first": "2026-04-01", "last": "2026-07-31"}  # fmt: skip
    earlier = [entry for entry in releases.entries() if entry["what"] == "release"]
    assert "subtracted" in str(overlap(facts, earlier))
    for other in (
        {"unit": "road_edge"},
        {"distinct": "tag"},
        {"first": "2026-06-01"},
        {"last": "2026-04-30"},
    ):
        assert overlap({**facts, **other}, earlier) is None


def test_nothing_leaves_before_enough_different_people_have_looked(releases: Releases) -> None:
    """The same name in other letters is the same person, and a review stands."""
    releases.publish(made(), 2, None)
    with pytest.raises(Refusal, match="2 more people"):
        releases.export("analysis", "2026-05", ".csv")

    assert not look(releases, "Sato").may_leave("2026-06-01")
    for name in ("Sato", " SATO", "sa to"):
        with pytest.raises(Refusal, match="already"):
            look(releases, name, key=Hand("Sato"))
    with pytest.raises(Refusal, match="1 more person"):
        releases.export("analysis", "2026-05", ".csv")
    assert look(releases, "Suzuki").may_leave("2026-06-01")
    assert releases.export("analysis", "2026-05", ".csv")["rows"]
    assert [entry["what"] for entry in releases.entries()][2:] == ["release", "review", "review", "export"]  # fmt: skip


def test_under_an_agreement_nothing_leaves_after_its_end_and_a_receipt_is_due(
    releases: Releases, tmp_path: Path
) -> None:
    """The researcher has confirmed in writing that what was handed out is deleted; once."""
    agreed = Agreement("Example University", "2026-01", "2026-06-30")
    releases.publish(made(), 0, None, agreed)
    with pytest.raises(Refusal, match="never handed out"):
        releases.receipt("analysis", "2026-05", "Example University", "clerk")
    releases.export("analysis", "2026-05", ".csv")
    assert not releases.standings()["analysis", "2026-05"].receipt_due("2026-06-30")

    later = Releases(tmp_path / "releases", SimulatedClock(NOON + 60 * DAY), UTC)
    assert later.standings()["analysis", "2026-05"].receipt_due(later.today())
    with pytest.raises(Refusal, match="agreement ended on 2026-06-30"):
        later.export("analysis", "2026-05", ".csv")
    later.receipt("analysis", "2026-05", "Example University", "clerk")
    assert later.entries()[-1]["account"] == "clerk"
    assert not later.standings()["analysis", "2026-05"].receipt_due(later.today())
    with pytest.raises(Refusal, match="already"):
        later.receipt("analysis", "2026-05", "Example University", "clerk")


def test_a_receipt_settles_an_agreement_and_is_due_under_one_only(releases: Releases) -> None:
    """Once it is deleted nothing more is handed out; what is under no agreement nobody promised to delete."""
    agreed = Agreement("Example University", "2026-01", "2026-06-30")
    releases.publish(made(), 0, None, agreed)
    releases.export("analysis", "2026-05", ".csv")
    releases.receipt("analysis", "2026-05", "Example University", "clerk")
    assert not releases.standings()["analysis", "2026-05"].may_leave(releases.today())
    with pytest.raises(Refusal, match="Example University has confirmed that"):
        releases.export("analysis", "2026-05", ".csv")

    other = made(period="2026-07")
    other["period"].update(first="2026-07-01", last="2026-07-31")
    releases.publish(other, 0, None)
    releases.export("analysis", "2026-07", ".csv")
    with pytest.raises(Refusal, match="under no agreement"):
        releases.receipt("analysis", "2026-07", "Example University", "clerk")


def test_an_agreement_ends_with_the_local_day(tmp_path: Path) -> None:
    """Half past midnight in Japan is the day before in UTC: nothing leaves any more."""
    tokyo = ZoneInfo("Asia/Tokyo")
    clock = SimulatedClock(parse_rfc3339("2026-06-30T23:59:00+09:00"))
    releases = Releases(tmp_path / "releases", clock, tokyo)
    releases.publish(made(), 0, None, Agreement("Example University", "2026-01", "2026-06-30"))
    releases.export("analysis", "2026-05", ".csv")

    clock.advance(parse_rfc3339("2026-07-01T00:30:00+09:00"))
    with pytest.raises(Refusal, match="agreement ended on 2026-06-30"):
        releases.export("analysis", "2026-05", ".csv")
    assert releases.standings()["analysis", "2026-05"].receipt_due(releases.today())


def test_one_refusal_keeps_it_here_for_good(releases: Releases) -> None:
    releases.publish(made(), 1, None)
    look(releases, "Sato", agrees=False)
    look(releases, "Suzuki")

    with pytest.raises(Refusal, match="Sato refused it"):
        releases.export("analysis", "2026-05", ".csv")


def test_a_withheld_period_stays_closed_and_has_no_release(releases: Releases) -> None:
    releases.withhold("analysis", "2026-05", "other streets")

    with pytest.raises(Refusal, match="closed already"):
        releases.withhold("analysis", "2026-05", "again")
    with pytest.raises(Refusal, match="no release"):
        releases.document("analysis", "2026-05")
    with pytest.raises(Refusal, match="no release"):
        releases.export("analysis", "2026-05", ".csv")


def test_a_release_that_had_its_time_is_gone_and_its_line_stays(releases: Releases) -> None:
    releases.publish(made(), 0, date(2026, 6, 30))
    releases.remove("analysis", "2026-05")

    with pytest.raises(Refusal, match="had its time"):
        releases.document("analysis", "2026-05")
    assert "released already" in str(releases.publish(made(), 0, None))
    assert list(releases.ledger_file.parent.glob("*.json")) == []


def swap(lines: list[str]) -> list[str]:
    return [lines[1], lines[0], *lines[2:]]


@pytest.mark.parametrize(
    "harm",
    [
        lambda lines: [lines[0].replace("2026-05", "2026-06"), *lines[1:]],
        lambda lines: lines[1:],
        lambda lines: [lines[0], *lines[2:]],
        swap,
        lambda lines: [*lines, lines[-1]],
        lambda lines: [*lines, "not JSON\n"],
        lambda lines: [*lines, "[]\n"],
    ],
)
def test_a_ledger_that_was_changed_is_found_out(
    releases: Releases, harm: Callable[[list[str]], list[str]]
) -> None:
    """Changed, removed, moved and doubled lines; nothing is released on top of them."""
    releases.publish(made(), 1, None)
    look(releases, "Sato")
    look(releases, "Suzuki")
    file = releases.ledger_file
    file.write_text("".join(harm(file.read_text().splitlines(keepends=True))))

    with pytest.raises(Refusal, match="was changed"):
        releases.standings()
    with pytest.raises(Refusal, match="was changed"):
        releases.publish(made(period="2026-06"), 1, None)


def test_a_ledger_whose_lines_hang_together_and_make_no_sense_is_found_out(
    releases: Releases,
) -> None:
    """Somebody has written an export of what was never released, with a hash that is right."""
    releases.publish(made(), 1, None)
    last = releases.entries()[-1]
    forged = line(4, last["at"], "export", {"name": "open", "period": "2026-T1", "form": ".csv"}, last["hash"])  # fmt: skip
    with releases.ledger_file.open("a") as file:
        file.write(written(forged))

    with pytest.raises(Refusal, match="line 4 speaks of what was never released"):
        releases.standings()


REVIEW = {"name": "analysis", "period": "2026-05", "by": "Suzuki", "account": "x", "agrees": True, "note": ""}  # fmt: skip


@pytest.mark.parametrize(
    ("what", "facts", "hand"),
    [
        ("review", REVIEW, None),
        ("review", REVIEW, "Sato"),
        ("review", {**REVIEW, "by": "Tanaka"}, "Tanaka"),
        ("reviewer", {"by": "Tanaka", "account": "x", "salt": "00", "public": Hand("Tanaka").public}, "Sato"),
        ("reviewer", {"by": "Tanaka", "account": "x", "salt": "00", "public": "00"}, "Tanaka"),
    ],
    ids=["unsigned", "by another", "by nobody", "another's key", "no key"],
)  # fmt: skip
def test_a_review_that_its_reviewer_did_not_sign_is_found_out(
    releases: Releases, what: What, facts: dict[str, Any], hand: str | None
) -> None:
    """Whoever may write the file makes a line whose hash is right; without the passphrase it lacks the signature."""
    releases.publish(made(), 2, None)
    look(releases, "Sato")
    last = releases.entries()[-1]
    sign = None if hand is None else Hand(hand).sign
    forged = line(last["number"] + 1, last["at"], what, facts, last["hash"], sign)
    with releases.ledger_file.open("a") as file:
        file.write(written(forged))

    with pytest.raises(Refusal, match="line 5 is not signed by the reviewer whom it names"):
        releases.export("analysis", "2026-05", ".csv")


OF_BEFORE = {name: REVIEW[name] for name in ("name", "period", "by", "agrees", "note")}
"""A review as it was entered until reviewers signed."""


def entered(releases: Releases, what: What, facts: dict[str, Any]) -> None:
    """Somebody writes a line whose hash is right, without a signature."""
    entries = releases.entries()
    last = entries[-1]
    with releases.ledger_file.open("a") as file:
        file.write(written(line(len(entries) + 1, last["at"], what, facts, last["hash"])))


def test_reviews_of_before_reviewers_signed_count_for_nothing(tmp_path: Path) -> None:
    """The ledger stays readable, and is gone on with; who agreed, or refused, unsigned is told, and looks anew."""
    clock = SimulatedClock(NOON)
    releases = Releases(tmp_path / "releases", clock, UTC)
    releases.publish(made(), 2, None)
    entered(releases, "review", OF_BEFORE)
    entered(releases, "review", {**OF_BEFORE, "by": "Tanaka", "agrees": False})
    entered(releases, "review", {**OF_BEFORE, "by": "Sato"})

    standing = releases.standings()["analysis", "2026-05"]
    assert (standing.approved, standing.refused) == ({}, {})
    assert standing.unsigned == ["Suzuki", "Tanaka (refused)", "Sato"]
    with pytest.raises(Refusal, match="2 more people"):
        releases.export("analysis", "2026-05", ".csv")
    sign_in(releases, clock, "Sato", "Suzuki")
    look(releases, "Sato")
    assert look(releases, "Suzuki").may_leave("2026-06-01")

    text = releases.ledger_file.read_text()
    releases.ledger_file.write_text(text.replace('"note":""', '"note":"fine"', 1))
    with pytest.raises(Refusal, match="line 2 does not follow"):
        releases.standings()


def test_nobody_makes_a_review_one_of_before_by_stripping_it(releases: Releases) -> None:
    """With every hash made anew: once somebody has signed in a review without signature and account breaks the ledger."""
    releases.publish(made(), 1, None)
    look(releases, "Sato", agrees=False)
    lines = releases.ledger_file.read_text().splitlines(keepends=True)
    releases.ledger_file.write_text("".join(lines[:-1]))
    entered(releases, "review", {**OF_BEFORE, "by": "Sato", "agrees": False})

    with pytest.raises(Refusal, match="line 4 is not signed by the reviewer whom it names"):
        releases.standings()


MADE = {"number", "at", "what", "before", "signature", "hash"}


def test_nobody_rewrites_what_a_reviewer_has_signed(releases: Releases) -> None:
    """Other numbers, with every hash made anew: the signature is of the lines before it, too."""
    releases.publish(made(), 1, None)
    look(releases, "Sato")
    *first, released, review = releases.entries()
    facts = {name: value for name, value in released.items() if name not in MADE}
    other = line(3, released["at"], "release", {**facts, "sha256": "0" * 64}, released["before"])
    facts = {name: value for name, value in review.items() if name not in MADE}
    again = line(4, review["at"], "review", facts, other["hash"], lambda _: review["signature"])
    releases.ledger_file.write_text("".join(map(written, [*first, other, again])))

    with pytest.raises(Refusal, match="line 4 is not signed"):
        releases.standings()


def test_one_account_stands_for_one_reviewer(releases: Releases) -> None:
    """For good: who leaves and comes back under another name is the same; who lost a passphrase comes back."""
    reviewers = sign_in(releases, SimulatedClock(NOON))
    for _ in range(2):
        with pytest.raises(Refusal, match="account of Sato stands for Sato, and for nobody else"):
            reviewers.add("Tanaka", "account of Sato", bytes(16), Hand("Tanaka"))
        with pytest.raises(Refusal, match="SATO is a reviewer already"):
            reviewers.add("SATO", "another", bytes(16), Hand("SATO"))
        reviewers.remove("Sato", "admin")
        with pytest.raises(Refusal, match="no reviewer Sato"):
            reviewers.remove("Sato", "admin")
        with pytest.raises(Refusal, match="stands for Sato"):
            reviewers.add("Tanaka", "account of Sato", bytes(16), Hand("Tanaka"))
        reviewers.add("Sato", "account of Sato", bytes(16), Hand("another passphrase"))
    reviewers.add("Tanaka", "account of Sato", bytes(16), Hand("Tanaka"), own=False)


def test_who_has_left_reviews_no_more_and_what_was_reviewed_stands(releases: Releases) -> None:
    """The old key opens nothing, and coming back makes no second person of them."""
    releases.publish(made(), 2, None)
    look(releases, "Sato")
    reviewers = sign_in(releases, SimulatedClock(NOON))
    reviewers.remove("Sato", "admin")
    reviewers.remove("Suzuki", "admin")
    with pytest.raises(Refusal, match="Suzuki may not review"):
        look(releases, "Suzuki")
    reviewers.add("Sato", "account of Sato", bytes(16), Hand("another passphrase"))
    with pytest.raises(Refusal, match="Sato may not review by this key"):
        look(releases, "Sato")
    with pytest.raises(Refusal, match="has reviewed analysis 2026-05 already"):
        look(releases, "Sato", key=Hand("another passphrase"))

    assert list(releases.standings()["analysis", "2026-05"].approved.values()) == ["Sato"]


def test_a_ledger_that_is_missing_beside_releases_is_found_out(releases: Releases) -> None:
    releases.publish(made(), 1, None)
    releases.ledger_file.unlink()

    with pytest.raises(Refusal, match="no ledger"):
        releases.publish(made(period="2026-06"), 1, None)


def test_a_release_that_was_changed_on_disk_is_not_handed_out(releases: Releases) -> None:
    releases.publish(made(), 0, None)
    file = releases.ledger_file.with_name("analysis-2026-05.json")
    file.write_text(file.read_text().replace('"5"', '"10"'))

    with pytest.raises(Refusal, match="not as it was released"):
        releases.export("analysis", "2026-05", ".csv")


def test_a_counter_on_disk_opens_by_its_own_key_and_name_alone(tmp_path: Path) -> None:
    """Neither a second key nor another period's file is taken for it; drafts of a kill are swept."""
    files = CounterFiles(tmp_path / "counting")
    files.write("analysis-2026-05", bytes(32), b"what was counted")
    (tmp_path / "counting" / ".analysis-2026-05.sealed.0badcafe").write_bytes(b"half")
    path = tmp_path / "counting" / "analysis-2026-05.sealed"

    assert files.names() == ["analysis-2026-05"]
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert files.read("analysis-2026-05", bytes(32)) == b"what was counted"
    assert files.read("analysis-2026-05", bytes([1] * 32)) is None
    assert b"counted" not in path.read_bytes()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    path.rename(path.with_name("analysis-2026-06.sealed"))
    assert files.read("analysis-2026-06", bytes(32)) is None
    files.remove("analysis-2026-06")
    assert files.names() == []
