"""From what forwarders heard to rows and answers: merged, judged, stored, written down, answered; in this order.

    heard → window → judge → intake → commit → counter on disk → answer

A counter is written down behind the row: a kill between the two makes the device's retransmission new to its session and old
to the store, so nothing is stored twice and nothing is refused that was never accepted. An answer leaves behind both.
A downlink's counter is reserved on disk before any frame has it. Joins: `joins`.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from functools import partial

from gateway.clock import Clock
from gateway.devices.catalog import catalog
from gateway.devices.codecs import forwarded_route
from gateway.interfaces import Scripts
from gateway.lorawan.adr import Adr
from gateway.lorawan.census import Census
from gateway.lorawan.joining import Root
from gateway.lorawan.merging import Merged, Merging
from gateway.lorawan.misses import Misses
from gateway.lorawan.network import Network
from gateway.lorawan.reception import Reception
from gateway.lorawan.refusals import Refused
from gateway.lorawan.troubles import Troubles
from gateway.lorawan.unserved import asked_for
from gateway.lorawan.uplinks import Doubt, Uplink
from gateway.model.device import Device, Directory
from gateway.model.forwarded import Forwarded
from gateway.model.identity import DeviceId
from gateway.model.reason import Reason
from gateway.model.uplink import Receiver, Route, Uplinks
from gateway.pipeline.answering import Answering
from gateway.pipeline.attempt import attempt
from gateway.pipeline.joins import Joins
from gateway.pipeline.notebook import Notebook, RememberJoin
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.scripting import Scripting
from gateway.pipeline.sorting import Item
from gateway.sessions.airmail import Airmail
from gateway.telemetry import Facts
from gateway.wire.lorawan.frames import (
    Data,
    FrameError,
    JoinRequest,
    Proprietary,
    RejoinRequest,
    parse,
)
from gateway.wire.lorawan.identifiers import Eui

_LAST_PORT = 223
"""Ports above it are for tests of radios and for what comes (LoRaWAN 1.0.4 §4.3.2)."""

_BREATH_S = 0.01
"""Windows that close within this time close together: so their rows share a commit, and a busy network wakes less often."""


class Radio:
    """Everything between forwarders and the intake.

    Args:
        mail: what applications have to say to devices.
        remember: makes a join durable.
        scripts: runs vendors' codecs; None where no codec is one.
        origin: of the uplinks, "own" or "simulated".
        window_s: how long receptions of one frame are waited for.
        adr: sets devices' data rates; None where nobody does.
        boot: of this machine, since when its monotonic clock runs.

    Attributes:
        refused: why frames came to nothing.
        outbox: answers on their way.
        troubles: what went wrong last with each device.
        receptions: of frames that were believed, all together.
        census: how well forwarders hear.
    """

    def __init__(
        self,
        network: Network,
        notebook: Notebook,
        mail: Airmail,
        remember: RememberJoin,
        receiver: Receiver,
        directory: Directory,
        facts: Facts,
        clock: Clock,
        scripts: Scripts | None = None,
        origin: str = "own",
        window_s: float = 0.2,
        adr: Adr | None = None,
        boot: bytes = b"",
    ) -> None:
        self._network = network
        self._notebook = notebook
        self._mail = mail
        self._receiver = receiver
        self._directory = directory
        self._routes: dict[DeviceId, Route | Reason] = {}
        self._facts = facts
        self._clock = clock
        self._open_kinds = {kind.name for kind in catalog().values() if not kind.personal}
        self._scripting = Scripting(scripts)
        self._origin = origin
        self._merging = Merging(window_s)
        self._opened = asyncio.Event()
        self.outbox = Outbox(network.plan.rules, notebook, boot, Misses(kept=facts.recent.exact))
        self.refused: Counter[Refused] = Counter()
        self.troubles = Troubles()
        self.receptions = 0
        self.census = Census()
        self._adr = adr
        self._answering = Answering(network.plan, notebook, mail, self.outbox, adr)
        self._joins = Joins(network, notebook, remember, self.outbox, self.troubles, facts)

    @property
    def late(self) -> int:
        """Copies that came behind the window of their frame."""
        return self._merging.late

    def heard(self, reception: Reception) -> None:
        """A forwarder heard a frame; of whichever door."""
        roof = self._facts.recent.roofs[str(reception.forwarder)]
        roof.frames += 1
        self.census.hear(reception)
        roof.elsewhere += not self._network.plan.has(reception.freq_hz, reception.rate)
        if self._merging.add(reception):
            self._opened.set()

    def renew(self, directory: Directory, roots: Mapping[Eui, Root]) -> None:
        """The registry has changed."""
        self._directory = directory
        self._routes.clear()
        self._network.admit(roots)

    async def carry(self) -> None:
        """Close windows as their time comes; runs until it is cancelled."""
        while True:
            due_s = self._merging.next_s
            if due_s is None:
                self._opened.clear()
                await self._opened.wait()
                continue
            await asyncio.sleep(max(due_s - self._clock.monotonic(), _BREATH_S))
            for merged in self._merging.due(self._clock.monotonic()):
                attempt(self._facts, partial(self._take, merged))

    def _take(self, merged: Merged) -> None:
        try:
            frame = parse(merged.best.phy)
        except FrameError:
            self._refuse(Refused.NO_FRAME)
            return
        if isinstance(frame, Data) and frame.up:
            self._data(frame, merged)
        elif isinstance(frame, JoinRequest):
            refused = self._joins.take(frame, merged)
            if refused is None:
                self.receptions += len(merged.receptions)
            else:
                self._refuse(refused)
        elif isinstance(frame, RejoinRequest):
            self._refuse(Refused.REJOIN)
        elif isinstance(frame, Proprietary):
            self._refuse(Refused.PROPRIETARY)
        else:
            self._refuse(Refused.DOWNLINK)

    def _refuse(self, why: Refused) -> None:
        self.refused[why] += 1
        self._facts.count(f"lorawan: {why.value}")

    # -- data

    def _data(self, data: Data, merged: Merged) -> None:
        found = self._network.judge(data, merged)
        if isinstance(found, Doubt):
            self._refuse(found.why)
            self.outbox.misses.name(merged.best.phy, found.why.value)
            if found.session is not None:
                self.troubles.doubt(found.session.device, found.why, merged.best.at)
            return
        session, best = found.session, merged.best
        self._notebook.end(found.ends)
        self.troubles.believe(session.device)
        vain = asked_for(found)
        if vain is not None:
            self.troubles.vain[session.device] = vain
        self.receptions += len(merged.receptions)
        self.census.count(merged.receptions)
        self.outbox.transmitters.calendar.meet(merged.receptions)
        dr = self._network.plan.number(best.rate)
        if self._adr is not None and dr is not None:
            self._adr.hear(found, dr, best.snr_db)
        device = self._directory.devices.get(session.device)
        if device is None or device.revoked:
            self._refuse(Refused.REVOKED)
        elif found.again:
            if self._facts.recent.exact or device.kind in self._open_kinds:
                self._facts.count("lorawan: repeated")
            if session.kept == found.f_cnt:
                self._answering.answer(found, merged)
            else:
                self.outbox.misses.name(best.phy, "what it repeats is not written down yet")
        elif data.f_port is None or not 1 <= data.f_port <= _LAST_PORT:
            self._settled(found, merged)  # nothing to store: MAC commands, or a sign of life
        else:
            self._hand_over(found, merged, device)

    def _hand_over(self, found: Uplink, merged: Merged, device: Device) -> None:
        route = self._routes.get(device.device)
        if route is None:
            route = self._routes[device.device] = forwarded_route(device) or Reason.NO_CODEC
        if device.kind in self._open_kinds:
            self._facts.recent.radio[device.device] = merged.by_forwarder
        data = found.data
        assert data.f_port is not None
        at = merged.best.at
        uplink = Forwarded(
            *(data.f_port, found.f_cnt, found.session.id, found.plain.payload),
            None,
            network_at=at,
        )

        def put(item: Item) -> None:
            settle = partial(self._settle, found, merged)
            self._receiver.put(device.device, Uplinks(self._origin, at, (item,), settle))

        if isinstance(route, Route) and route.script:
            self._scripting.start(route, uplink, put, partial(self._failed, found))
        else:
            put((route, uplink))

    def _settle(self, found: Uplink, merged: Merged, _refused: Mapping[int, Reason]) -> None:
        if not attempt(self._facts, partial(self._settled, found, merged)):
            self._failed(found)

    def _settled(self, found: Uplink, merged: Merged) -> None:
        """The row is on disk, or there is none to be: now the counter, and then the answer."""
        if found.data.ack:
            self._mail.acknowledged(found.session.device)
        if found.session.over:
            return  # its device speaks in another one by now, and listens for nothing here
        found.session.settle(found.f_cnt)
        self._notebook.write(found.session, partial(self._counted, found, merged))

    def _counted(self, found: Uplink, merged: Merged, written: bool) -> None:
        if not written:
            if (
                not found.session.over
            ):  # else its row is kept, and its device speaks in another session
                self._failed(found)
            return
        found.session.kept = found.f_cnt
        self._answering.answer(found, merged)

    def _failed(self, found: Uplink) -> None:
        """It came to nothing by a fault of ours, and has no answer: repeated, it is taken as if it came first."""
        self._facts.note(
            "lorawan: uplink not kept",
            "A LoRaWAN uplink came to nothing, by an error of this program or of its disk: its device has no answer, and what "
            "it repeats is taken as new",
            logging.ERROR,
        )
        self.outbox.misses.name(found.data.mic, "an error of ours")
        if found.session.up == found.f_cnt:
            found.session.lost = True
