"""How long a LoRa frame is on the air (Semtech AN1200.13; of SF5 and SF6 the SX1261/2 datasheet §6.1.4).

    symbol    = 2^SF / BW
    preamble  = n + 4.25 symbols (SF5, SF6: n + 6.25)
    payload   = 8 + ceil((8 size - 4 SF + 8 + 16 CRC + 20 header) / 4 (SF - 2 DE)) (CR + 4)    SF5, SF6: without the 8 in the bracket

DE, the optimisation for low data rates, is on from 16 ms a symbol on: SF11 and SF12 at 125 kHz. LoRaWAN has eight symbols of
preamble, a header, coding rate 4/5, and a CRC in uplinks alone (RP002-1.0.4, physical layer).
"""

from gateway.lorawan.plan import DataRate

FRAME = 13
"""Bytes of a data frame around an application's payload: MHDR, FHDR without FOpts, port, MIC."""

FLOOR_DB = {5: -2.5, 6: -5.0, 7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
"""Signal to noise at which a spreading factor is just demodulated (SX1301 datasheet, table 2; SF5 and SF6: SX1261/2)."""

_LOW_RATE_US = 16_000
_SHORT_SF = 6


def airtime_us(
    size: int,
    rate: DataRate,
    *,
    crc: bool = True,
    header: bool = True,
    coding: int = 5,
    preamble: int = 8,
    low_rate: bool | None = None,
) -> int:
    """Microseconds on the air.

    Args:
        size: bytes of the PHYPayload, 0 to 255.
        crc: of uplinks; downlinks have none.
        coding: 5 to 8, of 4/5 to 4/8.
        preamble: symbols.
        low_rate: the optimisation for low data rates; None for what the data rate asks for.

    Raises:
        ValueError: no LoRa frame is like that.
    """
    sf = rate.sf
    if not (5 <= sf <= 12 and 5 <= coding <= 8 and 0 <= size <= 255):
        raise ValueError("LoRa has SF5 to SF12, coding rates 4/5 to 4/8, and 255 bytes at most")
    if low_rate is None:
        low_rate = (1_000_000 << sf) > _LOW_RATE_US * rate.bw_hz
    short = sf <= _SHORT_SF
    bits = 8 * size - 4 * sf + (0 if short else 8) + (16 if crc else 0) + (20 if header else 0)
    blocks = -(-max(bits, 0) // (4 * (sf - (2 if low_rate else 0))))
    quarters = 4 * (preamble + 8 + blocks * coding) + (25 if short else 17)
    return -(-(quarters * 1_000_000 << sf) // (4 * rate.bw_hz))
