"""A node's radio: it listens, sends what the law permits, rests as its network wants, opens its windows, and lives on a battery."""

import asyncio
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from gateway.lorawan.air_law import AirLaw, Transmission
from gateway.lorawan.airtime import airtime_us
from gateway.lorawan.plan import DataRate
from simulators.lorawan.book import CHANNEL_BUSY, Book
from simulators.lorawan.field import Ear, Field, Sent
from simulators.lorawan.node import Node

CRYSTAL_PPM = 20.0

LISTENS = 8
"""So often a node listens on its channels, in any order, before it gives a frame up."""

BACK_OFF_S = (0.02, 0.3)
"""It waits so long in between: about as long as others send."""

STEP_DB = 2.0
_WINDOW_US = 30_000
"""So long a receiver is on in a window in which nothing begins."""


class Radio:
    """One node's.

    Args:
        device: as the ledger names it.

    Attributes:
        drift: how much longer its second is than others', a ratio.
    """

    def __init__(self, device: str, node: Node, field: Field, book: Book, dice: Random) -> None:
        self.drift = 1 + dice.uniform(-CRYSTAL_PPM, CRYSTAL_PPM) / 1e6
        self._device = device
        self._node = node
        self._field = field
        self._book = book
        self._dice = dice
        self._law = AirLaw(node.plan.rules)
        self._quiet_until_us = 0

    @property
    def is_dead(self) -> bool:
        """Whether its battery is empty by now."""
        battery = self._node.battery
        if battery is None:
            return False
        battery.sleep(self._field.now_us())
        return battery.empty

    async def free(self, channels: Mapping[int, int], who: dict[str, Any]) -> int | None:
        """The number of one of these channels on which nobody is heard, any of them where nobody need listen.

        Args:
            channels: number → frequency.
            who: as the ledger names the frame that is given up.
        """
        rate = self._rate
        numbers = list(channels)
        clause = ""
        for _ in range(LISTENS):
            self._dice.shuffle(numbers)
            for number in numbers:
                clause = self._field.busy(self._device, channels[number], rate)
                if not clause:
                    return number
            await asyncio.sleep(self._dice.uniform(*BACK_OFF_S))
        said = {"frame": self._field.number(), "device": self._device, **who}
        self._book.not_sent(said, clause, CHANNEL_BUSY)
        return None

    def air_us(self, size: int) -> int:
        """How long a frame of so many bytes is on the air, as it sends now."""
        return airtime_us(size, self._rate)

    async def rest(self) -> None:
        """Be silent as long as the network wants it after the last frame (DutyCycleReq)."""
        await asyncio.sleep(max(0, self._quiet_until_us - self._field.now_us()) / 1e6)

    async def send(self, phy: bytes, freq_hz: int, who: dict[str, Any], first: Callable[[], None]) -> Sent | None:  # fmt: skip
        """Send one frame, if the law permits it now; see `Field.send`."""
        tuning = self._node.tuning
        eirp = self._node.plan.max_eirp_dbm - STEP_DB * tuning.power_steps
        number = self._field.number()
        who = {"device": self._device, **who}
        now = self._field.now_us()
        air_us = self.air_us(len(phy))
        sending = Transmission(now / 1e6, freq_hz, self._rate, air_us, eirp)
        clause = self._law.allow(sending)
        if clause is not None:
            self._book.not_sent({"frame": number, **who}, str(clause))
            return None
        self._law.sent(sending)
        self._quiet_until_us = now + air_us * (1 + tuning.rests)
        if self._node.battery is not None:
            self._node.battery.send(air_us, tuning.power_steps)
        return await self._field.send(number, phy, freq_hz, self._rate, eirp, who, first)

    async def listen(self, sent: Sent, rx1: tuple[int, DataRate], delay_s: float, rx2: tuple[int, int], hears: Callable[[bytes, float], bool]) -> Ear:  # fmt: skip
        """Open both windows after a frame; returns when something came that was meant for it, or they are over.

        Args:
            rx1: frequency and data rate.
            delay_s: to the first window; the second opens a second later.
            rx2: frequency, and number of the data rate.
        """
        opens = sent.end_us + round(delay_s * self.drift * 1e6)
        windows = {
            "RX1": (opens, *rx1),
            "RX2": (
                opens + round(self.drift * 1e6),
                *(rx2[0], self._node.plan.data_rates[rx2[1]]),
            ),
        }
        on_us = 0

        def awake(phy: bytes, snr_db: float) -> bool:
            nonlocal on_us
            on_us += airtime_us(len(phy), rx1[1], crc=False)
            return hears(phy, snr_db)

        ear = Ear(self._device, sent.number, windows, awake)
        await self._field.listen(ear)
        if self._node.battery is not None:
            self._node.battery.listen(on_us + _WINDOW_US * (1 if ear.in_window == "RX1" else 2))
        return ear

    @property
    def _rate(self) -> DataRate:
        return self._node.plan.data_rates[self._node.tuning.dr]
