"""Airtime that was used before a kill is used after it."""

from pathlib import Path

import pytest

from gateway.lorawan.airtime import airtime_us
from gateway.lorawan.plan import DataRate
from tests.e2e.processes import Gateway
from tests.e2e.radio_town import GAUGE_PORT, STAGE, radio_town
from tests.e2e.test_doctor_lorawan import joined
from tests.e2e.test_lorawan import DOOR, plugged_in
from tests.fakes.node import Node

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SLOW, RX1_MHZ = "SF12BW125", 868.1
HOUR_S = 36.0
"""One in a hundred, in 868.0 to 868.6 MHz."""


def test_two_kills_do_not_give_an_hour_more_than_its_hundredth(tmp_path: Path) -> None:
    """Answers at SF12 go to RX2, or nowhere, when 36 s of RX1's sub-band are used up, in whatever life; less than four of them are lost by
    what is set aside at each kill."""
    town, node = radio_town(tmp_path / "town", DOOR.replace("AS923-1", "EU868")), Node()
    f_cnt, used_s = 0, 0.0
    elsewhere = 0
    for life in range(3):
        with Gateway(town) as gateway, plugged_in(gateway) as forwarder:
            if life == 0:
                joined(forwarder, node)
            for _ in range(14):
                phy = node.says(f_cnt, STAGE, confirmed=True, f_port=GAUGE_PORT)
                forwarder.push(phy, freq=RX1_MHZ, datr=SLOW)
                asked = forwarder.asked(2.0)
                if asked is not None and asked["freq"] == RX1_MHZ:
                    used_s += airtime_us(len(asked["phy"]), DataRate(12, 125_000), crc=False) / 1e6
                else:
                    elsewhere += 1
                f_cnt += 1
            gateway.kill()
    assert HOUR_S - 4 <= used_s <= HOUR_S
    assert elsewhere
