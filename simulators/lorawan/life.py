"""What a node does all day: it joins, tries again until it has, reports, and repeats what must be acknowledged."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from gateway.model.instant import Instant
from gateway.wire.lorawan.commands import Cid, Command
from simulators.lorawan.book import Book
from simulators.lorawan.field import Field
from simulators.lorawan.join_budget import LAW, JoinBudget
from simulators.lorawan.meters import Meter
from simulators.lorawan.node import Node
from simulators.lorawan.radio import Radio
from simulators.lorawan.touch import DELAY, LIMIT
from simulators.uplink import SimUplink

TRIES = 8
"""Transmissions of a confirmed uplink, all in all (1.0.4 §4.3.1.1 leaves it to the device)."""

_AGAIN_S = (1.0, 3.0)
_JOIN_AGAIN_S = (1.0, 6.0)
_ASKS_TIME, _CHECKS_LINK = 0.2, 0.05
"""Shares of nodes that ask for the time once they have joined, and of uplinks that ask how well they are heard."""

_SLOWER_EVERY = 4
JOIN_REQUEST = 23
"""Bytes of one."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How the nodes of a scenario live.

    Attributes:
        every_s: between two uplinks, ± 5 %.
        confirmed: the share of uplinks that want an acknowledgement.
        spread_s: within which they switch on.
        charge: of their batteries at the beginning, 0 to 1.
        adr_limit, adr_delay: uplinks without an answer until they ask for one, and until they do something about it.
    """

    every_s: float = 60.0
    confirmed: float = 0.2
    spread_s: float = 10.0
    charge: float = 1.0
    adr_limit: int = LIMIT
    adr_delay: int = DELAY


class _Tried(NamedTuple):
    """What became of one transmission.

    Attributes:
        window: in which something for this node came; None for nothing.
        acked: whether it was acknowledged.
    """

    window: str | None = None
    acked: bool = False


class Life:
    """One node among the others.

    Args:
        device, kind: as the ledger names it.
        now: town time, for the ledger.
        dice: its own.

    Attributes:
        over: its battery is empty.
    """

    def __init__(self, device: str, kind: str, node: Node, meter: Meter, field: Field, book: Book, habits: Habits, now: Callable[[], Instant], dice: Random) -> None:  # fmt: skip
        self.device = device
        self.node = node
        self.uplinks = 0
        self.over = False
        self._kind = kind
        self._meter = meter
        self._field = field
        self._book = book
        self._habits = habits
        self._now = now
        self._dice = dice
        self._radio = Radio(device, node, field, book, dice)
        self._joins = JoinBudget(field.now_us())

    async def live(self, stop: asyncio.Event) -> None:
        """Until `stop`, or its battery is empty; what has begun is brought to its end."""
        if await _rest(self._dice.uniform(0.0, self._habits.spread_s), stop):
            return
        self._joins = JoinBudget(self._field.now_us())
        await self._days(stop)
        if self._radio.is_dead:
            self.over = True
            self._book.died(self.device, self._field.now_us())

    async def _days(self, stop: asyncio.Event) -> None:
        dice, habits = self._dice, self._habits
        tries = 1
        while not await self._join():
            tries += 1
            self._slower(tries)
            pause = max(dice.uniform(*_JOIN_AGAIN_S), self._join_wait_s())
            if self._radio.is_dead or await _rest(pause, stop):
                return
        self._book.joined(self.device, tries)
        if dice.random() < _ASKS_TIME:
            self.node.asks.append(Command(Cid.DEVICE_TIME))
        pause = dice.uniform(0.2, 0.5) * habits.every_s
        while not (await _rest(pause, stop) or self._radio.is_dead):
            begun = self._field.now_us()
            await self._report()
            took = (self._field.now_us() - begun) / 1e6
            pause = habits.every_s * dice.uniform(0.95, 1.05) * self._radio.drift - took
            pause = max(0.1, pause)

    async def _join(self) -> bool:
        node, plan = self.node, self.node.plan
        phy = node.request()
        who = {"sort": "join"}
        freqs = {number: channel.freq_hz for number, channel in enumerate(plan.channels)}
        channel = await self._radio.free(freqs, who)
        if channel is None:
            return False
        sent = await self._radio.send(phy, freqs[channel], who, _nothing)
        if sent is None:
            return False
        self._joins.sent(sent.end_us, self._radio.air_us(len(phy)))

        def hears(answer: bytes, snr_db: float) -> bool:
            found = node.hear(answer, snr_db)
            return found is not None and found.joined

        freq_hz, dr = plan.rx1(freqs[channel], node.tuning.dr, 0)
        rx1 = freq_hz, plan.data_rates[dr]
        rx2 = plan.rx2.freq_hz, plan.rx2.dr
        await self._radio.listen(sent, rx1, plan.join_delay_s, rx2, hears)
        return node.joined

    def _join_wait_s(self) -> float:
        """How long it must not ask again."""
        wait_us = self._joins.wait_us(self._field.now_us(), self._radio.air_us(JOIN_REQUEST))
        if wait_us:
            who = {"frame": self._field.number(), "device": self.device, "sort": "join"}
            self._book.not_sent(who, LAW)
        return wait_us / 1e6

    async def _report(self) -> None:
        """One uplink, again and again where it must be acknowledged, or where the network wants it so."""
        node = self.node
        payload, values = self._meter.read()
        node.tuning.carry(len(payload))
        confirmed = self._dice.random() < self._habits.confirmed
        if self._dice.random() < _CHECKS_LINK:
            node.asks.append(Command(Cid.LINK_CHECK))
        f_cnt = node.say(payload, self._meter.f_port, confirmed=confirmed)
        self.uplinks += 1
        uplink = SimUplink(
            *(self._now(), self.device, self._kind, "binary", payload, None, f_cnt, values)
        )
        heard = False

        def first() -> None:
            nonlocal heard
            if not heard:
                heard = True
                self._book.hand_over(uplink)

        tried = _Tried()
        tries = 0
        most = TRIES if confirmed else node.tuning.repeats
        while tries < most and not self._radio.is_dead:
            tries += 1
            if tries > 1:
                await asyncio.sleep(self._dice.uniform(*_AGAIN_S))
            if confirmed:
                self._slower(tries)
            tried = await self._try(f_cnt, tries, first)
            if tried.acked or (tried.window and not confirmed):
                break
        acked = tried.window if tried.acked else None
        said = {"confirmed": confirmed, "tries": tries, "heard": heard, "acked": acked}
        self._book.uplink(uplink, said)

    async def _try(self, f_cnt: int, number: int, first: Callable[[], None]) -> _Tried:
        """Send it once."""
        node, tuning = self.node, self.node.tuning
        who = {"sort": "data", "f_cnt": f_cnt, "try": number}
        await self._radio.rest()
        channels = tuning.usable()
        channel = await self._radio.free(channels, who)
        if channel is None:
            return _Tried()
        rx1 = tuning.rx1(channel)
        sent = await self._radio.send(node.frame(channel), channels[channel], who, first)
        if sent is None:
            return _Tried()
        acked = False

        def hears(answer: bytes, snr_db: float) -> bool:
            nonlocal acked
            found = node.hear(answer, snr_db)
            acked = acked or (found is not None and found.ack)
            return found is not None

        ear = await self._radio.listen(sent, rx1, tuning.rx_delay_s, tuning.rx2, hears)
        return _Tried(ear.in_window, acked)

    def _slower(self, tries: int) -> None:
        """Every fourth try that nobody answered takes a data rate less."""
        tuning = self.node.tuning
        if tries % _SLOWER_EVERY == 0:
            tuning.dr = max(tuning.lowest, tuning.dr - 1)


def _nothing() -> None:
    """Nobody needs to know that a join-request was heard."""


async def _rest(for_s: float, stop: asyncio.Event) -> bool:
    """Sleep; whether it is time to stop."""
    try:
        async with asyncio.timeout(for_s):
            await stop.wait()
    except TimeoutError:
        return False
    return True
