"""What a node does all day: it joins, tries again until it has, reports, and repeats what must be acknowledged."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from gateway.lorawan.air_law import AirLaw, Transmission
from gateway.lorawan.airtime import airtime_us
from gateway.model.instant import Instant
from gateway.wire.lorawan.commands import Cid, Command
from simulators.lorawan.book import CHANNEL_BUSY, Book
from simulators.lorawan.field import Ear, Field, Sent
from simulators.lorawan.meters import Meter
from simulators.lorawan.node import Node
from simulators.uplink import SimUplink

TRIES = 8
"""Transmissions of a confirmed uplink, all in all (1.0.4 §4.3.1.1 leaves it to the device)."""

_AGAIN_S = (1.0, 3.0)
_JOIN_AGAIN_S = (1.0, 6.0)
_ASKS_TIME, _CHECKS_LINK = 0.2, 0.05
"""Shares of nodes that ask for the time once they have joined, and of uplinks that ask how well they are heard."""

LISTENS = 8
"""So often a node listens on its channels, in any order, before it gives a frame up."""

BACK_OFF_S = (0.02, 0.3)
"""It waits so long in between: about as long as others send."""

_SLOWER_EVERY = 4
_STEP_DB = 2.0


@dataclass(frozen=True, slots=True)
class Habits:
    """How the nodes of a scenario live.

    Attributes:
        every_s: between two uplinks, ± 5 %.
        confirmed: the share of uplinks that want an acknowledgement.
        spread_s: within which they switch on.
    """

    every_s: float = 60.0
    confirmed: float = 0.2
    spread_s: float = 10.0


class Life:
    """One node among the others.

    Args:
        device, kind: as the ledger names it.
        now: town time, for the ledger.
        dice: its own.
    """

    def __init__(self, device: str, kind: str, node: Node, meter: Meter, field: Field, book: Book, habits: Habits, now: Callable[[], Instant], dice: Random) -> None:  # fmt: skip
        self.device = device
        self.node = node
        self.uplinks = 0
        self._kind = kind
        self._meter = meter
        self._field = field
        self._book = book
        self._habits = habits
        self._now = now
        self._dice = dice
        self._law = AirLaw(node.plan.rules)

    async def live(self, stop: asyncio.Event) -> None:
        """Until `stop`; what has begun is brought to its end."""
        dice, habits = self._dice, self._habits
        if await _rest(dice.uniform(0.0, habits.spread_s), stop):
            return
        tries = 1
        while not await self._join():
            tries += 1
            self._slower(tries)
            if await _rest(dice.uniform(*_JOIN_AGAIN_S), stop):
                return
        self._book.joined(self.device, tries)
        if dice.random() < _ASKS_TIME:
            self.node.asks.append(Command(Cid.DEVICE_TIME))
        pause = dice.uniform(0.2, 0.5) * habits.every_s
        while not await _rest(pause, stop):
            begun = self._field.now_us()
            await self._report()
            took = (self._field.now_us() - begun) / 1e6
            pause = max(0.1, habits.every_s * dice.uniform(0.95, 1.05) - took)

    async def _join(self) -> bool:
        node, plan = self.node, self.node.plan
        phy = node.request()
        usual = [channel.freq_hz for channel in plan.channels]
        who = {"sort": "join"}
        place = await self._free(usual, who)
        if place is None:
            return False
        freq_hz = usual[place]
        sent = await self._send(phy, freq_hz, who, _nothing)
        if sent is None:
            return False

        def hears(answer: bytes) -> bool:
            found = node.hear(answer)
            return found is not None and found.joined

        await self._listen(sent, freq_hz, plan.join_delay_s, plan.rx2.dr, hears)
        return node.joined

    async def _report(self) -> None:
        """One uplink, again and again where it must be acknowledged."""
        node = self.node
        payload, values = self._meter.read()
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

        acked: str | None = None
        tries = 0
        for tries in range(1, (TRIES if confirmed else 1) + 1):
            if tries > 1:
                await asyncio.sleep(self._dice.uniform(*_AGAIN_S))
                self._slower(tries)
            acked = await self._try(f_cnt, tries, first)
            if acked is not None:
                break
        said = {"confirmed": confirmed, "tries": tries, "heard": heard, "acked": acked}
        self._book.uplink(uplink, said)

    async def _try(self, f_cnt: int, number: int, first: Callable[[], None]) -> str | None:
        """Send it once; the window in which it was acknowledged."""
        node = self.node
        who = {"sort": "data", "f_cnt": f_cnt, "try": number}
        channel = await self._free(node.channels, who)
        if channel is None:
            return None
        freq_hz = node.channels[channel]
        sent = await self._send(node.frame(channel), freq_hz, who, first)
        acked = False

        def hears(answer: bytes) -> bool:
            nonlocal acked
            found = node.hear(answer)
            acked = acked or (found is not None and found.ack)
            return found is not None

        if sent is None:
            return None
        ear = await self._listen(sent, freq_hz, node.rx_delay_s, node.rx2_dr, hears)
        return ear.in_window if acked else None

    async def _free(self, channels: Sequence[int], who: dict[str, Any]) -> int | None:
        """The place of one of these channels on which nobody is heard, any of them where nobody need listen."""
        rate = self.node.plan.data_rates[self.node.dr]
        places = list(range(len(channels)))
        clause = ""
        for _ in range(LISTENS):
            self._dice.shuffle(places)
            for place in places:
                clause = self._field.busy(self.device, channels[place], rate)
                if not clause:
                    return place
            await asyncio.sleep(self._dice.uniform(*BACK_OFF_S))
        said = {"frame": self._field.number(), "device": self.device, **who}
        self._book.not_sent(said, clause, CHANNEL_BUSY)
        return None

    async def _send(self, phy: bytes, freq_hz: int, who: dict[str, Any], first: Callable[[], None]) -> Sent | None:  # fmt: skip
        node, plan = self.node, self.node.plan
        rate = plan.data_rates[node.dr]
        eirp = plan.max_eirp_dbm - _STEP_DB * node.power_steps
        number = self._field.number()
        who = {"device": self.device, **who}
        at_s = self._field.now_us() / 1e6
        sending = Transmission(at_s, freq_hz, rate, airtime_us(len(phy), rate), eirp)
        clause = self._law.allow(sending)
        if clause is not None:
            self._book.not_sent({"frame": number, **who}, str(clause))
            return None
        self._law.sent(sending)
        return await self._field.send(number, phy, freq_hz, rate, eirp, who, first)

    async def _listen(self, sent: Sent, freq_hz: int, delay_s: float, rx2_dr: int, hears: Callable[[bytes], bool]) -> Ear:  # fmt: skip
        plan = self.node.plan
        rx1_hz, rx1_dr = plan.rx1(freq_hz, self.node.dr, 0)
        opens = sent.end_us + round(delay_s * 1e6)
        windows = {
            "RX1": (opens, rx1_hz, plan.data_rates[rx1_dr]),
            "RX2": (opens + 1_000_000, plan.rx2.freq_hz, plan.data_rates[rx2_dr]),
        }
        ear = Ear(self.device, sent.number, windows, hears)
        await self._field.listen(ear)
        return ear

    def _slower(self, tries: int) -> None:
        """Every fourth try that nobody answered takes a data rate less, as far as joins may go."""
        lowest = max(channel.low for channel in self.node.plan.channels)
        usable = max(lowest, self.node.plan.rx2.dr)
        if tries % _SLOWER_EVERY == 0:
            self.node.dr = max(usable, self.node.dr - 1)


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
