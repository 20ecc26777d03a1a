"""The shape of what a country's law says about sending; the rules themselves stand beside each region's plan.

Times are whole microseconds, so that sums are exact.
"""

from typing import NamedTuple

MILLISECOND = 1_000
SECOND = 1_000_000
HOUR = 3600 * SECOND


class Share(NamedTuple):
    """How long a transmitter may be on the air, all in all, within any stretch of time.

    Attributes:
        by_channel: whether each channel counts alone, not the whole stretch of frequencies.
    """

    most_us: int
    within_us: int
    by_channel: bool = False


class Pause(NamedTuple):
    """Silence that a transmitter owes after a transmission.

    Attributes:
        after_us: owed by transmissions longer than this.
        fixed_us: so long,
        times: or so many times the transmission itself, whichever is longer.
    """

    after_us: int = 0
    fixed_us: int = 0
    times: int = 0


class SubBand(NamedTuple):
    """What holds in one stretch of frequencies, for transmissions that lie wholly inside.

    Attributes:
        low_hz, high_hz: its edges.
        law: where it stands, as a refusal names it.
        eirp_dbm: the most that may leave the antenna.
        widest_hz: bandwidth of LoRa; wider ones are not permitted, or have a rule of their own.
        longest_us: one transmission; None where nothing limits it.
        sense_us: who sends has listened so long just before, and heard nobody at −80 dBm; 0 where nobody needs to.
        pauses: the first whose `after_us` is exceeded is owed, on every frequency.
        share: None where nothing limits the sum.
        station_rest: LoRa Basics Station leaves a channel (or all stretches with this number) alone for so many times the
            airtime, counted from the start, and silently drops what comes sooner; 0 for not at all.
        rest_by_channel: whether it does so channel by channel.
    """

    low_hz: int
    high_hz: int
    law: str
    eirp_dbm: float
    widest_hz: int = 500_000
    longest_us: int | None = None
    sense_us: int = 0
    pauses: tuple[Pause, ...] = ()
    share: Share | None = None
    station_rest: int = 0
    rest_by_channel: bool = False

    def holds(self, freq_hz: int, bw_hz: int) -> bool:
        """Whether such a transmission lies inside."""
        half = bw_hz // 2
        inside = self.low_hz <= freq_hz - half and freq_hz + half <= self.high_hz
        return inside and bw_hz <= self.widest_hz

    def owed_us(self, air_us: int) -> int:
        """The silence after a transmission of this length."""
        for pause in self.pauses:
            if air_us > pause.after_us:
                return max(pause.fixed_us, pause.times * air_us)
        return 0

    def an_hour(self, air_us: int) -> int:
        """How many transmissions of this length are legal within an hour, on one channel and with the silences between."""
        if self.longest_us is not None and air_us > self.longest_us:
            return 0
        most = HOUR // (air_us + self.owed_us(air_us))
        if self.share is None:
            return most
        return min(most, HOUR // self.share.within_us * (self.share.most_us // air_us))
