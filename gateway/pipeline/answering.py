"""Answers to uplinks: their acknowledgement, MAC commands, and what an application has to say; each with a counter that is reserved."""

from collections.abc import Callable
from functools import partial

from gateway.lorawan.adr import Adr
from gateway.lorawan.answers import answer, carriable, downlink
from gateway.lorawan.merging import Merged
from gateway.lorawan.plan import Plan
from gateway.lorawan.session import RESERVED, Session
from gateway.lorawan.uplinks import Uplink
from gateway.pipeline.notebook import Notebook
from gateway.pipeline.outbox import Outbox
from gateway.sessions.airmail import Airmail, Letter

_LOW_WATER = RESERVED // 4
"""Counters left at which the next ones are reserved, so that no answer waits for the disk."""


class Answering:
    """Those of one network.

    Args:
        mail: what applications have to say to devices.
        adr: sets devices' data rates; None where nobody does.
    """

    def __init__(
        self, plan: Plan, notebook: Notebook, mail: Airmail, outbox: Outbox, adr: Adr | None
    ) -> None:
        self._plan = plan
        self._notebook = notebook
        self._mail = mail
        self._outbox = outbox
        self._adr = adr

    def answer(self, found: Uplink, merged: Merged) -> None:
        """Say what there is to say. Whoever plays the last frame back takes nothing away that an application has to say."""
        plan, best, session = self._plan, merged.best, found.session
        dr = plan.number(best.rate)
        if dr is None:
            self._outbox.misses.name(best.phy, "no such data rate here")
            return
        letter = None if found.again else self._mail.oldest(session.device)
        say = partial(
            answer,
            found,
            forwarders=len({one.forwarder for one in merged.receptions}),
            snr_db=best.snr_db,
            sf=best.rate.sf,
            at=best.at,
            adr=() if self._adr is None else self._adr.ask(found),
        )
        said = say(waiting=None if letter is None else letter.waiting)
        if letter is not None and said and not carriable(said, session, plan, best.freq_hz, dr):
            letter, said = None, say()
        if said is None:
            return
        by_app = letter is not None
        if not session.has_counter(by_app=by_app):
            self._notebook.reserve(session, partial(self._reserved, found, merged))
            return
        sending = downlink(self._outbox.number(), found, said, plan, best.freq_hz, dr)
        if not session.has_counter(by_app=by_app, left=_LOW_WATER):
            self._notebook.reserve(session, lambda _written: None)
        if letter is None:
            self._outbox.send("answer", sending, merged)
            return
        post = partial(self._outbox.send, "downlink", sending, merged, partial(self._mail.went, letter))  # fmt: skip
        self._mail.leave(letter, partial(self._left, letter, session, post))

    def _left(self, letter: Letter, session: Session, post: Callable[[], None], written: bool) -> None:  # fmt: skip
        """The disk knows of it. What the device is to confirm is counted there too: its confirmation is signed with that."""
        if written and letter.waiting.confirmed:
            self._notebook.write(session, lambda counted: post() if counted else None)
        elif written:
            post()

    def _reserved(self, found: Uplink, merged: Merged, written: bool) -> None:
        if written:
            self.answer(found, merged)
        else:
            self._outbox.misses.name(found.data.mic, "no counter could be reserved")
