"""AS923-1 in Japan: RP002-1.0.4 §2.10, and ARIB STD-T108 part 2 (specified low power radio, 20 mW) §3.4.1.

Who listens 5 ms before it sends (at -80 dBm) may use 920.6 to 923.4 MHz (channels 24 to 38), 4 s at most, then 50 ms silent; nothing limits
the sum. Who listens 128 µs only has 922.4 to 928.0 MHz (33 to 61), 400 ms, 360 s of any hour, and 2 ms of silence. Of the
readings that are published the stricter ones are taken: the 360 s are of all channels together, and a transmission of more than 200 ms
owes ten times itself. 13 dBm EIRP in both.

Listening is the forwarder's work: nothing here can check it. Basics Station for SX1301 listens 5 ms in region AS923-1 and none other,
and keeps each channel to 10 % besides.

A CFList from 922.2 MHz on keeps all seven channels within 1.2 MHz, which two radios of a concentrator span.
"""

from dataclasses import replace

from gateway.lorawan.plan import Channel, Plan, Window
from gateway.lorawan.regions.as923 import (
    DATA_RATES,
    DWELL_PAYLOAD,
    DWELL_S,
    PAYLOAD,
    dwell_rx1,
    rx1,
)
from gateway.lorawan.rules import HOUR, MILLISECOND, SECOND, Pause, Share, SubBand

_EIRP_DBM = 13.0
_CHANNEL_HZ = 200_000

LONG_SENSE = SubBand(
    *(920_500_000, 923_500_000, "ARIB STD-T108 part 2 §3.4.1, carrier sense of 5 ms"),
    eirp_dbm=_EIRP_DBM,
    widest_hz=_CHANNEL_HZ,
    longest_us=4 * SECOND,
    sense_us=5 * MILLISECOND,
    pauses=(Pause(fixed_us=50 * MILLISECOND),),
    station_rest=10,
    rest_by_channel=True,
)
SHORT_SENSE = SubBand(
    *(922_300_000, 928_100_000, "ARIB STD-T108 part 2 §3.4.1, carrier sense of 128 µs"),
    eirp_dbm=_EIRP_DBM,
    widest_hz=_CHANNEL_HZ,
    longest_us=400 * MILLISECOND,
    sense_us=128,
    pauses=(Pause(200 * MILLISECOND, times=10), Pause(6 * MILLISECOND, 2 * MILLISECOND)),
    share=Share(360 * SECOND, HOUR),
    station_rest=10,
    rest_by_channel=True,
)

PLAN = Plan(
    name="AS923-1",
    data_rates=DATA_RATES,
    channels=(Channel(923_200_000, 0, 5), Channel(923_400_000, 0, 5)),
    cf_list=(922_200_000, 922_400_000, 922_600_000, 922_800_000, 923_000_000),
    rx1=rx1,
    rx2=Window(923_200_000, 2, 2.0),
    rx1_delay_s=1.0,
    join_delay_s=5.0,
    max_eirp_dbm=_EIRP_DBM,
    max_payload=PAYLOAD,
    rules=(LONG_SENSE,),
)
"""For forwarders that listen 5 ms. A device that starts out with 400 ms (most do) never sends below DR2."""

SHORT_SENSE_PLAN = replace(
    PLAN,
    channels=(Channel(923_200_000, 2, 5), Channel(923_400_000, 2, 5)),
    cf_list=(),
    rx1=dwell_rx1,
    max_payload=DWELL_PAYLOAD,
    dwell_s=DWELL_S,
    rules=(SHORT_SENSE,),
)
"""For forwarders that listen 128 µs. A join-accept with a CFList would take 452 ms at SF10, at which devices join: it has none."""
