"""Who may review releases, as the ledger on disk has it (`gateway.counting.reviewers`)."""

from pathlib import Path

from gateway.clock import Clock
from gateway.counting.reviewers import Reviewer, Roll, folded
from gateway.model.errors import Refusal
from gateway.stores.access_chain import Signs
from gateway.stores.ledger_file import LedgerFile


class Reviewers:
    """Those of the folder `releases/` of a state directory."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._ledger = LedgerFile(folder, clock)

    def roll(self) -> Roll:
        """Everybody who ever was one; see `LedgerFile.entries` for what it raises."""
        return Roll.of(self._ledger.entries())

    def require(self, name: str) -> Reviewer:
        """Who reviews under a name.

        Raises:
            Refusal: nobody does.
        """
        found = self.roll().present(name)
        if found is None:
            raise Refusal(
                f"There is no reviewer {name}. That person signs in first, from an account of their own: "
                f'sekisho release reviewer add "{name}".'
            )
        return found

    def require_free(self, name: str, account: str, *, own: bool) -> None:
        """Refuse who could not be entered; see `add`.

        Raises:
            Refusal: there is one of that name, or the account stands for somebody else.
        """
        roll = self.roll()
        if roll.present(name) is not None:
            raise Refusal(
                f"{name} is a reviewer already. Whose passphrase is lost: sekisho release reviewer remove "
                f'"{name}", and then add again.'
            )
        first = roll.accounts.get(account, folded(name))
        if own and first != folded(name):
            raise Refusal(
                f"The account {account} stands for {roll.people[first].name}, and for nobody else: two reviews by "
                f"one account would be one person's. {name} does this from an account of their own on this machine; "
                "with sudo as the gateway's user it is still that account that counts."
            )

    def add(self, name: str, account: str, salt: bytes, signer: Signs, *, own: bool = True) -> None:
        """Enter a reviewer, signed by the key that is theirs from now on.

        Args:
            account: of the machine, from which they come.
            salt: of their key.
            own: whether nobody else may ever have come from that account.

        Raises:
            Refusal: see `require_free`.
            OSError: the disk does not take it.
        """
        with self._ledger.turn() as add:
            self.require_free(name, account, own=own)
            facts = {"by": name, "account": account, "salt": salt.hex(), "public": signer.public}
            add("reviewer", facts, signer.sign)

    def remove(self, name: str, account: str) -> None:
        """Enter that somebody reviews no more; what they have reviewed stays so.

        Raises:
            Refusal: there is none of that name.
            OSError: the disk does not take it.
        """
        with self._ledger.turn() as add:
            add("reviewer left", {"by": self.require(name).name, "account": account})
