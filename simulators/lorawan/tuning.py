"""How a node sends and listens, and what it does when its network wants that otherwise (LoRaWAN 1.0.4 §5).

A command is obeyed as a whole or not at all, and the answer has a bit for each part of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.lorawan.plan import DataRate, Plan
from gateway.wire.lorawan.commands import Cid, Command
from gateway.wire.lorawan.join import Accept

KEEP = 15
"""Data rate or power that stays as it is."""

_STEP_HZ = 100
_MOST_CHANNELS = 16
_MASK, _DATA_RATE, _POWER = 0b001, 0b010, 0b100
_ALL_ON = 6
_UP_DWELL = 0b1_0000


def slowest(plan: Plan) -> int:
    """The data rate with which devices join, and stay where no ADR is done."""
    return max(*(channel.low for channel in plan.channels), plan.rx2.dr)


@dataclass(frozen=True, slots=True)
class Channel:
    """One that a node may send on.

    Attributes:
        low, high: data rates.
        down_hz: where RX1 listens; None: as the region says.
    """

    freq_hz: int
    low: int
    high: int
    on: bool = True
    down_hz: int | None = None


class Tuning:
    """One node's radio.

    Attributes:
        dr: data rate that it sends with; `lowest` is the slowest that it may take.
        power_steps: 2 dB each below the most that it may send with.
        repeats: transmissions of an unconfirmed uplink (NbTrans).
        rests: after each transmission it is silent for so many times its length (DutyCycleReq).
        channels: number → channel.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.lowest = slowest(plan)
        self._carries = 0
        self.dr = max(channel.high for channel in plan.channels)
        self.power_steps = 0
        self.repeats = 1
        self.rests = 0
        self.rx_delay_s = plan.rx1_delay_s
        self._offset = 0
        self.rx2 = (plan.rx2.freq_hz, plan.rx2.dr)
        self.channels = dict(enumerate(Channel(*one) for one in plan.channels))

    def carry(self, size: int) -> None:
        """From here on take no data rate at which so many bytes of payload may not be sent (N of RP002-1.0.4)."""
        self._carries = min(dr for dr, most in self._plan.max_payload.items() if most >= size)
        self.lowest = max(self.lowest, self._carries)
        self.dr = max(self.dr, self.lowest)

    def settle(self, accept: Accept) -> None:
        """Take over what a join-accept says."""
        self.rx_delay_s = float(accept.rx_delay or 1)
        self._offset = accept.dl_settings >> 4 & 0b111
        self.rx2 = (self._plan.rx2.freq_hz, accept.dl_settings & 0x0F)
        usual = self._plan.channels
        self.channels = dict(enumerate(Channel(*one) for one in usual))
        if accept.cf_list and accept.cf_list[15] == 0:
            added = (int.from_bytes(accept.cf_list[n : n + 3], "little") for n in range(0, 15, 3))
            for number, step in enumerate(added, len(usual)):
                if step:
                    freq_hz = step * _STEP_HZ
                    self.channels[number] = Channel(freq_hz, usual[0].low, usual[0].high)

    def usable(self) -> dict[int, int]:
        """Number → frequency of the channels that carry its data rate; where none does, the region's own are on again."""
        found = self._carrying()
        if not found:
            self.restore()
            found = self._carrying()
        return found

    def _carrying(self) -> dict[int, int]:
        return {
            number: one.freq_hz
            for number, one in self.channels.items()
            if one.on and one.low <= self.dr <= one.high
        }

    def rx1(self, channel: int) -> tuple[int, DataRate]:
        """Where and how the first window listens after an uplink there."""
        one = self.channels[channel]
        freq_hz, dr = self._plan.rx1(one.freq_hz, self.dr, self._offset)
        return one.down_hz or freq_hz, self._plan.data_rates[dr]

    def at_default(self) -> bool:
        """Whether it is as loud and slow as it may be: nothing more could be done to be heard."""
        return self.dr <= self.lowest and self.power_steps == 0

    def restore(self) -> None:
        """Each uplink once, and the region's own channels on."""
        self.repeats = 1
        for number in range(len(self._plan.channels)):
            self.channels[number] = replace(self.channels[number], on=True)

    def obey(self, asked: Sequence[Command], device: bytes) -> list[Command]:
        """Do what is asked, in order; what there is to answer. Commands of other purposes are passed over.

        Args:
            device: battery and margin, where that is asked for.
        """
        answers: list[Command] = []
        block: list[Command] = []
        for command in asked:
            if command.cid is Cid.LINK_ADR:
                block.append(command)
                continue
            answers += self._adjust(block)
            block = []
            answer = device if command.cid is Cid.DEV_STATUS else self._one(command)
            if answer is not None:
                answers.append(Command(command.cid, answer))
        return answers + self._adjust(block)

    def _one(self, command: Command) -> bytes | None:
        """The answer to one command; None where there is none."""
        said = command.payload
        match command.cid:
            case Cid.DUTY_CYCLE:
                self.rests = (1 << (said[0] & 0x0F)) - 1
            case Cid.RX_TIMING_SETUP:
                self.rx_delay_s = float(said[0] & 0x0F or 1)
            case Cid.RX_PARAM_SETUP:
                return self._listen(said)
            case Cid.NEW_CHANNEL:
                return self._add(said)
            case Cid.DL_CHANNEL:
                return self._listen_on(said)
            case Cid.TX_PARAM_SETUP if self._plan.name.startswith("AS923"):
                plain = min(channel.low for channel in self._plan.channels)
                limit = slowest(self._plan) if said[0] & _UP_DWELL else plain
                self.lowest = max(limit, self._carries)
                self.dr = max(self.dr, self.lowest)
            case _:
                return None
        return b""

    def _adjust(self, block: Sequence[Command]) -> list[Command]:
        """LinkADRReq that follow each other are one: all masks, and the last one's rate, power and repeats (§5.2)."""
        if not block:
            return []
        on: set[int] | None = {number for number, one in self.channels.items() if one.on}
        for command in block:
            on = self._masked(command.payload, on)
        last = block[-1].payload
        dr, power = last[0] >> 4, last[0] & 0x0F
        dr = self.dr if dr == KEEP else dr
        power = self.power_steps if power == KEEP else power
        status = _MASK if on else 0
        channels = self.channels if not on else {number: self.channels[number] for number in on}
        if self._may_send(dr) and any(one.low <= dr <= one.high for one in channels.values()):
            status |= _DATA_RATE
        if power <= self._plan.weakest:
            status |= _POWER
        if on and status == _MASK | _DATA_RATE | _POWER:
            self.dr, self.power_steps, self.repeats = dr, power, last[3] & 0x0F or 1
            self.channels = {n: replace(one, on=n in on) for n, one in self.channels.items()}
        return [Command(Cid.LINK_ADR, bytes((status,)))] * len(block)

    def _masked(self, said: bytes, before: set[int] | None) -> set[int] | None:
        """The channels that one mask leaves on; None for a mask that cannot be (and all behind it)."""
        control = said[3] >> 4 & 0b111
        if before is None or control not in (0, _ALL_ON):
            return None
        if control == _ALL_ON:
            return set(self.channels)
        mask = int.from_bytes(said[1:3], "little")
        on = {number for number in range(_MOST_CHANNELS) if mask >> number & 1}
        return on if on and on <= self.channels.keys() else None

    def _listen(self, said: bytes) -> bytes:
        """RXParamSetupReq: RX1's offset, RX2's data rate and frequency."""
        offset, dr, freq_hz = said[0] >> 4 & 0b111, said[0] & 0x0F, _hz(said[1:4])
        highest = 7 if self._plan.name.startswith("AS923") else 5
        rate = self._plan.data_rates.get(dr)
        status = int(rate is not None and self._plan.rule(freq_hz, rate) is not None)
        status |= (rate is not None) << 1 | (offset <= highest) << 2
        if status == 0b111:
            self._offset, self.rx2 = offset, (freq_hz, dr)
        return bytes((status,))

    def _add(self, said: bytes) -> bytes:
        """NewChannelReq: a channel more, another one, or (frequency 0) one less; never the region's own."""
        number, freq_hz, low, high = said[0], _hz(said[1:4]), said[4] & 0x0F, said[4] >> 4
        own = len(self._plan.channels)
        rates = low <= high and {low, high} <= self._plan.data_rates.keys() - self._plan.down_only
        lawful = not freq_hz or self._lawful(freq_hz)
        if not own <= number < _MOST_CHANNELS:
            return b"\x00"
        status = int(lawful) | rates << 1
        if status == 0b11 and freq_hz:
            self.channels[number] = Channel(freq_hz, low, high)
        elif status == 0b11:
            self.channels.pop(number, None)
        return bytes((status,))

    def _listen_on(self, said: bytes) -> bytes:
        """DlChannelReq: where RX1 listens after an uplink on one channel."""
        number, freq_hz = said[0], _hz(said[1:4])
        status = self._lawful(freq_hz) | (number in self.channels) << 1
        if status == 0b11:
            self.channels[number] = replace(self.channels[number], down_hz=freq_hz)
        return bytes((status,))

    def _lawful(self, freq_hz: int) -> bool:
        return self._plan.rule(freq_hz, self._plan.data_rates[self.lowest]) is not None

    def _may_send(self, dr: int) -> bool:
        plan = self._plan
        return dr >= self.lowest and dr in plan.data_rates and dr not in plan.down_only


def _hz(raw: bytes) -> int:
    return int.from_bytes(raw, "little") * _STEP_HZ
