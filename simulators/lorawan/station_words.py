"""How LoRa Basics Station 2.0.6 writes: the frame that it takes apart, and what it calls itself."""

from typing import Any, NamedTuple

HELLO = {"msgtype": "version", "station": "2.0.6(linux/testsim)", "firmware": None, "package": None, "model": "linux", "protocol": 2, "features": "rmtsh"}  # fmt: skip


def signed(wire: bytes) -> int:
    """A word as a station writes it."""
    return int.from_bytes(wire, "little", signed=True)


def apart(phy: bytes, eui: str = "Eui") -> dict[str, Any]:
    """The members that `s2e_parse_lora_frame` makes of a whole frame.

    Args:
        eui: "EUI" of a station that was configured with `JoinEUI`.
    """
    sort = phy[0] >> 5
    if sort in (1, 7):
        return {"msgtype": "jacc" if sort == 1 else "propdf", "FRMPayload": phy.hex().upper()}
    if sort in (0, 6):
        return {
            "msgtype": "jreq" if sort == 0 else "rejoin",
            "MHdr": phy[0],
            f"Join{eui}": phy[8:0:-1].hex("-").upper(),
            f"Dev{eui}": phy[16:8:-1].hex("-").upper(),
            "DevNonce": int.from_bytes(phy[17:19], "little"),
            "MIC": signed(phy[19:]),
        }
    port = 8 + (phy[5] & 0x0F)
    return {
        "msgtype": "updf" if sort in (2, 4) else "dndf",
        "MHdr": phy[0],
        "DevAddr": signed(phy[1:5]),
        "FCtrl": phy[5],
        "FCnt": int.from_bytes(phy[6:8], "little"),
        "FOpts": phy[8:port].hex().upper(),
        "FPort": phy[port] if port < len(phy) - 4 else -1,
        "FRMPayload": phy[port + 1 : -4].hex().upper(),
        "MIC": signed(phy[-4:]),
    }


class Setup(NamedTuple):
    """What a station took from its `router_config`.

    Attributes:
        channels: frequency → lowest and highest data rate that it hears there.
        up, down: (spreading factor, kHz) → number of the data rate, and back.
        power_dbm: of all it sends.
    """

    region: str
    channels: dict[int, tuple[int, int]]
    up: dict[tuple[int, int], int]
    down: dict[int, tuple[int, int]]
    power_dbm: float

    def hears(self, freq_hz: int, sf: int, khz: int) -> int | None:
        """The number of the data rate with which a frame is heard; None where it listens otherwise."""
        number = self.up.get((sf, khz))
        low, high = self.channels.get(freq_hz, (1, 0))
        return number if number is not None and low <= number <= high else None

    def rest(self, freq_hz: int) -> tuple[int, int]:
        """What it leaves alone after it has sent there, and for how many times the airtime (`s2e.c`)."""
        if self.region == "AS923-1":
            return freq_hz, 10
        if self.region == "EU868":
            if 869_400_000 <= freq_hz <= 869_650_000:
                return 10, 10
            hundredth = 868_000_000 <= freq_hz <= 868_600_000 or freq_hz >= 869_700_000
            return (100, 100) if hundredth else (1000, 1000)
        return 0, 0


_MOST_DBM = {"AS923-1": 13.0}
"""What a station allows itself where it is told more."""


def setup(said: dict[str, Any]) -> Setup:
    """What a `router_config` makes of a station."""
    rates = {n: rate for n, rate in enumerate(said["DRs"]) if rate[0] > 0}
    return Setup(
        said["region"],
        {freq: (low, high) for freq, low, high in said["upchannels"]},
        {(sf, khz): n for n, (sf, khz, down_only) in reversed(rates.items()) if not down_only},
        {n: (sf, khz) for n, (sf, khz, _) in rates.items()},
        min(said["max_eirp"], _MOST_DBM.get(said["region"], said["max_eirp"])),
    )
