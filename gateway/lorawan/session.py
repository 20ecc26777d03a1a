"""One device's session in the network: its address, its keys, its counters; and how it is written down."""

from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple, Self

from gateway.lorawan.course import Course
from gateway.model.identity import DeviceId
from gateway.model.instant import Instant
from gateway.wire.lorawan.crypto import BLOCK, Key
from gateway.wire.lorawan.identifiers import DevAddr, Eui
from gateway.wire.lorawan.join import SessionKeys

_FORM = 2
_RECORD = Struct(f">BBI?4sBBBQII8s{4 * BLOCK}sIQ14x")
"""form, minor version, number, whether ABP, DevAddr, RX1DROffset, RX2 data rate, RX delay, settled uplink (0: none, else one more),
first downlink counters that were never reserved (network, application), DevEUI, keys, last confirmed downlink (0: none, else one more), when
its counters were said (0: never). 128 bytes with the rest left free."""

RESERVED = 64
"""Downlink counters that are reserved on disk at a time; what a kill leaves unused is never used."""

LAST_SAID = (1 << 32) - (1 << 17)
"""The largest counter that somebody may say: two rounds of the sixteen bits on the air are left behind it."""

_LAST = (1 << 32) - 1
_MARGIN = 1024
"""Beside one downlink for each uplink: sixteen starts, which skip up to 64 each."""

_REPEATED_S, _REPEATED_AIRS, _REPEATED_MOST = 60.0, 1000, 14


class Counters(NamedTuple):
    """What somebody said of a device's counters, which are not known here: they were lost, or another network had it.

    Attributes:
        up: the last uplink that may have been heard; None while nobody knows, and then no frame of it is believed.
        down: the first downlink that surely was not heard.
        said_at: when; 0 for never.
    """

    up: int | None
    down: int = 0
    said_at: Instant = 0


def surely_unheard(up: int) -> int:
    """The first downlink that a device surely has not heard that has sent so many uplinks."""
    return min(up + _MARGIN, LAST_SAID)


@dataclass(slots=True, eq=False)
class Session:
    """A session as it stands now.

    Attributes:
        device: its id in the registry.
        minor: 0 of LoRaWAN 1.0, 1 of 1.1.
        number: of the join that began it; 0 of a device that never joins.
        abp: it was never joined: its keys stand in the registry.
        up: the last accepted uplink's counter, 32 bits; None before the first.
        settled: that of the last uplink whose row is on disk, or of which there is none to be: what is written down.
        down, app_down: the next downlink's counters; 1.0 has `down` alone.
        asked: the last confirmed downlink's counter; an uplink's acknowledgement stands for it or for one before it; None before the first.
        reserved, app_reserved: counters below these may be used: it is on disk that nobody uses them again.
        ahead, app_ahead: the same, or on its way to the disk; whatever is written down meanwhile carries these.
        kept: the last uplink's counter that is on disk behind its row: repeated, it is answered again.
        lost: the last uplink came to nothing by a fault of ours: repeated, it is new.
        first_s: when the last uplink came first, on the monotonic clock; None after a restart.
        repeated: how often it came again and was answered.
        said_at: of the counters that it obeyed last; 0 for none.
        held: its counters are not known, and nobody has said how far they are.
        over: it has ended: it is never written down again.
        course: how it is set, where the network does that; in memory alone.
    """

    device: DeviceId
    dev_eui: Eui
    dev_addr: DevAddr
    keys: SessionKeys
    minor: int = 0
    number: int = 0
    abp: bool = False
    rx1_dr_offset: int = 0
    rx2_dr: int = 0
    rx_delay_s: int = 1
    up: int | None = None
    settled: int | None = None
    down: int = 0
    app_down: int = 0
    reserved: int = 0
    app_reserved: int = 0
    ahead: int = 0
    app_ahead: int = 0
    asked: int | None = None
    kept: int | None = None
    lost: bool = False
    first_s: float | None = None
    repeated: int = 0
    said_at: Instant = 0
    held: bool = False
    over: bool = False
    course: Course | None = None

    def __repr__(self) -> str:
        return f"<session of {self.device}>"

    @property
    def id(self) -> str:
        """What tells this session of a device from the next: it enters the identity of its rows."""
        return self.dev_addr.hex() + self.keys.f_nwk_s_int.cmac(b"session").hex()[:8]

    def has_counter(self, *, by_app: bool, left: int = 1) -> bool:
        """Whether so many downlinks may be counted without reserving.

        Args:
            by_app: of an application's downlinks, which 1.1 counts apart.
        """
        if by_app and self.keys.is_1_1:
            return self.app_reserved - self.app_down >= left
        return self.reserved - self.down >= left

    def hears(self, f_cnt: int, at_s: float) -> None:
        """A new uplink."""
        self.up, self.lost = f_cnt, False
        self.first_s, self.repeated = at_s, 0

    def hears_again(self, at_s: float, air_us: int) -> bool:
        """The last uplink once more: whether its device may have sent that, and not somebody who captured it.

        A device repeats within a minute, or within a thousand times its own time on the air where the law lets it send for a
        hundredth of the time; fourteen times at most (LoRaWAN 1.0.4 §5.3, NbTrans). What a kill cost is repeated, too.
        """
        if self.first_s is None:
            self.first_s = at_s
        patience_s = max(_REPEATED_S, air_us / 1e6 * _REPEATED_AIRS)
        if at_s - self.first_s > patience_s or self.repeated == _REPEATED_MOST:
            return False
        self.repeated += 1
        return True

    def settle(self, f_cnt: int) -> None:
        """The row of this uplink is on disk, or there is none to be; of several on their way the largest counts."""
        self.settled = f_cnt if self.settled is None else max(self.settled, f_cnt)

    def reserve(self) -> tuple[int, int] | None:
        """Counters below these are not to be used again from the next writing on; None where 32 bits are used up."""
        if max(self.down, self.app_down) >= _LAST:
            return None
        self.ahead = max(self.ahead, self.reserved, min(self.down + RESERVED, _LAST))
        self.app_ahead = max(self.app_ahead, self.app_reserved, min(self.app_down + RESERVED, _LAST))  # fmt: skip
        return self.ahead, self.app_ahead

    def obey(self, said: Counters) -> None:
        """Go on behind what somebody said of its counters, once; downlinks never behind what was reserved."""
        self.held = said.up is None
        if self.held or self.said_at == said.said_at:
            return
        self.up, self.settled, self.said_at = said.up, said.up, said.said_at
        self.lost, self.kept = False, None
        self.down = self.reserved = max(self.reserved, self.ahead, said.down)
        self.app_down = self.app_reserved = max(self.app_reserved, self.app_ahead, said.down)

    def record(self) -> bytes:
        """All of it that must survive, 128 bytes; to be sealed."""
        keys = self.keys
        return _RECORD.pack(
            *(_FORM, self.minor, self.number, self.abp, bytes(self.dev_addr)),
            *(self.rx1_dr_offset, self.rx2_dr, self.rx_delay_s),
            0 if self.settled is None else self.settled + 1,
            max(self.reserved, self.ahead),
            max(self.app_reserved, self.app_ahead),
            bytes(self.dev_eui),
            keys.f_nwk_s_int.secret
            + keys.s_nwk_s_int.secret
            + keys.nwk_s_enc.secret
            + keys.app_s.secret,
            0 if self.asked is None else self.asked + 1,
            self.said_at,
        )

    @classmethod
    def of(cls, device: DeviceId, record: bytes) -> Self:
        """A session as it was written down; its downlinks go on behind whatever was reserved.

        Raises:
            ValueError: written by another version.
        """
        if len(record) != _RECORD.size or record[0] != _FORM:
            raise ValueError("a record of another form")
        (_, minor, number, abp, addr, offset, rx2_dr, delay, up, reserved, app_reserved, eui, secrets, asked, said_at) = (
            _RECORD.unpack(record)
        )  # fmt: skip
        f, s, enc, app = (Key(secrets[n : n + BLOCK]) for n in range(0, 4 * BLOCK, BLOCK))
        return cls(
            *(device, Eui(eui), DevAddr(addr), SessionKeys(f, s, enc, app, is_1_1=minor == 1)),
            *(minor, number, abp, offset, rx2_dr, delay),
            up=up - 1 if up else None,
            settled=up - 1 if up else None,
            down=reserved,
            app_down=app_reserved,
            reserved=reserved,
            app_reserved=app_reserved,
            asked=asked - 1 if asked else None,
            kept=up - 1 if up else None,
            said_at=said_at,
        )
