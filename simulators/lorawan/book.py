"""The ledger of a simulated network: every frame and its fate, beside the uplinks themselves (docs/ledger.md)."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from gateway.wire.lorawan.identifiers import Eui
from simulators.ledger import Ledger
from simulators.lorawan.air import Fate, Frame, whole
from simulators.uplink import SimUplink

CHANNEL_BUSY = "channel busy"
"""Fate of a frame that was not sent because of carriers of others, up or down."""


class Book:
    """Counts what happens, and writes it down where a ledger is kept.

    Attributes:
        frames: (sort, fate) → uplink frames.
        hearings: of frames by forwarders, all together.
        downlinks: fate → downlinks that forwarders were asked for.
        uplinks: what became of uplinks of data, by name.
        backhaul: fate → hearings that did not reach the gateway as they should.
        air_us: all uplinks together.
    """

    def __init__(self, ledger: Ledger | None) -> None:
        self._ledger = ledger
        self.frames: Counter[tuple[str, str]] = Counter()
        self.hearings = 0
        self.downlinks: Counter[str] = Counter()
        self.backhaul: Counter[str] = Counter()
        self.uplinks: Counter[str] = Counter()
        self.joins = 0
        self.deaths = 0
        self.air_us = 0

    def frame(self, who: Mapping[str, Any], frame: Frame, fates: Mapping[str, Fate], twice: Collection[str], broken: Collection[str] = ()) -> None:  # fmt: skip
        """An uplink frame has ended; what became of it as a whole.

        Args:
            who: `frame` (its number), `device`, `sort`, `mic`, and of data `f_cnt` and `try`.
            twice: forwarders that heard it with both antennas.
            broken: forwarders at which it collided, and arrived with a wrong CRC.
        """
        fate = whole(fates)
        heard = [name for name, one in fates.items() if one is Fate.HEARD]
        self.frames[who["sort"], fate.value] += 1
        self.hearings += len(heard) + len(twice)
        self.air_us += frame.air_us
        self._note(
            {
                **who,
                "at": frame.end_us,
                "air_us": frame.air_us,
                "freq_hz": frame.freq_hz,
                "rate": str(frame.rate),
                "fate": fate.value,
                "heard_by": heard,
                **({"twice": list(twice)} if twice else {}),
                **({"broken_at": list(broken)} if broken else {}),
                "by": {name: one.value for name, one in fates.items()},
            }
        )

    def not_sent(self, who: Mapping[str, Any], clause: str, fate: str = "not sent") -> None:
        """A frame that the law does not permit now; also since others were heard on every channel (`CHANNEL_BUSY`)."""
        self.frames[who["sort"], fate] += 1
        self._note({**who, "fate": fate, "clause": clause})

    def downlink(self, line: Mapping[str, Any]) -> None:
        """A downlink that a forwarder was asked for, and its `fate`."""
        self.downlinks[line["fate"]] += 1
        self._note(line)

    def handed(self, forwarder: Eui, number: int, fate: str) -> None:
        """A frame that a forwarder heard did not reach the gateway as it should: `lost in the backhaul`, `late` and so on."""
        self.backhaul[fate] += 1
        self._note({"handed": str(forwarder), "frame": number, "fate": fate})

    def away(self, forwarder: Eui, begin_us: int, end_us: int) -> None:
        """Between these two moments a forwarder found that the gateway was not there."""
        self._note({"away": str(forwarder), "from": begin_us, "until": end_us})

    def joined(self, device: str, tries: int) -> None:
        """A device has its session."""
        self.joins += 1
        self._note({"joined": device, "tries": tries})

    def died(self, device: str, at_us: int) -> None:
        """The battery of a device is empty: nothing comes from it any more."""
        self.deaths += 1
        self._note({"battery_empty": device, "at": at_us})

    def hand_over(self, uplink: SimUplink) -> None:
        """Somebody heard an uplink for the first time: from now on it may be stored."""
        if self._ledger is not None:
            self._ledger.write(uplink)
            self._ledger.flush()

    def uplink(self, uplink: SimUplink, line: Mapping[str, Any]) -> None:
        """An uplink of data is over: `heard`, `confirmed`, `tries`, `acked` (RX1, RX2 or null)."""
        if not line["heard"] and self._ledger is not None:
            self._ledger.write(uplink._replace(lost=True))
        self.uplinks["all"] += 1
        self.uplinks["heard"] += bool(line["heard"])
        if line["confirmed"]:
            self.uplinks["confirmed"] += 1
            self.uplinks["acknowledged"] += line["acked"] is not None
        self._note({"over": uplink.device, "f_cnt": uplink.seq, **line})

    def _note(self, line: Mapping[str, Any]) -> None:
        if self._ledger is not None:
            self._ledger.note(line)
            self._ledger.flush()
