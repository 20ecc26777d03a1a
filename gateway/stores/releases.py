"""Releases on disk, and their ledger: a file for each counter and period, and lines that only grow.

releases/<name>-<period>.json    what is told (`gateway.counting.release`), never changed
releases/ledger.jsonl            who released, looked, handed out (`gateway.counting.ledger`)
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date, tzinfo
from hashlib import sha256
from pathlib import Path
from typing import Any

from gateway.clock import Clock
from gateway.counting import ledger
from gateway.counting.ledger import Standing
from gateway.counting.reviewers import Roll, folded
from gateway.model.errors import Refusal
from gateway.model.instant import local_day
from gateway.rules.counts import Agreement
from gateway.statedir import sync_directory, write_durably
from gateway.stores.access_chain import Signs
from gateway.stores.ledger_file import LedgerFile

_Facts = Mapping[str, Any]


class Releases:
    """The folder `releases/` of a state directory; processes take turns at its ledger."""

    def __init__(self, folder: Path, clock: Clock, zone: tzinfo) -> None:
        """Open or begin one.

        Args:
            zone: whose days agreements end with.
        """
        self._folder = folder
        self._clock = clock
        self._zone = zone
        self._ledger = LedgerFile(folder, clock)

    @property
    def ledger_file(self) -> Path:
        """Where the ledger lies."""
        return self._ledger.path

    def entries(self) -> list[dict[str, Any]]:
        """The ledger's lines; see `LedgerFile.entries` for what it raises."""
        return self._ledger.entries()

    def standings(self) -> dict[tuple[str, str], Standing]:
        """What became of each release; see `entries` for what it raises."""
        return ledger.standings(self.entries())

    def publish(
        self, document: _Facts, review: int, until: date | None, agreement: Agreement | None = None
    ) -> str | None:
        """Enter a release, behind its file: from then on this period is closed.

        Args:
            review: how many people must look before it may leave.
            until: the last day it stays; None for ever.
            agreement: under which it is handed out, if under one.

        Returns:
            None once it is entered; else why it must not be: this period was released, or overlaps one that was.

        Raises:
            Refusal: see `entries`.
            OSError: the disk does not take it; nothing was released.
        """
        name, period = document["name"], document["period"]["name"]
        facts = {
            "name": name,
            "period": period,
            "unit": document["counts"]["unit"],
            "distinct": document["counts"]["distinct"],
            "first": document["period"]["first"],
            "last": document["period"]["last"],
            "review": review,
            "until": until and until.isoformat(),
            "agreement": agreement and asdict(agreement),
        }
        content = (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()
        with self._ledger.turn() as add:
            why = ledger.overlap(facts, _released(self.entries()))
            if why is not None:
                return why
            if not self.ledger_file.exists():
                write_durably(self.ledger_file, b"", 0o600)
            write_durably(self._path(name, period), content, 0o600)
            add("release", {**facts, "sha256": sha256(content).hexdigest()})
        return None

    def withhold(self, name: str, period: str, why: str) -> None:
        """Close a period without a release.

        Raises:
            Refusal: it is closed already.
            OSError: the disk does not take it.
        """
        with self._ledger.turn() as add:
            if (name, period) in self.standings():
                raise Refusal(f"{name} {period} is closed already.")
            add("withheld", {"name": name, "period": period, "why": why})

    def review(
        self,
        name: str,
        period: str,
        by: str,
        account: str,
        signer: Signs,
        *,
        agrees: bool,
        note: str,
    ) -> Standing:
        """Enter that a reviewer has looked at a release, signed over the ledger up to here: its content, too.

        Args:
            account: of the machine, from which they come.
            signer: the key that the ledger knows as theirs.

        Raises:
            Refusal: there is no such release, or this person has looked already, or may not review.
            OSError: the disk does not take it.
        """
        with self._ledger.turn() as add:
            found = self._standing(name, period)
            who = Roll.of(self.entries()).present(by)
            if who is None or who.public != signer.public:
                raise Refusal(f"{by} may not review by this key.")
            person = folded(by)
            if person in found.approved or person in found.refused:
                raise Refusal(f"{by} has reviewed {name} {period} already, and a review stands.")
            facts = {
                "name": name,
                "period": period,
                "by": who.name,
                "account": account,
                "agrees": agrees,
                "note": note,
            }
            add("review", facts, signer.sign)
        return self._standing(name, period)

    def export(self, name: str, period: str, form: str) -> dict[str, Any]:
        """What may leave, and enter that it does.

        Raises:
            Refusal: too few people have looked, somebody refused, or the file is not the one that was released.
            OSError: the disk does not take it.
        """
        with self._ledger.turn() as add:
            found = self._standing(name, period)
            if not found.may_leave(self.today()):
                raise Refusal(_why_not(name, period, found, self.today()))
            document = self.document(name, period, found)
            add("export", {"name": name, "period": period, "form": form})
        return document

    def receipt(self, name: str, period: str, by: str, account: str) -> None:
        """Enter that the recipient of an agreement has confirmed in writing that what was handed out is deleted; from
        then on nothing more is.

        Args:
            by: who has confirmed it.
            account: of the machine, of whom enters it.

        Raises:
            Refusal: it is under no agreement, was never handed out, or that is confirmed already.
            OSError: the disk does not take it.
        """
        with self._ledger.turn() as add:
            found = self._standing(name, period)
            if found.facts.get("agreement") is None:
                raise Refusal(
                    f"{name} {period} is under no agreement, so nobody is asked to delete it: what was handed out of "
                    "it stays with whoever has it. Nothing was entered."
                )
            if not found.exported:
                raise Refusal(f"{name} {period} was never handed out.")
            if found.receipt:
                raise Refusal(f"{found.receipt} has confirmed that already.")
            add("receipt", {"name": name, "period": period, "by": by, "account": account})

    def today(self) -> str:
        """The local day by this clock."""
        return local_day(self._clock.now(), self._zone).isoformat()

    def document(self, name: str, period: str, standing: Standing | None = None) -> dict[str, Any]:
        """A release as it was made.

        Raises:
            Refusal: there is none, its time is over, or the file is not the one that was released.
        """
        found = standing or self._standing(name, period)
        path = self._path(name, period)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise Refusal(_gone(name, period, found)) from None
        if sha256(content).hexdigest() != found.facts["sha256"]:
            raise Refusal(f"{path} is not as it was released. Bring it back from a backup.")
        made: dict[str, Any] = json.loads(content)
        return made

    def remove(self, name: str, period: str) -> None:
        """Take a release away whose time is over; the ledger remembers that there was one.

        Raises:
            OSError: the disk does not let it go.
        """
        with self._ledger.turn() as add:
            self._path(name, period).unlink(missing_ok=True)
            sync_directory(self._folder)
            add("removed", {"name": name, "period": period})

    def _standing(self, name: str, period: str) -> Standing:
        found = self.standings().get((name, period))
        if found is None or found.withheld:
            raise Refusal(f"There is no release {name} {period}. sekisho release list says which there are.")  # fmt: skip
        return found

    def _path(self, name: str, period: str) -> Path:
        return self._folder / f"{name}-{period}.json"


def _released(entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (entry for entry in entries if entry["what"] == "release")


def _gone(name: str, period: str, found: Standing) -> str:
    if found.removed:
        return f"{name} {period} had its time and was removed."
    return f"The file of {name} {period} is missing. Bring it back from a backup."


def _why_not(name: str, period: str, found: Standing, today: str) -> str:
    if found.removed:
        return _gone(name, period, found)
    if found.receipt:
        return (
            f"{name} {period} stays here: {found.receipt} has confirmed that what was handed out is deleted, and that "
            "settles the agreement."
        )
    if found.ended(today):
        return f"{name} {period} stays here: its agreement ended on {found.facts['agreement']['ends']}."
    if found.refused:
        return f"{name} {period} stays here: {', '.join(found.refused.values())} refused it."
    wanted = found.facts["review"] - len(found.approved)
    return (
        f"{name} {period} stays here until {wanted} more {'person has' if wanted == 1 else 'people have'} looked at it: "
        f"sekisho release review {name} {period} --by NAME. Each is a reviewer of their own (sekisho release reviewer)."
    )
