"""Joins: judged, written down, answered. An answer leaves behind the nonce and the session, both on disk."""

from functools import partial

from gateway.lorawan.joining import Joined
from gateway.lorawan.merging import Merged
from gateway.lorawan.network import Network
from gateway.lorawan.reception import Downlink
from gateway.lorawan.refusals import Refused
from gateway.lorawan.session import RESERVED
from gateway.lorawan.troubles import Troubles
from gateway.pipeline.notebook import Notebook, RememberJoin
from gateway.pipeline.outbox import Outbox
from gateway.telemetry import Facts
from gateway.wire.lorawan.frames import JoinRequest


class Joins:
    """Those of one network.

    Args:
        remember: makes a join durable.
    """

    def __init__(
        self,
        network: Network,
        notebook: Notebook,
        remember: RememberJoin,
        outbox: Outbox,
        troubles: Troubles,
        facts: Facts,
    ) -> None:
        self._network = network
        self._notebook = notebook
        self._remember = remember
        self._outbox = outbox
        self._troubles = troubles
        self._facts = facts

    def take(self, request: JoinRequest, merged: Merged) -> Refused | None:
        """Begin a session, and answer once it is written down; why not, where it is refused."""
        found = self._network.join(request)
        if isinstance(found, Refused):
            known = self._network.root(request.dev_eui)
            if known is not None:
                self._troubles.doubt(known.device, found, merged.best.at)
            return found
        root, made = found
        self._troubles.welcome(root.device, merged.best.at)
        self._facts.count("lorawan: joined")
        made.session.reserved = made.session.app_reserved = RESERVED
        self._remember(root, partial(self._remembered, made, merged))
        return None

    def _remembered(self, made: Joined, merged: Merged, written: bool) -> None:
        if written:
            self._notebook.write(made.session, partial(self._welcome, made, merged))

    def _welcome(self, made: Joined, merged: Merged, written: bool) -> None:
        """The session is on disk: the device may be told."""
        if not written:
            return
        self._notebook.end(self._network.welcome(made.session))
        plan, best = self._network.plan, merged.best
        dr = plan.number(best.rate)
        if dr is None:
            self._outbox.fail("join-accept", "no such data rate here", best.phy)
            return
        freq_hz, rx1 = plan.rx1(best.freq_hz, dr, 0)
        sending = Downlink(
            *(self._outbox.number(), made.session.dev_eui, made.accept),
            *(freq_hz, plan.data_rates[rx1]),
            *(plan.rx2.freq_hz, plan.data_rates[plan.rx2.dr]),
            plan.join_delay_s,
            plan.max_eirp_dbm,
        )
        self._outbox.send("join-accept", sending, merged)
