"""LoRaWAN wired into a run: the network and its memory, and the doors of forwarders."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.app import radio_health
from gateway.app.checkpoint import Checkpoint
from gateway.app.join_writer import JoinWriter
from gateway.app.radio_post import RadioPost
from gateway.clock import SystemClock, boot_id
from gateway.interfaces import Scripts
from gateway.lorawan.adr import Adr
from gateway.lorawan.forwarder import Forwarder
from gateway.lorawan.network import Network
from gateway.lorawan.plan import Plan
from gateway.lorawan.regions import PLANS
from gateway.lorawan.session import Session
from gateway.model.device import Directory
from gateway.model.identity import DeviceId
from gateway.pipeline.radio import Radio
from gateway.registry.radio_rows import Radio as Known
from gateway.registry.registry import Registry
from gateway.sessions.keeping import Keeping
from gateway.wire.lorawan.identifiers import Eui


@dataclass(frozen=True, slots=True)
class RadioPlan:
    """What a run with LoRaWAN is told.

    Attributes:
        window_s: how long receptions of one frame are waited for.
        origin: of the uplinks, "own" or "simulated".
        adr_margin_db: of data rates that are set; None where none is.
    """

    plan: Plan
    forwarders: Mapping[Eui, Forwarder]
    window_s: float = 0.2
    origin: str = "own"
    adr_margin_db: float | None = None


class RadioHouse:
    """The network of one run, as one of its doors: renewed and closed with them.

    Attributes:
        radio: takes what forwarders hear.
        tasks: what runs while it is open.
    """

    def __init__(
        self, wish: RadioPlan, checkpoint: Checkpoint, keeping: Keeping, scripts: Scripts | None
    ) -> None:
        self._checkpoint = checkpoint
        self._keeping = keeping
        self._registry = Registry.open(checkpoint.state, checkpoint.keys)
        self._network = Network(wish.plan)
        self._since = checkpoint.clock.now()
        self.plan = wish.plan
        self.forwarders = wish.forwarders
        directory = checkpoint.directory
        sessions = self._recall(keeping)
        known = self._registry.radio.read()
        self._network.admit(known.roots)
        keeping.radio.end(self._network.resume(sessions))
        self._go_on(known)
        self._joins = JoinWriter(self._registry.radio.joined, checkpoint.facts)
        self.radio = Radio(
            self._network,
            keeping.radio,
            keeping.airmail,
            self._joins.remember,
            checkpoint.intake,
            directory,
            checkpoint.facts,
            checkpoint.clock,
            scripts,
            wish.origin,
            wish.window_s,
            None if wish.adr_margin_db is None else Adr(wish.plan, wish.adr_margin_db),
            boot_id(),
        )
        transmitters = self.radio.outbox.transmitters
        transmitters.recall(keeping.recall_air(wish.forwarders), checkpoint.clock.monotonic())
        self.tasks: set[asyncio.Task[None]] = set()
        self._hourly = radio_health.Hourly()
        checkpoint.window.answer("radio", self._answer)
        post = RadioPost(checkpoint, keeping.commands, SystemClock(), wish.plan, known)
        self._post = post
        checkpoint.window.answer("downlink", post.answer)

    def open(self) -> None:
        """Close windows from here on."""
        self.tasks.add(asyncio.create_task(self.radio.carry(), name="radio"))

    def renew(self, directory: Directory) -> None:
        """The registry has changed: other roots, other routes; whoever may not speak any more is not heard, and may again with the
        session that it had.
        """
        known = self._registry.radio.read()
        self.radio.renew(directory, known.roots)
        self._post.renew(known)
        self._go_on(known)

    def _recall(self, keeping: Keeping) -> list[Session]:
        """The sessions as they were left; none where they were left in another file than this one, or one cannot be read."""
        known = self._registry.radio.file
        if known is None:
            self._registry.radio.stand_in(keeping.file_id)
        if known in (None, keeping.file_id):
            sessions = keeping.recall_radio(self._checkpoint.directory.devices)
            if sessions is not None:
                return sessions
        keeping.forget_radio()  # first: a kill between the two must not leave them to the next start
        self._registry.radio.lost(keeping.file_id, SystemClock().now())
        self._checkpoint.facts.note(
            "lorawan counters lost",
            "This directory's sessions.db is gone, another one or not to be read, as after a restore, and LoRaWAN's counters with it: devices "
            "that join must join again; those that never join (ABP) are refused until sekisho lorawan resume says how "
            "far they have counted",
            logging.WARNING,
        )
        return []

    def _go_on(self, known: Known) -> None:
        """Whoever may speak goes on, and nobody else. Of a device that never joins (ABP) the session is as it was left if address and
        network key are still the same; a new one listens where the region's devices do until told otherwise.
        """
        self._speaking = _speaking(known)
        over = self._network.only(self._speaking)
        joining = {root.device for root in known.roots.values()}
        sessions = self._network.sessions()
        over += self._network.end(d for d, session in sessions if session.abp and d in joining)
        for fresh in known.sessions:
            fresh.rx2_dr = self.plan.rx2.dr
            session = self._network.session(fresh.device)
            if session is None or session.id != fresh.id:
                over += self._network.end([fresh.device])
                self._network.resume([fresh])
                session = fresh
            session.keys = fresh.keys  # of one network key, counters go on whatever else is another
            if fresh.device in known.counters:
                session.obey(known.counters[fresh.device])
        self._keeping.radio.end(over)

    def stop_listening(self) -> None:
        """Nothing comes any more once the doors are shut."""

    async def close(self) -> None:
        """After the last acknowledgement; of each forwarder's airtime the rest that was set aside is given back."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self._joins.finish()
        now_s = self._checkpoint.clock.monotonic()
        for forwarder, law in self.radio.outbox.transmitters.laws.items():
            record, _upto = law.record(now_s, last=True)
            self._keeping.radio.keep_air(forwarder, record, lambda _written: None)
        self._registry.close()

    async def _answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """→ {"ask": "radio", "device": D or nothing, "misses": true or nothing}    ← {"refused": {...}, "downlinks": {...}, "law": {...}, "forwarders": [...], "troubles": [...], …}

        `region`: as the configuration says it; `since`: when it began; `misses`: frames without an answer, by MIC; `law`: how many windows of downlinks were refused, by
        clause; `forwarders`, `troubles` and `course`: `radio_health`.
        """
        checkpoint = self._checkpoint
        recent = checkpoint.facts.recent
        device = str(question.get("device"))
        now = checkpoint.clock.now()
        people = radio_health.are_real(recent, checkpoint.directory, self._speaking)
        outbox = self.radio.outbox
        refused, slow_refused = radio_health.refusals(self.radio.refused, people=people)

        def coarse() -> dict[str, Any]:
            return {
                "refused": slow_refused,
                "downlinks": radio_health.counts(outbox.became, people=people),
                "law": radio_health.counts(outbox.transmitters.refused, people=people),
                "shares": radio_health.shares(recent, self.forwarders),
            }

        told = self._hourly.told(now, coarse) if people else coarse()
        return {
            "people": people,
            "region": next(
                (name for name, plan in PLANS.items() if plan is self.plan), self.plan.name
            ),
            "since": self._since,
            "refused": {**refused, **told["refused"]},
            "downlinks": {**told["downlinks"], **radio_health.joins(outbox.became)},
            "misses": outbox.misses.told() if question.get("misses") and not people else None,
            "law": told["law"],
            "forwarders": [
                {**roof, **told["shares"][roof["eui"]]}
                for roof in radio_health.roofs(recent, self.forwarders, now)
            ],
            "census": self.radio.census.told(now, exact=not people),
            "troubles": radio_health.troubles(recent, checkpoint.directory, self.radio.troubles.of),
            "unserved": radio_health.unserved(
                recent, checkpoint.directory, self.radio.troubles.vain
            ),
            "receptions": None if people else self.radio.receptions,
            "late": None if people else self.radio.late,
            "sessions": len(self._network.devices()),
            "held": self._registry.radio.held(),
            "course": radio_health.course(
                *(recent, checkpoint.directory, device, self._network.session(DeviceId(device)))
            ),
        }


def _speaking(known: Known) -> list[DeviceId]:
    """Whoever may speak LoRaWAN here."""
    joining = (root.device for root in known.roots.values())
    return [*joining, *(session.device for session in known.sessions)]
